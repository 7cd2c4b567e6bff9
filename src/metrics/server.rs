//! The server, where it was watched beside the load.

use super::Summary;
use crate::time::Nanos;

/// Who it is, as it was before the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Of its first process.
    pub pid: u32,
    pub name: String,
    pub processes: u64,
}

impl Summary {
    /// The processor time of the watched server in measure; `None` where it was not read.
    pub fn server_cpu(&self) -> Option<Nanos> {
        let start = self.warmup_length;
        let end = start + self.measured;
        let percent_s = self.gauges.as_ref()?.integral("server.cpu", start, end)?;
        // A float becomes an integer by saturation.
        Some(Nanos((percent_s / 100.0 * 1e9).round() as u64))
    }

    /// The same over the completed requests, in microseconds.
    pub fn server_us_per_request(&self) -> Option<f64> {
        let completed = self.measure_events.completed;
        let cpu = self.server_cpu()?;
        (completed > 0).then(|| cpu.as_micros_f64() / completed as f64)
    }

    /// Its memory at the first reading in measure.
    pub fn server_rss_first(&self) -> Option<u64> {
        let gauges = self.gauges.as_ref()?;
        let read = gauges.at.iter().zip(&gauges.column("server.rss")?.values);
        let mut after = read.filter(|(at, _)| **at > self.warmup_length);
        after.find_map(|(_, value)| *value).map(|bytes| bytes as u64)
    }

    /// When the watched processes had all ended, from the start of warm-up, if they had when the
    /// run was over.
    pub fn server_gone(&self) -> Option<Nanos> {
        let (gauges, _) = (self.gauges.as_ref()?, self.server.as_ref()?);
        let read = &gauges.column("server.rss")?.values;
        let last = read.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        gauges.at.get(last).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Gauges, Label, Mode, Unit, fixture};
    use super::*;

    /// A second of warm-up and two of measure; processor time and memory each second.
    fn watched(rows: &[(Option<f64>, Option<f64>)]) -> Summary {
        let mut summary = fixture::blank(Mode::Closed);
        summary.warmup_length = Nanos::from_secs(1);
        summary.measured = Nanos::from_secs(2);
        summary.measure_events.completed = 1_000;
        summary.server = Some(Server { pid: 7, name: "nginx".to_string(), processes: 1 });
        let labels =
            vec![Label::new("server.cpu", Unit::Percent), Label::new("server.rss", Unit::Bytes)];
        let mut gauges = Gauges::new(Nanos::from_secs(1), labels);
        for (second, (cpu, rss)) in (1..).zip(rows) {
            gauges.push(Nanos::from_secs(second), &[*cpu, *rss]);
        }
        summary.gauges = Some(gauges);
        summary
    }

    #[test]
    fn what_a_request_cost_the_server_is_of_measure_alone() {
        let row = |cpu, rss| (Some(cpu), Some(rss));
        let summary = watched(&[row(100.0, 5.0), row(50.0, 6.0), row(30.0, 7.0), row(90.0, 8.0)]);
        assert_eq!(summary.server_cpu(), Some(Nanos::from_millis(800)));
        assert_eq!(summary.server_us_per_request(), Some(800.0));
        assert_eq!((summary.server_rss_first(), summary.server_gone()), (Some(6), None));
    }

    #[test]
    fn one_that_ended_is_gone_from_its_first_empty_reading_on() {
        let (row, none) = ((Some(100.0), Some(5.0)), (None, None));
        let summary = watched(&[row, row, none, none]);
        assert_eq!(summary.server_gone(), Some(Nanos::from_secs(3)));
        assert_eq!(summary.server_cpu(), Some(Nanos::from_secs(1)));
        // One that came back is there.
        assert_eq!(watched(&[row, none, row]).server_gone(), None);
        assert_eq!(watched(&[none]).server_gone(), Some(Nanos::from_secs(1)));
        let nobody = Summary { server: None, ..watched(&[row, none]) };
        assert_eq!(nobody.server_gone(), None);
    }
}
