//! What is sent once: by each user before and after its steps, and by nobody in particular before
//! and after the load.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use super::{Call, Script, Witness, by_connection, count};
use crate::support::{answer, each_engine, ok, ring_alone};

const STAGES: &str = r#"
[[requests]]
name = "admin"
path = "/admin"
capture = { key = { json = "/key" } }
[[requests]]
name = "login"
path = "/login"
headers = { X-Admin = "{{capture.key}}" }
[[requests]]
name = "work"
path = "/work"
headers = { X-Admin = "{{capture.key}}" }
[[requests]]
name = "logout"
path = "/logout"
[[requests]]
name = "clean"
path = "/clean"
headers = { X-Admin = "{{capture.key}}" }
[setup]
steps = ["admin"]
[teardown]
steps = ["clean"]
[session]
setup = ["login"]
teardown = ["logout"]
think = "10ms"
steps = ["work"]
"#;

fn keyed(call: &Call) -> Vec<u8> {
    match call.target() {
        "/admin" => answer("200 OK", "{\"key\": \"k-17\"}").into(),
        _ => ok().into(),
    }
}

/// First the admin, then each user its login, its work and its logout, and at last the cleaning.
#[track_caller]
fn is_in_order(calls: &[Call], users: u64) {
    assert_eq!((calls[0].target(), calls[calls.len() - 1].target()), ("/admin", "/clean"));
    for once in ["/admin", "/clean"] {
        assert_eq!(count(calls, once), 1, "{once}");
    }
    for of_users in ["/login", "/logout"] {
        assert_eq!(count(calls, of_users), users, "{of_users}");
    }
    for call in calls.iter().filter(|call| !["/admin", "/logout"].contains(&call.target())) {
        assert_eq!(call.of("X-Admin"), "k-17", "{}", call.target());
    }
    let inner = by_connection(&calls[1..calls.len() - 1]);
    assert_eq!(inner.len() as u64, users);
    for calls in inner {
        let targets: Vec<&str> = calls.iter().map(Call::target).collect();
        let (first, last) = (targets[0], targets[targets.len() - 1]);
        assert_eq!((first, last), ("/login", "/logout"), "{targets:?}");
        assert!(targets[1..targets.len() - 1].iter().all(|target| *target == "/work"));
    }
}

#[test]
fn setup_and_teardown_stand_around_the_users_and_around_the_run() {
    each_engine(|engine| {
        let (script, witness) = (Script::new(STAGES), Witness::answering(keyed));
        let document = script.play(engine, &witness, "-c 5 -t 2 -d 300ms");
        let calls = witness.take();
        is_in_order(&calls, 5);
        let work = count(&calls, "/work");
        assert!(work >= 10, "{work}");
        // Only the work is in the headline.
        assert_eq!(document.fates(["sent", "good"]), [work; 2]);
        for (name, part, sent) in
            [("login", "setup", 5), ("work", "main", work), ("logout", "teardown", 5)]
        {
            assert_eq!(document.named(name)["part"], part);
            assert_eq!(document.sent(name), sent, "{name}");
        }
        // Theirs, and those of the run.
        assert_eq!(document.count("aside.requests.sent"), 12);
    });
}

#[test]
fn users_that_make_a_number_of_rounds_take_themselves_down_and_end_the_run() {
    each_engine(|engine| {
        let plan = STAGES.replace("think = \"10ms\"", "rounds = 3");
        let (script, witness) = (Script::new(&plan), Witness::answering(keyed));
        let document = script.play(engine, &witness, "-c 4 -t 2 -d 20s");
        let calls = witness.take();
        is_in_order(&calls, 4);
        assert_eq!(count(&calls, "/work"), 12);
        assert!(document.number("duration_s") < 10.0);
        assert_eq!(document.count("sessions.completed"), 12);
    });
}

#[test]
fn an_interrupt_ends_with_the_same_teardown() {
    each_engine(|engine| {
        let (script, witness) = (Script::new(STAGES), Witness::answering(keyed));
        let running = script.blast(engine, &witness.url()).args("-c 3 -t 2 -d 60s").start();
        // The setup, three logins, and some work.
        witness.server.heard(20);
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let document = run.document();
        assert!(!document.is_complete());
        is_in_order(&witness.take(), 3);
        assert_eq!(document.warnings(), Vec::<&str>::new(), "{run:?}");
    });
}

/// The second one ends what the first one left.
#[test]
fn a_second_interrupt_ends_a_teardown_that_is_not_answered() {
    each_engine(|engine| {
        let witness = Witness::serving(|peer, call| match call.target() {
            "/clean" => peer.wait_for_end(),
            _ => peer.write(keyed(call)),
        });
        let script = Script::new(STAGES);
        let running = script.blast(engine, &witness.url()).args("-c 1 -d 60s").start();
        witness.server.heard(5);
        running.signal(libc::SIGINT);
        while count(&witness.calls(), "/clean") == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        assert!(run.took < Duration::from_secs(9), "before the timeout: {:?}", run.took);
        assert_eq!(run.document().warnings(), ["teardown_failed"]);
    });
}

#[test]
fn a_setup_of_the_run_that_fails_is_one_sentence_and_no_load() {
    each_engine(|engine| {
        let refuse = |call: &Call| match call.target() {
            "/admin" => answer("403 Forbidden", "no").into(),
            _ => ok().into(),
        };
        let no_key = |_: &Call| answer("200 OK", "{}").into();
        for (witness, why) in
            [(Witness::answering(refuse), "403"), (Witness::answering(no_key), "admin")]
        {
            let script = Script::new(STAGES);
            let run = script.blast(engine, &witness.url()).args("-c 2 -d 5s").run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            let complaint = run.complaint();
            assert!(complaint.contains("`admin`") && complaint.contains(why), "{complaint}");
            assert_eq!(witness.targets(), ["/admin"]);
        }
    });
}

#[test]
fn a_teardown_of_the_run_that_fails_is_a_warning() {
    each_engine(|engine| {
        let witness = Witness::answering(|call| match call.target() {
            "/clean" => answer("500 Broken", "").into(),
            _ => keyed(call),
        });
        let document = Script::new(STAGES).play(engine, &witness, "-c 2 -d 200ms");
        assert!(document.warnings().contains(&"teardown_failed"), "{:?}", document.warnings());
        assert_eq!(count(&witness.take(), "/clean"), 1);
    });
}

/// A user tries again a second after its setup came to nothing; what is late is the machine's.
#[test]
fn a_user_whose_setup_fails_tries_again_after_a_second_and_does_no_work_before() {
    ring_alone(|engine| {
        let logins = AtomicUsize::new(0);
        let witness = Witness::answering(move |call| match call.target() {
            "/login" if logins.fetch_add(1, SeqCst) == 0 => answer("503 Busy", "").into(),
            _ => keyed(call),
        });
        let document = Script::new(STAGES).play(engine, &witness, "-c 1 -d 1300ms");
        let calls = witness.take();
        let targets: Vec<&str> = calls.iter().map(Call::target).collect();
        assert_eq!(targets[..4], ["/admin", "/login", "/login", "/work"]);
        let waited = calls[2].at - calls[1].at;
        let expected = Duration::from_millis(990)..Duration::from_millis(1_100);
        assert!(expected.contains(&waited), "{waited:?}");
        assert_eq!(document.named("login")["requests"]["rejected"], 1);
        assert_eq!(document.fates(["rejected", "failed"]), [0, 0], "beside the headline");
    });
}
