//! Processes from outside: what the kernel tells of one and does to one, and the built-in target as
//! a process that can be stopped and killed.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::LIMIT;

/// The built-in target in a process of its own; killed at the end.
pub struct Outsider {
    child: Child,
    url: String,
}

impl Outsider {
    /// `flags`: words of `blast target`.
    pub fn start(flags: &str) -> Outsider {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
        command.args(["target", "--port", "0", "--pin", "off"]).args(flags.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the target starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().last().expect("its address").to_string();
        Outsider { child, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
    }

    /// Waits until it has had something to do so many times: a request or two each.
    pub fn until_woken(&self, times: u64) {
        let (start, before) = (Instant::now(), self.wakes());
        while self.wakes() < before + times {
            assert!(start.elapsed() < LIMIT, "never woken {times} times");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How often its threads have gone to sleep so far. (Looking for its sockets would take
    /// seconds on a machine where others have a hundred thousand of them.)
    fn wakes(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let status = |task: io::Result<fs::DirEntry>| {
            fs::read_to_string(task.unwrap().path().join("status")).unwrap()
        };
        let sleeps = |status: String| {
            let mut lines = status.lines();
            let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            count.unwrap().trim().parse::<u64>().unwrap()
        };
        tasks.map(status).map(sleeps).sum()
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: signals our own child, which has not been waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// At once, with all its connections.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        self.end();
    }
}

/// The processor time a process has used, user and system (proc(5), `stat`).
pub fn cpu(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name stands in parentheses and may hold anything; the state follows as field 3.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    // SAFETY: takes no pointer.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    Duration::from_secs_f64(ticks as f64 / per_second as f64)
}

/// Moves the soft limit of descriptors of a running process (prlimit(2)).
pub fn limit_descriptors(process: u32, most: Option<u64>) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls are given one `rlimit`, which this frame owns, or null.
    unsafe {
        let process = process as i32;
        let none = std::ptr::null_mut();
        assert_eq!(libc::prlimit(process, libc::RLIMIT_NOFILE, std::ptr::null(), &mut limit), 0);
        limit.rlim_cur = most.unwrap_or(limit.rlim_max);
        assert_eq!(libc::prlimit(process, libc::RLIMIT_NOFILE, &limit, none), 0);
    }
}

/// Keeps the calling thread on one core.
pub fn sit_on(core: usize) -> io::Result<()> {
    // SAFETY: the set is owned by this frame; zeroes are the empty set.
    let outcome = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set)
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The calling thread's process heeds what would end it: whoever runs the tests by `nohup`, or behind
/// a shell's `&`, has them ignore that, and what they start.
pub fn heed_signals() -> io::Result<()> {
    for signal in [libc::SIGHUP, libc::SIGINT] {
        // SAFETY: no handler is given.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    Ok(())
}
