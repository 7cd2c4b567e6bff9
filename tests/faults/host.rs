//! What the host of blast can lack or do: descriptors, processor time, a steady wall clock, a
//! terminal.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{
    Blast, Document, Folder, Server, Terminal, each_engine, each_engine_alone, ok, sit_on,
};

/// An answer that is the last on its connection.
const CLOSING: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[test]
fn descriptors_that_run_out_are_the_generators_limit_until_there_are_some_again() {
    each_engine(|engine| {
        // Each request needs a new connection.
        let server = Server::answering(CLOSING);
        let flags = "-R 100 -d 3s -c 4 -t 1 --drain 2s -T 5s";
        let running = Blast::calm(engine, &server.url()).args(flags).start();
        server.heard(50);
        running.limit_descriptors(Some(3));
        let (start, cpu) = (Instant::now(), running.cpu());
        thread::sleep(Duration::from_millis(1_000));
        let (cpu, took) = (running.cpu() - cpu, start.elapsed());
        running.limit_descriptors(None);
        let document = running.end().document();
        assert!(cpu < took / 4, "{cpu:?} of {took:?}: it spins");
        let failures = document.counts("connections.failures");
        assert_eq!(failures.keys().collect::<Vec<_>>(), [&"descriptors_exhausted"], "{failures:?}");
        // A second at 10, 20, 40 ... 500 ms, four times; more on a crowded machine.
        assert!((4..=80).contains(&failures["descriptors_exhausted"]), "{failures:?}");
        assert_eq!(document.text("failure_sides.descriptors_exhausted"), "generator");
        assert_eq!(document.at("failure_examples")[0]["errno"], libc::EMFILE);
        // Nothing is the target's fault, and all that was due is sent in time: the rate returned.
        assert_eq!(document.fates(["scheduled", "good", "dropped"]), [300, 300, 0]);
    });
}

#[test]
fn descriptors_that_never_come_back_are_the_verdict() {
    each_engine(|engine| {
        let server = Server::answering(CLOSING);
        let flags = "-R 100 -d 1s -c 4 -t 1 --drain 200ms";
        let running = Blast::calm(engine, &server.url()).args(flags).start();
        server.heard(20);
        running.limit_descriptors(Some(3));
        let run = running.end();
        assert_eq!(run.code(), Some(4), "{run:?}");
        let document = run.document();
        assert_eq!(document.text("verdict.limit"), "descriptors");
        assert!(document.text("verdict.change").contains("ulimit -n"));
        assert!(document.count("requests.dropped") > 0);
        assert!(document.counts("failures").is_empty());
    });
}

/// The highest core that this process may use.
fn a_core() -> usize {
    let list = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = list.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    allowed.trim().rsplit([',', '-']).next().unwrap().parse().unwrap()
}

#[test]
fn a_generator_without_processor_time_says_so_and_blames_nobody_else() {
    each_engine_alone(|engine| {
        let server = Server::answering(ok());
        let (core, over) = (a_core(), AtomicBool::new(false));
        let document = thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    sit_on(core).unwrap();
                    while !over.load(SeqCst) {
                        std::hint::spin_loop();
                    }
                });
            }
            let flags = "-R 2000 -d 1500ms -c 10 -t 1";
            let run = Blast::calm(engine, &server.url()).on_core(core).args(flags).run();
            over.store(true, SeqCst);
            // Not a valid measurement.
            assert_eq!(run.code(), Some(4), "{run:?}");
            run.document()
        });
        assert_eq!(document.text("verdict.limit"), "client_cpu");
        assert!(document.text("verdict.change").contains("core"));
        assert!(document.text("verdict.why").contains("blast"), "{}", document.text("verdict.why"));
        // A quarter of the core, in slices: the lag shows it, and so does the worker's row.
        assert!(document.number("latency.send_lag.p99_us") > 1_000.0);
        let worker = &document.at("client.workers")[0];
        assert!(worker["starved_s"].as_f64().unwrap() > 0.1, "{worker}");
    });
}

/// A library that makes the wall clock jump an hour to and fro, ten times a second.
fn jumping_clock(folder: &Folder) -> Option<String> {
    let (source, library) = (folder.path().join("clock.c"), folder.path().join("clock.so"));
    std::fs::write(&source, JUMPING).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
    if !compiler.output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no C compiler makes the jumping clock");
        return None;
    }
    Some(library.display().to_string())
}

const JUMPING: &str = "
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int outcome = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += now->tv_nsec / 100000000 % 2 ? 3600 : -3600;
    return outcome;
}
";

#[test]
fn a_wall_clock_that_jumps_changes_no_figure() {
    each_engine(|engine| {
        let folder = Folder::new();
        let Some(library) = jumping_clock(&folder) else { return };
        let server = Server::answering(ok());
        let flags = "-R 200 -d 1s -c 4 -t 1 --warmup 500ms";
        let blast = Blast::calm(engine, &server.url()).args(flags).env("LD_PRELOAD", library);
        let run = blast.run();
        let document = run.document();
        // The report's own date shows that the clock did jump.
        let started = started_at(&document);
        let hours = started.abs_diff(now_s()) as f64 / 3_600.0;
        assert!((0.9..1.1).contains(&hours), "{hours} hours off");
        assert_eq!(document.fates(["scheduled", "good"]), [200, 200]);
        assert_eq!(document.number("duration_s"), 1.0);
        assert!(run.took < Duration::from_secs(10), "{run:?}");
        for row in ["response", "service", "send_lag", "connect"] {
            let max = document.number(&format!("latency.{row}.max_us"));
            assert!((0.0..2e6).contains(&max), "{row}: {max}");
        }
        let ends: Vec<f64> =
            document.intervals().iter().map(|i| i["t_s"].as_f64().unwrap()).collect();
        assert!(ends.is_sorted() && ends[0] > 0.0 && ends[ends.len() - 1] < 20.0, "{ends:?}");
    });
}

fn now_s() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// The wall clock of the start in seconds, by `date`: no code of blast's.
fn started_at(document: &Document) -> u64 {
    let output = Command::new("date").args(["+%s", "-d", document.text("started_at")]).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn a_terminal_that_is_lost_ends_the_run_and_the_file_is_written() {
    each_engine(|engine| {
        let folder = Folder::new();
        let file = folder.path().join("result.json");
        let server = Server::answering(ok());
        let (terminal, theirs) = Terminal::open();
        let blast = Blast::page(engine, &server.url()).args("-R 200 -d 1h -c 4 --pin off");
        let blast = blast.args("--wait block -o").arg(&file.display().to_string());
        let running = blast.stdout(theirs.try_clone().unwrap()).stderr(theirs).start();
        server.heard(50);
        drop(terminal);
        running.signal(libc::SIGHUP);
        let run = running.end();
        assert_eq!(run.code(), Some(143), "{run:?}");
        let document = Document::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert!(!document.is_complete());
        assert!(document.count("requests.good") >= 46);
        assert_eq!(folder.names(), ["result.json"]);
    });
}

#[test]
fn a_hangup_that_is_to_be_ignored_is_ignored() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        // As `nohup` does.
        let blast = Blast::limited("trap '' HUP", engine, &server.url());
        let running = blast.args("-R 200 -d 1s -c 4").start();
        server.heard(50);
        running.signal(libc::SIGHUP);
        let document = running.end().document();
        assert_eq!(document.fates(["scheduled", "good"]), [200, 200]);
    });
}

#[test]
fn descriptors_that_were_closed_before_the_start_are_not_taken_for_the_report() {
    each_engine(|engine| {
        let folder = Folder::new();
        let server = Server::answering(ok());
        for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
            let file = folder.path().join("result.json");
            let blast = Blast::limited(&format!("exec {closed}"), engine, &server.url());
            let blast = blast.args("-n 50 -c 4 -o").arg(&file.display().to_string());
            let run = blast.run();
            assert_eq!(run.code(), Some(0), "{closed}: {run:?}");
            let document = Document::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
            assert_eq!(document.fates(["sent", "good"]), [50, 50], "{closed}");
            std::fs::remove_file(file).unwrap();
        }
        // Whatever took their numbers, no server was ever sent a report.
        assert!(server.log().iter().all(|heard| heard.head.starts_with("GET / HTTP/1.1\r\n")));
    });
}
