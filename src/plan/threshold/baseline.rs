//! Rules against an earlier run: `p95<=baseline*1.05`. Which run that is, and what it measured, is
//! not known here: whoever carries the plan out says it before anything is sent.

use super::table::{Statistic, What};
use super::{Threshold, Unit};
use crate::units::parse_amount;

/// What stands in a rule's place of a value.
const WORD: &str = "baseline";

/// The limit is so many times what the baseline measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    pub factor: f64,
    /// `None`: it was not looked up yet.
    pub known: Option<Known>,
}

/// The baseline's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Its number in the history.
    pub run: i64,
    /// In the rule's unit.
    pub value: f64,
}

/// What a rule looks at, by the names that a result has for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A row of the latency table, and a field of it without its unit: `p95`, `p99_9`, `mean`.
    Latency(&'static str, String),
    /// A figure of the whole load.
    Total(&'static str),
}

impl Baseline {
    /// `baseline`, `baseline*1.05`. `None`: it is none; what is wrong with one.
    pub(super) fn parse(value: &str) -> Option<Result<Baseline, String>> {
        let rest = value.strip_prefix(WORD)?.trim_start();
        let factor = match rest.strip_prefix('*') {
            None if rest.is_empty() => Some(1.0),
            None => None,
            Some(factor) => parse_amount(factor.trim()).ok().filter(|factor| *factor > 0.0),
        };
        Some(factor.map(|factor| Baseline { factor, known: None }).ok_or_else(|| {
            "compares with something of the baseline that is none; write `baseline` or \
             `baseline*1.05`"
                .to_string()
        }))
    }
}

impl Threshold {
    pub fn baseline(&self) -> Option<&Baseline> {
        self.baseline.as_ref()
    }

    /// The same rule against what the baseline measured.
    pub fn against(&self, known: Known) -> Threshold {
        let Some(baseline) = self.baseline else { return self.clone() };
        Threshold {
            limit: baseline.factor * known.value,
            baseline: Some(Baseline { known: Some(known), ..baseline }),
            ..self.clone()
        }
    }

    /// `None`: a result does not keep it in a place of its own.
    pub fn subject(&self) -> Option<Subject> {
        match &self.what {
            What::Latency(row, statistic) => {
                let field = match statistic {
                    Statistic::Quantile(share) => quantile(*share),
                    Statistic::Mean => "mean".to_string(),
                    Statistic::Min => "min".to_string(),
                    Statistic::Max => "max".to_string(),
                    Statistic::Stdev => "stdev".to_string(),
                };
                Some(Subject::Latency(row.name, field))
            }
            What::Total(total) => Some(Subject::Total(total.name)),
            _ => None,
        }
    }

    /// What of a baseline such a rule is read in.
    pub(super) fn unit_of_baseline(what: &What) -> Result<Unit, String> {
        use super::table::Class;
        match what.class() {
            Class::Time | Class::Micros => Ok(Unit::Micros),
            Class::Share => Ok(Unit::Share),
            Class::ShareOrCount if matches!(what, What::Total(_)) => Ok(Unit::Share),
            Class::Rate => Ok(Unit::PerSecond),
            Class::ShareOrCount | Class::Gauge(_) => Err(
                "is about what is not kept of a baseline; compare a row of times such as `p95`, \
                 `errors` or `good_per_s` with it"
                    .to_string(),
            ),
        }
    }
}

/// `p95`, `p99_9`.
fn quantile(share: f64) -> String {
    let percent = format!("{:.4}", share * 100.0);
    format!("p{}", percent.trim_end_matches('0').trim_end_matches('.').replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_may_compare_with_a_multiple_of_the_baseline() {
        for (text, factor, subject) in [
            ("p95<=baseline*1.05", 1.05, Subject::Latency("response", "p95".to_string())),
            ("service.p99.9 < baseline", 1.0, Subject::Latency("service", "p99_9".to_string())),
            ("mean<= baseline * 2", 2.0, Subject::Latency("response", "mean".to_string())),
            ("good_per_s>=baseline*0.95", 0.95, Subject::Total("good_per_s")),
            ("errors<=baseline", 1.0, Subject::Total("errors")),
        ] {
            let rule = Threshold::parse(text).unwrap();
            assert_eq!(rule.baseline(), Some(&Baseline { factor, known: None }), "{text}");
            assert_eq!(rule.subject(), Some(subject), "{text}");
            assert!(rule.limit().is_nan() && rule.expr == text);
            let known = Known { run: 7, value: 10.0 };
            let against = rule.against(known);
            assert_eq!(against.limit(), factor * 10.0);
            assert_eq!(against.baseline().unwrap().known, Some(known));
        }
        let plain = Threshold::parse("p95<5ms").unwrap();
        assert_eq!(plain.against(Known { run: 1, value: 2.0 }), plain);
    }

    #[test]
    fn what_is_no_multiple_or_has_no_baseline_is_one_sentence() {
        for (text, expected) in [
            ("p95<baseline+5%", "write `baseline` or `baseline*1.05`"),
            ("p95<baseline*", "write `baseline` or `baseline*1.05`"),
            ("p95<baseline*0", "write `baseline` or `baseline*1.05`"),
            ("p95<baselines", "write `baseline` or `baseline*1.05`"),
            ("failures.timeout<=baseline", "is not kept of a baseline"),
            ("host.cpu<=baseline", "is not kept of a baseline"),
            ("stage2.p95<=baseline", "the baseline is of a whole run"),
            ("'GET /'.p95<=baseline", "the baseline is of a whole run"),
        ] {
            let message = Threshold::parse(text).expect_err(text).message;
            assert!(message.contains(expected), "{text}: {message}");
        }
        let rule = Threshold::parse("p95<=baseline").unwrap();
        let window = rule.check_window().unwrap_err().message;
        assert!(window.contains("judge it with `--threshold`"), "{window}");
    }
}
