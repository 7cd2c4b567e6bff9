//! What goes wrong with a request: each is counted once, by its kind, and the run goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use crate::support::{Blast, Document, Folder, Peer, Server, answer, each_engine, ok};

/// One request of so many meets its fate.
const EVERY: usize = 5;

/// A server at which every fifth request, over all connections, meets `fault`; the connection is
/// not used after it.
fn server(fault: impl Fn(&mut Peer) + Send + Sync + 'static) -> Server {
    let number = AtomicUsize::new(0);
    Server::start(move |peer| {
        while peer.request().is_some() {
            if number.fetch_add(1, SeqCst) % EVERY == EVERY - 1 {
                return fault(peer);
            }
            peer.write(ok());
        }
    })
}

/// Ten of fifty requests meet `fault`, in closed and in open loop: each is one failure of `kind`,
/// and the others are good.
fn ten_of_fifty(engine: &str, kind: &str, fault: impl Fn(&mut Peer) + Send + Sync + 'static) {
    let fault = Arc::new(fault);
    for load in ["-n 50 -c 3", "-n 50 -R 500 -c 3"] {
        let fault = fault.clone();
        let server = server(move |peer| fault(peer));
        let blast = Blast::calm(engine, &server.url()).args(load);
        let document = blast.args("-T 10s -t 1").document();
        assert_eq!(document.counts("failures"), [(kind, 10)].into(), "{load}");
        let fates = document.fates(["scheduled", "sent", "good", "failed"]);
        assert_eq!(fates, [50, 50, 40, 10], "{load}");
        assert_eq!(document.count("latency.failed.count"), 10, "{load}");
        assert!(document.counts("connections.failures").is_empty(), "{load}");
        examples(&document, kind);
        document.agrees_with(server.requests());
    }
}

/// The first five are kept.
fn examples(document: &Document, kind: &str) {
    let examples = document.at("failure_examples").as_array().unwrap();
    let kinds: Vec<_> = examples.iter().map(|example| example["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, [kind; 5]);
    if kind == "receive_reset" {
        assert_eq!(examples[0]["errno"].as_i64(), Some(libc::ECONNRESET.into()));
    }
}

#[test]
fn a_reset_instead_of_an_answer_is_one_failure_and_the_run_goes_on() {
    each_engine(|engine| ten_of_fifty(engine, "receive_reset", |peer| peer.reset()));
}

#[test]
fn a_reset_within_an_answer_is_one_failure_and_the_run_goes_on() {
    each_engine(|engine| {
        for bytes in [
            "H",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\n\r\nto the end of the connection",
        ] {
            ten_of_fifty(engine, "receive_reset", move |peer| {
                peer.write(bytes);
                peer.reset();
            });
        }
    });
}

#[test]
fn a_connection_closed_without_a_byte_is_closed_before_response() {
    each_engine(|engine| ten_of_fifty(engine, "closed_before_response", |peer| peer.fin()));
}

#[test]
fn a_connection_closed_within_an_answer_is_truncated() {
    each_engine(|engine| {
        for bytes in [
            "H",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
        ] {
            ten_of_fifty(engine, "truncated", move |peer| {
                peer.write(bytes);
                peer.fin();
            });
        }
    });
}

#[test]
fn what_is_not_http_is_malformed() {
    each_engine(|engine| {
        let smuggled = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello";
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n";
        for bytes in [
            b"garbage\r\n\r\n".to_vec(),
            // An alert of TLS, a greeting of SSH, settings of HTTP/2.
            b"\x15\x03\x01\x00\x02\x02\x28".to_vec(),
            b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
            b"\x00\x00\x12\x04\x00\x00\x00\x00\x00".to_vec(),
            vec![0; 100],
            b"HTTP/2.0 200 OK\r\n\r\n".to_vec(),
            upgrade.into(),
            smuggled.into(),
            "HTTP/1.1 100 Continue\r\n\r\n".repeat(65).into(),
            format!("{chunks}0x5\r\nhello\r\n").into(),
            format!("{chunks}10000000000000000\r\nhello\r\n").into(),
            format!("{chunks}5\r\nhello0\r\n\r\n").into(),
        ] {
            ten_of_fifty(engine, "malformed", move |peer| {
                peer.write(&bytes);
                peer.wait_for_end();
            });
        }
    });
}

#[test]
fn a_head_over_the_limit_is_head_too_large_and_costs_no_memory() {
    each_engine(|engine| {
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(500_000));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(10_000));
        let trailers = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n".to_string();
        let trailers = trailers + &"X: y\r\n".repeat(10_000);
        for bytes in [long, many, trailers] {
            ten_of_fifty(engine, "head_too_large", move |peer| peer.write(&bytes));
        }
    });
}

#[test]
fn an_endless_head_ends_at_the_limit() {
    each_engine(|engine| {
        let server = server(|peer| {
            peer.write("HTTP/1.1 200 OK\r\nX: ");
            // Until the client closes: at most what the sockets hold beyond the limit.
            let mut probe = 0;
            while probe < 4_000 {
                peer.write([b'x'; 16 * 1024]);
                probe += 1;
            }
        });
        let document = Blast::calm(engine, &server.url()).args("-n 20 -c 2").document();
        assert_eq!(document.counts("failures"), [("head_too_large", 4)].into());
        assert!(document.count("client.max_rss_bytes") < 64 << 20);
    });
}

#[test]
fn a_status_without_three_digits_is_malformed_and_a_strange_one_is_rejected() {
    each_engine(|engine| {
        ten_of_fifty(engine, "malformed", |peer| peer.write("HTTP/1.1 20 OK\r\n\r\n"));
        let server = Server::answering(answer("999 Odd", ""));
        let document = Blast::calm(engine, &server.url()).args("-n 20 -c 2").document();
        assert_eq!(document.counts("statuses"), [("999", 20)].into());
        assert_eq!(document.counts("rejections"), [("status_other", 20)].into());
    });
}

/// Histograms keep three digits.
fn at_least(document: &Document, path: &str, least: f64) -> bool {
    document.number(path) >= least * 0.999
}

#[test]
fn silence_is_a_timeout_and_the_connection_is_closed() {
    each_engine(|engine| {
        for bytes in ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\n\r\nopen end"] {
            let server = server(move |peer| {
                peer.write(bytes);
                peer.wait_for_end();
            });
            let flags = "-n 20 -c 2 -T 300ms -t 1";
            let document = Blast::calm(engine, &server.url()).args(flags).document();
            assert_eq!(document.counts("failures"), [("timeout", 4)].into(), "{bytes}");
            assert_eq!(document.fates(["sent", "good"]), [20, 16], "{bytes}");
            assert!(at_least(&document, "latency.failed.min_us", 300_000.0), "{bytes}");
            // The last two may have come at the end, when nobody is dialled any more.
            assert!(document.count("connections.reopened") >= 2, "{bytes}");
            document.agrees_with(server.requests());
        }
    });
}

#[test]
fn an_answer_after_its_timeout_is_not_taken_for_the_next_ones() {
    each_engine(|engine| {
        let run = |flags: &str| {
            let server = server(|peer| {
                // Well past the timeout.
                thread::sleep(Duration::from_millis(600));
                peer.write(answer("201 Late", "too late").repeat(2));
            });
            let blast = Blast::calm(engine, &server.url()).args(flags);
            let document = blast.args("-T 300ms --drain 10s -t 1").document();
            let failures = document.counts("failures");
            let timeouts = failures["timeout"];
            assert_eq!(failures.len(), 1, "{flags}: {failures:?}");
            assert_eq!(document.counts("statuses"), [("200", 20 - timeouts)].into(), "{flags}");
            timeouts
        };
        assert_eq!(run("-n 20 -c 2"), 4);
        assert_eq!(run("-n 20 -c 2 -R 40"), 4);
        // Of two in flight, the one behind is not answered either: three times six, and two.
        assert_eq!(run("-n 20 -c 1 -p 2"), 6);
    });
}

#[test]
fn an_answer_that_dribbles_in_has_no_more_time_than_another() {
    each_engine(|engine| {
        // A byte each 50 ms: never silent as long as the limit, and never done within it.
        let server = Server::start(|peer| {
            while peer.request().is_some() {
                for byte in answer("200 OK", "slowly").bytes() {
                    peer.write([byte]);
                    thread::sleep(Duration::from_millis(50));
                }
            }
        });
        let document = Blast::calm(engine, &server.url()).args("-n 4 -c 2 -T 300ms").document();
        assert_eq!(document.counts("failures"), [("timeout", 4)].into());
        assert!(at_least(&document, "latency.failed.min_us", 300_000.0));
        assert!(document.number("duration_s") < 1.5, "two timeouts one after another are 0.6 s");
    });
}

/// Ten times four requests in flight on a connection, and no fifth after the first answer.
const FOUR: &str = "-n 40 -c 2 -p 4 --requests-per-connection 4";

#[test]
fn the_requests_behind_a_broken_answer_fail_with_it() {
    each_engine(|engine| {
        let run = |fault: fn(&mut Peer)| {
            // Four requests are in flight; the first is answered, the second meets the fault.
            let server = Server::start(move |peer| {
                if (0..4).all(|_| peer.request().is_some()) {
                    peer.write(ok());
                    fault(peer);
                }
            });
            let blast = Blast::calm(engine, &server.url()).args(FOUR);
            let document = blast.document();
            assert_eq!(document.fates(["sent", "good", "failed"]), [40, 10, 30]);
            document
        };
        let reset = run(|peer| peer.reset());
        assert_eq!(reset.counts("failures"), [("receive_reset", 30)].into());
        let closed = run(|peer| peer.fin());
        assert_eq!(closed.counts("failures"), [("closed_before_response", 30)].into());
        let cut = run(|peer| {
            peer.write("HTTP/1.1 200 OK\r\nCont");
            peer.fin();
        });
        let expected = [("closed_before_response", 20), ("truncated", 10)];
        assert_eq!(cut.counts("failures"), expected.into());
    });
}

#[test]
fn the_requests_behind_a_last_answer_are_closed_before_theirs() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            if (0..4).all(|_| peer.request().is_some()) {
                peer.write(ok());
                peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                peer.wait_for_end();
            }
        });
        let document = Blast::calm(engine, &server.url()).args(FOUR).document();
        assert_eq!(document.fates(["sent", "good"]), [40, 20]);
        assert_eq!(document.counts("failures"), [("closed_before_response", 20)].into());
    });
}

/// A body that no socket buffer holds.
fn large_body(folder: &Folder) -> String {
    let file = folder.path().join("body");
    std::fs::write(&file, vec![b'b'; 16 << 20]).unwrap();
    format!("@{}", file.display())
}

#[test]
fn an_early_answer_to_a_large_request_counts_and_the_rest_is_not_sent() {
    each_engine(|engine| {
        let folder = Folder::new();
        let body = large_body(&folder);
        let refusal = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        for lasting in [false, true] {
            let server = Server::start(move |peer| {
                if peer.head().is_some() {
                    peer.write(if lasting { answer("413 Too Large", "") } else { refusal.into() });
                    if !lasting {
                        peer.fin();
                    }
                    // The client has to give up: nothing more is read until then.
                    peer.wait_without_reading();
                }
            });
            let blast = Blast::calm(engine, &server.url()).args("-n 10 -c 2 -T 10s -b").arg(&body);
            let document = blast.document();
            assert_eq!(document.counts("statuses"), [("413", 10)].into());
            assert_eq!(document.counts("rejections"), [("status_4xx", 10)].into());
            assert_eq!(server.requests(), 10);
            assert!(document.number("duration_s") < 5.0, "nothing waits for a timeout");
        }
    });
}

#[test]
fn a_server_that_reads_nothing_is_a_timeout() {
    each_engine(|engine| {
        let folder = Folder::new();
        let body = large_body(&folder);
        let server = Server::start(|peer| peer.wait_without_reading());
        let blast = Blast::calm(engine, &server.url()).args("-n 4 -c 2 -T 300ms -b").arg(&body);
        let document = blast.document();
        assert_eq!(document.counts("failures"), [("timeout", 4)].into());
        assert!(document.number("duration_s") < 1.5);
    });
}

#[test]
fn statuses_are_counted_and_those_that_are_not_good_are_rejected() {
    each_engine(|engine| {
        for load in ["-n 100 -c 3", "-n 100 -c 3 -R 1000"] {
            let statuses = ["200", "204", "301", "404", "429", "500", "503", "200", "200", "418"];
            let number = AtomicUsize::new(0);
            let server = Server::start(move |peer| {
                while peer.request().is_some() {
                    let status = statuses[number.fetch_add(1, SeqCst) % statuses.len()];
                    let body = if status == "204" { "" } else { "body" };
                    peer.write(answer(status, body));
                }
            });
            let document = Blast::calm(engine, &server.url()).args(load).document();
            let expected = [
                ("200", 30),
                ("204", 10),
                ("301", 10),
                ("404", 10),
                ("418", 10),
                ("429", 10),
                ("500", 10),
                ("503", 10),
            ];
            assert_eq!(document.counts("statuses"), expected.into(), "{load}");
            let expected = [("status_429", 10), ("status_4xx", 20), ("status_5xx", 20)];
            assert_eq!(document.counts("rejections"), expected.into(), "{load}");
            let fates = document.fates(["scheduled", "completed", "good", "rejected"]);
            assert_eq!(fates, [100, 100, 50, 50], "{load}");
            assert_eq!(document.number("requests.error_share"), 0.5, "{load}");
            assert!(document.counts("failures").is_empty(), "{load}");
        }
    });
}

#[test]
fn fast_errors_never_make_a_percentile_look_better() {
    each_engine(|engine| {
        let number = AtomicUsize::new(0);
        let slow = Duration::from_millis(20);
        let server = Server::start(move |peer| {
            while peer.request().is_some() {
                if number.fetch_add(1, SeqCst).is_multiple_of(4) {
                    peer.write(answer("503 Busy", ""));
                } else {
                    thread::sleep(slow);
                    peer.write(ok());
                }
            }
        });
        for load in ["-n 200 -c 8", "-n 200 -c 16 -R 400"] {
            let document = Blast::calm(engine, &server.url()).args(load).document();
            let slow_us = slow.as_micros() as f64;
            let response = |name: &str| document.number(&format!("latency.response.{name}_us"));
            for quantile in ["min", "p50", "p75", "p90", "p95"] {
                assert!(response(quantile) >= slow_us, "{load}: {quantile} {}", response(quantile));
            }
            // A quarter is not known, so no quantile above is below the slowest good one.
            assert_eq!(document.number("latency.response.exact_up_to"), 0.75, "{load}");
            assert!(response("p90") >= document.number("latency.good_only.max_us"), "{load}");
            assert_eq!(document.count("latency.response.censored"), 50, "{load}");
            assert_eq!(document.count("latency.rejected.count"), 50, "{load}");
            assert_eq!(document.count("latency.good_only.count"), 150, "{load}");
        }
    });
}
