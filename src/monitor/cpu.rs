//! The processors: which may be used, how they are clocked, who else gets their time.

use std::fs;

use crate::host;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cpu {
    pub online: usize,
    pub allowed: Vec<usize>,
    /// Processors that the control group may use at a time.
    pub quota: Option<f64>,
    /// One for each allowed core whose clock can change.
    pub governors: Vec<Governor>,
    pub clock_source: Option<String>,
}

/// Who decides on the clock rate of a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governor {
    pub core: usize,
    pub name: String,
}

impl Cpu {
    pub fn read() -> Cpu {
        let allowed = host::allowed_cores();
        let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
        Cpu {
            online: count(&online).unwrap_or(allowed.len()),
            quota: host::cpu_quota(),
            governors: governors(&allowed),
            clock_source: clock_source(),
            allowed,
        }
    }
}

pub fn governors(cores: &[usize]) -> Vec<Governor> {
    let governor = |core: &usize| {
        let path = format!("/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor");
        let name = fs::read_to_string(path).ok()?.trim().to_string();
        Some(Governor { core: *core, name })
    };
    cores.iter().filter_map(governor).collect()
}

/// What CLOCK_MONOTONIC is read from.
pub fn clock_source() -> Option<String> {
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    fs::read_to_string(path).ok().map(|name| name.trim().to_string())
}

/// How many cores a list such as "0-3,8" names.
fn count(list: &str) -> Option<usize> {
    list.trim().split(',').try_fold(0, |sum, part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (from.parse::<usize>().ok()?, to.parse::<usize>().ok()?);
        Some(sum + to.checked_sub(from)? + 1)
    })
}

/// Processor time of some cores since the start of the host, in the ticks of `/proc/stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub all: u64,
    pub stolen: u64,
}

/// Fewer ticks than these say nothing about a share of a few percent.
const FEWEST_TICKS: u64 = 20;

impl Times {
    /// The share of the time since `earlier` that the hypervisor gave to others.
    pub fn stolen_since(self, earlier: Times) -> Option<f64> {
        let all = self.all.saturating_sub(earlier.all);
        let stolen = self.stolen.saturating_sub(earlier.stolen);
        (all >= FEWEST_TICKS).then(|| stolen as f64 / all as f64)
    }
}

pub fn times(cores: &[usize]) -> Option<Times> {
    parse_times(&fs::read_to_string("/proc/stat").ok()?, cores)
}

fn parse_times(text: &str, cores: &[usize]) -> Option<Times> {
    let mut sum = Times::default();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(' ') else { continue };
        let core = name.strip_prefix("cpu").and_then(|core| core.parse().ok());
        if !core.is_some_and(|core| cores.contains(&core)) {
            continue;
        }
        let ticks = ticks(rest);
        sum.stolen += ticks[7]?;
        sum.all += ticks.into_iter().flatten().sum::<u64>();
    }
    (sum.all > 0).then_some(sum)
}

/// Of a line behind the core's name, proc(5): user, nice, system, idle, iowait, irq, softirq, steal;
/// what follows is part of user and nice. An older kernel has fewer.
pub fn ticks(text: &str) -> [Option<u64>; 8] {
    let mut ticks = text.split_ascii_whitespace().map_while(|word| word.parse().ok());
    [(); 8].map(|()| ticks.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "\
cpu  900 0 300 2000 700 0 100 50 7 7
cpu0 400 0 100 1000 400 0 50 50 7 7
cpu1 500 0 200 1000 300 0 50 0 0 0
cpu11 9 9 9 9 9 9 9 9 9 9
intr 5 5 5
";

    #[test]
    fn processor_time_is_that_of_the_cores_asked_for() {
        assert_eq!(parse_times(STAT, &[0]), Some(Times { all: 2_000, stolen: 50 }));
        assert_eq!(parse_times(STAT, &[0, 1]), Some(Times { all: 4_050, stolen: 50 }));
        assert_eq!(parse_times(STAT, &[7]), None);
        assert_eq!(parse_times("cpu0 1 2 3\n", &[0]), None, "a kernel without steal");
    }

    #[test]
    fn the_stolen_share_is_of_the_time_between() {
        let then = Times { all: 1_000, stolen: 10 };
        assert_eq!(Times { all: 1_100, stolen: 16 }.stolen_since(then), Some(0.06));
        assert_eq!(Times { all: 1_005, stolen: 15 }.stolen_since(then), None, "too short");
        assert_eq!(Times { all: 900, stolen: 0 }.stolen_since(then), None, "counters went back");
    }

    #[test]
    fn a_list_of_cores_is_counted() {
        for (list, expected) in
            [("0\n", Some(1)), ("0-1", Some(2)), ("0-3,8", Some(5)), ("", None), ("3-1", None)]
        {
            assert_eq!(count(list), expected, "{list}");
        }
    }

    #[test]
    fn this_host_has_processors() {
        let cpu = Cpu::read();
        assert!(cpu.online >= cpu.allowed.len().min(1) && !cpu.allowed.is_empty());
        assert!(times(&cpu.allowed).is_some_and(|times| times.all > times.stolen));
    }
}
