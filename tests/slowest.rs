//! The slowest requests through the program, against what the server did and saw; and the ids by
//! which each finds the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Blast, Document, Folder, Heard, Server, each_engine, ok};

/// Every twentieth request waits so long, and every fortieth gets its answer in two pieces.
const HELD_UP: Duration = Duration::from_millis(400);
const PIECES: Duration = Duration::from_millis(100);

/// Holds some requests up: those whose number it gives to `held`.
fn holding_up(held: impl Fn(usize) -> bool + Send + Sync + 'static) -> Server {
    let count = Arc::new(AtomicUsize::new(0));
    Server::start(move |peer| {
        while peer.request().is_some() {
            let number = count.fetch_add(1, SeqCst) + 1;
            if held(number) {
                thread::sleep(HELD_UP);
            }
            if held(number) && number.is_multiple_of(2) {
                peer.write(
                    "HTTP/1.1 503 Busy\r\nSet-Cookie: id=planted\r\nContent-Length: 5\r\n\r\n",
                );
                thread::sleep(PIECES);
                peer.write("hello");
            } else {
                peer.write(ok());
            }
        }
    })
}

fn slowest(document: &Document) -> &[Value] {
    document.at("slowest").as_array().unwrap()
}

fn number(slow: &Value, field: &str) -> f64 {
    slow[field].as_f64().unwrap_or_else(|| panic!("{field} of {slow}"))
}

fn id_of(heard: &Heard, header: &str) -> String {
    let start = format!("{header}: ");
    let line = heard.head.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("{}", heard.head)).to_string()
}

#[test]
fn the_requests_that_the_server_held_up_are_the_slowest() {
    each_engine(|engine| {
        let server = holding_up(|number| matches!(number, 31 | 48 | 60));
        let flags = "-c 5 -n 90 -t 1 --request-id X-Request-Id";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        let by_id: BTreeMap<String, Heard> =
            server.log().into_iter().map(|heard| (id_of(&heard, "X-Request-Id"), heard)).collect();
        assert_eq!(by_id.len(), 90);
        let slowest = slowest(&document);
        assert_eq!(slowest.len(), 90);
        assert!(slowest.is_sorted_by(|a, b| number(a, "response_us") >= number(b, "response_us")));
        for slow in slowest {
            let heard = &by_id[slow["request_id"].as_str().unwrap()];
            assert_eq!(number(slow, "local_port"), f64::from(heard.port), "{slow}");
            assert_eq!(number(slow, "requests_before"), heard.turn as f64, "{slow}");
            // On a busy machine the kernel asks again for an acknowledgement that is late.
            assert!(number(slow, "retransmits") < 5.0, "{slow}");
            assert!(number(slow, "rtt_us") > 0.0, "{slow}");
            let [intended, sent, first, done] =
                ["intended_s", "sent_s", "first_byte_s", "done_s"].map(|at| number(slow, at));
            assert!(intended == sent && sent <= first && first <= done, "{slow}");
            let response = number(slow, "response_us") / 1e6;
            assert!((response - (done - intended)).abs() < 1e-8, "{slow}");
            assert!(number(slow, "connection_age_s") < 60.0, "{slow}");
        }
        // Whatever the machine does, it holds up no request for so long but these.
        let held = HELD_UP.as_secs_f64();
        let is_held = |slow: &&Value| number(slow, "response_us") / 1e6 >= held;
        let held: Vec<&Value> = slowest.iter().filter(is_held).collect();
        assert!(held.len() >= 3, "{held:?}");
        let rejected: Vec<&&Value> =
            held.iter().filter(|slow| slow["outcome"] == "rejected").collect();
        assert_eq!(rejected.len(), 2, "{held:?}");
        for slow in rejected {
            assert_eq!((&slow["kind"], &slow["status"]), (&"status_5xx".into(), &503.into()));
            let body = number(slow, "done_s") - number(slow, "first_byte_s");
            assert!(body >= PIECES.as_secs_f64() * 0.9, "{slow}");
            let received = slow["received"].as_str().unwrap();
            assert!(received.starts_with(r"HTTP/1.1 503 Busy\r\nSet-Cookie:***"), "{received}");
        }
        // One of them was the slowest of each second in which one ended.
        let of_interval = document.at("slowest_by_interval").as_array().unwrap();
        assert_eq!(of_interval.iter().filter(|slow| **slow == slowest[0]).count(), 1);
    });
}

#[test]
fn a_request_without_an_answer_is_among_them_with_what_was_seen_of_it() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            while let Some(heard) = peer.request() {
                match (heard.connection, heard.turn) {
                    (0, 3) => return peer.wait_for_end(),
                    (1, 3) => {
                        thread::sleep(Duration::from_millis(200));
                        peer.write(
                            "HTTP/1.1 200 OK\r\nX-Token: planted\r\nContent-Length: 9\r\n\r\n",
                        );
                        thread::sleep(Duration::from_millis(200));
                        return peer.reset();
                    }
                    _ => peer.write(ok()),
                }
            }
        });
        let flags = "-c 2 -n 40 -t 1 -T 1s";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        let [timeout, reset] = &slowest(&document)[..2] else { panic!("two of them") };
        assert_eq!((&timeout["outcome"], &timeout["kind"]), (&"failed".into(), &"timeout".into()));
        for nothing in ["status", "first_byte_s", "received"] {
            assert!(timeout[nothing].is_null(), "{timeout}");
        }
        // By the clock of the timeouts, whose turns may be late on a busy machine.
        assert!((1e6..4e6).contains(&number(timeout, "response_us")), "{timeout}");
        let port = number(timeout, "local_port");
        assert!(server.log().iter().any(|heard| f64::from(heard.port) == port), "{timeout}");
        assert_eq!(reset["kind"], "receive_reset", "{reset}");
        assert_eq!(reset["status"], 200, "{reset}");
        let first = number(reset, "first_byte_s") - number(reset, "sent_s");
        assert!((0.19..1.0).contains(&first), "{reset}");
        let received = reset["received"].as_str().unwrap_or_else(|| panic!("{reset}"));
        assert!(received.starts_with(r"HTTP/1.1 200 OK\r\nX-Token:***"), "{received}");
    });
}

#[test]
fn what_the_drain_gives_up_is_abandoned() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            if peer.request().is_some() {
                peer.wait_for_end();
            }
        });
        let flags = "-c 2 -d 200ms --drain 100ms -T 10s";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        assert_eq!(document.count("requests.abandoned"), 2);
        let slowest = slowest(&document);
        assert!(slowest.iter().all(|slow| slow["outcome"] == "abandoned"), "{slowest:?}");
        assert_eq!(slowest.len(), 2);
    });
}

/// In open loop the wait before the send is in it.
#[test]
fn a_request_that_waited_for_a_connection_is_as_slow_as_its_wait() {
    each_engine(|engine| {
        let server = holding_up(|number| number == 5);
        let flags = "-c 1 -R 100 -d 500ms";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        let waited = |slow: &&Value| number(slow, "sent_s") - number(slow, "intended_s") > 0.2;
        let behind: Vec<&Value> = slowest(&document).iter().filter(waited).collect();
        assert!(behind.len() >= 10, "{behind:?}");
        for slow in behind {
            assert!(number(slow, "response_us") > 200_000.0, "{slow}");
        }
    });
}

#[test]
fn no_two_requests_have_the_same_id_in_a_run_or_in_two() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        for _ in 0..2 {
            let flags = "-c 6 -t 2 -n 300 --request-id X-Request-Id --seed 4";
            Blast::new(engine, &server.url()).args(flags).document();
        }
        let ids: BTreeSet<String> =
            server.log().iter().map(|heard| id_of(heard, "X-Request-Id")).collect();
        assert_eq!(ids.len(), 600);
        assert!(ids.iter().all(|id| id.len() == 33), "{:?}", ids.first());
        let runs: BTreeSet<&str> = ids.iter().map(|id| &id[..16]).collect();
        assert_eq!(runs.len(), 2);
    });
}

const PLAN: &str = r#"
[load]
connections = 2
requests = 40
request_id = "traceparent"
[[requests]]
name = "in"
path = "/in"
[[requests]]
name = "out"
path = "/out"
[setup]
steps = ["in"]
[teardown]
steps = ["out"]
[[requests]]
path = "/a"
[[requests]]
method = "POST"
path = "/b"
body = "x={{int 1 9}}"
"#;

#[test]
fn a_plan_s_requests_begin_traces() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let plan = folder.path().join("plan.toml");
        fs::write(&plan, PLAN).unwrap();
        let blast = Blast::verb("run").arg(plan.to_str().unwrap()).arg(&server.url());
        let document = blast.args("--json --pin off --wait block --engine").arg(engine).document();
        let log = server.log();
        // What is sent before and after the load has ids of its own.
        assert_eq!(log.len(), 42);
        let sent: BTreeSet<String> = log.iter().map(|heard| id_of(heard, "traceparent")).collect();
        assert_eq!(sent.len(), 42);
        for id in &sent {
            let parts: Vec<&str> = id.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [2, 32, 16, 2]);
            assert!(parts[0] == "00" && parts[3] == "01", "{id}");
            assert!(id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()), "{id}");
            assert!(parts[2].bytes().any(|b| b != b'0'), "{id}");
        }
        let told: BTreeSet<String> = slowest(&document)
            .iter()
            .map(|slow| slow["request_id"].as_str().unwrap().to_string())
            .collect();
        assert!(told.len() == 40 && told.is_subset(&sent), "{told:?}");
        let names: BTreeSet<&str> =
            slowest(&document).iter().filter_map(|slow| slow["name"].as_str()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    });
}

#[test]
fn an_id_takes_no_header_that_is_needed_otherwise() {
    for (flags, says) in [
        ("--request-id Host", "a header `Host` of its own"),
        ("--request-id X-Id -H X-Id:1", "a header `X-Id` of its own"),
        ("--request-id Content-Length", "is no place for an id"),
        ("--request-id X-Id:", "without a colon"),
    ] {
        let run = Blast::new("ring", "http://127.0.0.1:9/").args(flags).run();
        assert_eq!(run.code(), Some(2), "{flags}");
        assert!(run.complaint().contains(says), "{}", run.complaint());
    }
}

#[test]
fn the_page_shows_the_first_of_them_when_it_is_asked_for_more() {
    let server = Server::answering(ok());
    let page = Blast::verb(&server.url()).args("-n 30 -c 1 --engine epoll -v --pin off").run();
    let line = page.stdout.lines().find(|line| line.starts_with("slowest"));
    assert!(line.is_some_and(|line| line.contains("good, status 200")), "{}", page.stdout);
}
