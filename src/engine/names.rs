//! Names: what is told of each of them once a second, where somebody asked for it. Summed up on the
//! control thread from what the workers publish anyway; without a scenario there is one name, and
//! all that is known of it lies there already.

use std::collections::VecDeque;

use super::by_name;
use super::collect::Collector;
use super::tally::INTERVAL;
use crate::metrics::{
    Ended, Ends, Events, Fates, Interval, NameRow, Part, Portion, Snapshot, Times,
};
use crate::plan::Plan;
use crate::plan::mask::mask_query;
use crate::time::Nanos;

pub struct Names {
    heads: Vec<Head>,
    /// By entry of the scenario; empty without one.
    sums: Vec<Portion>,
    /// The seconds that are not over yet, oldest first: what ended in them, by entry.
    open: VecDeque<(u32, Vec<Ends>)>,
    /// The second that was over last, of each entry and of the whole.
    last: Vec<Ends>,
    last_of_all: Ends,
    /// The end of a second that nobody was told of yet.
    news_of: Option<Nanos>,
}

/// What a row is called.
struct Head {
    name: String,
    method: String,
    part: Part,
    share_asked: Option<f64>,
}

impl Names {
    /// `None`: nobody asked.
    pub fn of(plan: &Plan) -> Option<Names> {
        let heads = plan.tells_names.then(|| heads(plan))?;
        let entries = plan.scenario.as_ref().map_or(0, |scenario| scenario.entries.len());
        Some(Names {
            heads,
            sums: vec![Portion::default(); entries],
            open: VecDeque::new(),
            last: vec![Ends::default(); entries],
            last_of_all: Ends::default(),
            news_of: None,
        })
    }

    /// Takes in what a worker published.
    pub fn push(&mut self, snapshot: &Snapshot) {
        if snapshot.names.is_empty() {
            return;
        }
        let place = self.open.partition_point(|(index, _)| *index < snapshot.interval);
        if self.open.get(place).is_none_or(|(index, _)| *index != snapshot.interval) {
            let fresh = vec![Ends::default(); self.sums.len()];
            self.open.insert(place, (snapshot.interval, fresh));
        }
        let second = &mut self.open[place].1;
        for ((sum, second), portion) in self.sums.iter_mut().zip(second).zip(&snapshot.names) {
            sum.add(portion);
            second.add(portion.ended());
        }
    }

    /// A second is over for every worker.
    pub fn completed(&mut self, interval: &Interval, ended: Ended) {
        let over = (interval.end.0 / INTERVAL.0) as u32;
        self.last.fill(Ends::default());
        while self.open.front().is_some_and(|(index, _)| *index < over)
            && let Some((index, second)) = self.open.pop_front()
        {
            if index + 1 == over {
                self.last = second;
            }
        }
        self.last_of_all = Ends::of(ended.measure);
        self.news_of = Some(interval.end);
    }

    /// The end of the second, the rows and the whole, once after each second.
    pub fn news(&mut self, collector: &Collector) -> Option<(Nanos, Vec<NameRow>, NameRow)> {
        let at = self.news_of.take()?;
        let all = self.all(&collector.measure, &collector.measure_events);
        Some((at, self.rows(&all), all))
    }

    fn rows(&self, all: &NameRow) -> Vec<NameRow> {
        if self.sums.is_empty() {
            let named = |head: &Head| NameRow {
                name: head.name.clone(),
                method: head.method.clone(),
                ..all.clone()
            };
            return self.heads.iter().map(named).collect();
        }
        let sums = self.sums.iter().zip(&self.last);
        let rows = self.heads.iter().zip(sums);
        rows.map(|(head, (sum, last))| row(head, sum, *last, all.sent)).collect()
    }

    /// All names together, but for what sets users up and takes them down.
    fn all(&self, measure: &Fates, events: &Events) -> NameRow {
        let counters = &measure.counters;
        NameRow {
            name: "Aggregated".to_string(),
            method: String::new(),
            part: Part::Main,
            share_asked: None,
            share_sent: None,
            sent: counters.sent,
            good: counters.good,
            rejected: counters.rejected(),
            failed: counters.failed() + counters.abandoned,
            dropped: counters.dropped,
            ends: Ends::of(measure),
            last_second: self.last_of_all,
            times: Times::of(&measure.good, &measure.censored),
            mean_size: mean(events.body_bytes, events.completed),
        }
    }
}

fn row(head: &Head, sum: &Portion, last_second: Ends, all_sent: u64) -> NameRow {
    let share = (head.part == Part::Main && all_sent > 0).then_some(all_sent as f64);
    NameRow {
        name: head.name.clone(),
        method: head.method.clone(),
        part: head.part,
        share_asked: head.share_asked,
        share_sent: share.map(|all| sum.sent as f64 / all),
        sent: sum.sent,
        good: sum.good,
        rejected: sum.completed - sum.good,
        failed: sum.failed,
        dropped: sum.dropped,
        ends: sum.ended(),
        last_second,
        times: Times::of(&sum.good_in, &sum.censored),
        mean_size: mean(sum.body_bytes, sum.completed),
    }
}

fn mean(sum: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| sum as f64 / count as f64)
}

fn heads(plan: &Plan) -> Vec<Head> {
    let Some(scenario) = plan.scenario.as_deref() else {
        return vec![Head {
            name: mask_query(&plan.url.target),
            method: plan.request.method.clone(),
            part: Part::Main,
            share_asked: None,
        }];
    };
    let rows = by_name::names(scenario, std::iter::empty());
    let head = |row: crate::metrics::Named| Head {
        name: mask_query(&row.name),
        method: row.method,
        part: row.part,
        share_asked: row.share_asked,
    };
    rows.into_iter().map(head).collect()
}
