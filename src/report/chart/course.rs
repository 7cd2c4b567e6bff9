//! What the charts over time are drawn from: the intervals and the readings of a run, of one that is
//! over as its document has them, and of one that goes on as far as it came.

use std::borrow::Cow;

use crate::report::Document;
use crate::report::document::{Edit, Gauges, Interval, heat_bounds_us};

#[derive(Clone, Debug)]
pub struct Course<'a> {
    pub intervals: &'a [Interval],
    /// From the end of one interval to that of the next; above 0.
    pub interval_s: f64,
    pub is_open_loop: bool,
    /// Where each stage but the first begins, in s of the whole run.
    pub bounds_s: Vec<f64>,
    /// The lower bounds of the buckets that the intervals' heat is counted in; of a build that had no
    /// heat, none.
    pub heat_bounds_us: Cow<'a, [f64]>,
    /// What was read beside the load.
    pub gauges: Option<&'a Gauges>,
    /// Changes of the load while it went on.
    pub edits: Cow<'a, [Edit]>,
}

impl<'a> Course<'a> {
    pub fn of(document: &'a Document) -> Course<'a> {
        let warmup = document.warmup.as_ref().map_or(0.0, |warmup| warmup.duration_s);
        let later = document.stages.iter().skip(1);
        Course {
            intervals: &document.intervals,
            interval_s: document.interval_s,
            is_open_loop: document.is_open_loop(),
            bounds_s: later.map(|stage| warmup + stage.start_s).collect(),
            heat_bounds_us: Cow::Borrowed(&document.heat_bounds_us),
            gauges: document.gauges.as_ref(),
            edits: Cow::Borrowed(&document.edits),
        }
    }

    /// Of a run that goes on, as this build counts heat.
    pub fn so_far(
        intervals: &'a [Interval],
        interval_s: f64,
        is_open_loop: bool,
        bounds_s: Vec<f64>,
        gauges: Option<&'a Gauges>,
        edits: Vec<Edit>,
    ) -> Course<'a> {
        Course {
            intervals,
            interval_s,
            is_open_loop,
            bounds_s,
            heat_bounds_us: Cow::Owned(heat_bounds_us()),
            gauges,
            edits: Cow::Owned(edits),
        }
    }
}
