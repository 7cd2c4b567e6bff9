//! io_uring as far as blast needs it: whether there is any, and which of its features.

use std::fs;

use super::feature::Feature;
use super::{probe, sysctl};

/// Whether a ring can be had, and what may forbid it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uring {
    /// `kernel.io_uring_disabled`: 0 nobody, 1 those outside a group, 2 everybody. `None` before
    /// 6.6.
    pub disabled: Option<u64>,
    /// System calls of this process are filtered.
    pub filtered: bool,
    /// What is missing, or the errno of `io_uring_setup`.
    pub missing: Result<Vec<Feature>, i32>,
}

impl Uring {
    pub fn read() -> Uring {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Uring {
            disabled: sysctl::number("kernel.io_uring_disabled"),
            filtered: is_filtered(&status),
            missing: probe::missing().map_err(|error| error.raw_os_error().unwrap_or(libc::EIO)),
        }
    }
}

/// From `/proc/self/status`: 0 no seccomp, 1 strict, 2 a filter.
fn is_filtered(status: &str) -> bool {
    let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:"));
    mode.is_some_and(|mode| mode.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Engine;

    #[test]
    fn a_filter_is_read_from_the_status() {
        assert!(is_filtered("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n"));
        assert!(!is_filtered("Seccomp:\t0\nSeccomp_filters:\t0\n"));
        assert!(!is_filtered(""));
    }

    #[test]
    fn here_where_the_tests_of_the_engine_pass_nothing_it_needs_is_missing() {
        let missing = Uring::read().missing.expect("io_uring");
        for engine in [Engine::Ring, Engine::TokioUring] {
            assert!(missing.iter().all(|feature| !feature.is_needed_by(engine)), "{missing:?}");
        }
    }
}
