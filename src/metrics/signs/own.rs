//! How near blast was to what it has been seen to send.

use super::super::{Summary, Warning};
use super::{percent, sign};

/// From this share of it on, blast may be the limit although nothing else shows it.
const NEAR: f64 = 0.9;

/// A lower bound says nothing: blast may do more than was seen.
pub fn near_calibration(summary: &Summary) -> Option<Warning> {
    let calibration = summary.calibration.as_ref().filter(|found| !found.is_lower_bound)?;
    let share = summary.calibrated_share().filter(|share| *share >= NEAR)?;
    summary.has_no_other_limit().then(|| {
        let day = calibration.measured_at.split('T').next().unwrap_or_default();
        let text = format!(
            "blast sent {} of what it can send, as calibrated on {day}: the server may do more",
            percent(share)
        );
        let hint = "give blast more cores (--threads) or hosts; where it has become faster, \
            `blast calibrate` again";
        sign("near_calibration", text, hint)
    })
}
