//! Processes that are not this one's children.

use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::LIMIT;

/// The runs that this process has started and that have not ended.
pub fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_run = |process: &u32| {
        let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let fields = fields(*process).unwrap_or_default();
        let mut fields = fields.split(' ');
        let (state, its_parent) = (fields.next(), fields.next());
        words.ends_with(b"\0child\0")
            && state != Some("Z")
            && its_parent == Some(&parent.to_string())
    };
    numbers.filter(is_run).collect()
}

/// Those of its stat (proc(5)) from the state on.
fn fields(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.to_string())
}

/// A process, held so that its number never means another one (pidfd_open(2)).
pub struct Held {
    process: u32,
    file: OwnedFd,
}

impl Held {
    pub fn of(process: u32) -> Held {
        // SAFETY: takes two numbers; what it gives is a new descriptor, which nobody else knows.
        let file = unsafe {
            let file = libc::syscall(libc::SYS_pidfd_open, process as libc::pid_t, 0);
            assert!(file >= 0, "{process}: {}", std::io::Error::last_os_error());
            OwnedFd::from_raw_fd(file as i32)
        };
        Held { process, file }
    }

    /// One that has ended takes none.
    pub fn signal(&self, signal: i32) {
        let (file, no_more) = (self.file.as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
        // SAFETY: a descriptor that is open, and null, which asks for what kill(2) would send.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, file, signal, no_more, 0) };
    }

    /// Stops it, and waits until it is.
    pub fn freeze(&self) {
        self.signal(libc::SIGSTOP);
        let start = Instant::now();
        while !fields(self.process).is_some_and(|fields| fields.starts_with('T')) {
            assert!(start.elapsed() < LIMIT, "it does not stop");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How long it took to end; `None`: it goes on.
    pub fn ends_within(&self, time: Duration) -> Option<Duration> {
        let start = Instant::now();
        let mut poll = libc::pollfd { fd: self.file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one `pollfd`, which this frame owns; the descriptor is open.
        let ended = unsafe { libc::poll(&mut poll, 1, time.as_millis() as i32) };
        (ended == 1).then(|| start.elapsed())
    }
}
