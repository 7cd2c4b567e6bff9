//! TCP: what was sent twice, connections that no listener had room for, sockets by state.

use crate::metrics::{Label, Unit};
use crate::monitor::kernel_file::KernelFile;
use crate::monitor::rate::Rate;
use crate::monitor::sampler::Probe;
use crate::time;

#[derive(Debug)]
pub struct Sockets {
    files: Vec<(Source, KernelFile)>,
    gauges: Vec<Gauge>,
    rates: [Rate; GAUGES.len()],
}

/// Where a figure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Snmp,
    Netstat,
    Sockstat,
}

#[derive(Clone, Copy, Debug)]
struct Gauge {
    name: &'static str,
    unit: Unit,
    source: Source,
    /// The line, and the figure within.
    key: (&'static str, &'static str),
}

const GAUGES: [Gauge; 6] = [
    Gauge::new("host.retransmits", Unit::PerSecond, Source::Snmp, ("Tcp:", "RetransSegs")),
    Gauge::new("host.segments_sent", Unit::PerSecond, Source::Snmp, ("Tcp:", "OutSegs")),
    // One that overflowed is among those that were dropped.
    Gauge::new("host.listen_drops", Unit::PerSecond, Source::Netstat, ("TcpExt:", "ListenDrops")),
    Gauge::new("host.sockets_established", Unit::Count, Source::Snmp, ("Tcp:", "CurrEstab")),
    Gauge::new("host.sockets_time_wait", Unit::Count, Source::Sockstat, ("TCP:", "tw")),
    Gauge::new("host.sockets_orphaned", Unit::Count, Source::Sockstat, ("TCP:", "orphan")),
];

impl Gauge {
    const fn new(
        name: &'static str,
        unit: Unit,
        source: Source,
        key: (&'static str, &'static str),
    ) -> Gauge {
        Gauge { name, unit, source, key }
    }
}

impl Source {
    const ALL: [Source; 3] = [Source::Snmp, Source::Netstat, Source::Sockstat];

    fn path(self) -> &'static str {
        match self {
            Source::Snmp => "/proc/net/snmp",
            Source::Netstat => "/proc/net/netstat",
            Source::Sockstat => "/proc/net/sockstat",
        }
    }

    fn find(self, text: &str, (line, name): (&str, &str)) -> Option<u64> {
        match self {
            Source::Snmp | Source::Netstat => in_two_lines(text, line, name),
            Source::Sockstat => in_one_line(text, line, name),
        }
    }
}

impl Sockets {
    pub fn open() -> Option<Sockets> {
        let open = |source: Source| Some((source, KernelFile::open(source.path())?));
        let mut files: Vec<_> = Source::ALL.into_iter().filter_map(open).collect();
        let mut gauges = Vec::new();
        for (source, file) in &mut files {
            let Some(text) = file.read() else { continue };
            let of_file = GAUGES.into_iter().filter(|gauge| gauge.source == *source);
            gauges.extend(of_file.filter(|gauge| source.find(text, gauge.key).is_some()));
        }
        // The same order everywhere.
        let place = |gauge: &Gauge| GAUGES.iter().position(|known| known.name == gauge.name);
        gauges.sort_by_key(place);
        (!gauges.is_empty()).then(|| Sockets { files, gauges, rates: Default::default() })
    }
}

impl Probe for Sockets {
    fn labels(&self) -> Vec<Label> {
        self.gauges.iter().map(|gauge| Label::new(gauge.name, gauge.unit)).collect()
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let first = values.len();
        values.resize(first + self.gauges.len(), None);
        for (source, file) in &mut self.files {
            let at = time::now();
            let Some(text) = file.read() else { continue };
            for (place, gauge) in self.gauges.iter().enumerate() {
                if gauge.source != *source {
                    continue;
                }
                let total = source.find(text, gauge.key);
                values[first + place] = total.and_then(|total| match gauge.unit {
                    Unit::PerSecond => self.rates[place].per_s(at, total),
                    _ => Some(total as f64),
                });
            }
        }
    }
}

/// `Tcp: A B` over `Tcp: 1 2`.
fn in_two_lines(text: &str, line: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|row| row.starts_with(line));
    let place = lines.next()?.split_ascii_whitespace().position(|word| word == name)?;
    lines.next()?.split_ascii_whitespace().nth(place)?.parse().ok()
}

/// `TCP: a 1 b 2`.
fn in_one_line(text: &str, line: &str, name: &str) -> Option<u64> {
    let mut words = text.lines().find(|row| row.starts_with(line))?.split_ascii_whitespace();
    words.find(|word| *word == name)?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_found_by_its_name() {
        let snmp =
            "Ip: Forwarding TTL\nIp: 1 64\nTcp: MaxConn CurrEstab RetransSegs\nTcp: -1 9 7\n";
        assert_eq!(in_two_lines(snmp, "Tcp:", "RetransSegs"), Some(7));
        assert_eq!(in_two_lines(snmp, "Tcp:", "CurrEstab"), Some(9));
        assert_eq!(in_two_lines(snmp, "Tcp:", "OutRsts"), None);
        assert_eq!(in_two_lines("Tcp: A\n", "Tcp:", "A"), None);
        let sockstat = "sockets: used 17\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\nTCP6: tw 9\n";
        assert_eq!(in_one_line(sockstat, "TCP:", "tw"), Some(3));
        assert_eq!(in_one_line(sockstat, "TCP:", "orphan"), Some(2));
        assert_eq!(in_one_line(sockstat, "TCP:", "other"), None);
    }
}
