//! What a figure of this host depends on, and what tells hosts apart that differ in it. No serial
//! numbers, no names.

use std::fs;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::allowed_cores;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// The processor's model, as the kernel names it.
    pub cpu: String,
    /// Cores that blast may run on.
    pub cores: u64,
    /// The kernel's release.
    pub kernel: String,
    /// To the gibibyte: the kernel keeps a part for itself, which differs a little between boots.
    pub memory_gib: u64,
    pub blast_version: String,
}

impl Fingerprint {
    pub fn of_this_host() -> Fingerprint {
        let read = |name| fs::read_to_string(name).unwrap_or_default();
        Fingerprint {
            cpu: model(&read("/proc/cpuinfo")),
            cores: allowed_cores().len() as u64,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_string(),
            memory_gib: memory_gib(&read("/proc/meminfo")),
            blast_version: version(),
        }
    }

    /// What tells hosts apart in the history, where blast's own version stands beside it.
    pub fn in_words(&self) -> String {
        let Fingerprint { cpu, cores, kernel, memory_gib, .. } = self;
        let cores = if *cores == 1 { "1 core".to_string() } else { format!("{cores} cores") };
        format!("{cpu}, {cores}, {memory_gib} GiB, Linux {kernel}")
    }

    /// In what `other` is different, in words; `None`: in nothing.
    pub fn differs_from(&self, other: &Fingerprint) -> Option<&'static str> {
        let pairs = [
            (self.cpu == other.cpu, "another processor"),
            (self.cores == other.cores, "another number of cores"),
            (self.memory_gib == other.memory_gib, "another size of memory"),
            (self.kernel == other.kernel, "another kernel"),
            (self.blast_version == other.blast_version, "another version of blast"),
        ];
        pairs.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
    }
}

/// A build for debugging is several times as slow.
fn version() -> String {
    let build = if cfg!(debug_assertions) { " (debug)" } else { "" };
    format!("{}{build}", env!("CARGO_PKG_VERSION"))
}

/// Not every architecture has a name for its models: arm has numbers of implementer and part.
fn model(cpuinfo: &str) -> String {
    let value = |key: &str| {
        let mut lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_string())
    };
    let by_number = || Some(format!("{} {}", value("CPU implementer")?, value("CPU part")?));
    value("model name").or_else(by_number).unwrap_or_else(|| std::env::consts::ARCH.to_string())
}

/// Rounded.
fn memory_gib(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    (kib.unwrap_or(0) + (1 << 19)) >> 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_is_like_itself() {
        let here = Fingerprint::of_this_host();
        assert!(!here.cpu.is_empty() && here.cores > 0 && here.kernel.contains('.'), "{here:?}");
        assert_eq!(here.differs_from(&Fingerprint::of_this_host()), None);
    }

    #[test]
    fn each_difference_has_its_words() {
        let here = Fingerprint::of_this_host();
        let others = [
            (Fingerprint { cpu: "Z80".to_string(), ..here.clone() }, "processor"),
            (Fingerprint { cores: here.cores + 1, ..here.clone() }, "number of cores"),
            (Fingerprint { kernel: "2.4.1".to_string(), ..here.clone() }, "kernel"),
            (Fingerprint { memory_gib: here.memory_gib + 1, ..here.clone() }, "memory"),
            (
                Fingerprint { blast_version: "0.0.1".to_string(), ..here.clone() },
                "version of blast",
            ),
        ];
        for (other, word) in others {
            assert!(here.differs_from(&other).is_some_and(|words| words.contains(word)), "{word}");
        }
    }

    #[test]
    fn a_model_is_a_name_or_else_numbers() {
        let intel = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R)\n";
        assert_eq!(model(intel), "Intel(R) Xeon(R)");
        assert_eq!(model("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"), "0x41 0xd0c");
        assert_eq!(model(""), std::env::consts::ARCH);
        assert_eq!(memory_gib("MemTotal:        8039512 kB\n"), 8);
    }
}
