//! How a connection ends after its handshake: with close_notify, without it, or broken.

use std::time::Duration;

use super::Site;
use crate::support::{Document, Peer, Server, Terms, each_engine, ok};

/// Ten requests over two connections at a time.
fn ten(engine: &str, version: &str, script: fn(&mut Peer)) -> Document {
    let site = Site::new();
    let config = site.config_on(&Terms::of(version));
    let server = Server::secure(config, move |peer| {
        if peer.request().is_some() {
            script(peer);
        }
    });
    let document = site.blast(engine, &server.https()).args("-n 10 -c 2 -t 1 -T 10s").document();
    assert_eq!(document.count("requests.sent"), 10);
    document.agrees_with(server.requests());
    assert!(document.number("duration_s") < 5.0, "nothing waits for a timeout");
    document
}

fn all_fail(document: &Document, kind: &str) {
    assert_eq!(document.counts("failures"), [(kind, 10)].into());
    assert_eq!(document.count("requests.good"), 0);
}

fn all_good(document: &Document) {
    assert!(document.counts("failures").is_empty(), "{}", document.at("failures"));
    assert_eq!(document.count("requests.good"), 10);
}

const ENDLESS: &str = "HTTP/1.1 200 OK\r\n\r\nthe end of this is told by the end of the connection";
const HALF: &str = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";

#[test]
fn a_body_that_ends_with_its_connection_is_whole_only_with_a_close_notify() {
    each_engine(|engine| {
        for version in ["1.2", "1.3"] {
            let told = ten(engine, version, |peer| peer.write(ENDLESS));
            all_good(&told);
            assert_eq!(told.count("tls.closed_without_notify"), 0);
            let cut = ten(engine, version, |peer| {
                peer.write(ENDLESS);
                peer.cut();
            });
            all_fail(&cut, "truncated");
            assert_eq!(cut.count("tls.closed_without_notify"), 10);
        }
    });
}

#[test]
fn a_body_with_a_length_is_truncated_however_its_connection_ends() {
    each_engine(|engine| {
        let told = ten(engine, "1.3", |peer| peer.write(HALF));
        all_fail(&told, "truncated");
        assert_eq!(told.count("tls.closed_without_notify"), 0);
        let cut = ten(engine, "1.3", |peer| {
            peer.write(HALF);
            peer.cut();
        });
        all_fail(&cut, "truncated");
        assert_eq!(cut.count("tls.closed_without_notify"), 10);
        let cut = ten(engine, "1.2", |peer| {
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            peer.cut();
        });
        all_fail(&cut, "truncated");
    });
}

#[test]
fn a_connection_closed_before_the_answer_is_told_as_without_tls() {
    each_engine(|engine| {
        all_fail(&ten(engine, "1.3", Peer::fin), "closed_before_response");
        all_fail(&ten(engine, "1.3", Peer::cut), "closed_before_response");
    });
}

#[test]
fn a_reset_after_the_handshake_is_told_as_without_tls() {
    each_engine(|engine| {
        let document = ten(engine, "1.3", |peer| {
            peer.write(HALF);
            std::thread::sleep(Duration::from_millis(20));
            peer.reset();
        });
        all_fail(&document, "receive_reset");
    });
}

#[test]
fn what_breaks_the_connection_after_its_handshake_is_told_with_its_flaw() {
    each_engine(|engine| {
        // A record of application data that no key fits, and an alert as TLS 1.2 writes it.
        let garbage = ten(engine, "1.3", |peer| {
            peer.write(HALF);
            peer.write_raw(&[&[23, 3, 3, 0, 100][..], &[7; 100]].concat());
            peer.wait_for_end();
        });
        all_fail(&garbage, "tls_broken");
        let plain = ten(engine, "1.3", |peer| {
            peer.write_raw(ok().as_bytes());
            peer.wait_for_end();
        });
        all_fail(&plain, "tls_broken");
        for document in [garbage, plain] {
            let examples = document.at("failure_examples").as_array().unwrap();
            assert!(!examples.is_empty());
            assert!(examples.iter().all(|e| e["flaw"] == "garbled"), "{examples:?}");
        }
    });
}

#[test]
fn a_complete_answer_is_good_without_a_close_notify_which_is_noted() {
    each_engine(|engine| {
        for (version, is_told) in [("1.2", true), ("1.2", false), ("1.3", true), ("1.3", false)] {
            let site = Site::new();
            let server = Server::secure(site.config_on(&Terms::of(version)), move |peer| {
                peer.request();
                peer.write(ok());
                if is_told { peer.fin() } else { peer.cut() }
            });
            // Each is closed long before the next request on it is due.
            let flags = "-R 40 -n 10 -c 2 -t 1";
            let document = site.blast(engine, &server.https()).args(flags).document();
            assert_eq!(document.fates(["sent", "good", "failed"]), [10, 10, 0]);
            // The last two may close after the end of the run.
            let cut = document.count("tls.closed_without_notify");
            assert!(if is_told { cut == 0 } else { (8..=10).contains(&cut) }, "{cut}");
            assert!(document.count("connections.reopened") >= 8);
        }
    });
}
