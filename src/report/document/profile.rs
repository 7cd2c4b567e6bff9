//! What the watched server did in measure, function by function.

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::metrics::{self, profile};

/// Functions that stand in a result, and places of waiting.
const FUNCTIONS: usize = 100;
const WAITS: usize = 20;

/// Bytes of the stacks that stand in it; what is seen least often is put together.
const STACKS: usize = 256 * 1024;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// `perf`, `py-spy`, `command`; of a file, `cProfile` or `stacks`.
    pub tool: String,
    /// What the time is counted in: `samples`, or `us`.
    pub unit: String,
    /// All of it, with waiting.
    pub samples: u64,
    /// By their own time, most first; waiting is not among them, and no share has it in it.
    pub functions: Vec<Function>,
    pub by_class: ByClass,
    /// Of all samples; null where the tool sees only what is on a processor.
    pub waiting_share: Option<f64>,
    /// Where it waited, longest first.
    pub waits: Vec<Wait>,
    /// Collapsed, as flame graphs are made of them; none where the profile holds none.
    pub stacks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    /// In itself.
    pub self_share: f64,
    /// With all that it called.
    pub total_share: f64,
    /// `cpu`, `io`, `database` or `memory`.
    pub class: String,
}

/// Shares of what was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByClass {
    pub cpu: f64,
    pub io: f64,
    pub database: f64,
    pub memory: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    pub name: String,
    /// Of all samples.
    pub share: f64,
}

impl Profile {
    /// As much of it as a result holds.
    pub fn new(profile: &metrics::Profile) -> Profile {
        Profile::of(profile, FUNCTIONS, STACKS)
    }

    /// All of it.
    pub fn whole(profile: &metrics::Profile) -> Profile {
        Profile::of(profile, usize::MAX, usize::MAX)
    }

    fn of(profile: &metrics::Profile, functions: usize, stacks: usize) -> Profile {
        let share = |part| rounded(profile.share(part), 6);
        let of_class = |class: profile::Class| share(profile.by_class[class as usize]);
        let function = |function: &profile::Function| Function {
            name: function.name.clone(),
            self_share: share(function.own),
            total_share: share(function.total),
            class: function.class.name().to_string(),
        };
        let wait = |wait: &profile::Function| Wait {
            name: wait.name.clone(),
            share: rounded(wait.own as f64 / profile.all as f64, 6),
        };
        Profile {
            tool: profile.tool.clone(),
            unit: unit(profile.unit).to_string(),
            samples: profile.all,
            functions: profile.functions.iter().take(functions).map(function).collect(),
            by_class: ByClass {
                cpu: of_class(profile::Class::Cpu),
                io: of_class(profile::Class::Io),
                database: of_class(profile::Class::Database),
                memory: of_class(profile::Class::Memory),
            },
            waiting_share: profile.waiting_share().map(|share| rounded(share, 6)),
            waits: profile.waits.iter().take(WAITS).map(wait).collect(),
            stacks: profile.stacks.iter().flat_map(|all| all.lines(stacks)).collect(),
        }
    }
}

fn unit(unit: profile::Unit) -> &'static str {
    match unit {
        profile::Unit::Samples => "samples",
        profile::Unit::Microseconds => "us",
    }
}

impl ByClass {
    /// In words, the largest first; none of nothing.
    pub fn ranked(&self) -> Vec<(&'static str, &'static str, f64)> {
        let mut all = vec![
            ("cpu", "CPU", self.cpu),
            ("io", "I/O", self.io),
            ("database", "database", self.database),
            ("memory", "memory", self.memory),
        ];
        all.retain(|(_, _, share)| *share > 0.0);
        all.sort_by(|a, b| b.2.total_cmp(&a.2));
        all
    }
}
