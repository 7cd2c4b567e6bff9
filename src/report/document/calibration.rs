//! What blast can send, beside what the run asked of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rounded;
use crate::metrics::{self, Summary};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// What the workers of this run can send together, each on a core of its own.
    pub rate_per_s: f64,
    pub workers: u64,
    /// It may be more: something else was the limit when it was measured.
    pub is_lower_bound: bool,
    pub cpu_us_per_request: f64,
    /// RFC 3339 in UTC.
    pub measured_at: String,
    /// In what the load was another when it was measured; null: in nothing that counts.
    pub apart: Option<String>,
    /// What was sent, over `rate_per_s`; of a search, the ceiling over it. Null where there is none.
    pub share_used: Option<f64>,
}

impl Calibration {
    /// Of a run.
    pub(super) fn of(summary: &Summary) -> Option<Calibration> {
        let found = summary.calibration.as_ref()?;
        let workers = summary.client.workers.len();
        Some(Calibration {
            share_used: summary.calibrated_share().map(|share| rounded(share, 6)),
            ..Calibration::new(found, workers)
        })
    }

    /// Of a search, whose best rate was `ceiling_per_s`.
    pub fn beside(
        found: &metrics::Calibration,
        workers: usize,
        ceiling_per_s: Option<f64>,
    ) -> Calibration {
        let most = found.rate_per_s(workers);
        let share = ceiling_per_s.filter(|_| most > 0.0).map(|rate| rounded(rate / most, 6));
        Calibration { share_used: share, ..Calibration::new(found, workers) }
    }

    fn new(found: &metrics::Calibration, workers: usize) -> Calibration {
        Calibration {
            rate_per_s: rounded(found.rate_per_s(workers), 3),
            workers: workers as u64,
            is_lower_bound: found.is_lower_bound,
            cpu_us_per_request: found.cpu_us_per_request,
            measured_at: found.measured_at.clone(),
            apart: found.apart.clone(),
            share_used: None,
        }
    }
}
