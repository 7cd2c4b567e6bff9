//! Servers that go and come back: nothing is lost from the count, nobody spins, and the rate
//! returns (heal, then progress).

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Blast, Heard, Outsider, Peer, Server, each_engine, ok};

/// What is lost with a server that is killed: at most what was on its way.
const LOST: [&str; 3] = ["closed_before_response", "receive_reset", "truncated"];

#[test]
fn a_killed_server_costs_what_was_in_flight_and_the_rate_is_back_a_second_after_it() {
    each_engine(|engine| {
        let target = Outsider::start("");
        let address = target.address();
        let flags = "-R 200 -d 4s -c 8 -t 1 --drain 2s";
        let running = Blast::calm(engine, target.url()).args(flags).start();
        target.until_woken(100);
        target.kill();
        let (gone, cpu) = (Instant::now(), running.cpu());
        thread::sleep(Duration::from_millis(1_000));
        let (cpu, gone) = (running.cpu() - cpu, gone.elapsed());
        let server = Server::start_at(address, |peer| peer.answer_all(ok().as_bytes()));
        let back = Instant::now();
        let document = running.end().document();

        assert!(cpu < gone / 4, "{cpu:?} of {gone:?}: it spins while the server is gone");
        let [scheduled, sent, good, dropped] =
            document.fates(["scheduled", "sent", "good", "dropped"]);
        assert_eq!((scheduled, sent, dropped), (800, 800, 0));
        let failures = document.counts("failures");
        assert!(failures.keys().all(|kind| LOST.contains(kind)), "{failures:?}");
        assert!(sent - good <= 8, "{failures:?}");
        let refused = document.counts("connections.failures")["connect_refused"];
        // A second at 10, 20, 40 ... 500 ms, eight times; twice that on a crowded machine.
        assert!((8..=160).contains(&refused), "{refused}");
        // After a second the backlog is gone, and each further second has its own 200.
        let log = server.log();
        let since = |heard: &Heard| heard.at.saturating_duration_since(back);
        let (first, later): (Vec<_>, Vec<_>) =
            log.iter().map(since).partition(|since| *since < Duration::from_secs(1));
        assert!(first.len() >= 200, "{} requests in the first second", first.len());
        let rest = later.last().map_or(0.0, |last| last.as_secs_f64() - 1.0);
        assert!(later.len() as f64 >= 150.0 * rest, "{} requests in {rest} s", later.len());
    });
}

#[test]
fn a_hole_in_the_service_is_a_hole_in_the_series() {
    each_engine(|engine| {
        let target = Outsider::start("");
        let address = target.address();
        let flags = "-R 100 -d 4s -c 2 -t 1 --drain 2s";
        let running = Blast::calm(engine, target.url()).args(flags).start();
        target.until_woken(40);
        target.kill();
        // Longer than two seconds: one of the report's own lies in it, wherever they begin.
        thread::sleep(Duration::from_millis(2_200));
        let _server = Server::start_at(address, |peer| peer.answer_all(ok().as_bytes()));
        let document = running.end().document();
        let good: Vec<u64> =
            document.intervals().iter().map(|i| i["good"].as_u64().unwrap()).collect();
        assert!(good[0] > 0, "{good:?}");
        assert!(good[..4].contains(&0), "{good:?}");
        assert_eq!(document.fates(["scheduled", "dropped"]), [400, 0]);
        // What waited for the server has its waiting in its response time.
        assert!(document.number("latency.response.max_us") > 1_500_000.0);
    });
}

#[test]
fn a_server_that_closes_now_and_then_by_the_book_costs_no_request() {
    each_engine(|engine| {
        for load in ["-n 100 -c 3", "-n 100 -R 500 -c 3"] {
            let server = Server::start(|peer| {
                for turn in 0..7 {
                    if peer.request().is_none() {
                        return;
                    }
                    let close = if turn == 6 { "Connection: close\r\n" } else { "" };
                    peer.write(format!("HTTP/1.1 200 OK\r\n{close}Content-Length: 2\r\n\r\nok"));
                }
            });
            let blast = Blast::calm(engine, &server.url()).args(load).args("-t 1");
            let document = blast.document();
            assert_eq!(document.fates(["sent", "good"]), [100, 100], "{load}");
            assert!(document.counts("connections.failures").is_empty(), "{load}");
            assert_eq!(document.count("connections.reset_idle"), 0, "{load}");
            // A hundred in sevens, over three connections.
            let reopened = document.count("connections.reopened");
            assert!((11..=14).contains(&reopened), "{load}: {reopened}");
            let opened = document.count("connections.opened");
            assert_eq!(document.count("latency.connect.count"), opened, "{load}");
        }
    });
}

#[test]
fn a_server_that_fails_every_request_is_dialled_with_patience_in_a_closed_loop_too() {
    each_engine(|engine| {
        let faults: [fn(&mut Peer); 3] =
            [|peer| peer.reset(), |peer| peer.fin(), |peer| peer.write("garbage\r\n\r\n")];
        for fault in faults {
            let server = Server::start(move |peer| {
                if peer.request().is_some() {
                    fault(peer);
                }
            });
            let flags = "-d 500ms -c 4 -t 1 --drain 0";
            let document = Blast::calm(engine, &server.url()).args(flags).document();
            let [sent, good] = document.fates(["sent", "good"]);
            // Four connections at 0, 10, 20, 40 ... 500 ms: about seven tries each.
            assert!((8..=80).contains(&sent) && good == 0, "{sent}");
            assert!(document.number("client.cpu_s") < 0.3, "it spins");
        }
    });
}

#[test]
fn faults_of_every_sort_one_after_another_leave_no_trace_behind() {
    each_engine(|engine| {
        // For a while every answer meets another fault; then all is well.
        let (start, end) = (OnceLock::new(), Duration::from_millis(700));
        let server = Server::start(move |peer| {
            while let Some(heard) = peer.request() {
                let since = heard.at - *start.get_or_init(|| heard.at);
                match (since < end, (peer.number + heard.turn) % 6) {
                    (false, _) | (true, 0) => peer.write(ok()),
                    (true, 1) => return peer.reset(),
                    (true, 2) => return,
                    (true, 3) => {
                        return peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
                    }
                    (true, 4) => return peer.write("garbage\r\n\r\n"),
                    _ => return peer.write(ok() + "junk"),
                }
            }
        });
        let flags = "-R 200 -d 3s -c 4 -t 1 --drain 2s";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        let [scheduled, sent, failed] = document.fates(["scheduled", "sent", "failed"]);
        assert_eq!((scheduled, sent), (600, 600));
        let failures = document.counts("failures");
        for kind in ["receive_reset", "closed_before_response", "truncated", "malformed"] {
            assert!(failures[kind] > 0, "{failures:?}");
        }
        assert!(failed < 300, "{failures:?}");
        let last = document.intervals().iter().rfind(|i| i["phase"] == "measure").unwrap();
        assert!(last["good"].as_u64().unwrap() >= 50 && last["failed"] == 0, "{last}");
        document.agrees_with(server.requests());
    });
}
