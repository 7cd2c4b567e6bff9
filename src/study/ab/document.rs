//! What the rounds come to, as a document.

use std::time::SystemTime;

use super::turns::{Rounds, Settings};
use crate::plan::Plan;
use crate::report::ab::{AbDocument, Metric, Round, SCHEMA_NAME, Side};
use crate::report::comparison::Caveat;
use crate::study::statistics::{Estimate, rounds};
use crate::time::Nanos;

const CONFIDENCE: f64 = 0.95;

/// Where errors are more than this on one side, its times are of other requests.
const FEW_ERRORS: f64 = 0.001;

/// How it was asked for and went.
pub struct Told<'a> {
    pub plans: &'a [Plan; 2],
    pub settings: &'a Settings,
    /// The smallest difference that is to be seen, as a share.
    pub effect: f64,
    pub started_at: SystemTime,
    pub took: Nanos,
}

struct Figure {
    name: &'static str,
    unit: &'static str,
    better: &'static str,
    read: fn(&Side) -> Option<f64>,
    /// It has to be as sure as was asked for.
    is_main: bool,
}

/// Those that every round has of both sides are compared. The client's own processor time is not
/// theirs, and stands with the rounds alone.
const FIGURES: [Figure; 8] = [
    Figure {
        name: "good_per_s",
        unit: "per_s",
        better: "higher",
        read: |side| Some(side.good_per_s),
        is_main: true,
    },
    time("mean", |side| side.mean_us, false),
    time("p50", |side| side.p50_us, true),
    time("p90", |side| side.p90_us, false),
    time("p95", |side| side.p95_us, false),
    time("p99", |side| side.p99_us, false),
    time("p99.9", |side| side.p99_9_us, false),
    time("server_us_per_request", |side| side.server_us_per_request, false),
];

const fn time(name: &'static str, read: fn(&Side) -> Option<f64>, is_main: bool) -> Figure {
    Figure { name, unit: "us", better: "lower", read, is_main }
}

pub fn document(found: &Rounds, told: &Told) -> AbDocument {
    let [plan, other] = told.plans;
    let known: Vec<(&Figure, Vec<[f64; 2]>)> =
        FIGURES.iter().filter_map(|figure| Some((figure, pairs(figure, &found.rounds)?))).collect();
    let logs = known.iter().map(|(_, pairs)| pairs.iter().map(|[a, b]| (b / a).ln()).collect());
    let estimates = rounds::compare(&logs.collect::<Vec<Vec<f64>>>(), told.settings.seed);
    let compared: Vec<_> = known.iter().zip(&estimates).collect();
    let needed = compared.iter().filter(|((figure, _), _)| figure.is_main);
    let needed = needed.filter_map(|(_, estimate)| more(found, estimate, told.effect)).max();
    AbDocument {
        schema: SCHEMA_NAME.to_string(),
        blast_version: env!("CARGO_PKG_VERSION").to_string(),
        complete: found.complete,
        started_at: humantime::format_rfc3339_millis(told.started_at).to_string(),
        duration_s: told.took.as_secs_f64(),
        confidence: CONFIDENCE,
        method: plan.request.method.clone(),
        urls: [plan.url.shown.clone(), other.url.shown.clone()],
        mode: if plan.load.offered().is_some() { "open" } else { "closed" }.to_string(),
        rps: plan.load.per_s(),
        connections: plan.connections.into(),
        length_s: plan.duration.map(Nanos::as_secs_f64),
        rounds_asked: told.settings.rounds,
        seed: told.settings.seed,
        effect_percent: told.effect * 100.0,
        metrics: compared.iter().map(|((f, pairs), found)| metric(f, pairs, found)).collect(),
        rounds_needed: needed.map(|rounds| rounds as u64),
        warnings: warnings(&found.rounds),
        rounds: found.rounds.clone(),
    }
}

/// `None` where any round lacks it, or has nothing of it: there is no logarithm of that.
fn pairs(figure: &Figure, rounds: &[Round]) -> Option<Vec<[f64; 2]>> {
    let positive = |side: &Side| (figure.read)(side).filter(|value| *value > 0.0);
    let pairs = rounds.iter().map(|round| Some([positive(&round.a)?, positive(&round.b)?]));
    pairs.collect::<Option<Vec<_>>>().filter(|pairs| !pairs.is_empty())
}

/// A difference that is seen needs no more.
fn more(found: &Rounds, estimate: &Estimate, effect: f64) -> Option<usize> {
    match estimate.is_significant() {
        Some(true) => None,
        _ => rounds::rounds_needed(found.rounds.len(), estimate, effect),
    }
}

fn metric(figure: &Figure, pairs: &[[f64; 2]], found: &Estimate) -> Metric {
    let percent = |log: f64| log.exp_m1() * 100.0;
    let side = |side: usize| median(pairs.iter().map(|pair| pair[side]).collect());
    Metric {
        name: figure.name.to_string(),
        unit: figure.unit.to_string(),
        better: figure.better.to_string(),
        a: side(0),
        b: side(1),
        percent: percent(found.value),
        percent_low: found.low.map(percent),
        percent_high: found.high.map(percent),
        significant: found.is_significant().filter(|_| found.low.is_some()),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

fn warnings(rounds: &[Round]) -> Vec<Caveat> {
    let caveat = |code: &str, text: String| Caveat { code: code.to_string(), text };
    let mut warnings = Vec::new();
    for (at, name) in ["A", "B"].into_iter().enumerate() {
        let of = |round: &Round| [&round.a, &round.b][at].clone();
        let own = ["client_cpu", "ports", "descriptors"];
        let own = rounds.iter().filter(|round| own.contains(&of(round).limit.as_str())).count();
        if own > 0 {
            let text = format!(
                "in {own} of {} rounds blast or its host was the limit with {name}: a faster \
                 server would not have shown",
                rounds.len()
            );
            warnings.push(caveat("generator", text));
        }
        let errors = rounds.iter().map(|round| of(round).error_share).fold(0.0, f64::max);
        if errors > FEW_ERRORS {
            let text = format!(
                "up to {:.2} % of the requests to {name} were errors: they rank above every good \
                 answer",
                errors * 100.0
            );
            warnings.push(caveat("errors", text));
        }
    }
    warnings
}
