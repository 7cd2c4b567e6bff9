//! This host as a gauge: its processors.

use super::cpu::{self, Times};
use super::sampler::Probe;
use crate::metrics::{Label, Unit};

/// All processors of this host together.
#[derive(Debug, Default)]
pub struct Host {
    before: Option<Times>,
}

impl Probe for Host {
    fn labels(&self) -> Vec<Label> {
        vec![Label::new("host.cpu_steal", Unit::Percent)]
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let now = cpu::times(&crate::host::allowed_cores());
        let stolen = self.before.zip(now).and_then(|(before, now)| now.stolen_since(before));
        values.push(stolen.map(|share| share * 100.0));
        self.before = now;
    }
}
