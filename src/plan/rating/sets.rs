//! The sets that have a name. Their figures are those of the guides that teams work by: `api` of a
//! service behind an interface, `web` of pages that people wait for, `stress` of a load that goes
//! to the limit.

use super::limit::Limit;
use super::{Grade, Measure, Set};

/// As `--rating` takes them.
pub const NAMES: [&str; 4] = ["default", "api", "web", "stress"];

/// A measure, and its limits from `excellent` to `poor`; empty: there is none.
type Row = (&'static str, [&'static str; 4]);

const API: [Row; 5] = [
    ("success", [">=99%", ">=95%", ">=90%", ""]),
    ("p95", ["<=500ms", "<=1s", "<=2s", ""]),
    ("good_per_s", [">=1000", ">=500", ">=100", ""]),
    ("host.cpu", ["<50%", "<70%", "<85%", ""]),
    ("host.memory", ["<70%", "<80%", "<90%", ""]),
];

/// An average over answers that never came is none, so it is of the good ones; what was no good is
/// among the errors.
const WEB: [Row; 5] = [
    ("errors", ["<0.1%", "", "<=1%", "<=5%"]),
    ("good_only.mean", ["<200ms", "", "<500ms", ""]),
    ("p50", ["<100ms", "", "<500ms", ""]),
    ("p95", ["", "<500ms", "<1s", ""]),
    ("p99", ["", "<500ms", "<1s", ""]),
];

const STRESS: [Row; 4] = [
    ("success", [">99%", "", ">=95%", ""]),
    ("good_only.mean", ["<100ms", "", "<=500ms", ""]),
    ("p95", ["<200ms", "", "<=1s", ""]),
    ("efficiency", [">90%", "", ">=70%", ""]),
];

/// Of `api` all but the rate, which is the load's as much as the server's.
const USUAL: [Row; 6] = [API[0], API[1], WEB[0], STRESS[3], API[3], API[4]];

pub fn named(name: &str) -> Option<Set> {
    let rows: &[Row] = match name {
        "default" => &USUAL,
        "api" => &API,
        "web" => &WEB,
        "stress" => &STRESS,
        _ => return None,
    };
    Some(set(name, rows))
}

pub fn usual() -> Set {
    set("default", &USUAL)
}

fn set(name: &str, rows: &[Row]) -> Set {
    Set { name: name.to_string(), measures: rows.iter().map(measure).collect() }
}

fn measure((name, limits): &Row) -> Measure {
    let limits = Grade::LIMITED.into_iter().zip(limits).filter(|(_, text)| !text.is_empty());
    let limit = |(grade, text): (Grade, &&str)| {
        Limit::parse(name, grade, text).expect("the tables above are read in a test")
    };
    Measure { name: name.to_string(), limits: limits.map(limit).collect() }
}
