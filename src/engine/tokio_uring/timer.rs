//! An absolute timer. tokio's own tick at 1 ms, so this is a timerfd (timerfd_create(2)) that is
//! read through the ring like any other file.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::time::Nanos;

pub struct Timer {
    descriptor: RawFd,
    file: tokio_uring::fs::File,
}

impl Timer {
    pub fn new() -> io::Result<Timer> {
        // SAFETY: takes no pointer; the result is checked before it is used.
        let descriptor = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, and owned by nobody else.
        let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let file = tokio_uring::fs::File::from_std(File::from(owned));
        Ok(Timer { descriptor: file.as_raw_fd(), file })
    }

    /// Sets or moves the instant of the next expiry, also while it is waited for.
    pub fn arm(&self, at: Nanos) -> io::Result<()> {
        // A zero would disarm it.
        let at = at.0.max(1);
        let setting = libc::itimerspec {
            it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: libc::timespec {
                tv_sec: (at / 1_000_000_000) as _,
                tv_nsec: (at % 1_000_000_000) as libc::c_long,
            },
        };
        // SAFETY: `setting` outlives the call, and the descriptor is this timer's own file.
        let outcome = unsafe {
            libc::timerfd_settime(
                self.descriptor,
                libc::TFD_TIMER_ABSTIME,
                &setting,
                std::ptr::null_mut(),
            )
        };
        if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Returns at the next expiry. `buffer`: eight bytes, handed back.
    pub async fn expired(&self, buffer: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
        let (read, buffer) = self.file.read_at(buffer, 0).await;
        (read.map(drop), buffer)
    }
}
