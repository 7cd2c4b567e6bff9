//! The processor time of this process as a gauge, `client.cpu`: all its threads, in percent of one
//! core.

use super::sampler::Probe;
use crate::metrics::{Label, Unit};
use crate::time::{self, Nanos};

/// What had been spent at the reading before, and when that was.
#[derive(Debug, Default)]
pub struct Own {
    before: Option<(Nanos, Nanos)>,
}

impl Probe for Own {
    fn labels(&self) -> Vec<Label> {
        vec![Label::new("client.cpu", Unit::Percent)]
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let (now, spent) = (time::now(), time::process_cpu());
        let used = self.before.replace((now, spent)).filter(|(then, _)| now > *then);
        values.push(used.map(|(then, before)| {
            (spent - before).as_secs_f64() / (now - then).as_secs_f64() * 100.0
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_spends_is_read_from_the_second_time_on() {
        let mut own = Own::default();
        let mut values = Vec::new();
        own.read(&mut values);
        let (began, mut sum) = (time::now(), 0u64);
        let spent = time::process_cpu();
        while time::process_cpu() - spent < Nanos::from_millis(20) {
            sum = std::hint::black_box(sum + 1);
        }
        own.read(&mut values);
        let least = 20.0 / ((time::now() - began).as_secs_f64() * 1e3) * 100.0;
        assert_eq!(values[0], None);
        // Other tests of this process spend, too.
        assert!(values[1].unwrap() >= least * 0.9, "{values:?}, {least}");
    }
}
