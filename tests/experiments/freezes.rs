//! Stalls and freezes: whoever stands still, the response times show it, and whose fault it was.

use std::thread;
use std::time::Duration;

use super::law::{stalled, stalled_mean};
use super::{Found, Process, blast, measured, seconds, target};
use crate::support::{Blast, Document, ring_alone};

/// What a stall of `stall` seconds does to the response times of a run of `length`. 2 % of the
/// stall, and 20 ms in which a debug build sends and reads its backlog.
fn shows(found: &mut Found, document: &Document, stall: f64, length: f64) {
    let tolerance = 0.02 * stall + 0.02;
    for (name, q) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)] {
        let response = seconds(document, &format!("response.{name}"));
        found.near(name, response, stalled(q, stall, length), tolerance);
    }
    let mean = seconds(document, "response.mean");
    found.near("mean", mean, stalled_mean(stall, length), tolerance);
}

#[test]
fn one_stall_of_the_target_shows_in_every_quantile_that_it_reached() {
    ring_alone(|engine| {
        measured(|found| {
            // E1: shut from 0.9 s to 1.4 s after its start, and then not before 2.3 s.
            let target = target("stall=500ms/1400ms");
            let document = blast(engine, &target, "-R 500 -d 2s -c 400 -t 1");
            assert_eq!(document.fates(["scheduled", "good"]), [1_000, 1_000]);
            shows(found, &document, 0.5, 2.0);
        });
    });
}

#[test]
fn a_server_that_is_stopped_by_a_signal_cannot_hide_it() {
    ring_alone(|engine| {
        measured(|found| {
            // E9: with one connection, most of what was due in the freeze is sent after it.
            let server = Process::start();
            let running = Blast::new(engine, &server.url).args("-R 500 -d 2s -c 1 -t 1").start();
            thread::sleep(Duration::from_millis(700));
            let stall = server.freeze(Duration::from_millis(500));
            let document = running.end().document();
            assert_eq!(document.fates(["scheduled", "good"]), [1_000, 1_000]);
            shows(found, &document, stall, 2.0);
        });
    });
}

#[test]
fn a_blast_that_is_stopped_by_a_signal_says_that_it_was_itself() {
    ring_alone(|engine| {
        measured(|found| {
            // E9b: the same tail, but no service took longer, and the lag has it all.
            let target = target("");
            let url = format!("http://{}/", target.address());
            let running = Blast::new(engine, &url).args("-R 500 -d 2s -c 400 -t 1").start();
            thread::sleep(Duration::from_millis(700));
            running.freeze(Duration::from_millis(500));
            let document = running.end().document();
            assert_eq!(document.fates(["scheduled", "good"]), [1_000, 1_000]);
            shows(found, &document, 0.5, 2.0);
            found.near("send lag max", seconds(&document, "send_lag.max"), 0.5, 0.03);
            // Whatever was in flight at the stop is a request or two; 20 ms are for the backlog.
            found.within("service p99", seconds(&document, "service.p99"), 0.0, 0.02);
            let warnings = document.warnings();
            assert!(warnings.contains(&"generator_paused"), "{warnings:?}");
        });
    });
}
