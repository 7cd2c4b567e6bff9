//! One number that is read once a second, on a thread of its own.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::metrics::{Label, Unit, Warning};
use crate::monitor::sampler::{Probe, STEP};
use crate::time::{self, Nanos};

/// A reading that is older tells nothing of now.
const STALE: Nanos = Nanos::from_secs(3 * STEP.0 / 1_000_000_000);

/// How one number is read.
pub trait Source: Send + 'static {
    /// The gauge that it is.
    fn gauge(&self) -> String;

    /// Reads it. An error says what came instead, fit to follow `the first time it`. Where it may
    /// take long, it ends soon once `ends` is true.
    fn read(&mut self, ends: &dyn Fn() -> bool) -> std::result::Result<f64, String>;

    /// Whether the end of the run waits for a reading that is under way to be cut short.
    const IS_WAITED_FOR: bool;

    /// The code of the warning, and what is expected.
    const CODE: &'static str;
    const EXPECTED: &'static str;
}

/// A thread at work. Dropping it ends it.
pub struct Repeated {
    label: Label,
    shared: Arc<Shared>,
    /// Of a source that is waited for.
    thread: Option<JoinHandle<()>>,
    code: &'static str,
    expected: &'static str,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    /// When the last reading was there, if it succeeded.
    value: Option<(Nanos, f64)>,
    asked: u64,
    failed: u64,
    /// What came the first time that it failed.
    first: Option<String>,
    ends: bool,
}

impl Repeated {
    pub fn start<S: Source>(mut source: S) -> Result<Repeated> {
        let label = Label::new(source.gauge(), Unit::Number);
        let shared = Arc::new(Shared::default());
        let loan = shared.clone();
        let thread = thread::Builder::new().name("blast-elsewhere".to_string());
        let thread = thread.spawn(move || loan.repeat(&mut source)).map_err(|error| {
            Error::failed(format!(
                "the thread of {} could not be started ({error}); try again",
                label.name
            ))
        })?;
        let thread = S::IS_WAITED_FOR.then_some(thread);
        Ok(Repeated { label, shared, thread, code: S::CODE, expected: S::EXPECTED })
    }

    pub fn probe(&self) -> Box<dyn Probe> {
        Box::new(Last { label: self.label.clone(), shared: self.shared.clone() })
    }

    /// What there is to tell of readings that failed.
    pub fn end(&self) -> Option<Warning> {
        self.shared.stop();
        let state = self.shared.lock();
        state.first.as_ref().map(|first| Warning::NotRead {
            code: self.code,
            gauge: self.label.name.clone(),
            failed: state.failed,
            asked: state.asked,
            first: first.clone(),
            hint: self.expected,
        })
    }
}

impl Drop for Repeated {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.lock().ends = true;
        self.wake.notify_all();
    }

    fn repeat(&self, source: &mut impl Source) {
        let mut due = time::now();
        while !self.wait_until(due) {
            let read = source.read(&|| self.lock().ends);
            let now = time::now();
            let mut state = self.lock();
            if state.ends {
                // The end cut it short: that is no failure.
                return;
            }
            state.asked += 1;
            state.value = read.as_ref().ok().map(|value| (now, *value));
            if let Err(what) = read {
                state.failed += 1;
                state.first.get_or_insert(what);
            }
            // Never two at once, and one that took long is not made up for.
            while due <= now {
                due += STEP;
            }
        }
    }

    /// Whether this is the end.
    fn wait_until(&self, due: Nanos) -> bool {
        let mut state = self.lock();
        loop {
            let left = due - time::now();
            if state.ends || left == Nanos::ZERO {
                return state.ends;
            }
            let waited = self.wake.wait_timeout(state, Duration::from_nanos(left.0));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Hands over what was read last.
struct Last {
    label: Label,
    shared: Arc<Shared>,
}

impl Probe for Last {
    fn labels(&self) -> Vec<Label> {
        vec![self.label.clone()]
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let now = time::now();
        let value = self.shared.lock().value;
        values.push(value.filter(|(at, _)| now - *at <= STALE).map(|(_, value)| value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails every second time.
    struct Fickle(u64);

    impl Source for Fickle {
        fn gauge(&self) -> String {
            "sample.fickle".to_string()
        }

        fn read(&mut self, _: &dyn Fn() -> bool) -> std::result::Result<f64, String> {
            self.0 += 1;
            if self.0.is_multiple_of(2) {
                Err(format!("said {}", self.0))
            } else {
                Ok(self.0 as f64)
            }
        }

        const IS_WAITED_FOR: bool = true;
        const CODE: &'static str = "sample_failed";
        const EXPECTED: &'static str = "odd numbers are expected";
    }

    fn value(probe: &mut dyn Probe) -> Option<f64> {
        let mut values = Vec::new();
        probe.read(&mut values);
        values[0]
    }

    #[test]
    fn the_last_reading_is_handed_over_and_a_failure_is_a_gap_that_is_told() {
        let repeated = Repeated::start(Fickle(0)).unwrap();
        let mut probe = repeated.probe();
        assert_eq!(probe.labels(), [Label::new("sample.fickle", Unit::Number)]);
        // Of the first second, and of the next.
        while value(&mut *probe) != Some(1.0) {
            thread::sleep(Duration::from_millis(2));
        }
        while value(&mut *probe).is_some() {
            thread::sleep(Duration::from_millis(2));
        }
        let Some(Warning::NotRead { code, failed: 1, asked: 2, first, .. }) = repeated.end() else {
            panic!("it failed once of two times")
        };
        assert_eq!((code, first.as_str()), ("sample_failed", "said 2"));
    }

    #[test]
    fn what_is_stale_was_not_read() {
        let shared = Arc::new(Shared::default());
        let mut last = Last { label: Label::new("x", Unit::Number), shared: shared.clone() };
        let at = |age| Some((time::now() - Nanos::from_millis(age), 5.0));
        shared.lock().value = at(2_900);
        assert_eq!(value(&mut last), Some(5.0));
        shared.lock().value = at(3_001);
        assert_eq!(value(&mut last), None);
    }
}
