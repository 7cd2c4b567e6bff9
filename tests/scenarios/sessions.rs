//! Sessions that arrive by a schedule: how many there are, that each takes its steps, and what
//! becomes of those for whom no connection is free.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::{Call, Script, Witness};
use crate::support::{each_engine, each_engine_alone, ok, ring_alone};

const VISIT: &str = r#"
[[requests]]
path = "/one"
headers = { X-User = "{{user.id}}" }
[[requests]]
path = "/two"
headers = { X-User = "{{user.id}}" }
[[requests]]
path = "/three"
headers = { X-User = "{{user.id}}" }
[session]
model = "sessions"
"#;

/// The calls of each session, by its number.
fn by_session(calls: Vec<Call>) -> BTreeMap<u64, Vec<Call>> {
    let mut sessions: BTreeMap<u64, Vec<Call>> = BTreeMap::new();
    for call in calls {
        sessions.entry(call.of("X-User").parse().unwrap()).or_default().push(call);
    }
    sessions
}

/// Its steps in order, on one connection: whether all of them.
#[track_caller]
fn is_whole(calls: &[Call]) -> bool {
    let targets: Vec<&str> = calls.iter().map(Call::target).collect();
    assert!(["/one", "/two", "/three"].starts_with(&targets), "{targets:?}");
    assert!(calls.iter().all(|call| call.connection == calls[0].connection));
    targets.len() == 3
}

/// The end of the run may cut those that came within the last tenth of it.
#[test]
fn as_many_sessions_come_as_are_due_and_each_takes_its_steps() {
    each_engine(|engine| {
        let (script, witness) = (Script::new(VISIT), Witness::new());
        for words in [
            "-c 6 -t 2 -R 40 -d 500ms",
            "-c 6 -t 1 -R 40 -d 500ms",
            "-c 6 -t 2 --stages 500ms:80",
            "-c 6 -t 2 -R 40 -n 20",
        ] {
            let document = script.play(engine, &witness, words);
            let sessions = by_session(witness.take());
            let numbers: Vec<u64> = sessions.keys().copied().collect();
            assert_eq!(numbers, (1..=20).collect::<Vec<_>>(), "{words}");
            let whole = sessions.values().filter(|calls| is_whole(calls)).count() as u64;
            assert!(whole >= 18, "{words}: {whole}");
            assert_eq!(document.count("sessions.started"), 20, "{words}");
            assert_eq!(document.count("sessions.completed"), whole, "{words}");
            let calls: u64 = sessions.values().map(|calls| calls.len() as u64).sum();
            assert_eq!(document.fates(["scheduled", "good"]), [calls; 2], "{words}");
            for (name, place) in [("GET /one", 0), ("GET /two", 1), ("GET /three", 2)] {
                let sent = sessions.values().filter(|calls| calls.len() > place).count() as u64;
                assert_eq!(document.sent(name), sent, "{words}: {name}");
            }
        }
    });
}

/// A session is due every 50 ms; what is late is the machine's.
#[test]
fn sessions_come_at_their_times_and_think_between_their_steps() {
    each_engine_alone(|engine| {
        let plan = [VISIT, "think = \"30ms\"\n"].concat();
        let (script, witness) = (Script::new(&plan), Witness::new());
        let document = script.play(engine, &witness, "-c 8 -t 1 -R 20 -d 600ms");
        let sessions = by_session(witness.take());
        assert_eq!((sessions.len(), document.count("sessions.started")), (12, 12));
        let start: Instant = sessions[&1][0].at;
        let (mut off, mut gaps) = (Vec::new(), Vec::new());
        for (number, calls) in &sessions {
            let due = start + Duration::from_millis(50) * (*number as u32 - 1);
            off.push(calls[0].at.saturating_duration_since(due));
            gaps.extend(calls.windows(2).map(|two| two[1].at - two[0].at));
        }
        off.sort();
        gaps.sort();
        assert!(off[off.len() / 2] < Duration::from_millis(5), "{off:?}");
        let gap = gaps[gaps.len() / 2];
        assert!((29..36).contains(&gap.as_millis()), "{gaps:?}");
    });
}

/// One connection, fifteen sessions of two answers of 30 ms each within 0.45 s, for which there is
/// time for seven or eight. From then on only first steps are sent, which takes another 0.22 s: the
/// last one is done a quarter of a second after it was due, and later on a busy machine.
#[test]
fn sessions_wait_for_a_slow_server_and_their_first_step_shows_it() {
    ring_alone(|engine| {
        let plan = "[[requests]]\nname = \"first\"\n[[requests]]\nname = \"second\"\n\
                    [session]\nmodel = \"sessions\"\n";
        let witness = Witness::serving(|peer, _| {
            thread::sleep(Duration::from_millis(30));
            peer.write(ok());
        });
        let words = "-c 1 -R 33 -d 450ms --drain 5s";
        let document = Script::new(plan).play(engine, &witness, words);
        assert_eq!(document.count("sessions.started"), 15, "those that waited among them");
        assert_eq!(document.count("sessions.completed"), document.sent("second"));
        assert_eq!(document.count("requests.dropped"), 0);
        let slowest = |name: &str, what: &str| {
            document.named(name)["latency"][what]["max_us"].as_f64().unwrap() / 1e3
        };
        let (first, second) = (slowest("first", "response"), slowest("second", "response"));
        assert!((200.0..450.0).contains(&first), "{first} ms, with those that waited");
        assert!((30.0..100.0).contains(&second), "{second} ms, due when the first was done");
        let service = slowest("first", "service");
        assert!((30.0..100.0).contains(&service), "{service} ms at the server");
    });
}

#[test]
fn a_session_is_nobody_that_was_there_before() {
    each_engine(|engine| {
        let plan = "[[requests]]\nname = \"in\"\npath = \"/in\"\ncapture = { t = { header = \"X-T\" } }\n\
                    headers = { X-User = \"{{user.id}}\" }\n[[requests]]\nname = \"work\"\npath = \"/work/{{capture.t}}\"\n\
                    headers = { X-User = \"{{user.id}}\" }\n[session]\nmodel = \"sessions\"\n";
        let witness = Witness::answering(|call| {
            let user = call.of("X-User");
            format!(
                "HTTP/1.1 200 OK\r\nX-T: t{user}\r\nSet-Cookie: u={user}\r\n\
                 Content-Length: 0\r\n\r\n"
            )
            .into()
        });
        Script::new(plan).play(engine, &witness, "-c 2 -t 1 -R 100 -d 300ms");
        let sessions = by_session(witness.take());
        assert_eq!(sessions.len(), 30);
        let mut whole = 0;
        for (user, calls) in sessions {
            assert_eq!(calls[0].field("Cookie"), None, "a new one has none");
            // The step of a late one may be due after the end.
            let Some(second) = calls.get(1) else { continue };
            assert_eq!(second.target(), format!("/work/t{user}"));
            assert_eq!(second.of("Cookie"), format!("u={user}"));
            whole += 1;
        }
        assert!(whole >= 20, "{whole}");
    });
}
