//! The host as a run needs to know it: cores, limits, and what the kernel says of a thread.

mod cores;
pub mod fingerprint;
pub mod tables;

use std::fs;
use std::io::{self, Read};

use crate::error::Error;
use crate::time::Nanos;

pub use cores::Cores;
pub use fingerprint::Fingerprint;

/// Descriptors a process needs besides its connections, where each of those is one.
pub const SPARE_DESCRIPTORS: u64 = 64;

/// The cores this process may run on, in order.
pub fn allowed_cores() -> Vec<usize> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let mut cores: Vec<usize> = cores.into_iter().map(|core| core.id).collect();
    cores.sort_unstable();
    cores
}

/// Pins the calling thread. False where that is not allowed.
pub fn pin(core: usize) -> bool {
    core_affinity::set_for_current(core_affinity::CoreId { id: core })
}

/// The processors that the control group may use at a time, where it is limited.
pub fn cpu_quota() -> Option<f64> {
    let v2 = fs::read_to_string("/sys/fs/cgroup/cpu.max").ok();
    if let Some(quota) = v2.as_deref().and_then(parse_cpu_max) {
        return Some(quota);
    }
    let read = |name: &str| {
        let text = fs::read_to_string(format!("/sys/fs/cgroup/cpu/cpu.cfs_{name}_us")).ok()?;
        text.trim().parse::<f64>().ok()
    };
    let (quota, period) = (read("quota")?, read("period")?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// `cpu.max` holds "max 100000" or "150000 100000".
fn parse_cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period) = (quota.parse::<f64>().ok()?, period.parse::<f64>().ok()?);
    (period > 0.0).then(|| quota / period)
}

/// Raises the soft limit of file descriptors to the hard one. Returns the limit that holds then.
pub fn raise_descriptor_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is owned by this frame and outlives both calls, which read or write only it.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 {
            return 1024;
        }
        if limit.rlim_cur < limit.rlim_max {
            let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
            if libc::setrlimit(libc::RLIMIT_NOFILE, &raised) == 0 {
                limit.rlim_cur = limit.rlim_max;
            }
        }
    }
    limit.rlim_cur
}

/// The local ports that the kernel gives to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub first: u16,
    pub last: u16,
    /// Without the reserved ones.
    pub count: u64,
}

impl Ports {
    /// The widest range that leaves the well-known ports alone.
    pub const WIDEST: (u16, u16) = (1024, 65_535);

    /// Local addresses that are used at most.
    pub const MOST_ADDRESSES: u64 = 4_096;

    /// Closed connections whose ports are not free yet, on loopback, for each address in use: a
    /// port is taken again there after a second.
    const LINGERING: u64 = 25_000;

    /// How many local addresses blast takes by itself, where it can, for so many connections to one
    /// address, which may come and go. One gets a quarter of its ports to carry. Past half of them
    /// the kernel looks for a free one longer than it takes to connect, and as many as there are
    /// now may be left over from the run before (10,000 from one address then took 1.25 s to open,
    /// from two 0.54 s).
    pub fn addresses(self, connections: u64, come_and_go: bool) -> u64 {
        let lingering = if come_and_go { Self::LINGERING } else { 0 };
        let quarter = (self.count / 4).max(1);
        (connections + lingering).div_ceil(quarter).clamp(1, Self::MOST_ADDRESSES)
    }

    pub fn of_this_host() -> Ports {
        let read = |name| fs::read_to_string(format!("/proc/sys/net/ipv4/{name}"));
        let range = read("ip_local_port_range").unwrap_or_default();
        Ports::read(&range, &read("ip_local_reserved_ports").unwrap_or_default())
    }

    /// `range` holds "32768\t60999", `reserved` "8080,9148-9150".
    fn read(range: &str, reserved: &str) -> Ports {
        let mut numbers = range.split_ascii_whitespace().map_while(|word| word.parse().ok());
        // The kernel's own default.
        let (first, last) = numbers.next().zip(numbers.next()).unwrap_or((32_768, 60_999));
        let parts = reserved.trim().split(',').filter_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some((from.parse::<u16>().ok()?.max(first), to.parse::<u16>().ok()?.min(last)))
        });
        let taken: u64 =
            parts.map(|(from, to)| (u64::from(to) + 1).saturating_sub(from.into())).sum();
        let all = (u64::from(last) + 1).saturating_sub(first.into());
        Ports { first, last, count: all.saturating_sub(taken) }
    }
}

/// The descriptors that this process has open.
pub fn open_descriptors() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

/// Why io_uring was refused, as far as the errno tells, and what to do.
pub fn io_uring_refused(error: &io::Error) -> Error {
    let cause = cause_of_refusal(error.raw_os_error());
    Error::failed(format!("io_uring cannot be used ({error}): {cause}"))
}

/// The likely cause of such an errno, and what to do.
pub fn cause_of_refusal(errno: Option<i32>) -> &'static str {
    match errno {
        Some(libc::ENOSYS) => {
            "this kernel has none, or a container's seccomp profile or a sandbox such as gVisor \
             hides it: run outside the container, or with `--security-opt seccomp=unconfined`"
        }
        Some(libc::EPERM | libc::EACCES) => {
            "it is forbidden here, by a container's seccomp profile (run with `--security-opt \
             seccomp=unconfined`) or by the sysctl kernel.io_uring_disabled (make it 0)"
        }
        Some(libc::EINVAL) => "this kernel is too old for it: run on Linux 6.1 or newer",
        Some(libc::ENOMEM) => "the memory lock limit is too low: raise it with `ulimit -l`",
        Some(libc::EMFILE | libc::ENFILE) => {
            "there is no free file descriptor: raise the limit with `ulimit -n`"
        }
        _ => "run on Linux 6.1 or newer, outside a restricted container",
    }
}

/// The most memory this process has had resident.
pub fn max_rss_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// How long the calling thread has been ready to run while something else had its core. Reads
/// into a buffer of its own: the workers call it, and they do not allocate.
pub fn thread_starved() -> Nanos {
    let mut buffer = [0u8; 64];
    let read = fs::File::open("/proc/thread-self/schedstat").and_then(|mut f| f.read(&mut buffer));
    let text = read.ok().and_then(|length| std::str::from_utf8(&buffer[..length]).ok());
    // "time on the core, time waiting for it, time slices", in nanoseconds.
    let waiting = text.and_then(|text| text.split(' ').nth(1)?.parse().ok());
    Nanos(waiting.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_read_as_a_number_of_processors() {
        assert_eq!(parse_cpu_max("150000 100000\n"), Some(1.5));
        assert_eq!(parse_cpu_max("max 100000\n"), None);
        assert_eq!(parse_cpu_max(""), None);
    }

    #[test]
    fn the_ports_of_connections_are_those_of_the_range_that_are_not_reserved() {
        let count = |range, reserved| Ports::read(range, reserved).count;
        assert_eq!(count("32768\t60999\n", "\n"), 28_232);
        assert_eq!(count("40000 40100", "40000,40050-40052,50000,1-40001"), 101 - 1 - 3 - 2);
        assert_eq!(count("", ""), 28_232);
        assert!(Ports::of_this_host().count > 0 && open_descriptors() > 2);
    }

    #[test]
    fn this_process_has_memory_and_a_core() {
        assert!(max_rss_bytes() > 100_000);
        assert!(!allowed_cores().is_empty());
        assert!(raise_descriptor_limit() > 0);
    }

    #[test]
    fn each_way_to_refuse_io_uring_names_its_likely_cause() {
        for (errno, word) in [
            (libc::ENOSYS, "gVisor"),
            (libc::EPERM, "seccomp"),
            (libc::EPERM, "kernel.io_uring_disabled"),
            (libc::EINVAL, "6.1"),
            (libc::ENOMEM, "ulimit -l"),
        ] {
            let text = io_uring_refused(&io::Error::from_raw_os_error(errno)).message;
            assert!(text.contains(word), "{text}");
        }
    }
}
