//! The helm: how whoever watches a run steers it, and how far it is to go. Shared by the control
//! thread and one that has a keyboard; the workers never see it.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::time::Nanos;

#[derive(Debug, Default)]
pub struct Helm {
    /// By how many nanoseconds measure is to be longer than it is.
    wished: AtomicI64,
    reach: Mutex<Reach>,
}

/// How far a run is to go. Instants are by the clock of [`crate::time`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The start of the load; `None`: it has not started.
    pub origin: Option<Nanos>,
    /// The start of measure; `None`: that is still to be found.
    pub measure: Option<Nanos>,
    /// The length of measure; `None`: something else ends it.
    pub length: Option<Nanos>,
    /// The length may be changed.
    pub is_elastic: bool,
}

impl Helm {
    pub fn lengthen(&self, by: Nanos) {
        self.wished.fetch_add(signed(by), SeqCst);
    }

    pub fn shorten(&self, by: Nanos) {
        self.wished.fetch_sub(signed(by), SeqCst);
    }

    /// From about a tenth of a second on, so many requests a second.
    pub fn set_rate(&self, _per_s: f64, _who: &str) -> Result<()> {
        Err(Error::usage("a load is not changed while it runs; start another one"))
    }

    pub fn set_users(&self, _count: u32, _who: &str) -> Result<()> {
        Err(Error::usage("a load is not changed while it runs; start another one"))
    }

    pub fn reach(&self) -> Reach {
        *self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, reach: Reach) {
        *self.reach.lock().unwrap_or_else(PoisonError::into_inner) = reach;
    }

    /// The length that is wished for in the place of this one, once.
    pub(super) fn wish(&self, length: Nanos) -> Option<Nanos> {
        let by = self.wished.swap(0, SeqCst);
        let to = Nanos(length.0.saturating_add_signed(by));
        (by != 0).then_some(to)
    }
}

fn signed(by: Nanos) -> i64 {
    i64::try_from(by.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_add_up_and_are_told_once() {
        let (helm, second) = (Helm::default(), Nanos::from_secs(1));
        assert_eq!(helm.wish(second), None);
        helm.lengthen(second);
        helm.lengthen(second);
        helm.shorten(Nanos::from_millis(500));
        assert_eq!(helm.wish(second), Some(Nanos::from_millis(2_500)));
        assert_eq!(helm.wish(second), None);
        helm.shorten(Nanos::from_secs(5));
        assert_eq!(helm.wish(second), Some(Nanos::ZERO));
    }
}
