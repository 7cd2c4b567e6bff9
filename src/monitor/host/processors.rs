//! `/proc/stat`: what the processors did, all together and one by one, and how often they went from
//! one thread to another.

use crate::metrics::{Label, Unit};
use crate::monitor::cpu;
use crate::monitor::kernel_file::KernelFile;
use crate::monitor::rate::Rate;
use crate::monitor::sampler::Probe;
use crate::time;

/// A host with more cores has no gauge for each: a table of an hour has to stay small.
const MOST_CORES: usize = 32;

#[derive(Debug)]
pub struct Processors {
    file: KernelFile,
    /// Those that have a gauge, in order.
    cores: Vec<usize>,
    before: Stat,
    switches: Rate,
}

/// One reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stat {
    all: Times,
    cores: Vec<(usize, Times)>,
    switches: Option<u64>,
}

/// Ticks since the start of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    user: u64,
    system: u64,
    idle: u64,
    iowait: u64,
    stolen: u64,
}

impl Processors {
    pub fn open() -> Option<Processors> {
        let mut file = KernelFile::open("/proc/stat")?;
        let stat = Stat::parse(file.read()?)?;
        let cores: Vec<usize> = stat.cores.iter().map(|(core, _)| *core).collect();
        let cores = if cores.len() <= MOST_CORES { cores } else { Vec::new() };
        Some(Processors { file, cores, before: stat, switches: Rate::default() })
    }
}

impl Probe for Processors {
    fn labels(&self) -> Vec<Label> {
        let all = ["cpu", "cpu_user", "cpu_system", "cpu_iowait", "cpu_steal"];
        let all = all.into_iter().map(str::to_string);
        let cores = self.cores.iter().map(|core| format!("core{core}"));
        let percent = |name: String| Label::new(format!("host.{name}"), Unit::Percent);
        let mut labels: Vec<Label> = all.chain(cores).map(percent).collect();
        labels.push(Label::new("host.context_switches", Unit::PerSecond));
        labels
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let at = time::now();
        let Some(now) = self.file.read().and_then(Stat::parse) else {
            return values.resize(values.len() + self.labels().len(), None);
        };
        let spent = now.all.since(self.before.all);
        let whole = spent.all();
        let of = |ticks: u64| (whole > 0).then(|| ticks as f64 / whole as f64 * 100.0);
        values.extend([
            of(spent.busy()),
            of(spent.user),
            of(spent.system),
            of(spent.iowait),
            of(spent.stolen),
        ]);
        // A core can go offline and come back.
        let core = |core: &usize| {
            let spent = now.of_core(*core)?.since(self.before.of_core(*core)?);
            (spent.all() > 0).then(|| spent.busy() as f64 / spent.all() as f64 * 100.0)
        };
        values.extend(self.cores.iter().map(core));
        values.push(now.switches.and_then(|total| self.switches.per_s(at, total)));
        self.before = now;
    }
}

impl Stat {
    fn parse(text: &str) -> Option<Stat> {
        let mut stat = Stat::default();
        for line in text.lines() {
            let (name, rest) = line.split_once(' ')?;
            match name.strip_prefix("cpu") {
                Some("") => stat.all = Times::parse(rest)?,
                Some(core) => stat.cores.push((core.parse().ok()?, Times::parse(rest)?)),
                None if name == "ctxt" => stat.switches = rest.trim().parse().ok(),
                None => {}
            }
        }
        (stat.all != Times::default()).then_some(stat)
    }

    fn of_core(&self, core: usize) -> Option<Times> {
        self.cores.iter().find(|(number, _)| *number == core).map(|(_, times)| *times)
    }
}

impl Times {
    fn parse(text: &str) -> Option<Times> {
        let [user, nice, system, idle, rest @ ..] = cpu::ticks(text);
        let [iowait, irq, softirq, stolen] = rest.map(Option::unwrap_or_default);
        let (user, system) = (user? + nice?, system? + irq + softirq);
        Some(Times { user, system, idle: idle?, iowait, stolen })
    }

    /// The kernel's idle and iowait can go back by a tick.
    fn since(self, before: Times) -> Times {
        Times {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            idle: self.idle.saturating_sub(before.idle),
            iowait: self.iowait.saturating_sub(before.iowait),
            stolen: self.stolen.saturating_sub(before.stolen),
        }
    }

    /// What the hypervisor took could not be used: it counts as busy.
    fn busy(self) -> u64 {
        self.user + self.system + self.stolen
    }

    fn all(self) -> u64 {
        self.busy() + self.idle + self.iowait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "\
cpu  900 10 300 2000 700 20 100 50 7 7
cpu0 400 10 100 1000 400 20 50 50 7 7
cpu3 500 0 200 1000 300 0 50 0 0 0
intr 5 5 5
ctxt 123456
btime 1
";

    #[test]
    fn the_times_of_all_and_of_each_core_are_read() {
        let stat = Stat::parse(STAT).unwrap();
        let all = Times { user: 910, system: 420, idle: 2_000, iowait: 700, stolen: 50 };
        assert_eq!((stat.all, stat.switches), (all, Some(123_456)));
        assert_eq!(all.busy() + 2_700, all.all());
        assert_eq!(stat.of_core(3).unwrap().user, 500);
        assert_eq!((stat.of_core(1), stat.cores.len()), (None, 2));
        // A kernel from before steal, and no text at all.
        assert_eq!(Stat::parse("cpu  1 2 3 4\n").unwrap().all.all(), 10);
        for text in ["", "cpu  1 2 3\n", "cpu  a b c d\n", "cpux 1 2 3 4\n", "intr 1\n"] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_went_back_is_nothing() {
        let earlier = Stat::parse(STAT).unwrap().all;
        let spent = Times { idle: 1_999, user: 920, ..earlier }.since(earlier);
        assert_eq!((spent.idle, spent.user, spent.all()), (0, 10, 10));
    }
}
