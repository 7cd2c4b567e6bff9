//! `/proc/net/dev`: bytes that came and went, loopback's too: many a server is loaded there.

use std::path::Path;

use crate::metrics::{Label, Unit};
use crate::monitor::kernel_file::KernelFile;
use crate::monitor::rate::Rate;
use crate::monitor::sampler::Probe;
use crate::time;

#[derive(Debug)]
pub struct Traffic {
    file: KernelFile,
    /// Whose bytes are counted.
    interfaces: Vec<String>,
    received: Rate,
    sent: Rate,
}

/// Bytes since the start of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counts<'a> {
    interface: &'a str,
    received: u64,
    sent: u64,
}

impl Traffic {
    pub fn open() -> Option<Traffic> {
        let mut file = KernelFile::open("/proc/net/dev")?;
        let names: Vec<String> =
            parse(file.read()?).map(|counts| counts.interface.to_string()).collect();
        let interfaces =
            counted(names, |name| Path::new("/sys/class/net").join(name).join("device").exists());
        let (received, sent) = (Rate::default(), Rate::default());
        (!interfaces.is_empty()).then_some(Traffic { file, interfaces, received, sent })
    }
}

/// What passes a bridge passes its ports as well, and would count twice: where there are devices,
/// only they count, and loopback. A container sees none.
fn counted(names: Vec<String>, is_device: impl Fn(&str) -> bool) -> Vec<String> {
    match names.iter().any(|name| is_device(name)) {
        true => names.into_iter().filter(|name| name == "lo" || is_device(name)).collect(),
        false => names,
    }
}

impl Probe for Traffic {
    fn labels(&self) -> Vec<Label> {
        vec![
            Label::new("host.net_received", Unit::BytesPerSecond),
            Label::new("host.net_sent", Unit::BytesPerSecond),
        ]
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let at = time::now();
        let Some(text) = self.file.read() else { return values.extend([None, None]) };
        let ours =
            parse(text).filter(|counts| self.interfaces.iter().any(|i| i == counts.interface));
        let (received, sent) = ours.fold((0, 0), |(received, sent), counts| {
            (received + counts.received, sent + counts.sent)
        });
        values.extend([self.received.per_s(at, received), self.sent.per_s(at, sent)]);
    }
}

/// Two lines of heads; then of each interface eight figures of what came, and eight of what went.
fn parse(text: &str) -> impl Iterator<Item = Counts<'_>> {
    text.lines().filter_map(|line| {
        let (name, rest) = line.split_once(':')?;
        let mut words = rest.split_ascii_whitespace();
        let received = words.next()?.parse().ok()?;
        let sent = words.nth(7)?.parse().ok()?;
        Some(Counts { interface: name.trim(), received, sent })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo: 1158 84 0 204 0 0 0 0 1159 84 0 0 0 0 0 0
  eth0:980 50372 0 0 0 0 0 0 3270 35023 0 0 0 0 0 0
";

    #[test]
    fn bytes_of_each_interface_are_read() {
        let rows: Vec<_> = parse(DEV).collect();
        let expected = [
            Counts { interface: "lo", received: 1158, sent: 1159 },
            Counts { interface: "eth0", received: 980, sent: 3270 },
        ];
        assert_eq!(rows, expected);
        assert_eq!(parse("lo: 1 2\nx\n: \n").count(), 0);
    }

    #[test]
    fn what_passes_a_bridge_does_not_count_twice() {
        let names = || ["lo", "eth0", "docker0", "veth1"].map(str::to_string).to_vec();
        assert_eq!(counted(names(), |name| name == "eth0"), ["lo", "eth0"]);
        assert_eq!(counted(names(), |_| false), names());
    }
}
