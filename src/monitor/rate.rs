//! How fast a counter of the kernel grows.

use crate::time::Nanos;

/// Of one counter, from each reading to the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    before: Option<(Nanos, u64)>,
}

impl Rate {
    /// `None` at the first reading, and when the counter began anew.
    pub fn per_s(&mut self, at: Nanos, total: u64) -> Option<f64> {
        let (then, before) = self.before.replace((at, total))?;
        let length = (at - then).as_secs_f64();
        let grown = total.checked_sub(before)?;
        (length > 0.0).then(|| grown as f64 / length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_time_since_the_reading_before() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_s(Nanos::from_secs(1), 100), None);
        assert_eq!(rate.per_s(Nanos::from_secs(3), 150), Some(25.0));
        assert_eq!(rate.per_s(Nanos::from_secs(3), 150), None, "no time went by");
        assert_eq!(rate.per_s(Nanos::from_secs(4), 10), None, "it began anew");
        assert_eq!(rate.per_s(Nanos::from_secs(5), 10), Some(0.0));
    }
}
