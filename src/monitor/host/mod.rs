//! This host as gauges, `host.*`. A kernel without one of the files has no such gauge.
//!
//! Each part keeps its files open and reads them into memory that it has: all of them together
//! cost less than a millisecond of processor time a second.

mod disks;
mod memory;
mod pressure;
mod processors;
mod sockets;
mod traffic;

use super::sampler::Probe;

/// A probe for each part of this host that can be read.
pub fn probes() -> Vec<Box<dyn Probe>> {
    let parts = [
        boxed(processors::Processors::open()),
        boxed(memory::Memory::open()),
        boxed(traffic::Traffic::open()),
        boxed(sockets::Sockets::open()),
        boxed(disks::Disks::open()),
        boxed(pressure::Pressure::open()),
    ];
    parts.into_iter().flatten().collect()
}

fn boxed(probe: Option<impl Probe + 'static>) -> Option<Box<dyn Probe>> {
    probe.map(|probe| Box::new(probe) as Box<dyn Probe>)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_gauge_has_a_name_of_its_own_and_a_value_at_the_second_reading() {
        let mut probes = probes();
        let labels: Vec<_> = probes.iter().flat_map(|probe| probe.labels()).collect();
        let names: HashSet<_> = labels.iter().map(|label| label.name.as_str()).collect();
        assert_eq!(names.len(), labels.len());
        for expected in ["host.cpu", "host.memory", "host.net_sent", "host.context_switches"] {
            assert!(names.contains(expected), "{names:?}");
        }
        let mut read = || {
            let mut values = Vec::new();
            probes.iter_mut().for_each(|probe| probe.read(&mut values));
            values
        };
        assert_eq!(read().len(), labels.len());
        // Times of processors are counted in ticks of 10 ms.
        std::thread::sleep(std::time::Duration::from_millis(100));
        for (label, value) in labels.iter().zip(read()) {
            let value = value.unwrap_or_else(|| panic!("{} was not read", label.name));
            let most = if label.unit == crate::metrics::Unit::Percent { 100.5 } else { f64::MAX };
            assert!((0.0..=most).contains(&value), "{}: {value}", label.name);
        }
    }
}
