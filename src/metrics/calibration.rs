//! What blast has been seen to send from a core of this host, beside what this run sent.

use super::{Limit, Mode, Summary};

/// Of one worker, for a load like this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Requests a second: in open loop on time, in a closed loop at all.
    pub per_worker_per_s: f64,
    /// It may do more: something else was the limit when it was measured.
    pub is_lower_bound: bool,
    pub cpu_us_per_request: f64,
    /// RFC 3339 in UTC.
    pub measured_at: String,
    /// In what the load was another when it was measured; `None`: in nothing that counts.
    pub apart: Option<String>,
}

impl Calibration {
    /// What so many workers can send, each on a core of its own.
    pub fn rate_per_s(&self, workers: usize) -> f64 {
        self.per_worker_per_s * workers.max(1) as f64
    }
}

impl Summary {
    /// The share of what blast can send that this run sent; `None`: nobody knows.
    pub fn calibrated_share(&self) -> Option<f64> {
        let calibration = self.calibration.as_ref()?;
        let most = calibration.rate_per_s(self.client.workers.len());
        let sent = self.per_second(self.measure_events.sent);
        (most > 0.0 && self.measure_events.sent > 0).then(|| sent / most)
    }

    /// Whether nothing but blast is seen to be a limit: a closed loop names the server where it
    /// found none.
    pub(super) fn has_no_other_limit(&self) -> bool {
        let limit = self.verdict.limit;
        limit == Limit::None || (limit == Limit::Server && self.mode == Mode::Closed)
    }
}
