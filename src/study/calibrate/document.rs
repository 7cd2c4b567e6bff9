//! What the bursts come to.
//!
//! The worker used the share `u` of its core and reached `x` requests a second, each for `c`
//! seconds of processor time: u = x c. With nothing to spare, u = 1, it can send x = 1 / c. With
//! something to spare, 1 / c is what its core would suffice for: rather less than it can send, for
//! answers that come in larger lots cost less each.

use std::time::SystemTime;

use super::measure::Finding;
use crate::host::Fingerprint;
use crate::plan::Class;
use crate::report::calibration::{CalibrationDocument, Closed, Open, Round, SCHEMA_NAME};
use crate::time::Nanos;

/// A worker that used this much of its core had nothing to spare: what it reached is the figure.
const SATURATED: f64 = 0.95;

/// Others that had the worker's core for this share show in the figures.
const DISTURBED: f64 = 0.05;

/// A figure that differs by more than this from round to round is not a steady one.
const UNSTEADY: f64 = 0.2;

/// How it was measured.
pub struct Told {
    pub started_at: SystemTime,
    pub took: Nanos,
    pub host: Fingerprint,
    /// But for the answers, whose size the bursts tell.
    pub class: Class,
    pub worker_core: Option<usize>,
    pub server_cores: Vec<usize>,
    /// The share of this host's time that its hypervisor gave to others.
    pub stolen: Option<f64>,
    /// Processors that the control group may use, where it is limited.
    pub quota: Option<f64>,
    /// Its users set the pace: no rate was tried.
    pub has_own_pace: bool,
    /// What else makes the figures less sure.
    pub notes: Vec<String>,
}

pub fn document(finding: &Finding, told: Told) -> CalibrationDocument {
    let is_shared = told.worker_core.is_some_and(|core| told.server_cores.contains(&core));
    let closed = closed(finding, is_shared);
    let answer = finding.median(|burst| burst.answer_bytes as f64) as u64;
    let answer_bytes = closed.as_ref().map(|_| answer);
    let mut notes = notes(finding, &told, is_shared);
    notes.extend(told.notes);
    let is_lower_bound = closed.as_ref().is_some_and(|closed| closed.is_lower_bound);
    CalibrationDocument {
        schema: SCHEMA_NAME.to_string(),
        complete: !finding.interrupted,
        measured_at: humantime::format_rfc3339_seconds(told.started_at).to_string(),
        duration_s: told.took.as_secs_f64(),
        host: told.host,
        class: Class { answer_bytes, ..told.class },
        worker_core: told.worker_core.map(|core| core as u64),
        server_cores: told.server_cores.iter().map(|core| *core as u64).collect(),
        open: finding.on_time.as_ref().map(|found| Open {
            rate_per_s: rounded(found.rate_per_s),
            share: found.share,
            late_p99_us: found.late_p99.map(Nanos::as_micros_f64),
            is_lower_bound,
        }),
        closed,
        rounds: finding.bursts.iter().map(round).collect(),
        notes,
    }
}

fn closed(finding: &Finding, is_shared: bool) -> Option<Closed> {
    let reached = finding.reached_per_s();
    let cpu_us = finding.median(|burst| burst.cpu_us_per_request);
    let share = finding.median(|burst| burst.worker_share);
    let starved = finding.median(|burst| burst.starved_share);
    if reached <= 0.0 || cpu_us <= 0.0 {
        return None;
    }
    let is_saturated = share >= SATURATED;
    let rate = if is_saturated { reached } else { (1e6 / cpu_us).max(reached) };
    let used = format!("{:.0} %", (share * 100.0).floor());
    let why = match () {
        () if is_saturated => {
            format!("the worker used {used} of its core, and had nothing to spare")
        }
        () if is_shared => format!(
            "server and worker share a core, of which the worker had {used}; with all of it, at as \
             much for each request, it can send so many"
        ),
        () if starved > DISTURBED => format!(
            "others had the worker's core for {:.0} % of the time, and it used {used} of it; with all \
             of it, at as much for each request, it can send so many",
            starved * 100.0
        ),
        () => format!(
            "the built-in server was the limit, at {reached:.0}/s, and the worker used {used} of its \
             core; with all of it, at as much for each request, it can send so many"
        ),
    };
    Some(Closed {
        rate_per_s: rounded(rate),
        reached_per_s: rounded(reached),
        cpu_us_per_request: (cpu_us * 1e3).round() / 1e3,
        worker_share: (share * 1e6).round() / 1e6,
        basis: if is_saturated { "reached" } else { "derived" }.to_string(),
        is_lower_bound: !is_saturated,
        why,
    })
}

fn notes(finding: &Finding, told: &Told, is_shared: bool) -> Vec<String> {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let starved = finding.median(|burst| burst.starved_share);
    let stolen = told.stolen.filter(|share| *share > DISTURBED);
    let rates = || finding.bursts.iter().map(|burst| burst.rate_per_s);
    let (least, most) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    let spread = if most > 0.0 { 1.0 - least / most } else { 0.0 };
    let is_none_on_time = !finding.interrupted && finding.on_time.is_none() && !told.has_own_pace;
    let notes = [
        (is_none_on_time && !finding.bursts.is_empty()).then(|| {
            "no rate that was tried was sent on time in open loop: nothing is known of that"
                .to_string()
        }),
        is_shared.then(|| {
            "this process may use one core alone, which server and worker share: a lower bound"
                .to_string()
        }),
        (!is_shared && starved > DISTURBED).then(|| {
            format!(
                "this host is busy: others had the worker's core for {} of the time; calibrate again \
                 when it is idle",
                percent(starved)
            )
        }),
        stolen.map(|share| {
            format!(
                "{} of this machine's time went to other machines: calibrate again at a quieter time",
                percent(share)
            )
        }),
        told.quota.filter(|quota| *quota < 2.0).map(|quota| {
            format!(
                "the control group may use {quota} processors, which server and worker share: a \
                 lower bound"
            )
        }),
        (spread > UNSTEADY).then(|| {
            let spread = percent(spread);
            format!("the rounds differ by {spread}: something else went on meanwhile")
        }),
    ];
    notes.into_iter().flatten().collect()
}

fn round(burst: &super::measure::Burst) -> Round {
    let share = |share: f64| (share * 1e6).round() / 1e6;
    Round {
        rate_per_s: rounded(burst.rate_per_s),
        cpu_us_per_request: (burst.cpu_us_per_request * 1e3).round() / 1e3,
        worker_share: share(burst.worker_share),
        starved_share: share(burst.starved_share),
    }
}

fn rounded(rate_per_s: f64) -> f64 {
    (rate_per_s * 10.0).round() / 10.0
}
