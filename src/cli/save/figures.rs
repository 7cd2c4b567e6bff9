//! What lists show of a result.

use crate::history::Figures;
use crate::report::Document;
use crate::report::ab::AbDocument;
use crate::report::ceiling::CeilingDocument;
use crate::report::ladder::LadderDocument;
use crate::report::suite::SuiteDocument;
use crate::report::versus::VersusDocument;

pub fn of_run(document: &Document) -> Figures {
    let (requests, response) = (&document.requests, &document.latency.response);
    let undone = requests.failed + requests.rejected + requests.abandoned + requests.dropped;
    Figures {
        scheduled: Some(requests.scheduled),
        good: Some(requests.good),
        errors: Some(undone),
        good_per_s: Some(document.rate.good_per_s),
        efficiency: document.rate.efficiency,
        error_share: Some(requests.error_share),
        mean_us: response.mean_us,
        p50_us: response.p50_us,
        p95_us: response.p95_us,
        p99_us: response.p99_us,
        server_us_per_request: document.server.as_ref().and_then(|it| it.cpu_us_per_request),
        grade: document.rating.as_ref().and_then(|rating| rating.grade.clone()),
        verdict: Some(document.verdict.limit.clone()),
    }
}

/// The rate that was found.
pub fn of_ceiling(document: &CeilingDocument) -> Figures {
    let found = &document.ceiling;
    Figures {
        good_per_s: found.rate_per_s,
        verdict: found.stopped_by.clone(),
        ..Figures::default()
    }
}

/// All steps together, and the highest that held.
pub fn of_ladder(document: &LadderDocument) -> Figures {
    let held = document.last_held.as_ref();
    let step = held.and_then(|held| document.steps.iter().find(|step| step.name == held.name));
    Figures {
        scheduled: Some(document.steps.iter().map(|step| step.scheduled).sum()),
        good: Some(document.steps.iter().map(|step| step.good).sum()),
        good_per_s: step.map(|step| step.good_per_s),
        error_share: step.map(|step| step.error_share),
        p50_us: step.and_then(|step| step.p50_us),
        p95_us: step.and_then(|step| step.p95_us),
        p99_us: step.and_then(|step| step.p99_us),
        verdict: document.first_failed.as_ref().map(|step| format!("{} failed", step.name)),
        ..Figures::default()
    }
}

/// What blast itself sent, or else the first tool.
pub fn of_versus(document: &VersusDocument) -> Figures {
    let tool = document.tools.iter().find(|tool| tool.name == "blast").or(document.tools.first());
    Figures {
        good_per_s: tool.and_then(|tool| tool.good_per_s),
        error_share: tool.and_then(|tool| tool.error_share),
        mean_us: tool.and_then(|tool| tool.mean_us),
        p50_us: tool.and_then(|tool| tool.p50_us),
        p99_us: tool.and_then(|tool| tool.p99_us),
        verdict: Some(format!("{} tools", document.tools.len())),
        ..Figures::default()
    }
}

/// How many of its runs passed.
pub fn of_suite(document: &SuiteDocument) -> Figures {
    let passed = document.runs.iter().filter(|run| run.outcome == "passed").count();
    let verdict = format!("{passed} of {} passed", document.runs.len());
    Figures { verdict: Some(verdict), ..Figures::default() }
}

/// Two sides have no figure in common.
pub fn of_ab(document: &AbDocument) -> Figures {
    Figures { verdict: Some(format!("{} rounds", document.rounds.len())), ..Figures::default() }
}
