//! The bare ring: made with the flags the worker lives by, entered once a turn.

use std::io;
use std::os::fd::RawFd;
use std::thread;
use std::time::Duration;

use io_uring::squeue::Entry;
use io_uring::{IoUring, cqueue};

use super::setup::Setup;
use crate::error::{Error, Result};
use crate::host;
use crate::time::Nanos;

/// Enters in a row that may be turned down, a millisecond apart.
const PATIENCE: u32 = 2_000;

// From linux/io_uring.h; the io-uring crate keeps its own private.
const ENTER_GETEVENTS: u32 = 1 << 0;
const ENTER_EXT_ARG: u32 = 1 << 3;
const ENTER_ABS_TIMER: u32 = 1 << 5;

pub struct Uring {
    ring: IoUring,
    /// The kernel takes an instant to sleep until.
    absolute_timer: bool,
    /// Enters in a row that the kernel turned down for want of memory.
    turned_down: u32,
    pub enters: u64,
    /// Enters after which the kernel kept completions aside, for want of room in the queue. (Its own
    /// counter tells only of those that it lost.)
    pub overflows: u64,
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
    /// Made by the thread that uses it.
    pub fn new(slots: u32, setup: &Setup) -> Result<Uring> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_cqsize(setup.completions)
            .build(setup.submissions)
            .map_err(|error| host::io_uring_refused(&error))?;
        ring.submitter().register_files_sparse(slots).map_err(|error| table(slots, &error))?;
        let absolute_timer = setup.features.absolute_timer;
        let mut uring = Uring { ring, absolute_timer, turned_down: 0, enters: 0, overflows: 0 };
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

    pub fn has_completions(&mut self) -> bool {
        !self.ring.completion().is_empty()
    }

    /// It has completions, or some that come once it is entered.
    #[inline]
    pub fn has_news(&mut self) -> bool {
        let submission = self.ring.submission();
        let waits = submission.taskrun() || submission.cq_overflow();
        drop(submission);
        waits || !self.ring.completion().is_empty()
    }

    /// Submits what is queued and has the kernel do what it put off. With completions at hand only
    /// the first: they are dealt with before there are more.
    #[inline]
    pub fn flush(&mut self) -> Result<()> {
        if self.has_completions() {
            return self.submit();
        }
        let submission = self.ring.submission();
        // Completions that were kept aside come with an enter as well.
        let waits = submission.taskrun() || submission.cq_overflow();
        let idle = submission.is_empty() && !waits;
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
            if self.absolute_timer { (until, ENTER_ABS_TIMER) } else { (until - now, 0) };
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
        let outcome = self.enter_raw(want, flags, timeout);
        self.overflows += u64::from(self.ring.submission().cq_overflow());
        match outcome.err().map_or(Refusal::None, |error| Refusal::of(&error)) {
            Refusal::None => self.turned_down = 0,
            // Completions are dealt with before the next enter, as a rule; if that does not help,
            // there is nothing to do but to wait for memory.
            Refusal::ForNow if self.turned_down < PATIENCE => {
                self.turned_down += 1;
                if self.turned_down > 1 || !self.has_completions() {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            Refusal::ForNow => return Err(no_memory()),
            Refusal::ForGood(error) => return Err(error),
        }
        Ok(())
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
        if self.absolute_timer {
            let past = Some(Nanos(1));
            let outcome = self.enter_raw(1, ENTER_GETEVENTS | ENTER_ABS_TIMER, past);
            let unknown = outcome.is_err_and(|e| e.raw_os_error() == Some(libc::EINVAL));
            self.absolute_timer = !unknown;
        }
    }
}

/// Why an enter was refused, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// It was not: the time is over, or a signal came.
    None,
    /// The kernel has no memory, or the completion queue must be drained first.
    ForNow,
    ForGood(Error),
}

impl Refusal {
    fn of(error: &io::Error) -> Refusal {
        match error.raw_os_error() {
            Some(libc::ETIME | libc::EINTR) => Refusal::None,
            Some(libc::EBUSY | libc::EAGAIN | libc::ENOMEM | libc::ENOBUFS) => Refusal::ForNow,
            Some(libc::EBADR) => Refusal::ForGood(Error::failed(
                "the kernel lost a completion, so the counts cannot be trusted; use fewer \
                 --connections or more --threads",
            )),
            _ => Refusal::ForGood(Error::failed(format!(
                "io_uring_enter failed ({error}); try `--engine tokio-uring`"
            ))),
        }
    }
}

fn no_memory() -> Error {
    Error::failed(
        "the kernel had no memory for blast for over two seconds; use fewer --connections, or \
         leave it more memory",
    )
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
            let mut setup = Setup::DEFAULT;
            setup.features.absolute_timer = absolute_timer;
            let mut uring = Uring::new(4, &setup).expect("a ring");
            assert!(absolute_timer || !uring.absolute_timer);
            let now = time::now();
            uring.sleep(now + Nanos::from_millis(20), now).expect("a sleep");
            let took = time::now() - now;
            // Not early; late by what a shared machine may add.
            assert!(took >= Nanos::from_millis(20) && took < Nanos::from_millis(500), "{took:?}");
        }
    }

    #[test]
    fn every_refusal_of_an_enter_has_its_answer() {
        let of = |errno| Refusal::of(&io::Error::from_raw_os_error(errno));
        assert_eq!([libc::ETIME, libc::EINTR].map(of), [Refusal::None, Refusal::None]);
        for errno in [libc::EBUSY, libc::EAGAIN, libc::ENOMEM] {
            assert_eq!(of(errno), Refusal::ForNow);
        }
        let text = |errno| match of(errno) {
            Refusal::ForGood(error) => error.message,
            other => panic!("{other:?}"),
        };
        assert!(text(libc::EBADR).contains("cannot be trusted"));
        assert!(text(libc::EFAULT).contains("--engine tokio-uring"));
    }
}
