//! The processors: enough of them, at a steady clock, with a cheap clock to read, and all ours.

use super::limits::plural;
use super::{Figure, Needs, Row, Side};
use crate::monitor::cpu::{Cpu, Governor};
use crate::monitor::target::Destination;
use crate::units::format_count;

/// Processor seconds a request: the dearest measured with the ring engine, over 10,000
/// connections.
const CPU_S: f64 = 10e-6;

/// Above this, what is stolen shows in the latencies.
const STOLEN: f64 = 0.05;

/// Clock sources that the vDSO reads without a system call, on x86 and elsewhere.
const CHEAP: [&str; 7] = [
    "tsc",
    "kvm-clock",
    "hyperv_clocksource_tsc_page",
    "arch_sys_counter",
    "timebase",
    "tod",
    "riscv_clocksource",
];

pub fn cores(cpu: &Cpu, destination: &Destination, needs: &Needs) -> Row {
    let allowed = cpu.allowed.len() as u64;
    let list: Vec<String> = cpu.allowed.iter().map(usize::to_string).collect();
    let quota = match cpu.quota {
        Some(quota) => format!("; the control group may use {}", format_count(quota)),
        None => String::new(),
    };
    let shared = if destination.is_local() { "; the server shares them" } else { "" };
    let here =
        format!("{allowed} of {} allowed ({}){quota}{shared}", cpu.online, spans(&list.join(",")));
    let workers = plural(needs.workers, "worker");
    let busy = needs.rate.map(|rate| rate * CPU_S);
    let wanted = match (needs.rate, busy) {
        (Some(rate), Some(busy)) => format!(
            "{workers}; {}/s may take {} of them (10 us a request)",
            format_count(rate),
            format_count(busy)
        ),
        _ => workers,
    };
    let row = Row::new("cores", Side::Client, here, wanted)
        .counts(&[("allowed", allowed), ("workers", needs.workers)]);
    let available = cpu.quota.unwrap_or(f64::INFINITY).min(allowed as f64);
    if needs.workers as f64 > available.ceil() {
        return row.warn("use fewer --threads, or allow more cores");
    }
    if busy.is_some_and(|busy| busy > available.min(needs.workers as f64)) {
        return row.warn("use more --threads on more cores, or offer a lower --rps");
    }
    if needs.rate.is_some() && allowed == 1 {
        return row.warn("allow a second core: with one, due times are met 20 to 100 us late");
    }
    row
}

/// A long list of cores, cut.
fn spans(list: &str) -> String {
    const LONGEST: usize = 40;
    match list.char_indices().nth(LONGEST) {
        Some(_) => format!("{}...", &list[..list[..LONGEST].rfind(',').unwrap_or(LONGEST)]),
        None => list.to_string(),
    }
}

pub fn governor(governors: &[Governor]) -> Row {
    let mut names: Vec<&str> = governors.iter().map(|governor| &*governor.name).collect();
    names.sort_unstable();
    names.dedup();
    let here = match names.as_slice() {
        [] => "the host sets the clock rate itself".to_string(),
        names => format!("{} decides on the clock rate", names.join(", ")),
    };
    let row = Row::new("governor", Side::Both, here, "a steady clock rate: performance");
    let slow = governors.iter().filter(|governor| governor.name == "powersave").count();
    match slow {
        0 => row,
        _ => row.warn("`cpupower frequency-set -g performance` for figures that can be compared"),
    }
}

pub fn clock_source(name: Option<&str>) -> Row {
    let wanted = "one that is read without a system call: tsc, kvm-clock, arch_sys_counter";
    let Some(name) = name else {
        return Row::unread("clock_source", Side::Client, "the clock source", wanted);
    };
    let row = Row::new("clock_source", Side::Client, name, wanted);
    if CHEAP.contains(&name) {
        return row;
    }
    row.warn(
        "each reading of the clock costs a system call: choose another of available_clocksource \
         (in /sys/devices/system/clocksource), or another host",
    )
}

pub fn steal(share: Option<f64>) -> Row {
    let wanted = "under 5 %: a core that is away makes due times late";
    let Some(share) = share else {
        return Row::unread("steal", Side::Client, "stolen processor time", wanted);
    };
    let here = format!("{:.1} % of the processor time went to other machines", share * 100.0);
    let mut row = Row::new("steal", Side::Client, here, wanted);
    row.figures.push(("share", Figure::Share(share)));
    match share > STOLEN {
        true => row.warn("use a host that is not shared, or repeat the run at a quieter time"),
        false => row,
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::fixture::{needs, readings};
    use super::*;

    fn row(allowed: usize, quota: Option<f64>, workers: u64, rate: Option<f64>) -> Row {
        let cpu = Cpu { allowed: (0..allowed).collect(), quota, ..readings().cpu };
        cores(&cpu, &Destination::None, &Needs { workers, rate, ..needs(64) })
    }

    #[test]
    fn workers_need_a_core_each_and_a_rate_its_time() {
        for (allowed, quota, workers, rate, state) in [
            (2, None, 2, None, State::Ok),
            (2, None, 3, None, State::Warn),
            (8, Some(1.5), 2, None, State::Ok),
            (8, Some(1.5), 4, None, State::Warn),
            (2, None, 2, Some(150_000.0), State::Ok),
            (2, None, 2, Some(250_000.0), State::Warn),
            (2, None, 1, Some(150_000.0), State::Warn),
            (1, None, 1, None, State::Ok),
            (1, None, 1, Some(10.0), State::Warn),
        ] {
            let row = row(allowed, quota, workers, rate);
            assert_eq!(row.state, state, "{row:?}");
        }
    }

    #[test]
    fn a_long_list_of_cores_is_cut_between_two() {
        assert_eq!(spans("0,1"), "0,1");
        let list: Vec<String> = (0..128).map(|core: usize| core.to_string()).collect();
        let cut = spans(&list.join(","));
        assert!(cut.ends_with("...") && cut.len() < 50, "{cut}");
        assert!(cut.starts_with("0,1,2,") && !cut.contains(",..."), "{cut}");
    }

    #[test]
    fn a_governor_that_saves_power_is_a_worry() {
        let governors = |names: &[&str]| {
            let one = |(core, name): (usize, &&str)| Governor { core, name: name.to_string() };
            names.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        assert_eq!(governor(&[]).state, State::Ok);
        assert_eq!(governor(&governors(&["performance", "schedutil"])).state, State::Ok);
        let row = governor(&governors(&["performance", "powersave"]));
        assert_eq!(row.state, State::Warn);
        assert!(row.here.contains("performance, powersave"), "{row:?}");
    }

    #[test]
    fn a_clock_that_costs_a_system_call_is_a_worry() {
        for (name, state) in [
            ("tsc", State::Ok),
            ("kvm-clock", State::Ok),
            ("hpet", State::Warn),
            ("xen", State::Warn),
        ] {
            assert_eq!(clock_source(Some(name)).state, state, "{name}");
        }
        assert_eq!(clock_source(None).state, State::Ok);
    }

    #[test]
    fn stolen_time_is_a_worry_above_a_twentieth() {
        for (share, state) in [(0.0, State::Ok), (0.05, State::Ok), (0.06, State::Warn)] {
            assert_eq!(steal(Some(share)).state, state);
        }
        assert!(steal(Some(0.061)).here.starts_with("6.1 %"));
    }
}
