//! What the readings beside the load show: processors, memory, a pool, the network. Each gauge may
//! be missing.

use super::super::trend::{self, median};
use super::super::verdict::retransmit_share;
use super::super::{Interval, Summary, Warning};
use super::{percent, sign};
use crate::time::Nanos;
use crate::units::{format_bytes, format_count, format_duration};

/// A thread that uses so much of a core (percent) has it for itself.
const FULL: f64 = 95.0;

/// A process of one thread uses no more than this; one of several threads could.
const ONE_THREAD: f64 = 105.0;

/// So many cores idle are room for another worker.
const ROOM: f64 = 0.8;

/// From this share on, segments that are sent again show in the slowest requests of a thousand.
const RETRANSMITS: f64 = 0.001;
const FEW_RETRANSMITS: f64 = 10.0;

/// Memory that grows by less than this share, and by less than these bytes, is no leak to speak of.
const GROWTH: f64 = 0.02;
const LEAST_GROWTH: f64 = 4e6;

/// Of the slope of the whole, the second half has to have this share: what only fills up does not.
const STILL: f64 = 0.5;

/// A pool at its maximum for this share of the time, and times that grew by this factor.
const MOST: f64 = 0.5;
const SLOWER: f64 = 1.5;

pub fn one_core_full(summary: &Summary) -> Option<Warning> {
    let mean = |name: &str| summary.gauge(name).map(|course| course.mean);
    let thread = mean("server.core_max").filter(|used| *used >= FULL);
    let alone = || mean("server.cpu").filter(|used| (FULL..=ONE_THREAD).contains(used));
    let used = thread.or_else(|| mean("server.core_max").is_none().then(alone).flatten())?;
    let idle = idle_cores(summary).filter(|idle| *idle >= ROOM)?;
    let text = format!(
        "the server's busiest thread used {used:.0} % of a core, while {} of this host's cores \
         were idle",
        format_count(idle)
    );
    Some(sign("one_core_full", text, "run more worker processes or threads, one a core"))
}

/// Of this host, on average.
fn idle_cores(summary: &Summary) -> Option<f64> {
    let cores = (0..).map_while(|core| summary.gauge(&format!("host.core{core}")));
    let idle: Vec<f64> = cores.map(|course| 1.0 - course.mean / 100.0).collect();
    (!idle.is_empty()).then(|| idle.iter().sum())
}

pub fn retransmits(summary: &Summary) -> Option<Warning> {
    let share = retransmit_share(summary).filter(|share| *share >= RETRANSMITS)?;
    let count = summary.gauge("host.retransmits")?.mean * summary.measured.as_secs_f64();
    (count >= FEW_RETRANSMITS).then(|| {
        let text = format!(
            "this host sent {} segments again, {} of what was sent: each holds its request up for \
             200 ms or more",
            format_count(count),
            percent(share)
        );
        let hint = "look for loss on the way (links, queues, a full accept queue), or use a host \
            nearer to the server";
        sign("retransmits", text, hint)
    })
}

/// By Mann and Kendall, and still so in the second half: caches that fill up level off.
pub fn memory_grows(summary: &Summary) -> Option<Warning> {
    let readings = readings(summary, "server.rss", summary.warmup_length);
    let bytes: Vec<f64> = readings.iter().map(|(_, bytes)| *bytes).collect();
    let growth = trend::growth(&bytes)?;
    let (first, (from, to)) = (bytes[0], (readings[0].0, readings[readings.len() - 1].0));
    let per_reading = growth / (bytes.len() - 1) as f64;
    let still = trend::slope(&bytes[bytes.len() / 2..]) >= per_reading * STILL;
    (still && growth >= LEAST_GROWTH.max(first * GROWTH)).then(|| {
        let text = format!(
            "the server's memory grew by {} from {} in {}, evenly: {} a minute",
            format_bytes(growth),
            format_bytes(first),
            format_duration(to - from),
            format_bytes(growth / (to - from).as_secs_f64() * 60.0)
        );
        let hint = "a leak, if a longer run goes on like this: look for connections, tasks or \
            caches that are never given up";
        sign("memory_grows", text, hint)
    })
}

/// Flat at its maximum for most of measure, while the medians of those seconds are longer than of
/// those in which it had room: of all of them, or of their later half, as a pool that has just
/// filled up makes nobody wait yet. One that has no room from the start on shows nothing.
pub fn pool_full(summary: &Summary) -> Option<Warning> {
    let all = readings(summary, "pool", Nanos::ZERO);
    let most = all.iter().map(|(_, held)| *held).fold(0.0, f64::max);
    let is_full = |held: f64| held >= most * 0.98;
    let measured = readings(summary, "pool", summary.warmup_length);
    let full = measured.iter().filter(|(_, held)| is_full(*held)).count();
    let share = full as f64 / measured.len().max(1) as f64;
    let medians = |wanted: bool| {
        let seconds = all.iter().filter(|(_, held)| is_full(*held) == wanted);
        let medians = seconds.filter_map(|(at, _)| interval_at(summary, *at)?.response_p50);
        medians.map(|median| median.0 as f64).collect::<Vec<f64>>()
    };
    let (waiting, free) = (medians(true), medians(false));
    if most < 2.0 || share < MOST || waiting.len() < 3 || free.len() < 2 {
        return None;
    }
    let later = median(waiting[waiting.len() / 2..].to_vec());
    let (waiting, free) = (median(waiting).max(later), median(free));
    (waiting >= free * SLOWER).then(|| {
        let text = format!(
            "the server's pool stood at {} connections for {} of the time, and the median was {} \
             then, {} while it had room",
            format_count(most),
            percent(share),
            format_duration(Nanos(waiting as u64)),
            format_duration(Nanos(free as u64))
        );
        let hint = "requests wait for a connection of the pool: raise its limit, or hold each for \
            a shorter time";
        sign("pool_full", text, hint)
    })
}

/// That an instant from the start of warm-up lies in.
fn interval_at(summary: &Summary, at: Nanos) -> Option<&Interval> {
    let next = summary.intervals.partition_point(|interval| interval.end < at);
    summary.intervals.get(next).filter(|interval| interval.end - at < summary.interval_length)
}

/// From an instant after the start of warm-up until the end of measure.
fn readings(summary: &Summary, name: &str, from: Nanos) -> Vec<(Nanos, f64)> {
    let end = summary.warmup_length + summary.measured;
    let gauges = summary.gauges.iter();
    gauges
        .flat_map(|gauges| gauges.readings(name))
        .filter(|(at, _)| *at > from && *at <= end)
        .collect()
}
