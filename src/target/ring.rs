//! The bare ring under one server thread: made with the flags the kernel allows, one enter per
//! turn, completions copied out in slices.
//!
//! It knows nothing of HTTP. What always holds: the ring is made and used by one thread, and an
//! entry that was pushed reaches the kernel at the next [`Ring::enter`] or before it.

use std::io;

use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{
    Builder, CompletionQueue, EnterFlags, IoUring, SubmissionQueue, Submitter, cqueue, squeue,
};

use crate::error::{Error, Result};
use crate::host;
use crate::time::Nanos;

/// How many completions are handled between two readings of the clock. A request that is handled
/// last in its slice has waited for the others: at about 150 ns each, 2.4 us is the most its
/// arrival can be stamped early.
pub(super) const SLICE: usize = 16;

/// Completions the kernel can post before it ends multishot operations. The accept rules in
/// `server.rs` lean on this number.
pub(super) const COMPLETIONS: u32 = 4096;

const SUBMISSIONS: u32 = 256;

/// What a completion belongs to. It travels in `user_data`: the verb in the low 8 bits, the slot in
/// the next 24, the generation of the slot above, so that a completion for an earlier tenant of a
/// slot is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub verb: Verb,
    pub slot: u32,
    pub generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Verb {
    Accept,
    Receive,
    /// A send that ends in the submission itself and is silent when it succeeds.
    Quick,
    /// A send that waits for room in the socket and always reports.
    Send,
    Shutdown,
    Cancel,
    Close,
    Stop,
}

impl Token {
    pub fn pack(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot) << 8 | self.verb as u64
    }

    pub fn unpack(word: u64) -> Token {
        let verb = match word as u8 {
            0 => Verb::Accept,
            1 => Verb::Receive,
            2 => Verb::Quick,
            3 => Verb::Send,
            4 => Verb::Shutdown,
            5 => Verb::Cancel,
            6 => Verb::Close,
            _ => Verb::Stop,
        };
        Token { verb, slot: (word >> 8) as u32 & 0xff_ffff, generation: (word >> 32) as u32 }
    }
}

/// Makes a ring on the calling thread, with the best flags this kernel takes.
pub(super) fn build() -> Result<IoUring> {
    let mut refusal = io::Error::from_raw_os_error(libc::EINVAL);
    for flags in FLAGS {
        match build_with(flags) {
            Ok(ring) => return Ok(ring),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => refusal = error,
            Err(error) => return Err(host::io_uring_refused(&error)),
        }
    }
    Err(host::io_uring_refused(&refusal))
}

fn build_with(flags: fn(&mut Builder)) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    builder.setup_cqsize(COMPLETIONS);
    flags(&mut builder);
    builder.build(SUBMISSIONS)
}

/// From the best to none. DEFER_TASKRUN (6.1) runs completions only inside our own enter, so that
/// they come in batches and never interrupt a parse; COOP_TASKRUN (5.19) is the next best.
const FLAGS: [fn(&mut Builder); 3] = [
    |builder| {
        builder.setup_single_issuer().setup_defer_taskrun().setup_taskrun_flag();
        builder.setup_submit_all();
    },
    |builder| {
        builder.setup_coop_taskrun().setup_taskrun_flag().setup_submit_all();
    },
    |_| {},
];

pub(super) struct Ring<'a> {
    submitter: Submitter<'a>,
    submissions: SubmissionQueue<'a>,
    completions: CompletionQueue<'a>,
    /// The enter takes an absolute deadline.
    absolute: bool,
}

impl<'a> Ring<'a> {
    pub fn new(ring: &'a mut IoUring) -> Ring<'a> {
        // ABS_TIMER and MIN_TIMEOUT came with the same kernel, 6.12; only the second has a bit.
        let absolute = ring.params().is_feature_min_timeout();
        let (mut submitter, submissions, completions) = ring.split();
        // Spares each enter a descriptor lookup; a kernel that refuses loses nothing else.
        let _ = submitter.register_ring_fd();
        Ring { submitter, submissions, completions, absolute }
    }

    pub fn submitter(&self) -> &Submitter<'a> {
        &self.submitter
    }

    /// Queues one operation. A full queue is handed to the kernel first.
    ///
    /// # Safety
    ///
    /// What the entry points at stays valid until its completion arrives (or, for an operation that
    /// ends in its submission, until the next [`Ring::enter`] returns).
    pub unsafe fn push(&mut self, entry: &squeue::Entry) -> Result<()> {
        // SAFETY: the caller vouches for the entry, see above.
        while unsafe { self.submissions.push(entry) }.is_err() {
            self.enter(0, None)?;
        }
        Ok(())
    }

    /// Hands over what is queued, runs deferred work and waits for `want` completions, at the
    /// longest until the instant `until`.
    pub fn enter(&mut self, want: u32, until: Option<Nanos>) -> Result<()> {
        self.submissions.sync();
        let queued = self.submissions.len() as u32;
        let outcome = match until {
            None => self.plain_enter(queued, want),
            Some(until) => self.timed_enter(queued, want, until),
        };
        self.submissions.sync();
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_os_error() {
                // Time is up; a signal; no memory for now; completions must be drained first.
                Some(libc::ETIME | libc::EINTR | libc::EAGAIN | libc::EBUSY) => Ok(()),
                _ => Err(Error::failed(format!(
                    "the target's ring broke ({error}); start the target again"
                ))),
            },
        }
    }

    fn plain_enter(&self, queued: u32, want: u32) -> io::Result<usize> {
        let flags = EnterFlags::GETEVENTS;
        // SAFETY: no argument is passed; the entries were vouched for when they were pushed.
        unsafe { self.submitter.enter::<libc::sigset_t>(queued, want, flags.bits(), None) }
    }

    fn timed_enter(&self, queued: u32, want: u32, until: Nanos) -> io::Result<usize> {
        let mut flags = EnterFlags::GETEVENTS | EnterFlags::EXT_ARG;
        let mut time = until;
        if self.absolute {
            flags |= EnterFlags::ABS_TIMER;
        } else {
            time = until - crate::time::now();
        }
        let spec =
            Timespec::new().sec(time.0 / 1_000_000_000).nsec((time.0 % 1_000_000_000) as u32);
        let args = SubmitArgs::new().timespec(&spec);
        // SAFETY: `args` and the `spec` it points at live in this frame until the call returns; the
        // entries were vouched for when they were pushed.
        unsafe { self.submitter.enter(queued, want, flags.bits(), Some(&args)) }
    }

    /// Every queued entry was taken by the kernel.
    pub fn all_submitted(&self) -> bool {
        self.submissions.is_empty()
    }

    /// Something to do without sleeping: a completion, or deferred work that will make one.
    pub fn has_work(&mut self) -> bool {
        self.completions.sync();
        !self.completions.is_empty() || self.submissions.taskrun()
    }

    /// Copies out the next completions, at most a slice, and frees their places.
    pub fn take(&mut self, into: &mut Vec<cqueue::Entry>) {
        into.clear();
        self.completions.sync();
        into.extend((&mut self.completions).take(SLICE));
        self.completions.sync();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_way_through_the_kernel() {
        let verbs = [
            Verb::Accept,
            Verb::Receive,
            Verb::Quick,
            Verb::Send,
            Verb::Shutdown,
            Verb::Cancel,
            Verb::Close,
            Verb::Stop,
        ];
        for verb in verbs {
            for (slot, generation) in [(0, 0), (1, 2), (0xff_ffff, u32::MAX)] {
                let token = Token { verb, slot, generation };
                assert_eq!(Token::unpack(token.pack()), token);
            }
        }
    }

    #[test]
    fn a_wait_ends_at_its_deadline_whatever_the_kernel_offers() {
        for flags in FLAGS {
            for absolute in [true, false] {
                let mut ring = build_with(flags).unwrap();
                let mut ring = Ring::new(&mut ring);
                ring.absolute &= absolute;
                let deadline = crate::time::now() + Nanos::from_millis(2);
                ring.enter(1, Some(deadline)).unwrap();
                let late = crate::time::now() - deadline;
                // Never early; late by scheduling only (tests share two cores).
                assert!(crate::time::now() >= deadline);
                assert!(late < Nanos::from_millis(100), "{late:?}");
                assert!(!ring.has_work());
            }
        }
    }
}
