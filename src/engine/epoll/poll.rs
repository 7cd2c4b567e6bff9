//! One epoll: which sockets are ready, told once each time that something comes (edge-triggered),
//! so that a connection costs one registration in its life.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::error::{Error, Result};
use crate::time::Nanos;

/// Sockets told of in one turn: as many as the ring handles completions.
const SLICE: usize = 64;

/// What a socket can do without waiting.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    pub can_read: bool,
    pub can_write: bool,
    /// Nothing more will come after what is there.
    pub ended: bool,
}

impl Ready {
    /// There may be more to read, and an end behind it, and room to write.
    pub const MORE: Ready = Ready { can_read: true, can_write: true, ended: true };
}

pub struct Poll {
    epoll: OwnedFd,
    events: Vec<libc::epoll_event>,
    /// The kernel (below 5.11, or a sandbox) waits in whole milliseconds only.
    coarse: bool,
    pub calls: u64,
}

impl Poll {
    pub fn new() -> Result<Poll> {
        // SAFETY: takes no pointers.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if epoll < 0 {
            let error = io::Error::last_os_error();
            let text =
                format!("no epoll could be made ({error}): raise the limit with `ulimit -n`");
            return Err(Error::failed(text));
        }
        // SAFETY: just made, and nobody else has it.
        let epoll = unsafe { OwnedFd::from_raw_fd(epoll) };
        Ok(Poll { epoll, events: Vec::with_capacity(SLICE), coarse: false, calls: 0 })
    }

    /// From now on the socket is told of, under this token, until it is closed.
    pub fn add(&self, socket: RawFd, token: u64) -> io::Result<()> {
        let events = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        let mut event = libc::epoll_event { events: events as u32, u64: token };
        // SAFETY: the event belongs to this frame and is only read.
        let outcome = unsafe {
            libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, socket, &raw mut event)
        };
        if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits until a socket is ready, at most so long.
    pub fn look(&mut self, most: Nanos) -> Result<()> {
        self.calls += 1;
        let count = if most == Nanos::ZERO || self.coarse {
            self.look_coarsely(most)
        } else {
            self.look_finely(most)
        };
        let error = io::Error::last_os_error();
        // SAFETY: the kernel has written so many events, no more than the capacity.
        unsafe { self.events.set_len(usize::try_from(count).unwrap_or(0)) };
        if count >= 0 {
            return Ok(());
        }
        match error.raw_os_error() {
            Some(libc::EINTR) => Ok(()),
            Some(libc::ENOSYS | libc::EPERM) if !self.coarse => {
                self.coarse = true;
                self.look(most)
            }
            _ => Err(Error::failed(format!("waiting for the sockets failed ({error}); try again"))),
        }
    }

    fn look_finely(&mut self, most: Nanos) -> i32 {
        let limit = libc::timespec {
            tv_sec: (most.0 / 1_000_000_000) as i64,
            tv_nsec: (most.0 % 1_000_000_000) as i64,
        };
        let (epoll, events) = (self.epoll.as_raw_fd(), self.events.as_mut_ptr());
        let none = std::ptr::null::<libc::sigset_t>();
        // SAFETY: `events` has room for SLICE events; the time belongs to this frame. By its number,
        // since the C library may be older than the call.
        let count = unsafe {
            libc::syscall(libc::SYS_epoll_pwait2, epoll, events, SLICE, &raw const limit, none, 0)
        };
        count as i32
    }

    /// In milliseconds, never too long: the rest of one is looked for again and again.
    fn look_coarsely(&mut self, most: Nanos) -> i32 {
        let most = i32::try_from(most.0 / 1_000_000).unwrap_or(i32::MAX);
        let (epoll, events) = (self.epoll.as_raw_fd(), self.events.as_mut_ptr());
        // SAFETY: `events` has room for SLICE events.
        unsafe { libc::epoll_wait(epoll, events, SLICE as i32, most) }
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub fn ready(&self, index: usize) -> (u64, Ready) {
        let libc::epoll_event { events, u64: token } = self.events[index];
        let is = |bits: i32| events & bits as u32 != 0;
        let ended = is(libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR);
        let can_read = ended || is(libc::EPOLLIN);
        let can_write = is(libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR);
        (token, Ready { can_read, can_write, ended })
    }
}
