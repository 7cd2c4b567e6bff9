//! Gauges: what was read beside the load, once a second, on the run's clock: of the host, of the
//! server where it runs here, and of whatever else somebody wanted to see.
//!
//! Bounded as the series is: at most [`LIMIT`] readings; past that neighbours merge into their mean
//! and the step doubles.

use super::series::LIMIT;
use crate::time::Nanos;

/// What the numbers of a gauge count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 100 is all of it: of the host's processors, of memory, of one core for a process.
    Percent,
    Bytes,
    BytesPerSecond,
    PerSecond,
    Count,
    /// Whatever a command or a page says.
    Number,
}

impl Unit {
    /// As in the result document.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Percent => "percent",
            Unit::Bytes => "bytes",
            Unit::BytesPerSecond => "bytes_per_s",
            Unit::PerSecond => "per_s",
            Unit::Count => "count",
            Unit::Number => "number",
        }
    }

    /// Of how much a gauge grows in a minute.
    pub fn name_per_min(self) -> &'static str {
        match self {
            Unit::Percent => "percent_per_min",
            Unit::Bytes => "bytes_per_min",
            Unit::BytesPerSecond => "bytes_per_s_per_min",
            Unit::PerSecond => "per_s_per_min",
            Unit::Count => "count_per_min",
            Unit::Number => "number_per_min",
        }
    }
}

/// One column of the table: who it is of, a point, what it is (`host.cpu`, `server.rss`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub name: String,
    pub unit: Unit,
}

impl Label {
    pub fn new(name: impl Into<String>, unit: Unit) -> Label {
        Label { name: name.into(), unit }
    }
}

/// The table: a row a reading, a column a gauge.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauges {
    /// The time from one reading to the next, after any doubling.
    pub step: Nanos,
    /// When each row was read, in order; of a summary: from the start of warm-up.
    pub at: Vec<Nanos>,
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub label: Label,
    /// As long as `at`; `None`: it could not be read then.
    pub values: Vec<Option<f64>>,
}

/// One gauge over measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    pub min: f64,
    pub mean: f64,
    pub max: f64,
    pub last: f64,
    /// The slope of the line with the least squares; 0 for fewer than two readings.
    pub growth_per_min: f64,
}

impl Gauges {
    pub fn new(step: Nanos, labels: Vec<Label>) -> Gauges {
        let column = |label| Column { label, values: Vec::new() };
        Gauges { step, at: Vec::new(), columns: labels.into_iter().map(column).collect() }
    }

    /// Another row. `values` is in the order of the columns; what is missing was not read.
    pub fn push(&mut self, at: Nanos, values: &[Option<f64>]) {
        self.at.push(at);
        for (index, column) in self.columns.iter_mut().enumerate() {
            let value = values.get(index).copied().flatten();
            column.values.push(value.filter(|value| value.is_finite()));
        }
        if self.at.len() > LIMIT {
            self.double();
        }
    }

    fn double(&mut self) {
        self.step = self.step + self.step;
        // A merged row stands at the end of its time, as an interval does.
        self.at = self.at.chunks(2).map(|pair| pair[pair.len() - 1]).collect();
        for column in &mut self.columns {
            column.values = column.values.chunks(2).map(mean).collect();
        }
    }

    /// The rows that were read after an instant and up to another one.
    pub fn between(&self, after: Nanos, to: Nanos) -> Gauges {
        let rows =
            self.at.partition_point(|at| *at <= after)..self.at.partition_point(|at| *at <= to);
        let rows = rows.start..rows.end.max(rows.start);
        let column = |column: &Column| Column {
            label: column.label.clone(),
            values: column.values[rows.clone()].to_vec(),
        };
        Gauges {
            step: self.step,
            at: self.at[rows.clone()].to_vec(),
            columns: self.columns.iter().map(column).collect(),
        }
    }

    /// The same table with its times counted from `origin`; what was read before it is left out.
    pub fn since(mut self, origin: Nanos) -> Gauges {
        let before = self.at.partition_point(|at| *at < origin);
        self.at.drain(..before);
        self.at.iter_mut().for_each(|at| *at = *at - origin);
        for column in &mut self.columns {
            column.values.drain(..before);
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.label.name == name)
    }

    /// What was read of a gauge, and when.
    pub fn readings(&self, name: &str) -> impl Iterator<Item = (Nanos, f64)> + '_ {
        let column = self.column(name).into_iter();
        let rows = column.flat_map(|column| self.at.iter().zip(&column.values));
        rows.filter_map(|(at, value)| Some((*at, (*value)?)))
    }

    /// How a gauge went from one instant to another (`from` excluded, as a row tells of the time
    /// before it); `None` where there is no such gauge, or it was not read in that time. A run
    /// shorter than a step takes the first row after it.
    pub fn course(&self, name: &str, from: Nanos, to: Nanos) -> Option<Course> {
        let after: Vec<(Nanos, f64)> = self.readings(name).filter(|(at, _)| *at > from).collect();
        let within = after.iter().filter(|(at, _)| *at <= to).count();
        let least = usize::from(to - from < self.step).min(after.len());
        Course::of(&after[..within.max(least)])
    }

    /// The sum of value times seconds over this time: a row tells of the time since the one before
    /// it, in which the value counts as steady. What was not read counts as nothing; past the last
    /// row its value goes on. `None` where nothing was read.
    pub fn integral(&self, name: &str, from: Nanos, to: Nanos) -> Option<f64> {
        let values = &self.column(name)?.values;
        let mut start = Nanos::ZERO;
        let mut sum = None;
        for (row, (at, value)) in self.at.iter().zip(values).enumerate() {
            let end = if row + 1 == self.at.len() { to.max(*at) } else { *at };
            let within = (end.min(to) - start.max(from)).as_secs_f64();
            if let Some(value) = value {
                sum = Some(sum.unwrap_or(0.0) + value * within);
            }
            start = *at;
        }
        sum
    }
}

impl Course {
    /// Of readings in order of time.
    fn of(read: &[(Nanos, f64)]) -> Option<Course> {
        let (_, last) = *read.last()?;
        let values = || read.iter().map(|(_, value)| *value);
        Some(Course {
            min: values().fold(f64::INFINITY, f64::min),
            mean: values().sum::<f64>() / read.len() as f64,
            max: values().fold(f64::NEG_INFINITY, f64::max),
            last,
            growth_per_min: slope(read) * 60.0,
        })
    }
}

/// By least squares, per second.
fn slope(read: &[(Nanos, f64)]) -> f64 {
    let count = read.len() as f64;
    let time = |at: Nanos| at.as_secs_f64();
    let mean_t = read.iter().map(|(at, _)| time(*at)).sum::<f64>() / count;
    let mean_v = read.iter().map(|(_, value)| value).sum::<f64>() / count;
    let product = |(at, value): &(Nanos, f64)| (time(*at) - mean_t) * (value - mean_v);
    let square = |(at, _): &(Nanos, f64)| (time(*at) - mean_t).powi(2);
    let spread: f64 = read.iter().map(square).sum();
    if spread > 0.0 { read.iter().map(product).sum::<f64>() / spread } else { 0.0 }
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let read: Vec<f64> = values.iter().copied().flatten().collect();
    (!read.is_empty()).then(|| read.iter().sum::<f64>() / read.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[Option<f64>]) -> Gauges {
        let mut gauges = Gauges::new(SECOND, vec![Label::new("a", Unit::Count)]);
        for (second, value) in (1..).zip(values) {
            gauges.push(Nanos::from_secs(second), &[*value]);
        }
        gauges
    }

    const SECOND: Nanos = Nanos::from_secs(1);

    #[test]
    fn a_course_is_of_the_time_asked_for() {
        let gauges = table(&[Some(90.0), Some(1.0), None, Some(3.0), Some(4.0), Some(50.0)]);
        let course = gauges.course("a", SECOND, Nanos::from_secs(5)).unwrap();
        assert_eq!((course.min, course.max, course.last), (1.0, 4.0, 4.0));
        assert!((course.mean - 8.0 / 3.0).abs() < 1e-9);
        // Through (2, 1), (4, 3) and (5, 4): one more a second.
        assert!((course.growth_per_min - 60.0).abs() < 1e-9);
        assert_eq!(gauges.course("b", SECOND, Nanos::from_secs(5)), None);
        assert_eq!(table(&[None, None]).course("a", Nanos::ZERO, SECOND), None);
    }

    #[test]
    fn a_run_shorter_than_a_step_has_the_first_reading_after_it() {
        let course = table(&[Some(7.0), Some(9.0)]).course("a", Nanos::ZERO, Nanos(5)).unwrap();
        let flat = Course { min: 7.0, mean: 7.0, max: 7.0, last: 7.0, growth_per_min: 0.0 };
        assert_eq!(course, flat);
        // What was read when a longer one was over is not of it.
        let gauges = table(&[None, None, Some(9.0)]);
        assert_eq!(gauges.course("a", Nanos::ZERO, Nanos::from_secs(2)), None);
    }

    #[test]
    fn an_integral_is_over_the_very_time_asked_for() {
        let gauges = table(&[Some(10.0), None, Some(30.0), Some(40.0)]);
        let half = Nanos::from_millis(500);
        // Half of the first second, nothing of the second, all of the third, half of the fourth.
        assert_eq!(gauges.integral("a", half, Nanos::from_secs(3) + half), Some(55.0));
        assert_eq!(gauges.integral("a", Nanos::ZERO, Nanos::from_secs(5)), Some(120.0));
        assert_eq!(gauges.integral("a", SECOND, Nanos::from_secs(2)), Some(0.0));
        assert_eq!(gauges.integral("b", Nanos::ZERO, SECOND), None);
        assert_eq!(table(&[None]).integral("a", Nanos::ZERO, SECOND), None);
    }

    #[test]
    fn a_long_run_keeps_as_many_rows_as_the_series() {
        let values: Vec<_> = (0..LIMIT).map(|second| Some(second as f64)).collect();
        let mut gauges = table(&values);
        assert_eq!((gauges.at.len(), gauges.step), (LIMIT, SECOND));
        gauges.push(Nanos::from_secs(LIMIT as u64 + 1), &[]);
        assert_eq!((gauges.at.len(), gauges.step), (LIMIT / 2 + 1, Nanos::from_secs(2)));
        let column = &gauges.columns[0].values;
        assert_eq!((column[0], column[1], column[LIMIT / 2]), (Some(0.5), Some(2.5), None));
        assert_eq!(gauges.at[0], Nanos::from_secs(2));
    }

    #[test]
    fn what_was_read_before_the_run_is_left_out() {
        let gauges = table(&[Some(1.0), Some(2.0), Some(3.0)]).since(Nanos::from_secs(2));
        assert_eq!(gauges.at, [Nanos::ZERO, SECOND]);
        assert_eq!(gauges.columns[0].values, [Some(2.0), Some(3.0)]);
    }

    #[test]
    fn rows_are_taken_out_by_their_time() {
        let gauges = table(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
        let part = gauges.between(SECOND, Nanos::from_secs(3));
        assert_eq!(part.at, [Nanos::from_secs(2), Nanos::from_secs(3)]);
        assert_eq!(part.columns[0].values, [Some(2.0), Some(3.0)]);
        assert!(gauges.between(Nanos::from_secs(3), SECOND).is_empty());
    }

    #[test]
    fn what_is_no_number_was_not_read() {
        assert_eq!(table(&[Some(f64::NAN)]).columns[0].values, [None]);
    }
}
