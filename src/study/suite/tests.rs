//! The order with hands that only note what they are asked for.

use std::time::SystemTime;

use super::*;
use crate::error::{Error, Exit};
use crate::plan::suite::{Setting, Suite, Written};
use crate::report::suite::{Figures, SuiteDocument};
use crate::time::Nanos;

/// What each run ends with, by its name; a minute each on a clock of its own.
#[derive(Default)]
struct Notes {
    names: Vec<String>,
    exits: Vec<(&'static str, Result<Exit, &'static str>)>,
    /// C(n) of the ceilings.
    rate: Option<fn(f64) -> Option<f64>>,
    bad_start: Option<Part>,
    bad_stop: bool,
    /// The signal comes with the run of this name.
    ends_in: Option<&'static str>,
    ends: Option<Exit>,
    clock: Nanos,
    log: Vec<String>,
}

fn figures(mode: &str, good: Option<f64>) -> Figures {
    Figures {
        url: "http://h/".to_string(),
        load: String::new(),
        mode: mode.to_string(),
        limit: None,
        offered_per_s: None,
        good_per_s: good,
        error_share: None,
        p50: None,
        p95: None,
        p99: None,
        thresholds: Vec::new(),
        high_per_s: None,
        confirmed: None,
    }
}

impl Hands for Notes {
    fn start(&mut self, setting: &Setting) -> Result<(), Fault> {
        self.log.push(format!("start {}", setting.shown()).trim().to_string());
        let fault = |part| Fault { part, text: "no".to_string(), lines: Vec::new() };
        self.bad_start.map_or(Ok(()), |part| Err(fault(part)))
    }

    fn run(&mut self, turn: usize, setting: &Setting) -> Result<Done, Error> {
        let name = self.names[turn].clone();
        self.log.push(name.clone());
        self.clock += Nanos::from_secs(60);
        if self.ends_in == Some(&*name) {
            self.ends = Some(Exit::Interrupted);
        }
        let n = setting.0.first().and_then(|(_, value)| value.parse().ok()).unwrap_or(1.0);
        let exit = self.exits.iter().find(|(of, _)| *of == name).map_or(Ok(Exit::Done), |e| e.1);
        let mode = if name == "steady" { "open" } else { "search" };
        let figures = figures(mode, self.rate.and_then(|rate| rate(n)));
        let exit = exit.map_err(Error::failed)?;
        Ok(Done { ended: self.clock, exit: self.ends.unwrap_or(exit), figures, files: vec![name] })
    }

    fn pause(&mut self, length: Nanos) {
        self.log.push(format!("pause {}", length.as_secs_f64()));
        self.clock += length;
    }

    fn stop(&mut self, _: &Setting) -> Result<(), Fault> {
        self.log.push("stop".to_string());
        let fault = Fault { part: Part::After, text: "no".to_string(), lines: Vec::new() };
        if self.bad_stop { Err(fault) } else { Ok(()) }
    }

    fn ends(&self) -> Option<Exit> {
        self.ends
    }

    fn now(&self) -> Nanos {
        self.clock
    }
}

fn suite(text: &str) -> Suite {
    Suite::of(&Written::read("s.toml", text.to_string()).unwrap()).unwrap()
}

const THREE: &str = "runs = [{ name = \"a\", pause = 5, required = true }, { name = \"b\" }, \
                     { name = \"c\", pause = 5 }]";

fn carried_out(text: &str, mut notes: Notes) -> (Course, SuiteDocument, Vec<String>) {
    let suite = suite(text);
    notes.names = suite.turns.iter().map(|turn| turn.name.clone()).collect();
    notes.clock = Nanos::from_secs(100);
    let course = carry_out(&suite, &mut notes);
    let told = Told {
        file: "s.toml",
        started_at: SystemTime::UNIX_EPOCH,
        began: Nanos::from_secs(100),
        took: notes.clock - Nanos::from_secs(100),
        files: Vec::new(),
    };
    let document = document(&suite, &course, told);
    (course, document, notes.log)
}

fn outcomes(document: &SuiteDocument) -> Vec<&str> {
    document.runs.iter().map(|run| &*run.outcome).collect()
}

#[test]
fn runs_come_in_order_with_their_pauses_and_the_last_needs_none() {
    let (course, document, log) = carried_out(THREE, Notes::default());
    assert_eq!(log, ["start", "a", "pause 5", "b", "c", "stop"]);
    assert_eq!((course.exit, course.complete), (Exit::Done, true));
    assert_eq!(outcomes(&document), ["passed"; 3]);
    let times: Vec<_> = document.runs.iter().map(|run| (run.began_s, run.ended_s)).collect();
    let minute = |from: f64| (Some(from), Some(from + 60.0));
    assert_eq!(times, [minute(0.0), minute(65.0), minute(125.0)]);
    assert!(document.scaling.is_empty(), "there is no matrix");
}

#[test]
fn the_exit_is_the_worst_of_all() {
    for (exits, expected) in [
        (vec![("b", Ok(Exit::Threshold))], Exit::Threshold),
        (vec![("b", Ok(Exit::Invalid)), ("c", Ok(Exit::Threshold))], Exit::Invalid),
        (vec![("b", Ok(Exit::Threshold)), ("c", Ok(Exit::Invalid))], Exit::Invalid),
        (vec![("b", Err("no")), ("c", Ok(Exit::Invalid))], Exit::Failed),
        (vec![("c", Ok(Exit::Failed)), ("b", Ok(Exit::Threshold))], Exit::Failed),
    ] {
        let (course, document, log) =
            carried_out(THREE, Notes { exits: exits.clone(), ..Notes::default() });
        assert_eq!(course.exit, expected, "{exits:?}");
        assert_eq!(document.exit_code, expected.code());
        assert_eq!(log.last().unwrap(), "stop");
        assert_eq!(log.len(), 6, "one that fails does not keep the others from being made");
    }
}

#[test]
fn a_required_run_that_does_not_pass_ends_its_setting() {
    let exits = vec![("a", Ok(Exit::Threshold))];
    let text = format!("matrix = {{ N = [1, 2] }}\nserver.before = \"true\"\n{THREE}");
    let (course, document, log) = carried_out(&text, Notes { exits, ..Notes::default() });
    assert_eq!(log, ["start N=1", "a", "stop", "start N=2", "a", "stop"]);
    assert_eq!(course.exit, Exit::Threshold);
    let once = ["threshold", "skipped", "skipped"];
    assert_eq!(outcomes(&document), [once, once].concat());
    assert_eq!(document.runs[1].why.as_deref(), Some("a is required and did not pass"));
    assert_eq!(document.runs[1].exit_code, None);
}

#[test]
fn a_server_that_does_not_start_is_stopped_all_the_same_and_nothing_is_run() {
    for (part, why) in
        [(Part::Before, "the server was not started"), (Part::Ready, "the server did not answer")]
    {
        let notes = Notes { bad_start: Some(part), ..Notes::default() };
        let (course, document, log) = carried_out(THREE, notes);
        assert_eq!(log, ["start", "stop"]);
        assert_eq!(course.exit, Exit::Failed);
        assert_eq!(document.problems[0].part, part.name());
        assert!(document.runs.iter().all(|run| run.why.as_deref() == Some(why)));
    }
    let (course, document, _) = carried_out(THREE, Notes { bad_stop: true, ..Notes::default() });
    assert_eq!((course.exit, outcomes(&document)), (Exit::Failed, vec!["passed"; 3]));
}

#[test]
fn an_interrupt_ends_the_present_run_and_the_server_and_keeps_what_is_known() {
    let text = format!("matrix = {{ N = [1, 2] }}\nserver.before = \"true\"\n{THREE}");
    let notes = Notes { ends_in: Some("b"), bad_stop: true, ..Notes::default() };
    let (course, document, log) = carried_out(&text, notes);
    assert_eq!(log, ["start N=1", "a", "pause 5", "b", "stop"]);
    assert_eq!((course.exit, course.complete), (Exit::Interrupted, false));
    let expected = ["passed", "interrupted", "skipped", "skipped", "skipped", "skipped"];
    assert_eq!(outcomes(&document), expected);
    assert!(document.runs[1].figures.is_some());
    // It came while the server was started.
    let notes =
        Notes { bad_start: Some(Part::Ready), ends: Some(Exit::Terminated), ..Notes::default() };
    assert_eq!(carried_out(THREE, notes).0.exit, Exit::Terminated);
}

#[test]
fn efficiency_is_the_rate_over_n_times_that_of_one() {
    let matrix =
        |values: &str| format!("matrix = {{ N = [{values}] }}\nserver.before = \"true\"\n{THREE}");
    let of = |values: &str, rate: fn(f64) -> Option<f64>| {
        let (_, document, _) =
            carried_out(&matrix(values), Notes { rate: Some(rate), ..Notes::default() });
        assert_eq!(document.scaling.len(), 3);
        let points = &document.scaling[2].points;
        points.iter().map(|point| (point.speedup, point.efficiency)).collect::<Vec<_>>()
    };
    let both = |speedup, efficiency| (Some(speedup), Some(efficiency));
    // 1,000 of one, and 500 more of each further one.
    let half = |n: f64| Some(500.0 + 500.0 * n);
    assert_eq!(of("1, 2, 4", half), [both(1.0, 1.0), both(1.5, 0.75), both(2.5, 0.625)]);
    assert_eq!(of("4, 1", half), [both(2.5, 0.625), both(1.0, 1.0)], "one is the base");
    let linear = |n: f64| Some(n * 10.0);
    assert_eq!(of("2, 6", linear), [both(1.0, 1.0), both(3.0, 1.0)]);
    let unknown = |n: f64| (n > 1.0).then_some(n);
    assert_eq!(of("1, 2", unknown), [(None, None), (None, None)], "nothing to compare with");
    let (fast, slow) = ("\"fast\", \"slow\"", |_: f64| Some(5.0));
    assert_eq!(of(fast, slow), [(Some(1.0), None), (Some(1.0), None)]);
}

#[test]
fn a_rate_that_was_asked_for_is_no_capacity() {
    let text = "matrix = { N = [1, 2] }\nserver.before = \"true\"\nruns = [{ name = \"steady\" }, { name = \"c\" }]";
    let (_, document, _) = carried_out(text, Notes { rate: Some(Some), ..Notes::default() });
    let names: Vec<&str> = document.scaling.iter().map(|scaling| &*scaling.run).collect();
    assert_eq!(names, ["c"]);
    let two =
        "matrix = { N = [1, 2], M = [1, 2] }\nserver.before = \"true\"\nruns = [{ name = \"c\" }]";
    let (_, document, log) = carried_out(two, Notes { rate: Some(Some), ..Notes::default() });
    assert_eq!(log.iter().filter(|line| line.starts_with("start")).count(), 4);
    let points = &document.scaling[0].points;
    assert!(points.iter().all(|point| point.efficiency.is_none() && point.speedup.is_some()));
}
