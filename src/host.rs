//! The host as a run needs to know it: cores, limits, and what the kernel says of a thread.

use std::fs;
use std::io::{self, Read};

use crate::error::Error;
use crate::time::Nanos;

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
