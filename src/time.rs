//! Time: one unit, nanoseconds, and one clock, CLOCK_MONOTONIC.
//!
//! [`Nanos`] is both an instant (since the clock's own zero) and a length. It never wraps: sums
//! and differences saturate, so a late reading cannot become a latency of 584 years.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// An instant on the monotonic clock, or a length of time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

impl Nanos {
    pub const ZERO: Nanos = Nanos(0);
    pub const MAX: Nanos = Nanos(u64::MAX);

    pub const fn from_secs(secs: u64) -> Nanos {
        Nanos(secs.saturating_mul(1_000_000_000))
    }

    pub const fn from_millis(millis: u64) -> Nanos {
        Nanos(millis.saturating_mul(1_000_000))
    }

    pub const fn from_micros(micros: u64) -> Nanos {
        Nanos(micros.saturating_mul(1_000))
    }

    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    pub fn as_micros_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl Add for Nanos {
    type Output = Nanos;
    fn add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Nanos) {
        *self = *self + other;
    }
}

/// Saturates at zero.
impl Sub for Nanos {
    type Output = Nanos;
    fn sub(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Nanos {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Duration {
        Duration::from_nanos(nanos.0)
    }
}

/// CLOCK_MONOTONIC now. The wall clock may step (NTP, an administrator); this one does not.
#[inline]
pub fn now() -> Nanos {
    clock(libc::CLOCK_MONOTONIC)
}

/// The wall clock, in whole seconds since 1970.
pub fn unix_seconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The processor time this thread has used, user and system.
pub fn thread_cpu() -> Nanos {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The processor time this process has used, all threads, user and system.
pub fn process_cpu() -> Nanos {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// The same of another process, to the nanosecond; `None` where there is no such process, or the
/// kernel does not tell.
pub fn cpu_of(process: u32) -> Option<Nanos> {
    let mut clock: libc::clockid_t = 0;
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls write to memory of this frame and to nothing else; the second fails on a
    // clock whose process has ended meanwhile.
    let outcome = unsafe {
        match libc::clock_getcpuclockid(i32::try_from(process).ok()?, &mut clock) {
            0 => libc::clock_gettime(clock, &mut spec),
            failed => failed,
        }
    };
    (outcome == 0).then(|| Nanos(spec.tv_sec as u64 * 1_000_000_000 + spec.tv_nsec as u64))
}

/// Sleeps until an instant of CLOCK_MONOTONIC, or until a signal comes.
pub fn sleep_until(until: Nanos) {
    let until = libc::timespec {
        tv_sec: (until.0 / 1_000_000_000) as _,
        tv_nsec: (until.0 % 1_000_000_000) as libc::c_long,
    };
    let (clock, flags) = (libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME);
    // SAFETY: `until` outlives the call; with an absolute time nothing is written back.
    unsafe { libc::clock_nanosleep(clock, flags, &until, std::ptr::null_mut()) };
}

#[inline]
fn clock(id: libc::clockid_t) -> Nanos {
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `spec` is a valid timespec owned by this frame; the call only writes to it. The
    // three clocks asked for exist on every Linux, so the call cannot fail.
    unsafe { libc::clock_gettime(id, &mut spec) };
    Nanos(spec.tv_sec as u64 * 1_000_000_000 + spec.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_saturate() {
        assert_eq!(Nanos(1) - Nanos(2), Nanos::ZERO);
        assert_eq!(Nanos::MAX + Nanos(1), Nanos::MAX);
        assert_eq!(Nanos::from_secs(u64::MAX), Nanos::MAX);
    }

    #[test]
    fn a_process_is_as_busy_from_outside_as_it_is_for_itself() {
        let before = process_cpu();
        let outside = cpu_of(std::process::id()).expect("it is there");
        assert!(before <= outside && outside <= process_cpu());
        assert_eq!(cpu_of(u32::MAX), None);
    }

    #[test]
    fn the_clock_does_not_go_back() {
        let readings: Vec<Nanos> = (0..1000).map(|_| now()).collect();
        assert!(readings.is_sorted());
    }
}
