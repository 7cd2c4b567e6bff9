//! `/proc/meminfo`: what programs have taken, and could not have back.

use crate::metrics::{Label, Unit};
use crate::monitor::kernel_file::KernelFile;
use crate::monitor::sampler::Probe;

#[derive(Debug)]
pub struct Memory {
    file: KernelFile,
}

/// In bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    total: u64,
    used: u64,
}

impl Memory {
    pub fn open() -> Option<Memory> {
        let mut file = KernelFile::open("/proc/meminfo")?;
        Reading::parse(file.read()?)?;
        Some(Memory { file })
    }
}

impl Probe for Memory {
    fn labels(&self) -> Vec<Label> {
        vec![Label::new("host.memory", Unit::Percent), Label::new("host.memory_used", Unit::Bytes)]
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let read = self.file.read().and_then(Reading::parse);
        values.push(read.map(|read| read.used as f64 / read.total as f64 * 100.0));
        values.push(read.map(|read| read.used as f64));
    }
}

impl Reading {
    /// Caches that could be given up are not used: MemAvailable is the kernel's own estimate.
    fn parse(text: &str) -> Option<Reading> {
        let bytes = |name: &str| {
            let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
            rest.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
        };
        let (total, available) = (bytes("MemTotal:")?, bytes("MemAvailable:")?);
        (total > 0).then(|| Reading { total, used: total.saturating_sub(available) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_is_what_is_not_available() {
        let text = "MemTotal:        8000 kB\nMemFree:  1 kB\nMemAvailable:    6000 kB\n";
        let expected = Reading { total: 8_192_000, used: 2_048_000 };
        assert_eq!(Reading::parse(text), Some(expected));
        for text in ["", "MemTotal: 8000 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n"] {
            assert_eq!(Reading::parse(text), None, "{text}");
        }
    }
}
