//! Servers that take their time, or for ever.

use std::thread;
use std::time::{Duration, Instant};

use super::every;
use crate::support::{Blast, Document, Folder, Outsider, Server, answer, each_engine};

/// Histograms keep three digits.
fn at_least_us(document: &Document, path: &str, least: f64) -> bool {
    document.number(path) >= least * 0.999
}

#[test]
fn a_dribbled_answer_times_out_from_its_sending_and_counts_from_when_it_was_due() {
    each_engine(|engine| {
        // A byte each 50 ms, in the head or in the body: never silent for as long as the timeout.
        for (start, stage) in [
            ("HTTP/1.1 200 OK\r\nX: ", "head"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "body"),
        ] {
            let server = Server::start(move |peer| {
                while peer.request().is_some() {
                    peer.write(start);
                    while peer.is_open() {
                        peer.write("x");
                        thread::sleep(Duration::from_millis(50));
                    }
                }
            });
            // Due at 0, 100, 200, 300 ms; the one connection is free again 300 ms after each.
            let flags = "-R 10 -n 4 -c 1 -T 300ms --drain 10s";
            let document = Blast::calm(engine, &server.url()).args(flags).document();
            assert_eq!(document.counts("failures"), [("timeout", 4)].into());
            let examples = document.at("failure_examples").as_array().unwrap();
            assert!(examples.iter().any(|example| example["stage"] == stage), "{examples:?}");
            assert!(at_least_us(&document, "latency.service.min_us", 300_000.0));
            assert!(document.number("latency.service.max_us") < 800_000.0);
            // The last was due at 300 ms and had the connection from 900 ms on.
            assert!(at_least_us(&document, "latency.failed.max_us", 900_000.0));
            assert!(at_least_us(&document, "latency.response.max_us", 900_000.0));
            assert!(at_least_us(&document, "latency.send_lag.max_us", 600_000.0));
        }
    });
}

#[test]
fn a_slow_answer_within_the_timeout_is_good_and_as_slow_as_it_was() {
    each_engine(|engine| {
        let bytes = answer("200 OK", "slowly");
        let pieces = bytes.len() / 8;
        let server = Server::start(move |peer| {
            while peer.request().is_some() {
                for piece in bytes.as_bytes().chunks(8) {
                    peer.write(piece);
                    thread::sleep(Duration::from_millis(100));
                }
            }
        });
        let document = Blast::calm(engine, &server.url()).args("-n 4 -c 2 -T 10s").document();
        assert_eq!(document.fates(["sent", "good"]), [4, 4]);
        let least = pieces as f64 * 100_000.0;
        assert!(at_least_us(&document, "latency.good_only.min_us", least));
        assert!(document.number("latency.good_only.max_us") < least + 1_000_000.0);
        assert_eq!(document.count("connections.reopened"), 0);
    });
}

#[test]
fn a_server_that_reads_nothing_times_out_while_the_request_is_being_sent() {
    each_engine(|engine| {
        let folder = Folder::new();
        let file = folder.path().join("body");
        std::fs::write(&file, vec![b'b'; 16 << 20]).unwrap();
        let server = Server::start(|peer| peer.wait_without_reading());
        let body = format!("@{}", file.display());
        let flags = "-n 4 -c 2 -T 300ms -t 1 -b";
        let document = Blast::calm(engine, &server.url()).args(flags).arg(&body).document();
        assert_eq!(document.counts("failures"), [("timeout", 4)].into());
        let examples = document.at("failure_examples").as_array().unwrap();
        assert!(examples.iter().all(|example| example["stage"] == "send"), "{examples:?}");
        let blast = Blast::page(engine, &server.url()).args("--pin off -v").args(flags);
        let page = blast.arg(&body).run().stdout;
        assert!(page.contains("while the request was still being sent"), "{page}");
    });
}

#[test]
fn a_server_that_stops_is_a_timeout_and_its_connections_are_not_used_again() {
    each_engine(|engine| {
        let target = Outsider::start("");
        let flags = "-R 200 -d 3s -c 4 -t 1 -T 300ms --drain 2s";
        let running = Blast::calm(engine, target.url()).args(flags).start();
        target.until_woken(100);
        target.signal(libc::SIGSTOP);
        let (stopped, cpu) = (Instant::now(), running.cpu());
        thread::sleep(Duration::from_millis(900));
        let (cpu, stopped) = (running.cpu() - cpu, stopped.elapsed());
        target.signal(libc::SIGCONT);
        let document = running.end().document();
        // The kernel still takes connections for it, so each goes the same way: 0.3 s, and anew.
        let failures = document.counts("failures");
        assert_eq!(failures.keys().collect::<Vec<_>>(), [&"timeout"]);
        assert!((4..=24).contains(&failures["timeout"]), "{failures:?}");
        assert!(document.count("connections.reopened") >= 4);
        assert!(document.counts("connections.failures").is_empty());
        assert!(cpu < stopped / 2, "{cpu:?} of {stopped:?}: it spins");
        heals(&document);
    });
}

/// What was due is sent in the end, and the last second is as good as the first.
fn heals(document: &Document) {
    let [scheduled, sent, good, failed] = document.fates(["scheduled", "sent", "good", "failed"]);
    assert_eq!((scheduled, sent), (600, 600));
    assert_eq!(good, sent - failed);
    let last = document.intervals().iter().rfind(|i| i["phase"] == "measure").unwrap();
    assert!(last["good"].as_u64().unwrap() >= 50, "{last}");
}

#[test]
fn each_timeout_costs_its_own_connection_and_no_other() {
    each_engine(|engine| {
        // One request of ten is never answered; nine connections of ten never notice.
        let server = every(10, |peer| peer.wait_for_end());
        let flags = "-R 200 -n 200 -c 10 -T 700ms -t 1 --drain 5s";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.counts("failures"), [("timeout", 20)].into());
        assert_eq!(document.fates(["sent", "good"]), [200, 180]);
        assert!(document.count("connections.reopened") <= 20);
    });
}
