//! Ratings: sets of measures with limits, by which a run has a grade.
//!
//! ```text
//! measure     excellent   good      acceptable  poor
//! p95         <= 500 ms   <= 1 s    <= 2 s              beyond the last limit: poor
//! errors      < 0.1 %               <= 1 %      <= 5 %  beyond `poor`: critical
//! ```
//!
//! A limit is a rule, as thresholds are, or one over a gauge. The mark of a measure is the best
//! grade whose limit holds; the grade of the run is the worst mark. What was not measured is
//! absent and marks nothing.
//!
//! ```text
//! sets   those that have a name
//! file   a set of one's own, in TOML
//! limit  one limit: a rule, or one over a gauge
//! judge  the marks of a run, and its grade
//! ```

mod file;
mod judge;
mod limit;
mod sets;

#[cfg(test)]
mod tests;

use crate::error::Result;
use crate::plan::scenario::Scenario;

pub use judge::{Absent, Mark, Rated};
pub use limit::Limit;

/// A mark, the best one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Excellent,
    Good,
    Acceptable,
    Poor,
    /// Beyond what is only poor.
    Critical,
}

impl Grade {
    /// Those that a limit can be set for.
    pub const LIMITED: [Grade; 4] = [Grade::Excellent, Grade::Good, Grade::Acceptable, Grade::Poor];

    /// The name in JSON, and the key in a file.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Excellent => "excellent",
            Grade::Good => "good",
            Grade::Acceptable => "acceptable",
            Grade::Poor => "poor",
            Grade::Critical => "critical",
        }
    }
}

/// Measures with their limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// `default`, `api`, `web`, `stress`, or the file it was read from.
    pub name: String,
    pub measures: Vec<Measure>,
}

/// One figure of a run, and what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// As a rule names it: `p95`, `good_only.mean`, `host.cpu`.
    pub name: String,
    /// From the strictest on; one at least, all of the same figure.
    pub limits: Vec<Limit>,
}

impl Set {
    /// The set of that name; `None`: there is none.
    pub fn named(name: &str) -> Option<Set> {
        sets::named(name)
    }

    /// What every run is rated by unless it is said otherwise.
    pub fn usual() -> Set {
        sets::usual()
    }

    /// Reads a set of one's own. An error names line and column.
    pub fn read(name: &str, text: &str) -> Result<Set> {
        file::read(name, text)
    }

    /// The names that are known.
    pub fn names() -> [&'static str; 4] {
        sets::NAMES
    }

    /// Refuses what a run with these stages and requests could never measure.
    pub fn check(&self, stages: usize, scenario: Option<&Scenario>) -> Result<()> {
        let entries = scenario.map_or(&[][..], |scenario| &scenario.entries);
        let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        let checks = scenario.map_or(&[][..], |scenario| &scenario.checks);
        let rules =
            self.measures.iter().filter_map(|measure| measure.limits.first()).map(Limit::rule);
        for rule in rules {
            rule.check_names(&names)?;
            rule.check_checks(checks)?;
            rule.check_stages(stages)?;
        }
        Ok(())
    }
}
