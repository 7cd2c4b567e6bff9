//! The meter: what a worker's work cost in measure. Read at the two ends of measure only.

use crate::host;
use crate::metrics::{Phase, Worker};
use crate::time::{self, Nanos};

/// What a driver counts as it goes, since its start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    /// System calls into the ring.
    pub enters: u64,
    pub completions: u64,
    pub spin_time: Nanos,
    pub buffers_exhausted: u64,
    pub cq_overflows: u64,
}

#[derive(Debug)]
pub struct Meter {
    phase: Phase,
    start: Option<Mark>,
    worker: Worker,
}

/// The readings at one instant.
#[derive(Clone, Copy, Debug)]
struct Mark {
    effort: Effort,
    wall: Nanos,
    cpu: Nanos,
    starved: Nanos,
}

impl Meter {
    pub fn new(connections: u32) -> Meter {
        Meter::of(connections.into())
    }

    fn of(connections: u64) -> Meter {
        let worker = Worker { connections, ..Worker::default() };
        Meter { phase: Phase::Warmup, start: None, worker }
    }

    /// The phase has changed, so [`Meter::turn_over`] has to note the readings.
    #[inline]
    pub fn is_due(&self, phase: Phase) -> bool {
        phase != self.phase
    }

    /// The readings of measure; if it never ended, up to now. It begins anew.
    pub fn finish(&mut self, effort: Effort) -> Worker {
        self.turn_over(Phase::Drain, effort);
        let next = Meter::of(self.worker.connections);
        std::mem::replace(self, next).worker
    }

    pub fn turn_over(&mut self, phase: Phase, effort: Effort) {
        let mark = Mark::now(effort);
        match (self.phase, phase) {
            (_, Phase::Measure) => self.start = Some(mark),
            (Phase::Measure, _) => {
                if let Some(start) = self.start {
                    self.measured(&start, &mark);
                }
            }
            _ => {}
        }
        self.phase = phase;
    }

    fn measured(&mut self, start: &Mark, end: &Mark) {
        let (from, to) = (&start.effort, &end.effort);
        let cpu_time = end.cpu - start.cpu;
        self.worker = Worker {
            cpu_time,
            // By the clock: a worker that is stopped while it spins would spin for all that time.
            spin_time: (to.spin_time - from.spin_time).min(cpu_time),
            starved_time: end.starved - start.starved,
            wall_time: end.wall - start.wall,
            enters: to.enters - from.enters,
            completions: to.completions - from.completions,
            buffers_exhausted: to.buffers_exhausted - from.buffers_exhausted,
            cq_overflows: to.cq_overflows - from.cq_overflows,
            ..self.worker
        };
    }
}

impl Mark {
    fn now(effort: Effort) -> Mark {
        let (wall, cpu) = (time::now(), time::thread_cpu());
        Mark { effort, wall, cpu, starved: host::thread_starved() }
    }
}
