//! What the host says of itself, before a run and after it: kernel, limits, ports, listeners,
//! processors; and what that means for a plan: the rows of `blast doctor`, and the warnings that
//! every run carries. Beside a load, a few of its figures once a second: the gauges.
//!
//! Nothing is ever changed.
//!
//! ```text
//! sysctl      /proc/sys and its little formats       sockets    listening sockets, as `ss` asks
//! network     ports, queues, memory of TCP           listeners  who listens where
//! limits      files, locked memory, memory           uring      io_uring; probe finds by trying
//! cpu         cores, governor, clock, steal          target     the addresses of the load
//! diagnosis   readings + needs -> rows (pure)        flight     the rows that every run checks
//! sampler     reads gauges once a second             host       gauges of this host
//! card        how full its network cards are     profile    a profiler beside the load
//! own         the processor time of blast itself       outsider   a program, and what it took
//! elsewhere   commands, pages of metrics, a log
//! server      gauges of the server beside the load   kernel_file, rate   what they read with
//! ```

pub mod card;
pub mod cpu;
pub mod diagnosis;
pub mod elsewhere;
pub mod feature;
mod flight;
pub mod host;
mod kernel_file;
pub mod limits;
pub mod listeners;
pub mod network;
pub mod outsider;
pub mod own;
pub mod probe;
pub mod profile;
mod rate;
pub mod sampler;
mod server;
pub mod sockets;
pub mod sysctl;
pub mod target;
pub mod uring;

pub use diagnosis::{Needs, Row, Side, State, rows};
pub use elsewhere::Elsewhere;
pub use flight::Flight;
pub use profile::Profiler;
pub use sampler::{Probe, Sampler};
pub use server::Watched;
pub use target::Destination;

use std::time::Duration;

use cpu::Cpu;
use limits::Limits;
use network::Network;
use uring::Uring;

/// Everything that can be read without a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    /// As `uname -r` has it.
    pub release: String,
    pub uring: Uring,
    pub limits: Limits,
    pub network: Network,
    pub cpu: Cpu,
    /// The share of this host's processor time that its hypervisor gave to others.
    pub steal: Option<f64>,
}

impl Readings {
    /// Takes `interval` to see what is stolen.
    pub fn take(interval: Duration) -> Readings {
        let cpu = Cpu::read();
        let before = cpu::times(&cpu.allowed);
        std::thread::sleep(interval);
        let after = cpu::times(&cpu.allowed);
        Readings {
            release: sysctl::text("kernel.osrelease").unwrap_or_default(),
            uring: Uring::read(),
            limits: Limits::read(),
            network: Network::read(),
            steal: before.zip(after).and_then(|(before, after)| after.stolen_since(before)),
            cpu,
        }
    }
}
