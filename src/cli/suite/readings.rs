//! The host and the server, read from the first run of each setting to its last, and at the end put
//! together into one table.

use std::time::SystemTime;

use super::words::Meant;
use crate::engine;
use crate::error::Result;
use crate::metrics::{Gauges, Label, Server};
use crate::monitor::{Sampler, Watched, host, sampler};
use crate::report::Monitored;
use crate::report::monitored::Mark;
use crate::time::{self, Nanos};

#[derive(Default)]
pub struct Readings {
    going_on: Option<Sampler>,
    /// One a setting.
    parts: Vec<Gauges>,
    /// The first that was watched: after a restart it is another.
    server: Option<Server>,
    /// Name, from and to, by the clock of [`crate::time`].
    marks: Vec<(String, Nanos, Nanos)>,
}

impl Readings {
    /// Of the server too, where it is found.
    pub fn start(&mut self, meant: &Meant) -> Result<()> {
        let addresses = || engine::addresses(&meant.ready).unwrap_or_default();
        let watched = Watched::find(&meant.watch, addresses, meant.watch_pool)?;
        let probes = host::probes().into_iter().chain(watched.probes).collect();
        self.server = self.server.take().or(watched.server);
        self.going_on = Some(Sampler::start(probes, sampler::STEP)?);
        Ok(())
    }

    /// A run was there.
    pub fn mark(&mut self, name: String, from: Nanos, to: Nanos) {
        self.marks.push((name, from, to));
    }

    pub fn stop(&mut self) {
        self.parts.extend(self.going_on.take().map(Sampler::end));
    }

    /// All of it, with times from `began`; `None`: nothing was read.
    pub fn end(mut self, began: Nanos, started_at: SystemTime) -> Option<Monitored> {
        self.stop();
        if self.parts.iter().all(Gauges::is_empty) {
            return None;
        }
        let gauges = joined(&self.parts).since(began);
        let length = time::now() - began;
        let mut document = Monitored::new(started_at, length, self.server.as_ref(), &gauges);
        let since = |at: Nanos| (at - began).as_secs_f64();
        let marks = self.marks.into_iter();
        let mark = |(name, from, to)| Mark { name, from_s: since(from), to_s: since(to) };
        document.marks = marks.map(mark).collect();
        Some(document)
    }
}

/// One after another; a gap between them, and a gauge that only some of them have is unknown in the
/// others.
fn joined(parts: &[Gauges]) -> Gauges {
    let mut labels: Vec<Label> = Vec::new();
    for column in parts.iter().flat_map(|part| &part.columns) {
        if !labels.contains(&column.label) {
            labels.push(column.label.clone());
        }
    }
    let mut whole = Gauges::new(sampler::STEP, labels.clone());
    for part in parts {
        if let Some(last) = whole.at.last() {
            whole.push(*last + Nanos(1), &[]);
        }
        let columns: Vec<_> = labels.iter().map(|label| part.column(&label.name)).collect();
        for (row, at) in part.at.iter().enumerate() {
            let value = |column: &Option<&crate::metrics::gauge::Column>| {
                column.and_then(|column| column.values[row])
            };
            let values: Vec<Option<f64>> = columns.iter().map(value).collect();
            whole.push(*at, &values);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Unit;

    #[test]
    fn parts_become_one_table_with_a_gap_between_them() {
        let label = |name: &str| Label::new(name, Unit::Count);
        let mut first = Gauges::new(sampler::STEP, vec![label("a")]);
        first.push(Nanos(10), &[Some(1.0)]);
        let mut second = Gauges::new(sampler::STEP, vec![label("b"), label("a")]);
        second.push(Nanos(20), &[Some(7.0), Some(2.0)]);
        let whole = joined(&[first, second]);
        assert_eq!(whole.at, [Nanos(10), Nanos(11), Nanos(20)]);
        assert_eq!(whole.column("a").unwrap().values, [Some(1.0), None, Some(2.0)]);
        assert_eq!(whole.column("b").unwrap().values, [None, None, Some(7.0)]);
    }
}
