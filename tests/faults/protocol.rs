//! What a server can say wrong, and what only looks wrong.

use super::{CHUNKS, every};
use crate::support::{Blast, Document, Folder, Peer, Server, answer, each_engine, ok};

/// Four of twenty requests meet `fault`.
fn four_of_twenty(engine: &str, fault: impl Fn(&mut Peer) + Send + Sync + 'static) -> Document {
    let server = every(5, fault);
    let document = Blast::calm(engine, &server.url()).args("-n 20 -c 2 -T 10s").document();
    document.agrees_with(server.requests());
    document
}

/// Each of the four is of `kind`, the others are good, and none waited for a timeout.
fn broken(engine: &str, kind: &str, fault: impl Fn(&mut Peer) + Send + Sync + 'static) {
    let document = four_of_twenty(engine, fault);
    assert_eq!(document.counts("failures"), [(kind, 4)].into());
    assert_eq!(document.fates(["sent", "good", "failed"]), [20, 16, 4]);
    assert!(document.number("duration_s") < 5.0);
}

#[test]
fn chunks_that_cannot_be_read_are_malformed() {
    each_engine(|engine| {
        let extension = "e".repeat(10_000);
        for chunk in [
            "xyz\r\nhello\r\n",
            "\r\n",
            "+5\r\nhello\r\n",
            "-5\r\nhello\r\n",
            " 5\r\nhello\r\n",
            "5\nhello\n",
            "5\r\nhello",
            "ffffffffffffffff0\r\n",
            &format!("5;{extension}\r\nhello\r\n"),
        ] {
            let bytes = format!("{CHUNKS}{chunk}0\r\n\r\n");
            broken(engine, "malformed", move |peer| {
                peer.write(&bytes);
                peer.wait_for_end();
            });
        }
    });
}

#[test]
fn what_never_ends_is_ended_by_the_client() {
    each_engine(|engine| {
        let endless: [(&str, &str, &str); 4] = [
            ("", "HTTP/1.1 100 Continue\r\n\r\n", "malformed"),
            ("HTTP/1.1 200 OK\r\n", "X-Field: value\r\n", "head_too_large"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", "extension", "malformed"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                "A: b\r\n",
                "head_too_large",
            ),
        ];
        for (start, again, kind) in endless {
            let piece = again.repeat(1_000);
            broken(engine, kind, move |peer| {
                peer.write(start);
                // A client that goes on reading would take 20 MB of it.
                while peer.wrote() < 20 << 20 && peer.is_open() {
                    peer.write(&piece);
                }
                assert!(peer.wrote() < 20 << 20, "{kind} was never noticed");
            });
        }
    });
}

#[test]
fn an_answer_that_has_no_body_is_not_followed_by_one() {
    each_engine(|engine| {
        // What follows looks like the next answer, and must not be taken for it.
        let next = answer("500 Smuggled", "smuggled");
        for (status, flags) in
            [("304 Not Modified", ""), ("204 No Content", ""), ("200 OK", "-X HEAD")]
        {
            let bytes = format!("HTTP/1.1 {status}\r\nContent-Length: 9\r\n\r\n{next}");
            let server = Server::answering(bytes);
            let blast = Blast::calm(engine, &server.url()).args("-n 10 -c 2 -t 1").args(flags);
            let document = blast.document();
            let code = status.split(' ').next().unwrap();
            assert_eq!(document.counts("statuses"), [(code, 10)].into());
            assert_eq!(document.count("unsolicited_bytes"), 10 * next.len() as u64);
            assert!(document.warnings().contains(&"unsolicited_bytes"));
        }
    });
}

#[test]
fn a_length_that_is_too_large_on_a_connection_that_stays_is_a_timeout_in_the_body() {
    each_engine(|engine| {
        let server = every(5, |peer| {
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            peer.wait_for_end();
        });
        let blast = Blast::calm(engine, &server.url()).args("-n 20 -c 2 -T 300ms -t 1");
        let document = blast.document();
        assert_eq!(document.counts("failures"), [("timeout", 4)].into());
        let examples = document.at("failure_examples").as_array().unwrap();
        assert!(
            examples.iter().all(|e| e["stage"] == "body" && e["status"] == 200),
            "{examples:?}"
        );
    });
}

#[test]
fn a_redirect_is_counted_and_not_followed() {
    each_engine(|engine| {
        let elsewhere = Server::answering(ok());
        for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
            let location = elsewhere.url();
            let server = Server::answering(format!(
                "HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            ));
            let document = Blast::calm(engine, &server.url()).args("-n 10 -c 2").document();
            let code = status.split(' ').next().unwrap();
            assert_eq!(document.counts("statuses"), [(code, 10)].into());
            assert_eq!(document.fates(["good", "rejected"]), [10, 0]);
            assert_eq!(server.requests(), 10);
        }
        assert_eq!(elsewhere.connections(), 0);
    });
}

#[test]
fn an_encoded_body_is_counted_as_it_came_and_never_decoded() {
    each_engine(|engine| {
        for encoding in ["gzip", "br", "gzip, gzip", "no-such-coding"] {
            let server = Server::answering(format!(
                "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 8\r\n\r\nnot that"
            ));
            let document = Blast::calm(engine, &server.url()).args("-n 10 -c 2 -t 1").document();
            assert_eq!(document.fates(["good", "failed"]), [10, 0]);
            assert_eq!(document.count("connections.reopened"), 0);
        }
    });
}

#[test]
fn an_early_refusal_counts_even_where_a_reset_follows_it_at_once() {
    each_engine(|engine| {
        let folder = Folder::new();
        let file = folder.path().join("body");
        std::fs::write(&file, vec![b'b'; 16 << 20]).unwrap();
        // Closing with most of the body unread is a reset.
        let server = Server::start(|peer| {
            if peer.head().is_some() {
                peer.write(
                    "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                );
                peer.close();
            }
        });
        let body = format!("@{}", file.display());
        let blast = Blast::calm(engine, &server.url()).args("-n 100 -c 4 -T 10s -b").arg(&body);
        let document = blast.document();
        assert_eq!(
            document.counts("statuses"),
            [("413", 100)].into(),
            "{}",
            document.at("failures")
        );
        assert_eq!(document.counts("rejections"), [("status_4xx", 100)].into());
        assert!(document.number("duration_s") < 5.0, "nothing waits for a timeout");
    });
}

#[test]
fn a_reset_while_a_large_request_is_sent_is_told_as_such() {
    each_engine(|engine| {
        let folder = Folder::new();
        let file = folder.path().join("body");
        std::fs::write(&file, vec![b'b'; 16 << 20]).unwrap();
        let server = Server::start(|peer| {
            peer.head();
            peer.close();
        });
        let body = format!("@{}", file.display());
        let blast = Blast::calm(engine, &server.url()).args("-n 20 -c 2 -t 1 -T 10s -b").arg(&body);
        let document = blast.document();
        // The kernel tells one side of the reset, and the other that the connection is over; which
        // is first, nobody can say.
        let kinds = ["send_reset", "receive_reset", "closed_before_response"];
        let failures = document.counts("failures");
        assert!(failures.keys().all(|kind| kinds.contains(kind)));
        assert_eq!(failures.values().sum::<u64>(), 20);
        let examples = document.at("failure_examples").as_array().unwrap();
        assert!(examples.iter().all(|example| example["stage"] == "send"), "{examples:?}");
        assert!(document.number("duration_s") < 5.0, "nothing waits for a timeout");
    });
}
