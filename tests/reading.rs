//! What blast makes of correct answers: framing, connection rules, and any way that bytes can be
//! cut into segments.

use crate::support::{Blast, Document, Peer, Server, answer, each_engine, ok};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
    5;name=\"value\"\r\nhello\r\n1\r\n!\r\n000\r\nTrailer: x\r\n\r\n";

/// Answers after which the connection goes on.
const LASTING: [(&str, &str); 9] = [
    ("a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    ("no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("chunked", CHUNKED),
    ("204", "HTTP/1.1 204 No Content\r\n\r\n"),
    ("304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    (
        "1xx before",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ),
    ("HTTP/1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"),
    ("bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    ("no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"),
];

/// Answers after which it does not; the last two end with it.
const FINAL: [(&str, &str); 5] = [
    ("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    ("close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"),
    (
        "two framings",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n\
         5\r\nhello\r\n0\r\n\r\n",
    ),
    ("to the end", "HTTP/1.1 200 OK\r\n\r\nhello"),
    ("to the end, 1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello"),
];

fn run(engine: &str, server: &Server, flags: &str) -> Document {
    Blast::calm(engine, &server.url()).args(flags).document()
}

/// All of `expected` were good, over connections that blast opened once.
fn lasting(name: &str, document: &Document, expected: u64) {
    let fates = document.fates(["sent", "good"]);
    assert_eq!(fates, [expected; 2], "{name}: {}", document.at("failures"));
    assert_eq!(document.count("connections.reopened"), 0, "{name}");
    assert_eq!(document.count("unsolicited_bytes"), 0, "{name}");
}

#[test]
fn every_framing_is_read_to_its_end_and_the_connection_goes_on() {
    each_engine(|engine| {
        for (name, answer) in LASTING {
            let server = Server::answering(answer);
            lasting(name, &run(engine, &server, "-n 20 -c 2 -t 1"), 20);
            assert_eq!(server.connections(), 2, "{name}");
        }
    });
}

#[test]
fn an_answer_may_be_split_at_any_byte() {
    each_engine(|engine| {
        for (name, answer) in LASTING {
            let server = Server::start(move |peer| {
                while peer.request().is_some() {
                    peer.dribble(answer);
                }
            });
            lasting(name, &run(engine, &server, "-n 6 -c 2 -t 1"), 6);
        }
    });
}

#[test]
fn a_connection_that_must_not_go_on_is_opened_anew_for_the_next_request() {
    each_engine(|engine| {
        for (name, answer) in FINAL {
            for dribbled in [false, true] {
                let server = Server::start(move |peer| {
                    peer.request();
                    if dribbled {
                        peer.dribble(answer)
                    } else {
                        peer.write(answer)
                    }
                    if name.starts_with("to the end") {
                        peer.fin();
                    }
                    peer.wait_for_end();
                });
                let document = run(engine, &server, "-n 10 -c 2 -t 1");
                let fates = document.fates(["sent", "good"]);
                assert_eq!(fates, [10, 10], "{name}: {}", document.at("failures"));
                assert!(document.count("connections.reopened") >= 8, "{name}");
                assert!(document.counts("connections.failures").is_empty(), "{name}");
                assert_eq!(server.requests(), 10, "{name}");
            }
        }
    });
}

#[test]
fn a_head_request_has_an_answer_without_a_body() {
    each_engine(|engine| {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
        ] {
            let server = Server::answering(answer);
            let document = run(engine, &server, "-X HEAD -n 20 -c 2 -t 1");
            lasting(answer, &document, 20);
            assert!(server.log().iter().all(|heard| heard.head.starts_with("HEAD / HTTP/1.1")));
        }
    });
}

/// Waits for `depth` requests, then answers them all at once.
fn together(peer: &mut Peer, depth: usize, answer: &str) {
    while (0..depth).all(|_| peer.request().is_some()) {
        peer.write(answer.repeat(depth));
    }
}

#[test]
fn pipelined_answers_may_come_in_one_piece() {
    each_engine(|engine| {
        for (name, answer) in LASTING {
            let server = Server::start(move |peer| together(peer, 4, answer));
            lasting(name, &run(engine, &server, "-n 40 -c 2 -p 4 -t 1"), 40);
        }
    });
}

#[test]
fn pipelined_answers_may_be_cut_anywhere() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            while (0..4).all(|_| peer.request().is_some()) {
                peer.dribble(format!("{CHUNKED}{}", ok()).repeat(2));
            }
        });
        // One connection: of two, the faster could take a part of the other's last four.
        lasting("mixed", &run(engine, &server, "-n 16 -c 1 -p 4 -t 1"), 16);
    });
}

#[test]
fn an_open_loop_fills_pipelines_too() {
    each_engine(|engine| {
        // Answers only when three requests are on the connection.
        let server = Server::start(|peer| together(peer, 3, &ok()));
        let document = run(engine, &server, "-R 600 -n 120 -c 1 -p 3 -t 1");
        lasting("three at a time", &document, 120);
    });
}

#[test]
fn without_keep_alive_each_request_has_its_own_connection_and_asks_for_that() {
    each_engine(|engine| {
        for load in ["-n 30 -c 3", "-n 30 -c 3 -R 300"] {
            let server = Server::answering(ok());
            let document = run(engine, &server, &format!("--no-keepalive {load}"));
            assert_eq!(document.fates(["sent", "good"]), [30, 30], "{load}");
            let log = server.log();
            assert_eq!(log.len(), 30, "{load}");
            assert!(log.iter().all(|heard| heard.turn == 0), "{load}");
            assert!(log.iter().all(|heard| heard.head.contains("Connection: close\r\n")));
        }
    });
}

#[test]
fn a_connection_is_closed_after_so_many_requests() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let document = run(engine, &server, "--requests-per-connection 5 -n 40 -c 2 -t 1");
        assert_eq!(document.fates(["sent", "good"]), [40, 40]);
        let log = server.log();
        assert!(log.iter().all(|heard| heard.turn < 5));
        let full = log.iter().filter(|heard| heard.turn == 4).count();
        assert!(full >= 7, "{full} of about 8 connections carried five");
        assert!(log.iter().all(|heard| !heard.head.contains("Connection:")));
    });
}

#[test]
fn a_pipeline_never_carries_more_than_its_connection_may() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let flags = "--requests-per-connection 5 -p 4 -n 100 -c 2 -t 1";
        let document = run(engine, &server, flags);
        assert_eq!(document.fates(["sent", "good"]), [100, 100]);
        assert!(server.log().iter().all(|heard| heard.turn < 5));
    });
}

#[test]
fn bytes_after_a_complete_answer_are_counted_and_the_answer_is_good() {
    each_engine(|engine| {
        for (answer, flags, extra) in [
            (ok() + "junk", "", 4),
            // What looks like another answer is none: nobody asked for it.
            (ok() + &ok(), "", ok().len() as u64),
            (CHUNKED.to_string() + "\r\n", "", 2),
            ("HTTP/1.1 204 No Content\r\n\r\nbody".to_string(), "", 4),
            (ok(), "-X HEAD", 5),
        ] {
            let server = Server::answering(answer.clone());
            let document = run(engine, &server, &format!("-n 10 -c 2 -t 1 {flags}"));
            assert_eq!(document.fates(["sent", "good"]), [10, 10], "{answer}");
            assert_eq!(document.count("unsolicited_bytes"), 10 * extra, "{answer}");
            assert!(document.warnings().contains(&"unsolicited_bytes"), "{answer}");
            assert!(server.log().iter().all(|heard| heard.turn == 0), "{answer}");
        }
    });
}

#[test]
fn bytes_on_an_idle_connection_are_unsolicited_and_cost_no_request() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            while peer.request().is_some() {
                peer.write(ok());
                // A segment of its own, long before the next request is due.
                std::thread::sleep(std::time::Duration::from_millis(20));
                peer.write("HTTP/1.1 408 Request Timeout\r\n\r\n");
            }
        });
        let document = run(engine, &server, "-R 4 -n 4 -c 1");
        assert_eq!(document.fates(["sent", "good"]), [4, 4], "{}", document.at("failures"));
        // Those after the last answer may come after the end.
        assert!(document.count("unsolicited_bytes") >= 3 * 32);
        assert_eq!(document.counts("statuses"), [("200", 4)].into());
    });
}

#[test]
fn a_large_head_and_a_large_body_are_read_in_bounded_memory() {
    each_engine(|engine| {
        let fields: String = (0..60).map(|n| format!("X-{n}: {}\r\n", "v".repeat(1_000))).collect();
        let megabytes = 64;
        let server = Server::start(move |peer| {
            while peer.request().is_some() {
                let length = megabytes << 20;
                peer.write(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {length}\r\n\r\n"));
                let piece = vec![b'x'; 1 << 20];
                (0..megabytes).for_each(|_| peer.write(&piece));
            }
        });
        let document = run(engine, &server, "-n 2 -c 1 -T 25s");
        assert_eq!(document.fates(["sent", "good"]), [2, 2], "{}", document.at("failures"));
        assert!(document.count("bytes.received") > 128 << 20);
        // A body alone is 64 MB; of these, 30 are the program itself in a build for tests.
        assert!(document.count("client.max_rss_bytes") < 60 << 20);
    });
}

#[test]
fn a_large_request_arrives_whole_each_time() {
    each_engine(|engine| {
        let folder = crate::support::Folder::new();
        let file = folder.path().join("body");
        std::fs::write(&file, vec![b'b'; 3_000_000]).unwrap();
        let server = Server::answering(answer("201 Created", ""));
        let body = format!("@{}", file.display());
        let blast = Blast::calm(engine, &server.url()).args("-n 12 -c 3 -p 2 -b").arg(&body);
        let document = blast.document();
        assert_eq!(document.counts("statuses"), [("201", 12)].into());
        assert_eq!(document.count("connections.reopened"), 0);
        assert!(server.log().iter().all(|heard| heard.body == 3_000_000));
        assert!(document.count("bytes.sent") > 36_000_000);
    });
}
