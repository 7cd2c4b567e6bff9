//! The bare ring: made with the flags the worker lives by, entered once a turn.

use std::io;
use std::os::fd::RawFd;

use io_uring::squeue::Entry;
use io_uring::{IoUring, cqueue};

use crate::engine::core::Wake;
use crate::error::{Error, Result};
use crate::host;
use crate::plan::Wait;
use crate::time::{self, Nanos};

/// Submission entries. A turn makes at most a slice of sends, and flushes when full.
const SUBMISSIONS: u32 = 256;

/// Completion entries: 64 KB. The ring is walked round and round, so a larger one costs cache;
/// the kernel keeps what does not fit (NODROP), and that is counted.
const COMPLETIONS: u32 = 4096;

// From linux/io_uring.h; the io-uring crate keeps its own private.
const ENTER_GETEVENTS: u32 = 1 << 0;
const ENTER_EXT_ARG: u32 = 1 << 3;
const ENTER_ABS_TIMER: u32 = 1 << 5;

/// What only newer kernels can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// 6.12: a wait ends at an instant of CLOCK_MONOTONIC, instead of after a time.
    pub absolute_timer: bool,
}

impl Features {
    pub const ALL: Features = Features { absolute_timer: true };
}

pub struct Uring {
    ring: IoUring,
    features: Features,
    wait: Wait,
    spin_window: Nanos,
    pub enters: u64,
    pub spin_time: Nanos,
}

/// `struct io_uring_getevents_arg` of linux/io_uring.h.
#[repr(C)]
struct WaitArgument {
    signal_mask: u64,
    signal_mask_size: u32,
    min_wait_usec: u32,
    timespec: u64,
}

/// `struct __kernel_timespec`.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

impl Uring {
    /// Made by the thread that uses it. `features`: what may be used if the kernel has it.
    pub fn new(slots: u32, wait: Wait, spin_window: Nanos, features: Features) -> Result<Uring> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_cqsize(COMPLETIONS)
            .build(SUBMISSIONS)
            .map_err(|error| host::io_uring_refused(&error))?;
        ring.submitter().register_files_sparse(slots).map_err(|error| table(slots, &error))?;
        let mut uring =
            Uring { ring, features, wait, spin_window, enters: 0, spin_time: Nanos::ZERO };
        uring.probe();
        Ok(uring)
    }

    pub fn submitter(&self) -> io_uring::Submitter<'_> {
        self.ring.submitter()
    }

    /// Adds an entry; when the queue is full, hands it to the kernel first.
    ///
    /// # Safety
    /// What the entry points to must stay valid until its completion arrives.
    #[inline]
    pub unsafe fn push(&mut self, entry: &Entry) -> Result<()> {
        loop {
            // SAFETY: passed on to the caller.
            if unsafe { self.ring.submission().push(entry) }.is_ok() {
                return Ok(());
            }
            self.submit()?;
        }
    }

    /// Puts a descriptor into the table of registered files.
    pub fn install(&self, slot: u32, descriptor: RawFd) -> io::Result<()> {
        self.ring.submitter().register_files_update(slot, &[descriptor]).map(drop)
    }

    /// Copies completions out, as many as there are and `into` has room for.
    #[inline]
    pub fn reap(&mut self, into: &mut Vec<cqueue::Entry>) {
        let room = into.capacity() - into.len();
        into.extend(self.ring.completion().take(room));
    }

    /// How often the kernel had to keep completions aside.
    pub fn overflows(&mut self) -> u64 {
        self.ring.completion().overflow().into()
    }

    /// Submits what is queued, and returns when there are completions or `wake` is reached.
    #[inline]
    pub fn wait(&mut self, wake: Wake, now: Nanos) -> Result<()> {
        if !self.ring.completion().is_empty() {
            return self.submit();
        }
        // Only the intended time of a request is worth spinning for.
        let spin = match self.wait {
            Wait::Hybrid if wake.exact => self.spin_window,
            Wait::Spin if wake.exact => Nanos::MAX,
            _ => Nanos::ZERO,
        };
        let asleep_until = wake.at - spin;
        if asleep_until > now { self.sleep(asleep_until, now) } else { self.spin(wake.at) }
    }

    /// Looks for completions without a system call until `until`: the kernel sets a flag when it
    /// has some.
    fn spin(&mut self, until: Nanos) -> Result<()> {
        self.enter(0, ENTER_GETEVENTS, None)?;
        let start = time::now();
        let mut now = start;
        while now < until && self.ring.completion().is_empty() {
            if self.ring.submission().taskrun() {
                self.spin_time += now - start;
                return self.enter(0, ENTER_GETEVENTS, None);
            }
            std::hint::spin_loop();
            now = time::now();
        }
        self.spin_time += now - start;
        Ok(())
    }

    fn sleep(&mut self, until: Nanos, now: Nanos) -> Result<()> {
        let (instant, flag) =
            if self.features.absolute_timer { (until, ENTER_ABS_TIMER) } else { (until - now, 0) };
        self.enter(1, ENTER_GETEVENTS | flag, Some(instant))
    }

    #[inline]
    fn submit(&mut self) -> Result<()> {
        if self.ring.submission().is_empty() { Ok(()) } else { self.enter(0, 0, None) }
    }

    fn enter(&mut self, want: u32, flags: u32, timeout: Option<Nanos>) -> Result<()> {
        let Err(error) = self.enter_raw(want, flags, timeout) else { return Ok(()) };
        match error.raw_os_error() {
            // The time is over; a signal came; the completion queue must be drained first, which
            // the caller does before it enters again.
            Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
            Some(libc::EBADR) => Err(Error::failed(
                "the kernel lost a completion, so the counts cannot be trusted; use fewer \
                 --connections or more --threads",
            )),
            _ => Err(Error::failed(format!(
                "io_uring_enter failed ({error}); try `--engine tokio-uring`"
            ))),
        }
    }

    fn enter_raw(&mut self, want: u32, flags: u32, timeout: Option<Nanos>) -> io::Result<()> {
        self.enters += 1;
        let queued = self.ring.submission().len() as u32;
        let submitter = self.ring.submitter();
        let Some(timeout) = timeout else {
            // SAFETY: no argument is passed; the entries in the queue were pushed under `push`'s
            // contract.
            return unsafe { submitter.enter::<()>(queued, want, flags, None) }.map(drop);
        };
        let timespec = Timespec {
            seconds: (timeout.0 / 1_000_000_000) as i64,
            nanoseconds: (timeout.0 % 1_000_000_000) as i64,
        };
        let argument = WaitArgument {
            signal_mask: 0,
            signal_mask_size: 0,
            min_wait_usec: 0,
            timespec: &raw const timespec as u64,
        };
        // SAFETY: `argument` and the `timespec` it points to live until the call returns.
        unsafe { submitter.enter(queued, want, flags | ENTER_EXT_ARG, Some(&argument)) }.map(drop)
    }

    /// Finds out whether the kernel knows the absolute timer: an unknown flag is refused at once.
    fn probe(&mut self) {
        if self.features.absolute_timer {
            let past = Some(Nanos(1));
            let outcome = self.enter_raw(1, ENTER_GETEVENTS | ENTER_ABS_TIMER, past);
            let unknown = outcome.is_err_and(|e| e.raw_os_error() == Some(libc::EINVAL));
            self.features.absolute_timer = !unknown;
        }
    }
}

fn table(slots: u32, error: &io::Error) -> Error {
    Error::failed(format!(
        "the kernel refused a table for {slots} connections in one worker ({error}): raise the \
         limit with `ulimit -n`, or use more --threads or fewer --connections"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_at_its_instant_with_either_timer() {
        for absolute_timer in [true, false] {
            let features = Features { absolute_timer };
            let mut uring = Uring::new(4, Wait::Block, Nanos::ZERO, features).expect("a ring");
            assert!(absolute_timer || !uring.features.absolute_timer);
            let now = time::now();
            let wake = Wake { at: now + Nanos::from_millis(20), exact: true };
            uring.wait(wake, now).expect("a wait");
            let took = time::now() - now;
            // Not early; late by what a shared machine may add.
            assert!(took >= Nanos::from_millis(20) && took < Nanos::from_millis(500), "{took:?}");
        }
    }

    #[test]
    fn a_hybrid_wait_spins_only_at_the_end() {
        let window = Nanos::from_millis(5);
        let spun = || {
            let mut uring = Uring::new(4, Wait::Hybrid, window, Features::ALL).expect("a ring");
            let wake = Wake { at: time::now() + Nanos::from_millis(20), exact: true };
            while time::now() < wake.at {
                uring.wait(wake, time::now()).expect("a wait");
            }
            uring.spin_time
        };
        // Another thread may take the core in the middle of a spin, but not each time.
        let least = (0..10).map(|_| spun()).min().expect("ten tries");
        assert!(least <= window + Nanos::from_millis(1), "{least:?}");
    }
}
