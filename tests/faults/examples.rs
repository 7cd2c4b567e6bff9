//! The first failures of each kind are kept: when and where it was, how far it had got, and what
//! was seen of it.

use serde_json::Value;

use super::every;
use crate::support::{Blast, Document, Peer, Server, each_engine, ok};

/// What is done to a client instead of an answer.
type Fault = fn(&mut Peer);

/// Ten of fifty requests meet `fault`; the examples are those of one kind.
fn examples(engine: &str, flags: &str, fault: Fault) -> Vec<Value> {
    let server = every(5, fault);
    let blast = Blast::calm(engine, &server.url()).args("-n 50 -c 3 -t 1 -T 10s").args(flags);
    let document = blast.document();
    let examples = kept(&document);
    assert_eq!(examples.len(), 5, "{examples:?}");
    examples
}

fn kept(document: &Document) -> Vec<Value> {
    document.at("failure_examples").as_array().unwrap().clone()
}

#[test]
fn the_first_five_failures_of_a_kind_are_kept_in_order_of_time() {
    each_engine(|engine| {
        let server = every(5, |peer| peer.reset());
        let blast = Blast::calm(engine, &server.url()).args("-n 200 -c 4 -t 2");
        let document = blast.document();
        assert_eq!(document.counts("failures"), [("receive_reset", 40)].into());
        let examples = kept(&document);
        assert_eq!(examples.len(), 5);
        let times: Vec<f64> = examples.iter().map(|e| e["at_s"].as_f64().unwrap()).collect();
        assert!(times.is_sorted() && times[0] > 0.0, "{times:?}");
        for example in &examples {
            assert_eq!(example["kind"], "receive_reset");
            assert_eq!(example["side"], "target");
            assert_eq!(example["errno"], libc::ECONNRESET);
            assert_eq!(example["errno_text"], "Connection reset by peer");
            assert!(example["connection"].as_u64().unwrap() < 4);
        }
        assert_eq!(document.text("failure_sides.receive_reset"), "target");
    });
}

#[test]
fn an_example_names_the_local_port_that_the_server_saw() {
    each_engine(|engine| {
        let server = every(5, |peer| peer.reset());
        let blast = Blast::calm(engine, &server.url()).args("-n 50 -c 3 -t 1");
        let document = blast.document();
        let seen: Vec<u64> = server.log().iter().map(|heard| heard.port.into()).collect();
        let ports: Vec<Option<u64>> =
            kept(&document).iter().map(|example| example["local_port"].as_u64()).collect();
        // The last failure may be the last thing of the run: then nobody asks any more.
        assert!(ports[..4].iter().all(Option::is_some), "{ports:?}");
        assert!(ports.iter().flatten().all(|port| seen.contains(port)), "{ports:?} of {seen:?}");
    });
}

#[test]
fn how_far_an_answer_had_got_stands_in_the_example() {
    each_engine(|engine| {
        let cut: fn(&mut Peer, &str) = |peer, bytes| {
            peer.write(bytes);
            peer.fin();
        };
        let stages: [(Fault, &str, &str, Option<u64>); 4] = [
            (|peer| peer.fin(), "closed_before_response", "wait", None),
            (|peer| peer.reset(), "receive_reset", "wait", None),
            (|peer| peer.write("HTTP/2.0 200 OK\r\n"), "malformed", "head", None),
            (|peer| peer.write(super::CHUNKS.to_string() + "xyz"), "malformed", "body", Some(200)),
        ];
        for (fault, kind, stage, status) in stages {
            for example in examples(engine, "", fault) {
                assert_eq!(example["kind"], kind, "{example}");
                assert_eq!(
                    (example["stage"].as_str(), example["status"].as_u64()),
                    (Some(stage), status)
                );
            }
        }
        let truncated = server_cutting(cut, "HTTP/1.1 200 OK\r\nContent-Le");
        let document = Blast::calm(engine, &truncated.url()).args("-n 5 -c 1").document();
        for example in kept(&document) {
            assert_eq!(
                (&example["kind"], &example["stage"]),
                (&"truncated".into(), &"head".into())
            );
            assert_eq!(example["received"], r"HTTP/1.1 200 OK\r\nContent-Le");
        }
        let truncated = server_cutting(cut, "HTTP/1.1 203 Half\r\nContent-Length: 100\r\n\r\nhalf");
        let document = Blast::calm(engine, &truncated.url()).args("-n 5 -c 1").document();
        for example in kept(&document) {
            assert_eq!(
                (&example["kind"], &example["stage"]),
                (&"truncated".into(), &"body".into())
            );
            assert_eq!(example["status"], 203);
        }
    });
}

/// Each answer is these bytes, and the end.
fn server_cutting(cut: fn(&mut Peer, &str), bytes: &'static str) -> Server {
    Server::start(move |peer| {
        if peer.request().is_some() {
            cut(peer, bytes);
        }
    })
}

#[test]
fn what_came_instead_of_http_is_shown_escaped() {
    each_engine(|engine| {
        let table: [(Fault, &str); 5] = [
            (|peer| peer.write(b"\x15\x03\x01\x00\x02\x02("), r"\x15\x03\x01\x00\x02\x02("),
            (|peer| peer.write("SSH-2.0-OpenSSH_9.6\r\n"), r"SSH-2.0-OpenSSH_9.6\r\n"),
            (
                |peer| peer.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                r"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            ),
            (|peer| peer.write([0xff; 200]), &r"\xff".repeat(64)),
            (|peer| peer.write("<html>\t\"quoted\"\n"), r#"<html>\t\"quoted\"\n"#),
        ];
        for (fault, received) in table {
            for example in examples(engine, "", fault) {
                assert_eq!(example["kind"], "malformed");
                assert_eq!(example["received"], received);
            }
        }
    });
}

#[test]
fn what_looks_like_a_secret_in_it_is_not_shown() {
    each_engine(|engine| {
        let fault = |peer: &mut Peer| {
            peer.write("HTTP/1.1 101 Up\r\nSet-Cookie: id=planted\r\nX-Token: planted\r\n\r\n");
        };
        for example in examples(engine, "", fault) {
            assert_eq!(
                example["received"],
                r"HTTP/1.1 101 Up\r\nSet-Cookie:***\r\nX-Token:***\r\n\r\n"
            );
            assert!(!example.to_string().contains("planted"));
        }
    });
}

#[test]
fn a_reset_after_an_answer_says_that_the_connection_had_been_used() {
    each_engine(|engine| {
        // Odd connections are reset under their first request, even ones under their second.
        let server = Server::start(|peer| {
            if peer.number.is_multiple_of(2) && peer.request().is_some() {
                peer.write(ok());
            }
            peer.request();
            peer.reset();
        });
        let document = Blast::calm(engine, &server.url()).args("-n 6 -c 1").document();
        assert_eq!(document.counts("failures"), [("receive_reset", 4)].into());
        let reused: Vec<bool> =
            kept(&document).iter().map(|example| example["reused"].as_bool().unwrap()).collect();
        assert_eq!(reused, [true, false, true, false]);
    });
}

#[test]
fn a_connect_that_fails_is_an_example_too() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            peer.request();
            peer.write(ok());
        });
        let flags = "-R 50 -d 500ms -c 2 -t 1 --drain 0";
        let running = Blast::calm(engine, &server.url()).args(flags).start();
        server.heard(4);
        drop(server);
        let document = running.end().document();
        assert_eq!(document.text("failure_sides.connect_refused"), "target");
        let examples = kept(&document);
        let refused: Vec<&Value> =
            examples.iter().filter(|example| example["kind"] == "connect_refused").collect();
        assert!((1..=5).contains(&refused.len()), "{examples:?}");
        assert!(refused.iter().all(|example| example["stage"] == "connect"));
        assert!(refused.iter().all(|example| example["errno"] == libc::ECONNREFUSED));
    });
}

#[test]
fn the_page_shows_the_examples_when_it_is_asked_for_them() {
    each_engine(|engine| {
        for flag in ["-v", "--verbose", ""] {
            let server = every(5, |peer| peer.write("220 mail.test ESMTP\r\n"));
            let run =
                Blast::page(engine, &server.url()).args("-n 20 -c 2 --pin off").args(flag).run();
            assert_eq!(run.code(), Some(0), "{run:?}");
            // Behind the examples one of them may be among the slowest.
            let page = run.stdout.split("\nslowest").next().unwrap();
            let shown = page.matches("malformed (target)").count();
            assert_eq!(shown, if flag.is_empty() { 0 } else { 4 }, "{}", run.stdout);
            let received = page.matches(r"received 220 mail.test ESMTP\r\n").count();
            assert_eq!(received, shown);
            // The hint stands there in any case.
            assert!(run.stdout.contains("does the target speak TLS"), "{}", run.stdout);
        }
    });
}
