//! Calibrations of workers that are all arithmetic, and the file that these are kept in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use super::*;
use crate::error::Result;
use crate::host::Fingerprint;
use crate::http::Request;
use crate::metrics::{Mode, Summary, Worker, fixture};
use crate::plan::scenario::{Flow, Model, Step, Steps, Think};
use crate::plan::{Class, Plan, Scenario, Url};
use crate::report::calibration::CalibrationDocument;
use crate::report::{PageOptions, console};
use crate::study::Runner;
use crate::time::Nanos;

/// A worker that takes `cost` of its core for a request, of which others leave it a share, and a
/// server that answers so many a second.
struct Simulated {
    cost: Nanos,
    left: f64,
    server_per_s: f64,
    /// The highest rate at which it is not late.
    on_time_per_s: f64,
    /// Interrupted in this run, counted from 0.
    ends: Option<usize>,
    runs: usize,
}

const WORKER: Simulated = Simulated {
    cost: Nanos::from_micros(4),
    left: 1.0,
    server_per_s: f64::INFINITY,
    on_time_per_s: 220_000.0,
    ends: None,
    runs: 0,
};

impl Runner for Simulated {
    fn run(&mut self, plan: &Plan) -> Result<Summary> {
        let offered = plan.load.per_s();
        let mode = if offered.is_some() { Mode::Open } else { Mode::Closed };
        let mut summary = fixture::blank(mode);
        summary.measured = plan.duration.unwrap();
        let own = self.left / self.cost.as_secs_f64();
        let rate = offered.unwrap_or(f64::INFINITY).min(own).min(self.server_per_s);
        let completed = (rate * summary.measured.as_secs_f64()).round() as u64;
        let cpu_time = Nanos(self.cost.0 * completed);
        let starved = summary.measured.as_secs_f64() * (1.0 - self.left);
        summary.measure_events.completed = completed;
        summary.measure_events.bytes_received = completed * 130;
        summary.client.workers = vec![Worker {
            cpu_time,
            starved_time: Nanos((starved * 1e9) as u64),
            wall_time: summary.measured,
            ..Worker::default()
        }];
        if let Some(offered) = offered {
            let late = offered > self.on_time_per_s;
            let counters = &mut summary.measure.counters;
            (counters.scheduled, counters.on_schedule) = (100_000, 100_000);
            let late = if late { Nanos::from_millis(3) } else { Nanos::from_micros(20) };
            summary.measure.late.record_many(late, 100_000);
        }
        summary.complete = self.ends != Some(self.runs);
        self.runs += 1;
        Ok(summary)
    }

    fn reconnect(&mut self) {}
}

fn plan(connections: u32) -> Plan {
    let request = Request::new("GET", "/", "h");
    Plan { connections, ..Plan::new(Url::parse("http://h/").unwrap(), request) }
}

fn host() -> Fingerprint {
    Fingerprint {
        cpu: "Z80".to_string(),
        cores: 2,
        kernel: "6.18.0".to_string(),
        memory_gib: 8,
        blast_version: "0.1.0".to_string(),
    }
}

fn told(plan: &Plan) -> Told {
    Told {
        started_at: SystemTime::UNIX_EPOCH,
        took: Nanos::from_secs(9),
        host: host(),
        class: Class::of(plan, "ring", 1, None),
        worker_core: Some(1),
        server_cores: vec![0],
        stolen: None,
        quota: None,
        has_own_pace: has_pace_of_its_own(plan),
        notes: Vec::new(),
    }
}

fn calibrated_with(mut worker: Simulated, plan: &Plan) -> CalibrationDocument {
    let settings = Settings { rounds: 5, length: Nanos::from_millis(1_500) };
    let finding = measure(&mut worker, plan, &settings, &mut |_| {}).unwrap();
    document(&finding, told(plan))
}

fn calibrated(worker: Simulated) -> CalibrationDocument {
    calibrated_with(worker, &plan(64))
}

fn page(document: &CalibrationDocument) -> String {
    console::calibration::page(document, &PageOptions { width: 500, ..PageOptions::default() })
}

#[test]
fn a_worker_with_nothing_to_spare_can_send_what_it_reached() {
    let found = calibrated(WORKER);
    let closed = found.closed.as_ref().unwrap();
    assert_eq!((closed.rate_per_s, closed.reached_per_s), (250_000.0, 250_000.0));
    assert_eq!((closed.cpu_us_per_request, closed.basis.as_str()), (4.0, "reached"));
    assert!(!closed.is_lower_bound && found.complete && found.notes.is_empty(), "{found:?}");
    assert_eq!((found.rounds.len(), found.class.answer_bytes), (5, Some(130)));
    // 0.95 of it is late, 0.85 is not.
    let open = found.open.as_ref().unwrap();
    assert_eq!((open.rate_per_s, open.share, open.is_lower_bound), (212_500.0, 0.85, false));
    let page = page(&found);
    assert!(page.contains("can send     250,000/s from one core, 4 us of its time"), "{page}");
    assert!(page.contains("on time      212,500/s in open loop, 85 % of what"), "{page}");
}

#[test]
fn behind_a_slower_server_the_figure_is_derived_and_a_lower_bound() {
    let found = calibrated(Simulated { server_per_s: 100_000.0, ..WORKER });
    let closed = found.closed.as_ref().unwrap();
    assert_eq!((closed.rate_per_s, closed.reached_per_s), (250_000.0, 100_000.0));
    assert!(closed.is_lower_bound && closed.basis == "derived", "{closed:?}");
    assert!(closed.why.contains("server was the limit, at 100000/s, and the worker used 40 %"));
    assert!(found.open.as_ref().unwrap().is_lower_bound);
    assert!(page(&found).contains("250,000/s or more from one core"));
}

#[test]
fn a_busy_host_is_told_and_only_a_lower_bound_comes_of_it() {
    let found = calibrated(Simulated { left: 0.5, on_time_per_s: 1.0, ..WORKER });
    let closed = found.closed.as_ref().unwrap();
    assert_eq!((closed.rate_per_s, closed.reached_per_s), (250_000.0, 125_000.0));
    assert!(closed.is_lower_bound && closed.why.starts_with("others had"), "{closed:?}");
    assert!(found.open.is_none());
    let notes = found.notes.join("; ");
    assert!(notes.contains("others had the worker's core for 50 % of the time"), "{notes}");
    assert!(notes.contains("no rate that was tried was sent on time"), "{notes}");
}

#[test]
fn one_core_for_both_and_a_quota_are_told() {
    let plan = plan(64);
    let settings = Settings { rounds: 1, length: Nanos::from_secs(1) };
    let mut worker = Simulated { left: 0.5, ..WORKER };
    let finding = measure(&mut worker, &plan, &settings, &mut |_| {}).unwrap();
    let told = Told { server_cores: vec![1], quota: Some(1.5), stolen: Some(0.2), ..told(&plan) };
    let found = document(&finding, told);
    assert!(found.closed.unwrap().why.starts_with("server and worker share a core"));
    let notes = found.notes.join("; ");
    for words in ["one core alone", "may use 1.5 processors", "20 % of this machine's time"] {
        assert!(notes.contains(words), "{notes}");
    }
}

#[test]
fn an_interrupt_keeps_what_is_known_and_says_so() {
    for ends in 0..7 {
        let found = calibrated(Simulated { ends: Some(ends), on_time_per_s: 1.0, ..WORKER });
        assert!(!found.complete, "{ends}");
        assert_eq!((found.rounds.len(), found.closed.is_some()), (ends.min(5), ends > 0));
        assert!(page(&found).contains("INTERRUPTED"));
    }
}

#[test]
fn a_server_that_answers_nothing_leaves_nothing_known() {
    let found = calibrated(Simulated { server_per_s: 0.0, ..WORKER });
    assert!(found.closed.is_none() && found.open.is_none() && found.rounds.is_empty());
    assert!(page(&found).contains("unknown: no answer came"));
}

#[test]
fn of_users_what_is_left_is_what_one_worker_sends_of_them_without_a_thought() {
    let step = |what| Step {
        what,
        repeat: (1, 1),
        probability: 1.0,
        weight: 1,
        think: Think::Constant(Nanos::from_secs(1)),
    };
    let inner = step(Steps::One(0));
    let flow = Flow { steps: vec![step(Steps::Group(vec![inner]))], ..Flow::default() };
    let scenario = Scenario {
        requests: Vec::new(),
        entries: Vec::new(),
        model: Model::Sessions(flow),
        run_setup: vec![0],
        run_teardown: vec![0],
        tables: Vec::new(),
        captures: Vec::new(),
        checks: Vec::new(),
        seed: 1,
        has_cookies: false,
        body_limit: 0,
        request_id: None,
    };
    let plan = Plan { scenario: Some(Arc::new(scenario)), ..plan(100) };
    let one = of_one_worker(&plan, 3);
    assert_eq!((one.connections, one.threads), (34, Some(1)));
    let scenario = one.scenario.as_ref().unwrap();
    assert!(scenario.run_setup.is_empty() && scenario.run_teardown.is_empty());
    let Model::Users(flow) = &scenario.model else { panic!("{:?}", scenario.model) };
    let Steps::Group(inner) = &flow.steps[0].what else { panic!("{flow:?}") };
    assert_eq!([flow.steps[0].think, inner[0].think], [Think::Not; 2]);
    // Their rate is none of requests.
    assert!(calibrated_with(WORKER, &one).open.is_none());
}

/// A file that is not there yet.
struct File(PathBuf);

impl File {
    fn new() -> File {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("blast-calibration-{}-{number}", std::process::id());
        File(std::env::temp_dir().join(name).join("deep/calibration.json"))
    }

    fn shelf(&self) -> Shelf {
        Shelf { path: self.0.clone() }
    }

    fn write(&self, text: &str) {
        fs::create_dir_all(self.0.parent().unwrap()).unwrap();
        fs::write(&self.0, text).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap().parent().unwrap());
    }
}

fn rate(book: &Book, host: &Fingerprint, connections: u32, mode: Mode) -> Option<f64> {
    let class = Class::of(&plan(connections), "ring", 1, Some(130));
    let sought = Sought { host, class: &class, mode, has_pace_of_its_own: false };
    book.find(&sought).map(|found| found.per_worker_per_s)
}

#[test]
fn what_is_kept_is_found_again_by_its_owner_alone() {
    let file = File::new();
    assert_eq!(file.shelf().read(), Ok(Book::default()));
    file.shelf().put(&calibrated(WORKER)).unwrap();
    let mode = fs::metadata(&file.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let book = file.shelf().read().unwrap();
    assert_eq!(rate(&book, &host(), 64, Mode::Closed), Some(250_000.0));
    assert_eq!(rate(&book, &host(), 64, Mode::Open), Some(212_500.0));
    let other = Fingerprint { kernel: "6.19.0".to_string(), ..host() };
    assert_eq!(rate(&book, &other, 64, Mode::Closed), None);
}

#[test]
fn a_second_one_of_the_class_takes_the_place_of_the_first_and_others_stay() {
    let file = File::new();
    let slower = || Simulated { cost: Nanos::from_micros(5), ..WORKER };
    file.shelf().put(&calibrated(WORKER)).unwrap();
    file.shelf().put(&calibrated_with(WORKER, &plan(5_000))).unwrap();
    file.shelf().put(&calibrated(slower())).unwrap();
    let book = file.shelf().read().unwrap();
    assert_eq!(book.entries.len(), 2);
    assert_eq!(rate(&book, &host(), 64, Mode::Closed), Some(200_000.0));
    assert_eq!(rate(&book, &host(), 9_000, Mode::Closed), Some(250_000.0));
}

#[test]
fn the_nearest_is_taken_and_says_in_what_it_differs() {
    let file = File::new();
    for connections in [10, 1_000] {
        let cost = Nanos(4_000 + u64::from(connections));
        let worker = Simulated { cost, ..WORKER };
        file.shelf().put(&calibrated_with(worker, &plan(connections))).unwrap();
    }
    let book = file.shelf().read().unwrap();
    let class = Class::of(&plan(20_000), "ring", 1, Some(130));
    let (host, mode) = (host(), Mode::Closed);
    let sought = Sought { host: &host, class: &class, mode, has_pace_of_its_own: false };
    let found = book.find(&sought).unwrap();
    assert_eq!(found.per_worker_per_s, 200_000.0);
    assert_eq!(found.apart.as_deref(), Some("1,000 connections a worker, not 20,000"));
    let epoll = Class { engine: "epoll".to_string(), ..class.clone() };
    assert!(book.find(&Sought { class: &epoll, ..sought }).is_none());
}

#[test]
fn where_nothing_was_on_time_nothing_is_known_of_an_open_loop() {
    let file = File::new();
    file.shelf().put(&calibrated(Simulated { on_time_per_s: 1.0, ..WORKER })).unwrap();
    let book = file.shelf().read().unwrap();
    assert_eq!(rate(&book, &host(), 64, Mode::Open), None);
    assert!(rate(&book, &host(), 64, Mode::Closed).is_some());
}

#[test]
fn a_damaged_file_is_one_sentence_and_is_begun_anew() {
    let file = File::new();
    file.shelf().put(&calibrated(WORKER)).unwrap();
    let whole = fs::read_to_string(&file.0).unwrap();
    file.write(&whole[..whole.len() / 2]);
    let fault = file.shelf().read().unwrap_err();
    assert!(fault.ends_with("calibration.json is damaged"), "{fault}");
    file.write(&whole.replace("blast.calibrations/1", "blast.calibrations/9"));
    let fault = file.shelf().read().unwrap_err();
    assert!(fault.ends_with("is of another version of blast"), "{fault}");
    file.shelf().put(&calibrated(WORKER)).unwrap();
    assert_eq!(file.shelf().read().unwrap().entries.len(), 1);
}

#[test]
fn a_file_that_was_never_blasts_is_left_alone() {
    let file = File::new();
    file.write("my notes");
    let fault = file.shelf().read().unwrap_err();
    assert!(fault.ends_with("is no file of calibrations"), "{fault}");
    let error = file.shelf().put(&calibrated(WORKER)).unwrap_err();
    assert!(error.message.contains("holds something else; name another file"), "{error}");
    assert_eq!(fs::read_to_string(&file.0).unwrap(), "my notes");
}

#[test]
fn what_is_no_file_or_no_text_is_one_sentence() {
    let folder = Shelf { path: std::env::temp_dir() };
    let fault = folder.read().unwrap_err();
    assert!(fault.contains("cannot be read (it is no regular file)"), "{fault}");
    let file = File::new();
    file.write("");
    fs::write(&file.0, [0xff, 0xfe, 0x00]).unwrap();
    assert!(file.shelf().read().unwrap_err().contains("cannot be read"));
}
