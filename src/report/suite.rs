//! The document of a suite: `blast.suite/1`. What each run found in short; the whole of it stands in
//! the run's own folder. Its views are `console::suite`, `html::suite` and `markdown::suite`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ceiling::CeilingDocument;
use super::console::{limit_in_words, load_in_words, threshold_value};
use super::document::{Latency, Threshold};
use super::{Document, number};

/// What the document is valid by.
pub const SCHEMA: &str = include_str!("suite.schema.json");

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.suite/1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteDocument {
    pub schema: String,
    pub blast_version: String,
    /// False when it was interrupted.
    pub complete: bool,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub duration_s: f64,
    /// The suite file, as it was named.
    pub file: String,
    /// The worst of all, as the program ended.
    pub exit_code: u8,
    /// What went wrong around the runs.
    pub problems: Vec<Problem>,
    /// In the order of the file, of each setting of the matrix.
    pub runs: Vec<SuiteRun>,
    /// Of each run whose rate is what the server could do, where there is a matrix.
    pub scaling: Vec<Scaling>,
    /// Files of the whole suite, beside this one.
    pub files: Vec<String>,
}

/// A server that did not start, answer or stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `before`, `ready` or `after`.
    pub part: String,
    /// Names and values of the matrix.
    pub setting: BTreeMap<String, String>,
    pub text: String,
    /// The last lines of what is there to explain it: the watched log, or the command's output.
    pub lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteRun {
    pub name: String,
    /// `run` or `ceiling`.
    pub kind: String,
    /// Names and values of the matrix.
    pub setting: BTreeMap<String, String>,
    /// The same as a text, in the order of the file; empty without a matrix.
    pub setting_text: String,
    /// `passed`, `threshold` (one failed), `invalid` (blast or its host was the limit), `failed`
    /// (it could not be done), `interrupted` or `skipped`.
    pub outcome: String,
    /// Null: it was not made.
    pub exit_code: Option<u8>,
    /// Why it failed or was skipped.
    pub why: Option<String>,
    /// From the start of the suite; null: it was not made.
    pub began_s: Option<f64>,
    pub ended_s: Option<f64>,
    /// Null: it found nothing.
    pub figures: Option<Figures>,
    /// Its files, from the suite's folder.
    pub files: Vec<String>,
}

/// What a run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    pub url: String,
    /// In words.
    pub load: String,
    /// `open`, `closed` or `search`.
    pub mode: String,
    /// Who was the limit, in words; of a ceiling: what stopped it.
    pub limit: Option<String>,
    /// Null in closed loop and of a ceiling.
    pub offered_per_s: Option<f64>,
    /// Of a ceiling: the ceiling; null: there was none.
    pub good_per_s: Option<f64>,
    /// Null of a ceiling, as are the quantiles.
    pub error_share: Option<f64>,
    pub p50: Option<Quantile>,
    pub p95: Option<Quantile>,
    pub p99: Option<Quantile>,
    pub thresholds: Vec<Rule>,
    /// The rate that did not hold any more; null of a run, and where nothing failed.
    pub high_per_s: Option<f64>,
    /// Null of a run.
    pub confirmed: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    pub us: f64,
    /// It is that or more.
    pub lower_bound: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    pub expr: String,
    /// What was measured, for people.
    pub shown: String,
    pub ok: bool,
}

/// How one run's rate grows with the matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scaling {
    pub run: String,
    /// `ceiling` or `good`.
    pub figure: String,
    pub points: Vec<ScalingPoint>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScalingPoint {
    pub setting: String,
    /// n, where the matrix has one name and all its values are numbers above 0.
    pub n: Option<f64>,
    /// C(n); null: it was not found.
    pub per_s: Option<f64>,
    /// C(n) over that of the base: n = 1, or else the first value.
    pub speedup: Option<f64>,
    /// C(n)/(n C(1)); with another base m, C(n)/n over C(m)/m.
    pub efficiency: Option<f64>,
}

impl Figures {
    pub fn of_run(document: &Document) -> Figures {
        let rule = |threshold: &Threshold| Rule {
            expr: threshold.expr.clone(),
            shown: shown(threshold),
            ok: threshold.ok,
        };
        let is_open = document.is_open_loop();
        let response = &document.latency.response;
        Figures {
            url: document.plan.url.clone(),
            load: load_in_words(document),
            mode: if is_open { "open" } else { "closed" }.to_string(),
            limit: Some(limit_in_words(document).to_string()),
            offered_per_s: is_open.then_some(document.rate.offered_per_s),
            good_per_s: Some(document.rate.good_per_s),
            error_share: Some(document.requests.error_share),
            p50: Quantile::of(response.p50_us, 0.5, response),
            p95: Quantile::of(response.p95_us, 0.95, response),
            p99: Quantile::of(response.p99_us, 0.99, response),
            thresholds: document.thresholds.iter().map(rule).collect(),
            high_per_s: None,
            confirmed: None,
        }
    }

    pub fn of_ceiling(document: &CeilingDocument) -> Figures {
        let found = &document.ceiling;
        let rules = match document.thresholds.is_empty() {
            true => String::new(),
            false => format!(" that meets {}", document.thresholds.join(", ")),
        };
        Figures {
            url: document.url.clone(),
            load: format!("the highest rate{rules}, in {}", number::seconds(document.budget_s)),
            mode: "search".to_string(),
            limit: found.stopped_by.clone(),
            offered_per_s: None,
            good_per_s: found.rate_per_s,
            error_share: None,
            p50: None,
            p95: None,
            p99: None,
            thresholds: Vec::new(),
            high_per_s: found.high_per_s,
            confirmed: Some(found.confirmed),
        }
    }

    /// The rate is what the server could do, and not what it was asked for.
    pub fn is_capacity(&self) -> bool {
        self.mode != "open"
    }
}

impl Quantile {
    fn of(us: Option<f64>, q: f64, latency: &Latency) -> Option<Quantile> {
        us.map(|us| Quantile { us, lower_bound: q > latency.exact_up_to })
    }

    /// For people.
    pub fn shown(&self) -> String {
        let bound = if self.lower_bound { ">=" } else { "" };
        format!("{bound}{}", number::cell(self.us))
    }
}

/// The value, and why it failed where that does not say it.
fn shown(threshold: &Threshold) -> String {
    let value = threshold_value(threshold);
    match (&threshold.why, threshold.value) {
        (Some(why), None) => format!("not known ({why})"),
        (Some(why), Some(_)) => format!("{value} ({why})"),
        (None, _) => value,
    }
}

impl SuiteDocument {
    pub fn has_matrix(&self) -> bool {
        self.runs.iter().any(|run| !run.setting_text.is_empty())
    }

    /// How many passed.
    pub fn passed(&self) -> usize {
        self.runs.iter().filter(|run| run.has_passed()).count()
    }
}

impl SuiteRun {
    pub fn has_passed(&self) -> bool {
        self.outcome == "passed"
    }

    /// The outcome in words.
    pub fn in_words(&self) -> &'static str {
        match self.outcome.as_str() {
            "passed" => "passed",
            "threshold" if self.kind == "ceiling" => "no rate met the thresholds",
            "threshold" => "a threshold failed",
            "invalid" => "not a valid measurement: blast or its host was the limit",
            "interrupted" => "interrupted",
            "skipped" => "skipped",
            _ => "failed",
        }
    }

    pub fn mark(&self) -> &'static str {
        match self.outcome.as_str() {
            "passed" => "✓",
            "skipped" => "-",
            "interrupted" | "invalid" => "!",
            _ => "✗",
        }
    }

    /// The name, and the setting where there are several.
    pub fn title(&self) -> String {
        match self.setting_text.is_empty() {
            true => self.name.clone(),
            false => format!("{} {}", self.name, self.setting_text),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::report::schema::tests::assert_valid;

    /// One of everything.
    pub fn example() -> SuiteDocument {
        let setting = |n: &str| BTreeMap::from([("WORKERS".to_string(), n.to_string())]);
        let run = |name: &str, n: &str, outcome: &str, figures: Option<Figures>| SuiteRun {
            name: name.to_string(),
            kind: "run".to_string(),
            setting: setting(n),
            setting_text: format!("WORKERS={n}"),
            outcome: outcome.to_string(),
            exit_code: (outcome != "skipped").then_some(if outcome == "passed" { 0 } else { 3 }),
            why: (outcome == "skipped").then(|| "smoke is required and did not pass".to_string()),
            began_s: (outcome != "skipped").then_some(1.5),
            ended_s: (outcome != "skipped").then_some(11.5),
            figures,
            files: vec![format!("WORKERS={n}/{name}/result.json")],
        };
        let figures = Figures::of_run(&fixture::watched().document());
        let bad = Rule { expr: "p99<1us".to_string(), shown: "5 ms".to_string(), ok: false };
        let failed = Figures { thresholds: vec![bad], ..figures.clone() };
        let point = |n: f64, per_s: f64, efficiency: f64| ScalingPoint {
            setting: format!("WORKERS={n}"),
            n: Some(n),
            per_s: Some(per_s),
            speedup: Some(n * efficiency),
            efficiency: Some(efficiency),
        };
        SuiteDocument {
            schema: SCHEMA_NAME.to_string(),
            blast_version: "0.1.0".to_string(),
            complete: true,
            started_at: "2026-01-01T00:00:00Z".to_string(),
            duration_s: 60.0,
            file: "suite.toml".to_string(),
            exit_code: 3,
            problems: vec![Problem {
                part: "ready".to_string(),
                setting: setting("2"),
                text: "http://localhost:8080/ did not answer".to_string(),
                lines: vec!["ERROR <db> is gone".to_string()],
            }],
            runs: vec![
                run("smoke", "1", "passed", Some(figures)),
                run("peak", "1", "threshold", Some(failed)),
                run("smoke", "2", "skipped", None),
            ],
            scaling: vec![Scaling {
                run: "ceiling".to_string(),
                figure: "ceiling".to_string(),
                points: vec![point(1.0, 1_000.0, 1.0), point(2.0, 1_600.0, 0.8)],
            }],
            files: vec!["system_metrics.json".to_string()],
        }
    }

    #[test]
    fn the_document_is_valid_by_the_schema_that_is_shipped_and_is_read_back() {
        let document = serde_json::to_value(example()).unwrap();
        assert_valid("suite", &document);
        let back: SuiteDocument = serde_json::from_value(document).unwrap();
        assert_eq!(back, example());
    }

    #[test]
    fn a_rule_that_nothing_is_known_of_says_why() {
        let mut document = fixture::watched().document();
        document.thresholds = vec![Threshold {
            expr: "p99<50ms".to_string(),
            value_us: None,
            value: None,
            unit: "us".to_string(),
            lower_bound: false,
            ok: false,
            why: Some("too few samples: of 50, 5 must lie above it".to_string()),
            baseline: None,
        }];
        let figures = Figures::of_run(&document);
        assert_eq!(
            figures.thresholds[0].shown,
            "not known (too few samples: of 50, 5 must lie above it)"
        );
    }

    #[test]
    fn a_quantile_that_errors_rank_above_is_a_lower_bound() {
        let mut document = fixture::watched().document();
        document.latency.response.p99_us = Some(5_000.0);
        document.latency.response.exact_up_to = 0.97;
        let figures = Figures::of_run(&document);
        assert!(figures.p99.unwrap().lower_bound && !figures.p95.unwrap().lower_bound);
        assert_eq!(figures.p99.unwrap().shown(), ">=5ms");
    }
}
