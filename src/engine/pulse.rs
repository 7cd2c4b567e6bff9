//! The pulse: how busy a worker was, second by second, while the run goes on. Taken on the worker's
//! thread where it posts a snapshot, so once an interval; the figures of the report are the meter's.

use crate::host;
use crate::metrics::Worker;
use crate::time::{self, Nanos};

/// A worker's readings at one instant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    wall: Nanos,
    cpu: Nanos,
    spun: Nanos,
    starved: Nanos,
}

impl Pulse {
    /// Of the calling thread, which has spun so long.
    pub fn now(spun: Nanos) -> Pulse {
        let (wall, cpu) = (time::now(), time::thread_cpu());
        Pulse { wall, cpu, spun, starved: host::thread_starved() }
    }

    /// The share of the time since `earlier` that the worker was busy, as the report means it.
    pub fn busy_since(&self, earlier: &Pulse) -> f64 {
        let cpu_time = self.cpu - earlier.cpu;
        let between = Worker {
            cpu_time,
            spin_time: (self.spun - earlier.spun).min(cpu_time),
            starved_time: self.starved - earlier.starved,
            wall_time: self.wall - earlier.wall,
            ..Worker::default()
        };
        between.busy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_busy_while_it_neither_waits_nor_spins() {
        let millis = Nanos::from_millis;
        let first = Pulse { wall: millis(10), cpu: millis(5), spun: millis(2), starved: millis(0) };
        let later = Pulse {
            wall: millis(1_010),
            cpu: millis(805),
            spun: millis(302),
            starved: millis(100),
        };
        assert!((later.busy_since(&first) - 0.6).abs() < 1e-9);
        assert_eq!(first.busy_since(&first), 0.0);
    }
}
