//! The heat map: the response times of each stretch of the run, the stronger coloured the more of
//! its requests took so long. Where lines show a quantile, it shows all of them: two bands are two
//! kinds of answers, and a stall is a slope.

use super::{Axis, Chart, Course, run};
use crate::report::document::Interval;

/// The most columns that a picture of this width can show; a longer run has several intervals in
/// each.
const MOST_COLUMNS: usize = 240;

/// From which share of a column's requests on each strength begins. Steps of about three: one
/// request in ten thousand is a stall, and must be seen beside the band that holds half of them.
pub const SHARES: [f64; 8] = [0.0, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3];

/// A row of neighbours of the same strength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// In s of the run.
    pub from: f64,
    pub to: f64,
    /// In us.
    pub low: f64,
    pub high: f64,
    /// Which of the shares that the legend names.
    pub strength: usize,
}

/// `None` for a run without requests, and for a document of an earlier build.
pub fn chart(course: &Course) -> Option<Chart> {
    let columns = columns(course);
    let used = || columns.iter().flat_map(|column| &column.counts);
    let least = used().map(|(bucket, _)| *bucket).min()?;
    let most = used().map(|(bucket, _)| *bucket).max()?;
    let cells = (least..=most).flat_map(|bucket| row(course, &columns, bucket)).collect();
    let (title, note) = match course.is_open_loop {
        true => (
            "Response time, heat map",
            "Each column is a stretch of the run, each row a range of response times, on a log \
             scale. The colour says how many of the requests that ended then took so long.",
        ),
        false => (
            "Service time, heat map",
            "Each column is a stretch of the run, each row a range of service times, on a log \
             scale. The colour says how many of the requests that ended then took so long.",
        ),
    };
    let y = Axis::latency(low(course, least), high(course, most));
    let frame = run::chart(course, title, note, y, Vec::new(), vec!["p50", "p95", "p99", "max"]);
    Some(Chart { cells, ..frame })
}

/// A stretch of the run, and what ended in it by bucket.
struct Column {
    from: f64,
    to: f64,
    counts: Vec<(usize, u64)>,
}

fn columns(course: &Course) -> Vec<Column> {
    let length = course.interval_s;
    let slot = |interval: &Interval| (interval.t_s / length).round().max(1.0) as usize - 1;
    let Some(last) = course.intervals.last() else { return Vec::new() };
    let each = (slot(last) + 1).div_ceil(MOST_COLUMNS);
    let mut columns: Vec<Column> = Vec::new();
    for stretch in course.intervals.chunk_by(|a, b| slot(a) / each == slot(b) / each) {
        let from = (slot(&stretch[0]) / each * each) as f64 * length;
        let to = (from + each as f64 * length).min(last.t_s);
        columns.push(Column { from, to, counts: sums(course, stretch) });
    }
    columns
}

/// What the intervals of a stretch hold together, bucket by bucket.
fn sums(course: &Course, stretch: &[Interval]) -> Vec<(usize, u64)> {
    let mut sums = vec![0; course.heat_bounds_us.len()];
    for (bucket, count) in stretch.iter().flat_map(|interval| &interval.heat.0) {
        if let Some(sum) = sums.get_mut(*bucket) {
            *sum += count;
        }
    }
    sums.into_iter().enumerate().filter(|(_, count)| *count > 0).collect()
}

/// The cells of one bucket, in order.
fn row(course: &Course, columns: &[Column], bucket: usize) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for column in columns {
        let Some((_, count)) = column.counts.iter().find(|(at, _)| *at == bucket) else { continue };
        let all: u64 = column.counts.iter().map(|(_, count)| count).sum();
        let strength = strength(*count as f64 / all as f64);
        match cells.last_mut() {
            Some(last) if last.to == column.from && last.strength == strength => {
                last.to = column.to;
            }
            _ => cells.push(Cell {
                from: column.from,
                to: column.to,
                low: low(course, bucket),
                high: high(course, bucket),
                strength,
            }),
        }
    }
    cells
}

fn strength(share: f64) -> usize {
    SHARES.partition_point(|from| *from <= share).max(1) - 1
}

/// Where a bucket begins in the picture: the first one, which begins at nothing, has a decade.
fn low(course: &Course, bucket: usize) -> f64 {
    let bounds = &course.heat_bounds_us;
    if bucket == 0 { high(course, 0) / 10.0 } else { bounds[bucket] }
}

/// Where it ends: the last one, which has no end, after half as much again.
fn high(course: &Course, bucket: usize) -> f64 {
    let bounds = &course.heat_bounds_us;
    bounds.get(bucket + 1).copied().unwrap_or_else(|| bounds[bucket] * 1.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::Heat;
    use crate::report::{Document, fixture};

    /// The strength at the middle of a stretch of time and of a bucket.
    fn found(map: &Chart, t: f64, us: f64) -> Option<usize> {
        let at = |cell: &&Cell| cell.from < t && t < cell.to && cell.low < us && us < cell.high;
        let mut cells = map.cells.iter().filter(at);
        let cell = cells.next();
        assert!(cells.next().is_none(), "two cells lie on each other at {t} s, {us} us");
        cell.map(|cell| cell.strength)
    }

    /// A document of so many intervals, each with these counts.
    fn uniform(intervals: usize, heat: &[(usize, u64)]) -> Document {
        let mut document = fixture::held().document();
        let sample = document.intervals[0].clone();
        let interval = |at: usize| Interval {
            t_s: (at + 1) as f64,
            heat: Heat(heat.to_vec()),
            ..sample.clone()
        };
        document.intervals = (0..intervals).map(interval).collect();
        document
    }

    #[test]
    fn every_cell_is_the_documents_share_and_where_nothing_ended_there_is_none() {
        for (name, run) in fixture::all() {
            let document = run.document();
            let Some(map) = chart(&Course::of(&document)) else {
                assert!(document.intervals.iter().all(|i| i.heat.0.is_empty()), "{name}");
                continue;
            };
            for interval in &document.intervals {
                let middle = interval.t_s - document.interval_s / 2.0;
                let all: u64 = interval.heat.0.iter().map(|(_, count)| count).sum();
                for bucket in 0..document.heat_bounds_us.len() {
                    let us = (low(&Course::of(&document), bucket)
                        * high(&Course::of(&document), bucket))
                    .sqrt();
                    let count = interval.heat.0.iter().find(|(at, _)| *at == bucket);
                    let expected = count.map(|(_, count)| strength(*count as f64 / all as f64));
                    assert_eq!(found(&map, middle, us), expected, "{name}: {middle} s, {us} us");
                }
            }
        }
    }

    #[test]
    fn the_slowest_of_an_interval_is_in_its_highest_cell() {
        let document = fixture::held().document();
        for interval in &document.intervals {
            let (bucket, _) = *interval.heat.0.last().unwrap();
            let max = interval.response_max_us.unwrap();
            assert!(
                low(&Course::of(&document), bucket) <= max
                    && max < high(&Course::of(&document), bucket)
            );
        }
    }

    #[test]
    fn one_in_ten_thousand_is_seen_and_half_of_them_are_the_strongest() {
        assert_eq!([0.000_001, 0.000_1].map(strength), [0, 0]);
        assert_eq!([0.000_3, 0.002, 0.1, 0.5, 1.0].map(strength), [1, 2, 6, 7, 7]);
    }

    #[test]
    fn a_long_run_has_no_more_columns_than_can_be_seen_and_their_counts_are_added() {
        let mut document = uniform(3_600, &[(10, 9), (20, 1)]);
        // One second of another kind in an hour: 1 of 15, and so no tenth of its column.
        document.intervals[1_800].heat = Heat(vec![(30, 10)]);
        let columns = columns(&Course::of(&document));
        assert_eq!(columns.len(), MOST_COLUMNS);
        assert_eq!(columns[0].counts, [(10, 135), (20, 15)]);
        let map = chart(&Course::of(&document)).unwrap();
        let us = document.heat_bounds_us[30] * 1.1;
        assert_eq!(found(&map, 1_805.0, us), Some(strength(10.0 / 150.0)));
        assert_eq!(found(&map, 1_820.0, us), None);
        assert_eq!(map.cells.iter().map(|cell| cell.to).fold(0.0, f64::max), 3_600.0);
    }

    #[test]
    fn neighbours_of_the_same_strength_are_one_cell_and_a_gap_parts_them() {
        let mut document = uniform(100, &[(10, 9), (20, 1)]);
        assert_eq!(chart(&Course::of(&document)).unwrap().cells.len(), 2);
        document.intervals.remove(50);
        assert_eq!(chart(&Course::of(&document)).unwrap().cells.len(), 4);
    }

    #[test]
    fn an_earlier_builds_document_has_no_heat_map() {
        let mut json = serde_json::to_value(fixture::held().document()).unwrap();
        json.as_object_mut().unwrap().remove("heat_bounds_us");
        for interval in json["intervals"].as_array_mut().unwrap() {
            interval.as_object_mut().unwrap().remove("heat");
        }
        assert!(chart(&Course::of(&serde_json::from_value(json).unwrap())).is_none());
    }

    #[test]
    fn the_ends_of_the_range_are_shown_too() {
        let last = fixture::held().document().heat_bounds_us.len() - 1;
        let document = uniform(3, &[(0, 1), (last, 1)]);
        let map = chart(&Course::of(&document)).unwrap();
        assert_eq!(map.cells.len(), 2);
        assert!(map.cells.iter().all(|cell| {
            map.y.low() <= cell.low && cell.low < cell.high && cell.high <= map.y.high()
        }));
    }
}
