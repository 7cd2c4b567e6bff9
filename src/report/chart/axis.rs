//! An axis: what it spans, where its ticks are, and how a value becomes a place on it.

use crate::report::number::micros;
use crate::units::format_count;

#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    pub ticks: Vec<Tick>,
    pub unit: &'static str,
}

/// A value on an axis; without a label it is a line alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub at: f64,
    pub label: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Linear,
    Log,
}

/// About so many steps on a linear axis.
const STEPS: f64 = 5.0;

impl Axis {
    /// From 0 to the highest of them, or a little more.
    pub fn counts(highest: f64, unit: &'static str) -> Axis {
        let step = step(highest.max(1.0));
        let high = (highest.max(1.0) / step).ceil() * step;
        let ticks = (0..=(high / step).round() as u32).map(|k| f64::from(k) * step);
        let ticks = ticks.map(|at| Tick { at, label: format_count(at) }).collect();
        Axis { scale: Scale::Linear, low: 0.0, high, ticks, unit }
    }

    /// From below nothing to above it, in round steps.
    pub fn span(lowest: f64, highest: f64, unit: &'static str) -> Axis {
        let step = step((highest - lowest).max(f64::MIN_POSITIVE));
        let (first, last) = ((lowest / step).floor() as i64, (highest / step).ceil() as i64);
        let ticks = (first..=last).map(|k| k as f64 * step);
        let ticks = ticks.map(|at| Tick { at, label: format_count(at) }).collect();
        let (low, high) = (first as f64 * step, last as f64 * step);
        Axis { scale: Scale::Linear, low, high, ticks, unit }
    }

    /// Seconds of the run.
    pub fn time(from: f64, to: f64) -> Axis {
        let to = if to > from { to } else { from + 1.0 };
        let step = time_step(to - from);
        let first = (from / step).ceil() as u32;
        let ticks = (first..=(to / step).floor() as u32).map(|k| f64::from(k) * step);
        let ticks = ticks.map(|at| Tick { at, label: clock(at) }).collect();
        Axis { scale: Scale::Linear, low: from, high: to, ticks, unit: "of the run" }
    }

    /// Microseconds, in whole powers of ten around both.
    pub fn latency(least: f64, most: f64) -> Axis {
        let low = least.max(0.01).log10().floor();
        let high = most.max(0.01).log10().ceil().max(low + 1.0);
        let few = high - low <= 2.0;
        let powers = (low as i32)..=(high as i32);
        let within = |at: &f64| *at <= 10f64.powf(high) * 1.001;
        let ticks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|by| by * 10f64.powi(power)));
        let ticks = ticks.filter(within).map(|at| {
            let whole = (at.log10() - at.log10().round()).abs() < 1e-9;
            Tick { at, label: if few || whole { plain_time(at) } else { String::new() } }
        });
        let ticks = ticks.filter(|tick| high - low <= 4.0 || !tick.label.is_empty()).collect();
        Axis { scale: Scale::Log, low: 10f64.powf(low), high: 10f64.powf(high), ticks, unit: "" }
    }

    /// Changes in percent: from one to its inverse is as far as back, and nothing is amid them. They
    /// are placed by [`ratio`].
    pub fn changes(lowest: f64, highest: f64) -> Axis {
        let (low, high) = (lowest.min(-LEAST_CHANGE), highest.max(LEAST_CHANGE));
        let ticks = match low > -60.0 && high < 150.0 {
            true => percents(low, high),
            false => factors(ratio(low), ratio(high)),
        };
        let ends = ticks.first().zip(ticks.last()).map(|(first, last)| (first.at, last.at));
        let (low, high) = ends.unwrap_or((ratio(low), ratio(high)));
        Axis { scale: Scale::Log, low, high, ticks, unit: "" }
    }

    /// Microseconds around both, in even steps.
    pub fn times(lowest: f64, highest: f64) -> Axis {
        let mut axis = Axis::around(lowest, highest);
        let label = |at: f64| if at < 1e-3 { "0".to_string() } else { micros(at) };
        axis.ticks.iter_mut().for_each(|tick| tick.label = label(tick.at));
        axis
    }

    /// Around both, in even steps, with a little room where they are one.
    pub fn around(lowest: f64, highest: f64) -> Axis {
        let room = (highest.abs() * 0.02).max(1e-3);
        match highest - lowest < room {
            true => Axis::span((lowest - room).max(0.0), highest + room, ""),
            false => Axis::span(lowest, highest, ""),
        }
    }

    /// Shares of the samples, by how few lie above: 0, 90 %, 99 % ... so many nines.
    pub fn tail(nines: f64) -> Axis {
        const LABELS: [&str; 6] = ["", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"];
        let ticks = LABELS.iter().enumerate().map(|(at, label)| (at as f64, *label));
        let ticks = ticks.chain([(0.5f64.log10().abs(), "50 %")]);
        let ticks = ticks.filter(|(at, _)| *at <= nines);
        let ticks = ticks.map(|(at, label)| Tick { at, label: label.to_string() }).collect();
        Axis { scale: Scale::Linear, low: 0.0, high: nines, ticks, unit: "of the requests" }
    }

    /// One place a name, at 1, 2 and so on.
    pub fn names(names: impl Iterator<Item = String>, unit: &'static str) -> Axis {
        let ticks = names.zip(1..).map(|(label, at)| Tick { at: f64::from(at), label });
        let ticks: Vec<Tick> = ticks.collect();
        let high = ticks.len() as f64 + 0.5;
        Axis { scale: Scale::Linear, low: 0.5, high: high.max(1.5), ticks, unit }
    }

    /// Where a value is: 0 at the low end, 1 at the high one; what lies outside, at that end.
    pub fn place(&self, value: f64) -> f64 {
        let of = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(self.low).log10(),
        };
        ((of(value) - of(self.low)) / (of(self.high) - of(self.low))).clamp(0.0, 1.0)
    }

    pub fn low(&self) -> f64 {
        self.low
    }

    pub fn high(&self) -> f64 {
        self.high
    }
}

/// Smaller changes are nothing on an axis of them.
const LEAST_CHANGE: f64 = 0.5;

/// A change in percent as a factor. What is lost altogether is a thousandth.
pub fn ratio(percent: f64) -> f64 {
    (1.0 + percent / 100.0).max(1e-3)
}

fn percents(low: f64, high: f64) -> Vec<Tick> {
    let step = step(high - low);
    let all = ((low / step).floor() as i64)..=((high / step).ceil() as i64);
    let tick = |k: i64| {
        let percent = k as f64 * step;
        let sign = if k > 0 { "+" } else { "" };
        Tick { at: ratio(percent), label: format!("{sign}{} %", format_count(percent)) }
    };
    all.map(tick).collect()
}

/// From the one to the other: so many times as much, or percent less. Over two powers of ten and
/// more the steps are whole ones.
fn factors(low: f64, high: f64) -> Vec<Tick> {
    let by: &[f64] = if (high / low).log10() <= 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
    let all = powers.flat_map(|power| by.iter().map(move |by| by * 10f64.powi(power)));
    let all: Vec<f64> = all.collect();
    let first = all.iter().rposition(|at| *at <= low * 1.001).unwrap_or(0);
    let last = all.iter().position(|at| *at >= high * 0.999).unwrap_or(all.len() - 1);
    let label = |at: f64| match at {
        at if at > 1.001 => format!("x{}", format_count(at)),
        at if at < 0.999 => format!("-{} %", format_count(100.0 - 100.0 * at)),
        _ => "0 %".to_string(),
    };
    all[first..=last].iter().map(|at| Tick { at: *at, label: label(*at) }).collect()
}

/// 1, 2 or 5 of a power of ten, so that there are about [`STEPS`].
fn step(span: f64) -> f64 {
    let rough = span / STEPS;
    let power = 10f64.powf(rough.log10().floor());
    let by = [1.0, 2.0, 5.0, 10.0].into_iter().find(|by| by * power >= rough * 0.999);
    by.unwrap_or(10.0) * power
}

/// Seconds that a clock would be divided in.
fn time_step(span: f64) -> f64 {
    const EVERY: [f64; 17] = [
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
        3600.0, 7200.0,
    ];
    let rough = span / (STEPS + 2.0);
    EVERY.into_iter().find(|every| *every >= rough).unwrap_or_else(|| step(span))
}

/// `12 s`, `1:30 min`, `10 min`, `2 h`: a phone has no room for a whole one's zeros.
fn clock(at: f64) -> String {
    let whole = at.round() as u64;
    match whole {
        _ if at < 60.0 => format!("{} s", format_count(at)),
        0..3_600 => parts(whole, "min"),
        _ => parts(whole / 60, "h"),
    }
}

fn parts(amount: u64, unit: &str) -> String {
    match amount % 60 {
        0 => format!("{} {unit}", amount / 60),
        rest => format!("{}:{rest:02} {unit}", amount / 60),
    }
}

/// `10 us`, `2 ms`, `100 s`.
fn plain_time(us: f64) -> String {
    let (value, unit) = match us {
        _ if us < 0.999 => (us * 1e3, "ns"),
        _ if us < 999.0 => (us, "us"),
        _ if us < 999_000.0 => (us / 1e3, "ms"),
        _ => (us / 1e6, "s"),
    };
    format!("{value:.0} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        let labels = axis.ticks.iter().map(|tick| tick.label.as_str());
        labels.filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn counts_rise_from_zero_in_round_steps() {
        for (highest, expected) in [
            (0.0, vec!["0", "0.2", "0.4", "0.6", "0.8", "1"]),
            (50_001.0, vec!["0", "10k", "20k", "30k", "40k", "50k", "60k"]),
            (23.6, vec!["0", "5", "10", "15", "20", "25"]),
        ] {
            assert_eq!(labels(&Axis::counts(highest, "/s")), expected);
        }
    }

    #[test]
    fn what_is_below_nothing_is_spanned_too() {
        let axis = Axis::span(-9.1, 0.0, "");
        assert_eq!(labels(&axis), ["-10", "-8", "-6", "-4", "-2", "0"]);
        assert_eq!((axis.place(-10.0), axis.place(0.0)), (0.0, 1.0));
    }

    #[test]
    fn a_latency_axis_spans_whole_powers_of_ten() {
        let wide = Axis::latency(14.0, 3_705_667.0);
        assert_eq!(labels(&wide), ["10 us", "100 us", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        let narrow = Axis::latency(118_000.0, 143_000.0);
        assert_eq!(labels(&narrow), ["100 ms", "200 ms", "500 ms", "1 s"]);
        assert_eq!(narrow.place(100_000.0), 0.0);
        assert_eq!((narrow.place(0.0), narrow.place(1e9)), (0.0, 1.0));
        assert!((wide.place(10_000.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn time_is_divided_as_clocks_are() {
        assert_eq!(labels(&Axis::time(0.0, 10.0)), ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s"]);
        let hour = Axis::time(0.0, 3_600.0);
        assert_eq!(labels(&hour)[..3], ["0 s", "10 min", "20 min"]);
        assert_eq!(labels(&hour).last(), Some(&"1 h"));
        assert_eq!(labels(&Axis::time(0.0, 100.0))[4..], ["1 min", "1:15 min", "1:30 min"]);
        assert_eq!(labels(&Axis::time(0.0, 12_600.0))[2..4], ["1 h", "1:30 h"]);
    }

    #[test]
    fn changes_are_placed_by_their_factor() {
        let small = Axis::changes(-5.78, 6.71);
        assert_eq!(labels(&small), ["-10 %", "-5 %", "0 %", "+5 %", "+10 %"]);
        let great = Axis::changes(-97.0, 1_900.0);
        assert_eq!(labels(&great), ["-99 %", "-90 %", "0 %", "x10", "x100"]);
        assert!((great.place(1.0) - 0.5).abs() < 1e-9);
        let middling = Axis::changes(-77.2, 400.0);
        assert_eq!(labels(&middling), ["-80 %", "-50 %", "0 %", "x2", "x5"]);
        let (half, twice) = (great.place(ratio(-50.0)), great.place(ratio(100.0)));
        assert!((half + twice - 1.0).abs() < 1e-9, "as far down as up");
        assert_eq!(great.place(ratio(-100.0)), 0.0);
        let none = Axis::changes(0.0, 0.0).place(1.0);
        assert!((none - 0.5).abs() < 0.01, "nothing is amid nothing: {none}");
    }

    #[test]
    fn times_that_are_one_have_room_around_them() {
        assert_eq!(labels(&Axis::times(1_900.0, 2_100.0)).first(), Some(&"1.90 ms"));
        let one = Axis::times(2_000.0, 2_000.0);
        assert!((0.1..0.9).contains(&one.place(2_000.0)), "{one:?}");
    }

    #[test]
    fn the_tail_has_a_tick_for_each_nine_that_the_sample_supports() {
        assert_eq!(labels(&Axis::tail(2.3)), ["90 %", "99 %", "50 %"]);
        assert_eq!(Axis::tail(5.0).ticks.len(), 7);
    }
}
