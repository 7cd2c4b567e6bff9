//! What this process may have: open files, locked memory, and the memory there is.

use std::fs;

use crate::host;

/// The soft and the hard value of a resource limit; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}

impl Limit {
    /// What can be had: blast raises the soft limit to the hard one by itself.
    pub fn reachable(self) -> u64 {
        self.hard.unwrap_or(u64::MAX)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub files: Option<Limit>,
    /// Descriptors that are in use already.
    pub open: u64,
    pub locked_bytes: Option<Limit>,
    /// What the host could give without swapping.
    pub memory_available: Option<u64>,
}

impl Limits {
    pub fn read() -> Limits {
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Limits { open: host::open_descriptors(), ..Limits::parse(&limits, &memory) }
    }

    /// From the texts of `/proc/self/limits` and `/proc/meminfo`.
    pub fn parse(limits: &str, memory: &str) -> Limits {
        Limits {
            files: limit(limits, "Max open files"),
            open: 0,
            locked_bytes: limit(limits, "Max locked memory"),
            memory_available: kibibytes(memory, "MemAvailable:").map(|kib| kib * 1024),
        }
    }
}

/// The open files that another process may have.
pub fn files_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    limit(&text, "Max open files")?.soft
}

fn limit(text: &str, name: &str) -> Option<Limit> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let mut words = rest.split_whitespace();
    let mut value = || match words.next()? {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    };
    Some(Limit { soft: value()?, hard: value()? })
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 20000                files     
Max locked memory         8388608              unlimited            bytes     
";
    const MEMORY: &str = "MemTotal:        8039512 kB\nMemAvailable:    6039512 kB\n";

    #[test]
    fn limits_are_read_with_their_units() {
        let limits = Limits::parse(LIMITS, MEMORY);
        assert_eq!(limits.files, Some(Limit { soft: Some(1_024), hard: Some(20_000) }));
        assert_eq!(limits.locked_bytes, Some(Limit { soft: Some(8 << 20), hard: None }));
        assert_eq!(limits.locked_bytes.unwrap().reachable(), u64::MAX);
        assert_eq!(limits.memory_available, Some(6_039_512 * 1024));
    }

    #[test]
    fn what_is_not_there_is_not_made_up() {
        assert_eq!(Limits::parse("", ""), Limits::default());
        assert_eq!(Limits::parse("Max open files            many\n", "").files, None);
    }

    #[test]
    fn this_process_has_limits() {
        let limits = Limits::read();
        assert!(limits.files.is_some_and(|files| files.reachable() > 0));
        assert!(limits.memory_available > Some(0));
        assert_eq!(files_of(std::process::id()), limits.files.and_then(|files| files.soft));
        assert_eq!(files_of(u32::MAX), None);
    }
}
