//! The bare ring: made with the flags the worker lives by, entered once a turn.

use std::io;
use std::os::fd::RawFd;

use io_uring::squeue::Entry;
use io_uring::{IoUring, cqueue};

use crate::error::{Error, Result};
use crate::host;
use crate::time::Nanos;

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
    pub enters: u64,
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
    pub fn new(slots: u32, features: Features) -> Result<Uring> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_cqsize(COMPLETIONS)
            .build(SUBMISSIONS)
            .map_err(|error| host::io_uring_refused(&error))?;
        ring.submitter().register_files_sparse(slots).map_err(|error| table(slots, &error))?;
        let mut uring = Uring { ring, features, enters: 0 };
        uring.probe();
        uring.enters = 0;
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

    pub fn has_completions(&mut self) -> bool {
        !self.ring.completion().is_empty()
    }

    /// It has completions, or work that will make some once it is entered.
    #[inline]
    pub fn has_news(&mut self) -> bool {
        !self.ring.completion().is_empty() || self.ring.submission().taskrun()
    }

    /// Submits what is queued and has the kernel do what it put off. With completions at hand only
    /// the first: they are dealt with before there are more.
    #[inline]
    pub fn flush(&mut self) -> Result<()> {
        if self.has_completions() {
            return self.submit();
        }
        let submission = self.ring.submission();
        let idle = submission.is_empty() && !submission.taskrun();
        drop(submission);
        if idle { Ok(()) } else { self.gather() }
    }

    /// Submits what is queued and has the kernel do what it put off.
    pub fn gather(&mut self) -> Result<()> {
        self.enter(0, ENTER_GETEVENTS, None)
    }

    /// Submits what is queued, and returns when there are completions or at `until`.
    pub fn sleep(&mut self, until: Nanos, now: Nanos) -> Result<()> {
        let (instant, flag) =
            if self.features.absolute_timer { (until, ENTER_ABS_TIMER) } else { (until - now, 0) };
        self.enter(1, ENTER_GETEVENTS | flag, Some(instant))
    }

    /// Whether the ring's eventfd, if it has one, keeps silent.
    pub fn mute(&self, on: bool) {
        // SAFETY: the only other view of the completion queue belongs to `&mut self`.
        let completion = unsafe { self.ring.completion_shared() };
        if on { completion.disable_eventfd() } else { completion.enable_eventfd() }
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
    use crate::time;

    #[test]
    fn a_sleep_ends_at_its_instant_with_either_timer() {
        for absolute_timer in [true, false] {
            let features = Features { absolute_timer };
            let mut uring = Uring::new(4, features).expect("a ring");
            assert!(absolute_timer || !uring.features.absolute_timer);
            let now = time::now();
            uring.sleep(now + Nanos::from_millis(20), now).expect("a sleep");
            let took = time::now() - now;
            // Not early; late by what a shared machine may add.
            assert!(took >= Nanos::from_millis(20) && took < Nanos::from_millis(500), "{took:?}");
        }
    }
}
