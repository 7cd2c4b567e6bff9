//! Signals at any instant of a run of many connections: what ends it never costs its report, and
//! what does not end it changes nothing.

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use blast::cli::{self, Parsed};
use blast::report::json;
use blast::target::{Behaviour, Options, Target};
use blast::{engine, report};

use crate::support::{Blast, Document, Random, each_engine, each_engine_alone, seed};

fn target(delay: &str) -> Target {
    let mut behaviour = Behaviour::default();
    assert_eq!(behaviour.set("delay", delay), Ok(true));
    Target::start(Options { behaviour, ..Options::default() }).unwrap()
}

/// 250 ms of connecting, 300 ms of warm-up, 400 ms of measure, 300 ms of drain.
const PHASES: &str = "-c 1000 -R 2k --connect-rate 4k --warmup 300ms -d 400ms --drain 5s";
const LENGTH: Duration = Duration::from_millis(1_250);
const INTERRUPTS: u32 = 12;

#[test]
fn an_interrupt_at_any_instant_of_a_thousand_connections_leaves_a_whole_report() {
    let seed = seed();
    println!("BLAST_SEED={seed}");
    each_engine(|engine| {
        let target = target("300ms");
        let url = format!("http://{}/", target.address());
        let mut random = Random::new(seed);
        // Each signal, once and twice, three times each.
        let (first, mut interrupted) = (random.below(4), 0);
        for part in 0..INTERRUPTS {
            let within = random.below(1_000) as u32;
            let instant = LENGTH * (part * 1_000 + within) / (INTERRUPTS * 1_000);
            let signal = [libc::SIGINT, libc::SIGTERM][(first + part as usize) % 2];
            let twice = (first + part as usize) / 2 % 2 == 1;
            let running = Blast::calm(engine, &url).args(PHASES).start();
            thread::sleep(instant);
            let caught = running.catches(signal);
            running.signal(signal);
            if twice {
                running.signal(signal);
            }
            let run = running.end();
            let what = format!("{signal} at {instant:?}, twice: {twice}, {run:?}");
            if !caught && run.status.signal() == Some(signal) {
                assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{what}");
                continue;
            }
            assert_eq!(run.stderr, "", "{what}");
            // Its schema, its sums and its audit are checked when it is read.
            let document = run.document();
            if document.is_complete() {
                assert!(matches!(run.code(), Some(0 | 4)), "{what}");
            } else {
                assert_eq!(run.code(), Some(128 + signal), "{what}");
                interrupted += 1;
            }
        }
        // The first may come before there is a run, and the last after it.
        assert!(interrupted >= INTERRUPTS - 3, "{interrupted} of {INTERRUPTS}, seed {seed}");
    });
}

static TAKEN: AtomicU64 = AtomicU64::new(0);

extern "C" fn take(_: libc::c_int) {
    TAKEN.fetch_add(1, SeqCst);
}

/// A thousand signals a second to each thread of a run in this process, so that whatever waits is
/// interrupted (EINTR), until the value is dropped. To another process that would take a handler
/// there: a signal that is ignored interrupts nothing.
struct Pest<'scope>(&'scope AtomicBool);

impl<'scope> Pest<'scope> {
    fn start<'env>(scope: &'scope thread::Scope<'scope, 'env>, stop: &'scope AtomicBool) -> Self {
        // SAFETY: `take` touches one atomic; zeroed, the action has no SA_RESTART.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = take as extern "C" fn(libc::c_int) as *const () as usize;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
        }
        scope.spawn(|| {
            while !stop.load(SeqCst) {
                let threads = threads_of_the_run();
                for _ in 0..50 {
                    threads.iter().for_each(|thread| signal(*thread));
                    thread::sleep(Duration::from_millis(1));
                }
            }
        });
        Pest(stop)
    }
}

impl Drop for Pest<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

fn signal(thread: i32) {
    // SAFETY: a signal with a handler, to a thread of this process; one that has ended is no
    // matter.
    unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGUSR1) };
}

/// Workers and the control thread.
fn threads_of_the_run() -> Vec<i32> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let of_run = tasks.filter(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        name.starts_with("blast-worker") || name.starts_with("blast-control")
    });
    of_run.map(|task| task.file_name().to_str().unwrap().parse().unwrap()).collect()
}

/// A run in this process.
fn run(words: &str) -> Document {
    let words = std::iter::once("blast").chain(words.split_whitespace()).map(Into::into);
    let Ok(Parsed::Cli(cli)) = cli::parse(&words.collect::<Vec<_>>()) else { panic!() };
    let plan = cli::plan(&cli.load).unwrap();
    let summary = engine::run(&plan, &mut |_| {}).unwrap();
    let mut text = Vec::new();
    json::write(&report::document_of(&plan, &summary), &mut text).unwrap();
    Document::parse(str::from_utf8(&text).unwrap()).unwrap()
}

/// What cannot be but so, whoever interrupts.
fn counted(document: &Document, requests: u64) {
    let fates = document.fates(["scheduled", "sent", "good", "dropped"]);
    assert_eq!(fates, [requests, requests, requests, 0], "{}", document.at("failures"));
    assert!(document.counts("connections.failures").is_empty());
    assert_eq!(document.count("connections.opened"), 100);
    assert_eq!(document.count("connections.reopened"), 0);
}

/// The share that was sent within 10 ms of when it was due.
fn on_schedule(words: &str) -> f64 {
    let document = run(words);
    counted(&document, 1_000);
    document.number("rate.efficiency")
}

#[test]
fn a_thousand_harmless_signals_a_second_change_neither_the_counts_nor_the_schedule() {
    each_engine_alone(|engine| {
        let target = target("1ms");
        let load = format!("--engine {engine} -c 100 -t 2 {}", target.address());
        let (before, mut pestered) = (TAKEN.load(SeqCst), Duration::ZERO);
        let mut pester = |run: &dyn Fn() -> f64| {
            let (start, stop) = (Instant::now(), AtomicBool::new(false));
            let outcome = thread::scope(|scope| {
                let _pest = Pest::start(scope, &stop);
                run()
            });
            pestered += start.elapsed();
            outcome
        };
        for wait in ["hybrid", "spin", "block"] {
            let words = format!("-R 2k -d 500ms --wait {wait} {load}");
            // What else this machine does may hold up the one and not the other; none of them
            // has a second try to miscount.
            let mut tries = (0..10).map(|_| {
                let undisturbed = on_schedule(&words);
                (undisturbed, pester(&|| on_schedule(&words)))
            });
            let as_good = tries.any(|(undisturbed, pestered)| pestered > undisturbed - 0.02);
            assert!(as_good, "{engine}, {wait}: off schedule");
        }
        pester(&|| {
            counted(&run(&format!("-n 20k {load}")), 20_000);
            1.0
        });
        // Three threads, and on a busy machine a sleep takes many times what it is asked for.
        let per_s = (TAKEN.load(SeqCst) - before) as f64 / pestered.as_secs_f64();
        assert!(per_s > 3.0 * 30.0, "only {per_s} signals a second were taken");
    });
}
