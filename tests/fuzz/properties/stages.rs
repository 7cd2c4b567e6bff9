//! Any text is a load that can be walked through from its start to its end, or one sentence.
//!
//! A line is a flag without its dashes, and its value: `stages 30s:1k,1m:10k`.

use blast::cli::low::LoadArgs;
use blast::cli::{plan, shapes};
use blast::plan::{Law, Offered, Plan, Schedule, Shape, shape};
use blast::units::{parse_count, parse_duration};
use blast::{Nanos, Result, engine};

use super::is_one_sentence;

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match typed(&text).and_then(|args| plan(&args)) {
        Ok(plan) => can_be_walked_through(&plan),
        Err(error) => is_one_sentence(&error),
    }
}

fn typed(text: &str) -> Result<LoadArgs> {
    let mut args = LoadArgs { words: vec!["http://h/".to_string()], ..LoadArgs::default() };
    for line in text.lines() {
        let (flag, value) = line.split_once(' ').unwrap_or((line, ""));
        let (size, shape) = (&mut args.size, &mut args.shape);
        match flag {
            "rps" => size.rps = Some(shapes::rps(value)?),
            "duration" => size.duration = Some(parse_duration(value)?),
            "stages" => shape.stages = list(value, shapes::rate_stage)?,
            "connections-stages" => {
                shape.connections_stages = list(value, shapes::connection_stage)?
            }
            "steps" => shape.steps = Some(shapes::steps(value)?),
            "arrivals" => shape.arrivals = Some(shapes::arrivals(value)?),
            "seed" => shape.seed = Some(shapes::seed(value)?),
            "warmup" => args.phases.warmup = Some(shapes::warmup(value)?),
            "requests" => args.phases.requests = Some(parse_count(value)?.max(1)),
            _ => {}
        }
    }
    Ok(args)
}

/// As clap splits the value of such a flag.
fn list<T>(value: &str, stage: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    value.split(',').map(stage).collect()
}

fn can_be_walked_through(plan: &Plan) {
    assert!((1..=1_000_000).contains(&plan.connections), "{}", plan.connections);
    let length = engine::length(plan);
    assert!(length.is_some() || plan.warmup.length().is_none() || plan.load.offered().is_none());
    if let Some(shape) = plan.load.shape() {
        has_no_gap(shape);
        every_change_is_found(shape);
    }
    if let Some(offered) = plan.load.offered() {
        arrives_in_order(plan, offered);
    }
}

fn has_no_gap(shape: &Shape) {
    let stages = shape.stages();
    // One more than can be asked for: users that have all begun are held.
    assert!((1..=shape::MOST_STAGES + 1).contains(&stages.len()), "{}", stages.len());
    assert!(shape.length() <= shape::LONGEST.max(stages[0].length) && shape.highest() > 0);
    let mut end = Nanos::ZERO;
    for (index, stage) in stages.iter().enumerate() {
        assert_eq!(stage.start, end, "stage {index}");
        assert!(stage.length > Nanos::ZERO, "stage {index}");
        end = stage.end();
        for t in [stage.start, stage.start + Nanos(stage.length.0 / 2), end - Nanos(1)] {
            assert_eq!(shape.stage_at(t), index, "at {t:?}");
            let (least, most) = (stage.from.min(stage.to), stage.from.max(stage.to));
            assert!((least..=most).contains(&shape.in_use(t)), "at {t:?}");
        }
    }
    assert_eq!(end, shape.length());
}

/// The first of them: a shape may have a million.
fn every_change_is_found(shape: &Shape) {
    let mut t = Nanos::ZERO;
    for _ in 0..50 {
        let Some(next) = shape.next_change(t) else { return };
        assert!(t < next && next <= shape.length(), "{next:?} after {t:?}");
        assert_eq!(shape.in_use(next - Nanos(1)), shape.in_use(t), "before {next:?}");
        assert_ne!(shape.in_use(next), shape.in_use(t), "at {next:?}");
        t = next;
    }
}

/// Of three workers, the first arrivals of each, and for laws that are a function of time, the
/// sum at any time.
fn arrives_in_order(plan: &Plan, offered: &Offered) {
    let schedule = Schedule::new(offered, plan.warmup, plan.duration, plan.requests);
    let length = schedule.length();
    for worker in 0..3 {
        let (_, mut walk) = schedule.walks(worker, 3);
        let mut before = Nanos::ZERO;
        for _ in 0..50 {
            let Some(at) = walk.peek() else { break };
            assert!(before <= at && at < length, "{at:?} after {before:?}, of {length:?}");
            before = at;
            walk.advance();
        }
    }
    if offered.law() == Law::Uniform && plan.requests.is_none() {
        let mut before = 0;
        for t in (0..=4).map(|quarter| Nanos(length.0 / 4 * quarter)) {
            let shares = (0..3).map(|worker| schedule.walks(worker, 3).1.due_before(t));
            let due = shares.sum::<u64>();
            assert_eq!(due, offered.integral().due_before(t), "before {t:?}");
            assert!(before <= due, "{due} before {t:?}");
            before = due;
        }
    }
}

pub const SEEDS: &[&[u8]] = &[
    b"stages 30s:1k,1m:10k,10s:0",
    b"rps 2k\nstages 0s:60/m,30s:1k/1s",
    b"steps 1k..10k/1k@10s\narrivals poisson\nseed 7",
    b"steps 10..1/4@250ms",
    b"connections-stages 5m:100,3m:100,2m:0",
    b"connections-stages 0s:5,10s:5,0s:1,10s:9",
    b"rps 100:5k\nduration 4\narrivals burst:50",
    b"rps 60/m:0.5\nduration 1h",
    b"rps 1/3s\nrequests 10\nwarmup 1m30s",
    b"rps 50k\narrivals poisson\nrequests 1k\nwarmup auto",
    b"duration 2m\nwarmup 5",
];

pub const WORDS: &[&str] = &[
    "rps ",
    "duration ",
    "stages ",
    "connections-stages ",
    "steps ",
    "arrivals ",
    "seed ",
    "warmup ",
    "requests ",
    "uniform",
    "poisson",
    "burst:",
    "auto",
    "\n",
    ":",
    ",",
    "..",
    "/",
    "@",
    ".",
    "_",
    " ",
    "0",
    "1",
    "0s:",
    "1ns",
    "1us:",
    "1ms:",
    "10s:",
    "720h:",
    "5124095h",
    "30m",
    "k",
    "M",
    "G",
    "/ns",
    "/h",
    "1000000000000",
    "18446744073709551615",
    "18446744073709551616",
    "0.000000000000000001",
    "101",
    "100",
];
