//! Users who come and go: one after the other, or with a level.

use std::time::{Duration, Instant};

use super::{Call, Script, Witness, by_connection, count};
use crate::support::{each_engine, each_engine_alone};

const VISITORS: &str = r#"
[[requests]]
path = "/in"
[[requests]]
path = "/work"
[[requests]]
path = "/out"
[session]
setup = ["GET /in"]
teardown = ["GET /out"]
steps = [{ request = "GET /work", think = "10ms" }]
"#;

/// When each user came, and when it was heard last, ascending, from the first one on.
fn spans(calls: &[Call]) -> Vec<(Duration, Duration)> {
    let users = by_connection(calls);
    let start: Instant = calls.iter().map(|call| call.at).min().unwrap();
    let span = |calls: &Vec<Call>| (calls[0].at - start, calls[calls.len() - 1].at - start);
    let mut spans: Vec<_> = users.iter().map(span).collect();
    spans.sort();
    spans
}

/// A user every 50 ms. Late is the machine; early only who seems so as the first one was late.
#[test]
fn users_come_at_the_rate_at_which_they_are_spawned() {
    each_engine_alone(|engine| {
        let (script, witness) = (Script::new(VISITORS), Witness::new());
        let document = script.play(engine, &witness, "--users 10 --spawn-rate 20 -d 700ms -t 2");
        let calls = witness.take();
        let spans = spans(&calls);
        assert_eq!(spans.len(), 10);
        let mut off: Vec<i64> = spans
            .iter()
            .zip(0..)
            .map(|((came, _), number)| came.as_millis() as i64 - number * 50)
            .collect();
        off.sort_unstable();
        assert!(off[0] >= -25 && off[5] <= 25, "{off:?} ms off, of {spans:?}");
        for target in ["/in", "/out"] {
            assert_eq!(count(&calls, target), 10, "{target}");
        }
        assert_eq!(document.count("connections.opened"), 10);
        assert_eq!(document.fates(["sent"]), [count(&calls, "/work")]);
    });
}

/// Eight within 400 ms, for 200 ms all of them, and within 400 ms none: halfway up and down there
/// are four, give or take one and what the machine is late.
#[test]
fn users_come_and_go_with_their_level() {
    each_engine_alone(|engine| {
        let (script, witness) = (Script::new(VISITORS), Witness::new());
        let words = "--connections-stages 400ms:8,200ms:8,400ms:0 -t 2";
        script.play(engine, &witness, words);
        let calls = witness.take();
        let spans = spans(&calls);
        assert_eq!(spans.len(), 8);
        // The first one comes after an eighth of the way up, or less.
        let there = |ms: u64| {
            let at = Duration::from_millis(ms);
            spans.iter().filter(|(came, left)| *came <= at && at <= *left).count()
        };
        assert!((3..=6).contains(&there(200)), "{spans:?}");
        assert_eq!(there(460), 8, "{spans:?}");
        assert!((2..=6).contains(&there(770)), "{spans:?}");
        assert!(there(1_050) == 0, "{spans:?}");
        for target in ["/in", "/out"] {
            assert_eq!(count(&calls, target), 8, "{target}");
        }
    });
}

#[test]
fn each_user_has_a_number_of_its_own_from_one_on() {
    each_engine(|engine| {
        let plan = "[[requests]]\npath = \"/{{user.id}}\"\n[session]\nrounds = 3\n";
        let (script, witness) = (Script::new(plan), Witness::new());
        for words in ["-c 7 -t 2", "-c 7 -t 1", "-c 7 -t 2 --spawn-rate 100"] {
            script.play(engine, &witness, words);
            let mut numbers = Vec::new();
            for calls in by_connection(&witness.take()) {
                let target = calls[0].target().to_string();
                assert!(calls.len() == 3 && calls.iter().all(|call| call.target() == target));
                numbers.push(target[1..].parse::<u64>().unwrap());
            }
            numbers.sort_unstable();
            assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7], "{words}");
        }
    });
}

/// A server that ends each connection after three answers: a user goes on where it was.
#[test]
fn a_user_whose_connection_is_closed_goes_on_with_the_next_one() {
    each_engine(|engine| {
        let plan = "[[requests]]\npath = \"/in\"\nheaders = { X-User = \"{{user.id}}\" }\n\
                    capture = { t = { header = \"X-T\" } }\n[[requests]]\nname = \"work\"\n\
                    path = \"/work\"\nheaders = { X-User = \"{{user.id}}\", X-T = \"{{capture.t}}\" }\n\
                    [session]\nrounds = 10\nsetup = [\"GET /in\"]\n";
        let answers = std::sync::atomic::AtomicUsize::new(0);
        let witness = Witness::answering(move |call| {
            let number = answers.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let close = if number % 3 == 2 { "Connection: close\r\n" } else { "" };
            let user = call.of("X-User");
            format!("HTTP/1.1 200 OK\r\nX-T: t{user}\r\n{close}Content-Length: 0\r\n\r\n").into()
        });
        let document = Script::new(plan).play(engine, &witness, "-c 3 -t 1");
        let calls = witness.take();
        assert_eq!((count(&calls, "/in"), count(&calls, "/work")), (3, 30));
        for call in calls.iter().filter(|call| call.target() == "/work") {
            assert_eq!(call.of("X-T"), format!("t{}", call.of("X-User")));
        }
        assert_eq!(document.fates(["good", "failed"]), [30, 0]);
        assert!(document.count("connections.reopened") >= 8);
    });
}
