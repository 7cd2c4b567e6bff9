//! Any text is a rule or one sentence that repeats it, and a rule can be asked whether it fits.

use blast::plan::Threshold;
use blast::plan::threshold::Unit;

use super::is_one_sentence;

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let rule = match Threshold::parse(&text) {
        Ok(rule) => rule,
        Err(error) => {
            let quoted = blast::units::quote(&text);
            assert!(error.message.starts_with(&quoted), "{error}");
            return is_one_sentence(&error);
        }
    };
    assert_eq!(rule.expr, text.trim());
    let spaced = format!(" \t{}\n ", rule.expr);
    assert_eq!(Threshold::parse(&spaced).as_ref(), Ok(&rule), "{:?}", rule.expr);
    let mut verdicts = vec![rule.check_closed_loop(), rule.check_window()];
    verdicts.extend([0, 1, 100].map(|stages| rule.check_stages(stages)));
    verdicts.into_iter().filter_map(Result::err).for_each(|error| is_one_sentence(&error));
    assert!(!rule.is_latency() || rule.unit() == Unit::Micros, "{:?}", rule.expr);
}

pub const SEEDS: &[&[u8]] = &[
    b"p99<10ms",
    b" p99.9 <= 1.5s ",
    b"p(99.9)>=250us",
    b"service.p50!=1ms",
    b"stage2.send_lag.max<1ms",
    b"connect.mean==5ns",
    b"errors<0.1%",
    b"errors<5",
    b"success>99.9 %",
    b"efficiency>=99%",
    b"good_per_s>=49k",
    b"cpu_us_per_request<20",
    b"failures.timeout==0",
    b"rejections.status_5xx<1%",
    b"busy<95%",
];

pub const WORDS: &[&str] = &[
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "=",
    ".",
    "%",
    "p",
    "p(",
    ")",
    "p99.9",
    "p100",
    "p0",
    "med",
    "avg",
    "mean",
    "min",
    "max",
    "stdev",
    "stage1.",
    "stage0.",
    "stage18446744073709551616.",
    "response.",
    "service.",
    "send_lag.",
    "connect.",
    "failures.",
    "rejections.",
    "timeout",
    "status_4xx",
    "errors",
    "success",
    "efficiency",
    "ns",
    "us",
    "ms",
    "s",
    "m",
    "h",
    "k",
    "M",
    "G",
    "_",
    "0",
    "1",
    "99999999999",
    "18446744073709551616",
    "0.000000000000000001",
    " ",
    "\u{e9}",
    "\u{ff19}",
    "\n",
];
