//! Reads gauges beside a load, once a step, on a thread of its own.
//!
//! A [`Probe`] must come back at once: what may take long (a command, a page of another server) has
//! a thread of its own and hands over what it read last.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::metrics::{Gauges, Label};
use crate::time::{self, Nanos};

/// From one reading to the next.
pub const STEP: Nanos = Nanos::from_secs(1);

/// A last reading this soon after the one before tells nothing of its own.
const TOO_SOON: Nanos = Nanos::from_millis(200);

/// A thread that wakes no later than this woke in time.
const LATE: Nanos = Nanos::from_millis(50);

/// Something that can be read again and again.
pub trait Probe: Send {
    /// What it reads; the same from the first call to the last.
    fn labels(&self) -> Vec<Label>;

    /// Appends a value for each of them; `None`: it could not be read this time.
    fn read(&mut self, values: &mut Vec<Option<f64>>);
}

/// Probes at work. Dropping it ends them.
pub struct Sampler {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    /// Times on the clock of [`crate::time`].
    gauges: Gauges,
    latest: Vec<Option<f64>>,
    /// When what is read begins to count.
    begins: Option<Nanos>,
    ends: bool,
}

/// What a wait came to.
enum Wake {
    Due,
    Begin(Nanos),
    End,
}

impl Sampler {
    pub fn start(mut probes: Vec<Box<dyn Probe>>, step: Nanos) -> Result<Sampler> {
        let labels = probes.iter().flat_map(|probe| probe.labels()).collect();
        let gauges = Gauges::new(step, labels);
        let state = State { gauges, latest: Vec::new(), begins: None, ends: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), wake: Condvar::new() });
        let loan = shared.clone();
        let thread = thread::Builder::new().name("blast-monitor".to_string());
        // Rates are of the time since the reading before: this one is told nobody.
        probes.iter_mut().for_each(|probe| probe.read(&mut Vec::new()));
        let began = time::now();
        let thread =
            thread.spawn(move || loan.sample(&mut probes, step, began)).map_err(|error| {
                Error::failed(format!(
                    "the monitor's thread could not be started ({error}); try again"
                ))
            })?;
        Ok(Sampler { shared, thread: Some(thread) })
    }

    /// What was read last, in the order of the labels; empty before the first reading.
    pub fn latest(&self) -> Vec<(Label, Option<f64>)> {
        let state = self.shared.lock();
        let labels = state.gauges.columns.iter().map(|column| column.label.clone());
        labels.zip(state.latest.iter().copied()).collect()
    }

    /// From this instant on readings are a step apart, and the first of them is of the step after
    /// it: no reading mixes what was before with what came then.
    pub fn begin_at(&self, at: Nanos) {
        self.shared.lock().begins = Some(at);
        self.shared.wake.notify_all();
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.shared.lock().gauges.at.len()
    }

    /// What was read after an instant and up to another one, by the clock of [`crate::time`].
    pub fn between(&self, after: Nanos, to: Nanos) -> Gauges {
        self.shared.lock().gauges.between(after, to)
    }

    /// Reads once more, and hands over everything that was read, by the clock of [`crate::time`].
    pub fn end(mut self) -> Gauges {
        self.stop();
        let mut state = self.shared.lock();
        std::mem::replace(&mut state.gauges, Gauges::new(STEP, Vec::new()))
    }

    fn stop(&mut self) {
        self.shared.lock().ends = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A probe that panicked costs the readings from there on, not the run.
            let _ = thread.join();
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `began`: when they were read first.
    fn sample(&self, probes: &mut [Box<dyn Probe>], step: Nanos, began: Nanos) {
        let mut before = began;
        let mut due = before + step;
        loop {
            let wake = self.wait_until(due);
            if let Wake::Begin(at) = wake {
                thread::sleep(Duration::from(at - time::now()));
                // As at the start: this one is told nobody.
                probes.iter_mut().for_each(|probe| probe.read(&mut Vec::new()));
                (before, due) = (at, at + step);
                continue;
            }
            let ends = matches!(wake, Wake::End);
            let now = time::now();
            if !ends || now - before >= TOO_SOON {
                let mut values = Vec::new();
                probes.iter_mut().for_each(|probe| probe.read(&mut values));
                // A row stands where it was due, so that the last second of a measure is in it.
                let at = if !ends && now - due < LATE { due } else { now };
                let mut state = self.lock();
                state.gauges.push(at, &values);
                state.latest = values;
            }
            if ends {
                return;
            }
            before = now;
            // One that was overslept is not made up for.
            while due <= now {
                due += step;
            }
        }
    }

    fn wait_until(&self, due: Nanos) -> Wake {
        let mut state = self.lock();
        loop {
            let left = due - time::now();
            if state.ends {
                return Wake::End;
            }
            if let Some(at) = state.begins.take() {
                return Wake::Begin(at);
            }
            if left == Nanos::ZERO {
                return Wake::Due;
            }
            let waited = self.wake.wait_timeout(state, Duration::from_nanos(left.0));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Unit;

    /// Counts how often it was read.
    struct Count(f64);

    impl Probe for Count {
        fn labels(&self) -> Vec<Label> {
            vec![Label::new("reads", Unit::Count), Label::new("nothing", Unit::Count)]
        }

        fn read(&mut self, values: &mut Vec<Option<f64>>) {
            self.0 += 1.0;
            values.extend([Some(self.0), None]);
        }
    }

    #[test]
    fn probes_are_read_once_a_step_and_once_more_at_the_end() {
        let start = time::now();
        let step = Nanos::from_millis(20);
        let sampler = Sampler::start(vec![Box::new(Count(0.0))], step).unwrap();
        while sampler.latest().first().is_none_or(|(_, value)| *value < Some(3.0)) {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(1));
        let gauges = sampler.end();
        let [reads, nothing] = &gauges.columns[..] else { panic!("{gauges:?}") };
        // The first one was before the table began.
        let expected: Vec<_> = (0..gauges.at.len()).map(|row| Some(row as f64 + 2.0)).collect();
        assert_eq!(reads.values, expected);
        assert!(nothing.values.iter().all(Option::is_none));
        assert!(gauges.at.iter().all(|at| *at >= start + step));
        assert!(gauges.at.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn readings_are_counted_from_where_the_load_begins() {
        let step = Nanos::from_millis(300);
        let sampler = Sampler::start(vec![Box::new(Count(0.0))], step).unwrap();
        let begins = time::now() + Nanos::from_millis(20);
        sampler.begin_at(begins);
        while sampler.rows() < 2 {
            thread::sleep(Duration::from_millis(1));
        }
        let gauges = sampler.end();
        // Two were before it.
        assert_eq!(gauges.columns[0].values[0], Some(3.0));
        for (row, at) in gauges.at.iter().take(2).enumerate() {
            let due = begins + Nanos(step.0 * (row as u64 + 1));
            // On a busy machine a thread wakes late, but no step late.
            assert!(*at >= due && *at < due + step, "{row}: {at:?} for {due:?}");
        }
    }

    #[test]
    fn a_run_shorter_than_a_step_has_its_reading_at_the_end() {
        let sampler = Sampler::start(vec![Box::new(Count(0.0))], STEP).unwrap();
        thread::sleep(Duration::from(TOO_SOON));
        assert_eq!(sampler.end().at.len(), 1);
    }
}
