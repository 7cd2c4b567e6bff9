//! How a run ends: the drain, a deadline for those still waiting, and signals.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Blast, Deaf, Run, Server, each_engine, ok};

/// Answers so many requests and no more; tells how many it has answered.
fn falls_silent(after: u64) -> (Server, Arc<AtomicU64>) {
    let (heard, answered) = (AtomicU64::new(0), Arc::new(AtomicU64::new(0)));
    let counter = answered.clone();
    let server = Server::start(move |peer| {
        while peer.request().is_some() {
            if heard.fetch_add(1, SeqCst) < after {
                counter.fetch_add(1, SeqCst);
                peer.write(ok());
            }
        }
    });
    (server, answered)
}

#[test]
fn what_the_server_answers_within_the_drain_is_in_the_report() {
    each_engine(|engine| {
        // Silent from 0.7 s to 1.6 s after the first request; the run ends at 1 s.
        let (start, held) = (OnceLock::new(), Arc::new(AtomicU64::new(0)));
        let counter = held.clone();
        let server = Server::start(move |peer| {
            while let Some(heard) = peer.request() {
                let since = heard.at - *start.get_or_init(|| heard.at);
                if since >= Duration::from_millis(700) {
                    counter.fetch_add(1, SeqCst);
                    thread::sleep(Duration::from_millis(1_600).saturating_sub(since));
                }
                peer.write(ok());
            }
        });
        let flags = "-R 100 -d 1s -c 40 --drain 5s";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["scheduled", "sent", "good"]), [100; 3]);
        // The 30 requests due from 0.7 s on waited for 0.6 to 0.9 s, the others hardly; 0.1 s is
        // left to a crowded machine.
        let response = |name: &str| document.number(&format!("latency.response.{name}_us")) / 1e6;
        assert!(response("p50") < 0.1, "{}", response("p50"));
        assert!((0.55..1.0).contains(&response("p75")), "{}", response("p75"));
        assert!((0.79..1.0).contains(&response("p90")), "{}", response("p90"));
        assert!((0.89..1.0).contains(&response("max")), "{}", response("max"));
        assert_eq!(document.count("drain.good"), held.load(SeqCst));
        assert_eq!(document.count("latency.response.censored"), 0);
    });
}

#[test]
fn what_it_does_not_answer_is_abandoned_and_what_was_not_sent_is_dropped() {
    each_engine(|engine| {
        let (server, answered) = falls_silent(70);
        let flags = "-R 100 -d 1s -c 10 --drain 200ms";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(answered.load(SeqCst), 70);
        let fates = document.fates(["scheduled", "sent", "good", "abandoned", "dropped"]);
        assert_eq!(fates, [100, 80, 70, 10, 20]);
        assert_eq!(document.count("latency.response.censored"), 30);
        assert_eq!(document.number("latency.response.exact_up_to"), 0.7);
        assert!(document.warnings().contains(&"unfinished"));
        // Service: the good, and the abandoned as lower bounds.
        assert_eq!(document.count("latency.service.count"), 80);
        assert_eq!(document.count("latency.service.censored"), 10);
        assert!(document.number("latency.response.max_us") >= 490_000.0);
        assert!(document.counts("failures").is_empty());
    });
}

#[test]
fn a_closed_loop_abandons_what_it_has_in_flight() {
    each_engine(|engine| {
        let (server, answered) = falls_silent(100);
        let flags = "-d 500ms -c 3 --drain 100ms";
        let run = Blast::calm(engine, &server.url()).args(flags).run();
        let document = run.document();
        assert_eq!(answered.load(SeqCst), 100);
        let fates = document.fates(["sent", "good", "abandoned", "dropped"]);
        assert_eq!(fates, [103, 100, 3, 0]);
        assert!(run.took < Duration::from_secs(5), "{run:?}");
    });
}

#[test]
fn a_drain_ends_when_nothing_is_left() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        for load in ["-R 100 -d 300ms", "-d 300ms"] {
            let blast = Blast::calm(engine, &server.url()).args(load).args("-c 4 --drain 1h");
            let run = blast.run();
            assert!(run.took < Duration::from_secs(5), "{run:?}");
            assert_eq!(run.document().count("requests.abandoned"), 0);
        }
    });
}

/// An interrupted run keeps its report: whole, marked, and with every invariant.
fn interrupted(run: &Run, code: i32) {
    assert_eq!(run.code(), Some(code), "{run:?}");
    assert_eq!(run.stderr, "", "{run:?}");
    assert!(!run.document().is_complete(), "{run:?}");
}

#[test]
fn ctrl_c_ends_the_run_with_its_report_and_exit_130() {
    each_engine(|engine| {
        for load in ["-R 200 -d 1h", "-d 1h", "-n 1000M", "-R 200 -n 1M --warmup 1h"] {
            // Not as fast as it could: a closed loop would keep this machine from others.
            let server = Server::start(|peer| {
                while peer.request().is_some() {
                    thread::sleep(Duration::from_millis(2));
                    peer.write(ok());
                }
            });
            let blast = Blast::calm(engine, &server.url()).args(load).args("-c 4");
            let running = blast.start();
            server.heard(100);
            running.signal(libc::SIGINT);
            let run = running.end();
            interrupted(&run, 130);
            let document = run.document();
            assert!(run.took < Duration::from_secs(10), "{run:?}");
            document.agrees_with(server.requests());
            let phase =
                if load.ends_with("1h") && load.contains("warmup") { "warmup." } else { "" };
            let good = document.count(&format!("{phase}requests.good"));
            // What was released was also waited for: the server answers.
            assert_eq!(good, document.count(&format!("{phase}requests.scheduled")));
            assert!(good >= 96, "{good}");
        }
    });
}

#[test]
fn a_request_to_terminate_is_the_same_with_exit_143() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let running = Blast::calm(engine, &server.url()).args("-R 200 -d 1h -c 4").start();
        server.heard(50);
        running.signal(libc::SIGTERM);
        interrupted(&running.end(), 143);
    });
}

#[test]
fn ctrl_c_waits_only_briefly_for_a_server_that_does_not_answer() {
    each_engine(|engine| {
        let (server, _) = falls_silent(50);
        let flags = "-R 200 -d 1h -c 4 -T 1h";
        let running = Blast::calm(engine, &server.url()).args(flags).start();
        server.heard(54);
        let start = Instant::now();
        running.signal(libc::SIGINT);
        let run = running.end();
        interrupted(&run, 130);
        // The brief drain is one second.
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        let document = run.document();
        assert_eq!(document.fates(["sent", "good", "abandoned"]), [54, 50, 4]);
        assert_eq!(document.count("requests.dropped"), document.count("requests.scheduled") - 54);
    });
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    each_engine(|engine| {
        for load in ["-R 200 -d 1h -T 1h", "-d 1h -T 1h", "-d 200ms -T 1h --drain 1h"] {
            let (server, _) = falls_silent(50);
            let running = Blast::calm(engine, &server.url()).args(load).args("-c 4").start();
            server.heard(54);
            running.signal(libc::SIGINT);
            running.signal(libc::SIGINT);
            let start = Instant::now();
            let run = running.end();
            interrupted(&run, 130);
            // Workers look each 50 ms and the control thread each 40; the brief drain that would
            // follow a single signal takes 1 s.
            assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
            assert_eq!(run.document().fates(["sent", "good", "abandoned"]), [54, 50, 4]);
        }
    });
}

#[test]
fn ctrl_c_while_connecting_ends_it_as_well() {
    each_engine(|engine| {
        for load in ["-c 3", "-c 3 -R 100"] {
            let deaf = Deaf::new();
            let blast = Blast::calm(engine, &deaf.url()).args(load);
            let running = blast.args("--connect-timeout 1h").start();
            running.until_it_connects(deaf.address());
            let start = Instant::now();
            running.signal(libc::SIGINT);
            let run = running.end();
            interrupted(&run, 130);
            assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
            assert_eq!(run.document().fates(["scheduled", "sent"]), [0, 0]);
        }
    });
}

#[test]
fn a_signal_after_the_first_keeps_the_first_ones_exit_code() {
    each_engine(|engine| {
        let (server, _) = falls_silent(50);
        let running = Blast::calm(engine, &server.url()).args("-R 200 -d 1h -c 4 -T 1h").start();
        server.heard(54);
        running.signal(libc::SIGTERM);
        running.signal(libc::SIGINT);
        interrupted(&running.end(), 143);
    });
}
