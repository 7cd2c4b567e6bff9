//! Patience with a run that goes on: it ends once more responses took too long than a rule lets all
//! of the run have, whatever is still to come.

use super::probe::{Outcome, by_rule};
use crate::metrics::Fates;
use crate::plan::Threshold;
use crate::time::Nanos;
use crate::units::{format_duration, format_exact};

pub struct Patience {
    due: f64,
    rules: Vec<Allowance>,
}

struct Allowance {
    by: String,
    limit: Nanos,
    /// So many may take longer, and so many did.
    may: f64,
    late: u64,
}

/// A histogram tells a time to within a thousandth, and rather later than earlier.
const WITHIN: f64 = 0.998;

impl Patience {
    /// With a run in which so many are due.
    pub fn with(due: f64, thresholds: &[Threshold]) -> Patience {
        let allowance = |rule: &Threshold| {
            let (limit, share) = rule.tolerance()?;
            Some(Allowance { by: by_rule(rule), limit, may: share * due, late: 0 })
        };
        Patience { due, rules: thresholds.iter().filter_map(allowance).collect() }
    }

    /// Whether it is over, now that these have ended.
    pub fn is_over(&mut self, ended: &Fates) -> bool {
        for rule in &mut self.rules {
            let limit = rule.limit.0 as f64;
            let late = ended.good.recorded().filter(|(time, _)| time.0 as f64 * WITHIN > limit);
            rule.late += late.map(|(_, count)| count).sum::<u64>();
        }
        self.rules.iter().any(Allowance::is_spent)
    }

    /// Why it is over.
    pub fn lost(&self) -> Option<Outcome> {
        let rule = self.rules.iter().find(|rule| rule.is_spent())?;
        let (late, due) = (format_exact(rule.late), format_exact(self.due as u64));
        let limit = format_duration(rule.limit);
        let why = format!("{late} of {due} took longer than {limit} when the run was ended");
        Some(Outcome::Fails { by: rule.by.clone(), why })
    }
}

impl Allowance {
    fn is_spent(&self) -> bool {
        self.late as f64 > self.may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(millis: u64, count: u64) -> Fates {
        let mut fates = Fates::default();
        fates.good.record_many(Nanos::from_millis(millis), count);
        fates
    }

    fn patience(rules: &[&str]) -> Patience {
        let rules: Vec<_> = rules.iter().map(|rule| Threshold::parse(rule).unwrap()).collect();
        Patience::with(1_000.0, &rules)
    }

    #[test]
    fn it_ends_with_the_first_response_that_is_one_too_many() {
        let mut patience = patience(&["p99<20ms", "errors<1%"]);
        // On time, however many; and late, up to a hundredth of all that are due.
        for (millis, count, is_over) in
            [(5, 700, false), (20, 90, false), (21, 4, false), (300, 6, false), (21, 1, true)]
        {
            assert_eq!(patience.is_over(&ended(millis, count)), is_over, "{millis} {count}");
        }
        assert!(patience.is_over(&ended(1, 1)), "it does not come back");
        let (by, why) = patience.lost().expect("a reason").cause();
        assert_eq!(by.as_deref(), Some("threshold p99<20ms"));
        assert_eq!(
            why.as_deref(),
            Some("11 of 1,000 took longer than 20 ms when the run was ended")
        );
    }

    #[test]
    fn the_rule_that_is_broken_first_decides() {
        let mut both = patience(&["p50<2ms", "response.p99.9<=1s"]);
        assert!(!both.is_over(&ended(900, 500)));
        assert!(!both.is_over(&ended(1_001, 0)));
        assert!(both.is_over(&ended(1_100, 2)));
        let mut median = patience(&["p50<2ms", "response.p99.9<=1s"]);
        assert!(median.is_over(&ended(3, 501)));
    }

    #[test]
    fn rules_of_other_things_have_it_without_end() {
        for rule in ["mean<1ms", "p99>1ms", "service.p99<1ms", "errors<1%", "stage1.p99<1ms"] {
            let Ok(rule) = Threshold::parse(rule) else { panic!("{rule} is no rule") };
            let mut patience = Patience::with(10.0, &[rule]);
            assert!(!patience.is_over(&ended(5_000, 1_000)) && patience.lost().is_none());
        }
    }
}
