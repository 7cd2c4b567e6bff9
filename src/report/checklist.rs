//! `-o checklist.md`: what to look at before a deployment. Boxes of what was measured are ticked
//! where it is as it should be, each with its figure; what no load generator can know is left to a
//! person.

use std::path::Path;

use super::console::{limit_in_words, load_in_words, threshold_value};
use super::document::Rating;
use super::markdown::plain;
use super::number::{count, exact_percent, micros, percent};
use super::{Document, grade, staged};
use crate::error::Result;
use crate::metrics::Rejection;

/// The file that takes it, by name.
pub const FILE: &str = "checklist.md";

/// What teams ask of a service in production.
const SUCCESS: f64 = 0.99;
const P95_US: f64 = 500_000.0;
const P99_US: f64 = 1_000_000.0;
const ON_SCHEDULE: f64 = 0.90;

/// The same of the host that the server shares with blast, in percent.
const CPU: f64 = 70.0;
const MEMORY: f64 = 80.0;

/// A core that has no more to give, in percent.
const FULL: f64 = 95.0;

/// What only people can look up or decide, and what is measured where a run was told to.
const FOR_A_PERSON: [&str; 12] = [
    "The load is that of production: as many users, the same mix, think times and sizes of data",
    "It ran long enough: 30 minutes or more at a constant load, without memory that grows",
    SERVER,
    "Database connections in use stayed below the pool's limit, and did not pile up",
    "Slow queries were looked for; those of the busiest requests have their indexes",
    "The cache's hit rate is what it should be",
    LOG,
    "There are enough worker processes, in an application server made for production",
    "Time-outs, and retries of transient errors with a back-off, are set in the application",
    "The limit is known: a run to failure was made, and production stays well below it",
    "Alerts exist for errors, p95 and saturation, and somebody gets them",
    "The way back was tried: the older version can be deployed again",
];

const SERVER: &str =
    "The server's CPU stayed under 70 %, its memory under 80 %, and no core was full alone";
const LOG: &str = "The server's log has no errors from the time of the run";

/// Writes the file, which is either whole or untouched.
pub fn save(document: &Document, path: &Path) -> Result<()> {
    staged::save(path, text(document).as_bytes())
}

pub fn text(document: &Document) -> String {
    let mut text = format!("# Before a deployment: {}\n\n", plain(&document.plan.url));
    text += &format!(
        "{}, from {}, by blast {}.\n\n## Measured\n\n",
        plain(&load_in_words(document)),
        plain(&document.started_at),
        plain(&document.blast_version)
    );
    for Item { ok, text: item } in measured(document) {
        text += &format!("- [{}] {item}\n", if ok { 'x' } else { ' ' });
    }
    text += "\n## For a person\n\n";
    let is_measured = |item: &str| match item {
        SERVER => server(document).is_some(),
        LOG => log(document).is_some(),
        _ => false,
    };
    for item in FOR_A_PERSON.into_iter().filter(|item| !is_measured(item)) {
        text += &format!("- [ ] {item}\n");
    }
    text
}

/// What was measured, and whether it is as it should be.
struct Item {
    ok: bool,
    text: String,
}

fn measured(document: &Document) -> Vec<Item> {
    let mut items = vec![audit(document), complete(document), generator(document)];
    items.extend(schedule(document));
    items.push(success(document));
    items.push(quantile(document, 0.95, document.latency.response.p95_us, P95_US));
    items.push(quantile(document, 0.99, document.latency.response.p99_us, P99_US));
    items.push(none(document, "time-outs", of_kind(document, "timeout")));
    items.push(none(document, "answers 429", rejected(document, Rejection::Status429)));
    items.push(none(document, "server errors", rejected(document, Rejection::Status5xx)));
    let refused = document.connections.failures.values().sum();
    items.push(none(document, "failed connects", refused));
    items.extend(server(document));
    items.extend(log(document));
    items.extend(document.rating.as_ref().map(graded));
    items.extend(document.thresholds.iter().map(|threshold| Item {
        ok: threshold.ok,
        text: format!("{}: {}", plain(&threshold.expr), plain(&threshold_value(threshold))),
    }));
    items
}

fn audit(document: &Document) -> Item {
    let checks = document.audit.checks.len();
    Item {
        ok: document.audit.ok,
        text: format!("The books of the run balance: {checks} checks of the audit"),
    }
}

fn complete(document: &Document) -> Item {
    let text = format!("The run is complete: {} s measured", document.duration_s);
    Item { ok: document.complete, text }
}

fn generator(document: &Document) -> Item {
    let limit = document.verdict.limit.as_str();
    Item {
        ok: !matches!(limit, "client_cpu" | "ports" | "descriptors"),
        text: format!("blast was not the limit: {}", limit_in_words(document)),
    }
}

/// A closed loop has none.
fn schedule(document: &Document) -> Option<Item> {
    let share = document.rate.efficiency?;
    let (shown, least) = (percent(share), percent(ON_SCHEDULE));
    let text = format!("The rate was held: {shown} sent on schedule (at least {least})");
    Some(Item { ok: share >= ON_SCHEDULE, text })
}

fn success(document: &Document) -> Item {
    let share = document.requests.success_share;
    let (shown, least) = (exact_percent(share), percent(SUCCESS));
    Item { ok: share >= SUCCESS, text: format!("Success {shown} (at least {least})") }
}

fn quantile(document: &Document, q: f64, us: Option<f64>, most: f64) -> Item {
    let name = format!("p{:.0}", q * 100.0);
    let exact = document.latency.response.is_exact(q);
    let (most_shown, at_least) = (micros(most), if exact { "" } else { "at least " });
    match us {
        None => Item { ok: false, text: format!("{name}: too few requests to tell") },
        Some(us) => Item {
            ok: exact && us <= most,
            text: format!("{name} {at_least}{} (at most {most_shown})", micros(us)),
        },
    }
}

/// Where the server runs here and is watched.
fn server(document: &Document) -> Option<Item> {
    let gauges = document.gauges.as_ref().filter(|_| document.server.is_some())?;
    let mean = |name: &str| gauges.gauge(name)?.mean;
    let (cpu, memory, core) = (mean("host.cpu")?, mean("host.memory")?, mean("server.core_max"));
    let text = format!(
        "{SERVER}: host CPU {cpu:.1} %, memory {memory:.1} %{}",
        core.map_or(String::new(), |core| format!(", its busiest thread {core:.1} % of a core"))
    );
    let is_full = core.is_some_and(|core| core >= FULL);
    Some(Item { ok: cpu < CPU && memory < MEMORY && !is_full, text })
}

/// Where a log was watched: for what matches, or else for any line.
fn log(document: &Document) -> Option<Item> {
    let log = document.watched_log.as_ref()?;
    let matching = log.regex.as_ref().map(|regex| format!(" that match {}", plain(regex)));
    let text = format!("{LOG}: {} lines{}", count(log.lines), matching.unwrap_or_default());
    Some(Item { ok: log.lines == 0, text })
}

/// Good or better, by the set that the run was rated by.
fn graded(rating: &Rating) -> Item {
    let ok = matches!(grade::name(rating), "excellent" | "good");
    let (name, set) = (grade::name(rating), plain(&rating.set));
    Item { ok, text: format!("Grade {name} by {set}: {}", plain(&grade::grounds(rating))) }
}

/// Where nothing was sent, nothing can be said to be absent.
fn none(document: &Document, what: &str, found: u64) -> Item {
    let sent = document.requests.sent;
    let text = format!("No {what}: {} in {} requests", count(found), count(sent));
    Item { ok: found == 0 && sent > 0, text }
}

fn of_kind(document: &Document, kind: &str) -> u64 {
    document.failures.get(kind).copied().unwrap_or(0)
}

fn rejected(document: &Document, kind: Rejection) -> u64 {
    document.rejections.get(kind.name()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn boxes(text: &str) -> Vec<(bool, &str)> {
        let boxes = text.lines().filter_map(|line| line.strip_prefix("- ["));
        boxes.map(|line| (line.starts_with('x'), &line[3..])).collect()
    }

    #[test]
    fn the_golden_files_are_written() {
        for name in ["held", "mixed", "empty", "judged", "interrupted", "mix"] {
            let text = text(&fixture::named(name).document());
            fixture::golden(&format!("{name}-checklist.md"), &text);
        }
    }

    #[test]
    fn what_was_read_beside_the_load_is_no_longer_left_to_a_person() {
        let mut document = fixture::watched().document();
        let all = |document: &Document| text(document);
        assert!(all(&document).contains(&format!("- [x] {SERVER}: host CPU 61.5 %, memory 40.")));
        assert!(all(&document).contains(&format!("- [ ] {LOG}: 55 lines that match")));
        document.watched_log.as_mut().unwrap().lines = 0;
        assert!(all(&document).contains(&format!("- [x] {LOG}: 0 lines")));
        let gauges = &mut document.gauges.as_mut().unwrap().series;
        gauges.iter_mut().find(|gauge| gauge.name == "server.core_max").unwrap().mean = Some(97.0);
        assert!(all(&document).contains(&format!("- [ ] {SERVER}")), "a core is full");
        assert!(all(&fixture::held().document()).contains(&format!("- [ ] {SERVER}\n")));
    }

    #[test]
    fn boxes_are_ticked_by_what_was_measured_and_never_for_a_person() {
        for (name, run) in fixture::all() {
            let document = run.document();
            let text = text(&document);
            let (measured, person) = text.split_once("## For a person").unwrap();
            assert!(boxes(person).iter().all(|(ticked, _)| !ticked), "{name}");
            let taken = [server(&document), log(&document)].into_iter().flatten().count();
            assert_eq!(boxes(person).len() + taken, FOR_A_PERSON.len(), "{name}");
            let boxes = boxes(measured);
            let ticked = |start: &str| {
                let found = boxes.iter().find(|(_, text)| text.starts_with(start));
                found.unwrap_or_else(|| panic!("{name}: no {start}")).0
            };
            assert_eq!(ticked("The books"), document.audit.ok, "{name}");
            assert_eq!(ticked("The run is complete"), document.complete, "{name}");
            let success = document.requests.success_share;
            assert_eq!(ticked("Success"), success >= 0.99, "{name}");
            let response = &document.latency.response;
            let quick = response.p95_us.is_some_and(|us| us <= 5e5) && response.is_exact(0.95);
            assert_eq!(ticked("p95"), quick, "{name}");
            let at = boxes.len() - document.thresholds.len();
            for ((ticked, text), threshold) in boxes[at..].iter().zip(&document.thresholds) {
                assert_eq!(*ticked, threshold.ok, "{name}: {text}");
            }
        }
    }

    #[test]
    fn a_quantile_that_is_only_a_bound_is_not_ticked() {
        let mut document = fixture::held().document();
        assert!(quantile(&document, 0.95, Some(100.0), P95_US).ok);
        document.latency.response.censored = document.latency.response.count / 10;
        let item = quantile(&document, 0.95, Some(100.0), P95_US);
        assert_eq!((item.ok, &*item.text), (false, "p95 at least 100 us (at most 500 ms)"));
    }
}
