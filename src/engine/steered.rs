//! Runs that are steered, through each of the engines against a target.

use super::helm::Helm;
use super::{Progress, run_steered};
use crate::http::Request;
use crate::metrics::{Edit, Ends, Level, NameRow, Summary};
use crate::plan::integral::Integral;
use crate::plan::{Engine, Load, Pin, Plan, Rate, Url, Wait};
use crate::target::{Behaviour, Delay, Options, Target};
use crate::time::Nanos;

const ENGINES: [Engine; 3] = [Engine::Ring, Engine::TokioUring, Engine::Epoll];

fn target() -> Target {
    let delay = Delay::Fixed(Nanos::from_millis(2));
    let behaviour = Behaviour { delay, ..Behaviour::default() };
    Target::start(Options { behaviour, ..Options::default() }).expect("a target")
}

fn plan(target: &Target, engine: Engine, load: Load) -> Plan {
    let address = target.address();
    let url = Url::parse(&format!("http://{address}/")).expect("a URL");
    let request = Request::new("GET", "/", &address.to_string());
    Plan {
        engine,
        load,
        connections: 3,
        threads: Some(2),
        duration: Some(Nanos::from_millis(1_200)),
        wait: Wait::Block,
        pin: Pin::Off,
        tells_names: true,
        ..Plan::new(url, request)
    }
}

/// What was told while it ran.
#[derive(Default)]
struct Told {
    edits: Vec<Edit>,
    refused: Vec<String>,
    names: Vec<(Vec<NameRow>, NameRow)>,
}

/// Does this as the load is about to begin.
fn run(plan: &Plan, at_the_start: impl Fn(&Helm) + Sync) -> (Summary, Told) {
    let (helm, mut told) = (Helm::default(), Told::default());
    let summary = run_steered(plan, &helm, &mut |progress| match progress {
        Progress::Starting { .. } => at_the_start(&helm),
        Progress::Edited { edit } => told.edits.push(edit.clone()),
        Progress::EditRefused { why, .. } => told.refused.push(why.to_string()),
        Progress::Names { rows, all, .. } => told.names.push((rows.to_vec(), all.clone())),
        _ => {}
    });
    let summary = summary.expect("a run");
    assert!(summary.audit.ok() && summary.complete, "{:?}", summary.audit);
    assert_eq!(summary.edits, told.edits);
    (summary, told)
}

#[test]
fn a_rate_that_is_changed_is_the_arithmetic_of_both_on_every_engine() {
    let target = target();
    for engine in ENGINES {
        let plan = plan(&target, engine, Load::steady(Rate::per_second(100)));
        let (summary, told) = run(&plan, |helm| {
            helm.set_rate(400.0, "ada").expect("an order");
            assert!(helm.set_users(9, "ada").is_err());
        });
        assert!(told.refused.is_empty(), "{:?}", told.refused);
        let [Edit { at, level: Level::Rate(400.0), who }] = &told.edits[..] else {
            panic!("{:?}", told.edits)
        };
        assert_eq!(who, "ada");
        // A tenth of a second ahead, and up to one look later.
        assert!(*at >= Nanos::from_millis(90), "{at:?}");
        let steady = Integral::steady(Rate::per_second(100));
        let steered = steady.steered(*at, Rate::per_second(400), Nanos::from_secs(9));
        let due = steered.expect("small numbers").due_before(summary.measured);
        assert_eq!(summary.measure.counters.scheduled, due, "{engine:?}");
        assert_eq!(summary.measure.counters.good, due);
        let stages: Vec<_> = summary.stages.iter().map(|stage| (stage.from, stage.to)).collect();
        assert_eq!(stages, [(100.0, 100.0), (400.0, 400.0)]);
        let of_stages = summary.stages.iter().map(|stage| stage.fates.counters.good);
        assert_eq!(of_stages.sum::<u64>(), due);
        assert_eq!(summary.stages[0].fates.counters.scheduled, steady.due_before(*at));
    }
}

#[test]
fn users_are_added_up_to_what_there_is_room_for_and_taken_away_on_every_engine() {
    let target = target();
    for engine in ENGINES {
        let closed = plan(&target, engine, Load::CLOSED);
        let plan = Plan { may_grow_to: Some(7), ..closed };
        let (summary, told) = run(&plan, |helm| {
            helm.set_users(7, "ada").expect("an order");
            let error = helm.set_users(8, "ada").expect_err("no room");
            assert!(error.message.contains("7 or fewer"), "{}", error.message);
        });
        assert!(told.refused.is_empty(), "{:?}", told.refused);
        assert_eq!(summary.stages.len(), 2, "{engine:?}");
        assert_eq!(summary.connections.open_peak, 7, "{engine:?}");
        let users: Vec<_> = summary.intervals.iter().map(|interval| interval.users).collect();
        assert_eq!(users, [Some(7), Some(0)], "{engine:?}: of both workers, and in the drain none");
        let (summary, _) = run(&plan, |helm| helm.set_users(1, "ada").expect("an order"));
        assert_eq!(summary.intervals[0].users, Some(1), "{engine:?}");
        let last = &summary.stages[1];
        // One user sends again when it was answered, two thousandths of a second later.
        let most = last.length.as_secs_f64() / 2e-3 + 2.0;
        assert!(
            last.fates.counters.sent as f64 <= most,
            "{engine:?}: {}",
            last.fates.counters.sent
        );
        assert_eq!(summary.measure.counters.failed() + summary.measure.counters.abandoned, 0);
    }
}

#[test]
fn what_is_told_often_is_told_four_times_a_second_and_the_seconds_are_the_same() {
    let target = target();
    for engine in ENGINES {
        let base = plan(&target, engine, Load::steady(Rate::per_second(400)));
        // Of 1.2 s, and what was answered after the end; of a host that is busy fewer.
        for (tells_often, slices) in [(false, 2..=3), (true, 4..=6)] {
            let plan = Plan { tells_often, ..base.clone() };
            let (mut good, mut parts, mut seconds) = (0, [0, 0], 0);
            let summary = run_steered(&plan, &Helm::default(), &mut |progress| match progress {
                Progress::Slice { worker, snapshot } => {
                    good += snapshot.measure.counters.good;
                    parts[worker] += usize::from(snapshot.measure.counters.good > 0);
                }
                Progress::Interval { .. } => seconds += 1,
                _ => {}
            });
            let summary = summary.expect("a run");
            assert!(summary.audit.ok() && summary.complete, "{:?}", summary.audit);
            assert_eq!((good, summary.measure.counters.good), (480, 480), "{engine:?}");
            assert_eq!((seconds, summary.intervals.len()), (2, 2), "{engine:?}");
            assert!(parts.iter().all(|told| slices.contains(told)), "{engine:?}: {parts:?}");
        }
    }
}

#[test]
fn what_was_told_of_the_only_name_is_what_the_report_says() {
    let target = target();
    let plan = plan(&target, Engine::Epoll, Load::steady(Rate::per_second(100)));
    let (summary, told) = run(&plan, |_| {});
    let (rows, all) = told.names.last().expect("a second was over");
    let counters = &summary.measure.counters;
    assert_eq!(all.ends, Ends { ended: counters.good, fails: 0 });
    assert_eq!(all.sent, counters.sent);
    assert_eq!(all.times.p95, summary.response().quantile(0.95).map(|reading| reading.value()));
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((row.name.as_str(), row.method.as_str(), row.ends), ("/", "GET", all.ends));
    assert!(told.names.len() >= 2, "after each second, and at the end");
    let ended: u64 = told.names.iter().map(|(_, all)| all.last_second.ended).sum();
    assert_eq!(ended, counters.good, "second by second");
}
