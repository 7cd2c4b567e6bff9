//! The parts of a rule that a rating is made of: what is measured, and which way is the better one.

use super::Threshold;
use super::table::What;

/// Totals of which more is better; of all else less is.
const MORE_IS_BETTER: [&str; 7] = [
    "success",
    "efficiency",
    "good_per_s",
    "sent_per_s",
    "completed_per_s",
    "offered_per_s",
    "peak_1s_per_s",
];

impl Threshold {
    /// Whether a larger value is the better one.
    pub fn more_is_better(&self) -> bool {
        matches!(&self.what, What::Total(total) if MORE_IS_BETTER.contains(&total.name))
    }

    /// The row of the latency table that it reads.
    pub fn row(&self) -> Option<&'static str> {
        match &self.what {
            What::Latency(row, _) => Some(row.name),
            _ => None,
        }
    }

    /// `<`, `<=`, `>`, `>=`, `==` or `!=`.
    pub fn op(&self) -> &'static str {
        self.op.text()
    }

    /// What it compares with, in `unit`.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// Whether it looks at the same figure, in the same unit.
    pub fn measures_as(&self, other: &Threshold) -> bool {
        let mine = (&self.name, self.stage, &self.what, self.unit);
        mine == (&other.name, other.stage, &other.what, other.unit)
    }
}
