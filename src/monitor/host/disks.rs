//! `/proc/diskstats`: bytes that whole disks gave and took. Their partitions, and what lies upon
//! them (device mapper, RAID, loop), would count the same bytes again.

use std::path::Path;

use crate::metrics::{Label, Unit};
use crate::monitor::kernel_file::KernelFile;
use crate::monitor::rate::Rate;
use crate::monitor::sampler::Probe;
use crate::time;

#[derive(Debug)]
pub struct Disks {
    file: KernelFile,
    disks: Vec<String>,
    read: Rate,
    written: Rate,
}

/// Whatever the disk's own are (Documentation/block/stat.rst).
const SECTOR: u64 = 512;

/// What lies upon disks, or in memory.
const NO_DISKS: [&str; 5] = ["loop", "ram", "zram", "dm-", "md"];

/// Bytes since the start of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counts<'a> {
    name: &'a str,
    read: u64,
    written: u64,
}

impl Disks {
    pub fn open() -> Option<Disks> {
        let mut file = KernelFile::open("/proc/diskstats")?;
        // A partition is no block device of its own there.
        let is_whole = |name: &str| Path::new("/sys/block").join(name).exists();
        let names = parse(file.read()?).map(|counts| counts.name);
        let disks: Vec<String> =
            names.filter(|name| is_disk(name) && is_whole(name)).map(str::to_string).collect();
        let (read, written) = (Rate::default(), Rate::default());
        (!disks.is_empty()).then_some(Disks { file, disks, read, written })
    }
}

fn is_disk(name: &str) -> bool {
    !NO_DISKS.iter().any(|prefix| name.starts_with(prefix))
}

impl Probe for Disks {
    fn labels(&self) -> Vec<Label> {
        vec![
            Label::new("host.disk_read", Unit::BytesPerSecond),
            Label::new("host.disk_written", Unit::BytesPerSecond),
        ]
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        let at = time::now();
        let Some(text) = self.file.read() else { return values.extend([None, None]) };
        let ours = parse(text).filter(|counts| self.disks.iter().any(|disk| disk == counts.name));
        let (read, written) =
            ours.fold((0, 0), |(read, written), disk| (read + disk.read, written + disk.written));
        values.extend([self.read.per_s(at, read), self.written.per_s(at, written)]);
    }
}

/// Numbers of the device, its name; reads, merged ones, sectors, time; the same of writes.
fn parse(text: &str) -> impl Iterator<Item = Counts<'_>> {
    text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let name = words.next()?;
        let read = words.nth(2)?.parse::<u64>().ok()?.checked_mul(SECTOR)?;
        let written = words.nth(3)?.parse::<u64>().ok()?.checked_mul(SECTOR)?;
        Some(Counts { name, read, written })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_each_disk_are_read() {
        let text =
            "   7  0 loop0 0 0 0 0 0 0 0 0 0 0 0\n 254  0 vda 69 14 300 5 76 96 1063 51 0 1 5\n";
        let rows: Vec<_> = parse(text).collect();
        let vda = Counts { name: "vda", read: 300 * 512, written: 1063 * 512 };
        assert_eq!((rows.len(), &rows[1]), (2, &vda));
        assert_eq!(parse("254 0 vda 1 2 3\n\n").count(), 0);
    }

    #[test]
    fn what_lies_upon_disks_is_none() {
        let disks = ["sda", "vda", "nvme0n1", "mmcblk0", "xvda"];
        assert!(disks.into_iter().all(is_disk));
        assert!(!["loop0", "dm-1", "md127", "zram0", "ram3"].into_iter().any(is_disk));
    }
}
