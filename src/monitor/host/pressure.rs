//! `/proc/pressure`: the share of the time in which something waited for a processor, for memory,
//! or for a disk (Documentation/accounting/psi.rst).

use crate::metrics::{Label, Unit};
use crate::monitor::kernel_file::KernelFile;
use crate::monitor::rate::Rate;
use crate::monitor::sampler::Probe;
use crate::time;

#[derive(Debug)]
pub struct Pressure {
    resources: Vec<Resource>,
}

#[derive(Debug)]
struct Resource {
    name: &'static str,
    file: KernelFile,
    waited: Rate,
}

impl Pressure {
    pub fn open() -> Option<Pressure> {
        let open = |name: &'static str| {
            let file = KernelFile::open(&format!("/proc/pressure/{name}"))?;
            Some(Resource { name, file, waited: Rate::default() })
        };
        let resources: Vec<_> = ["cpu", "memory", "io"].into_iter().filter_map(open).collect();
        (!resources.is_empty()).then_some(Pressure { resources })
    }
}

impl Probe for Pressure {
    fn labels(&self) -> Vec<Label> {
        let names = self.resources.iter().map(|resource| resource.name);
        names.map(|name| Label::new(format!("host.pressure_{name}"), Unit::Percent)).collect()
    }

    fn read(&mut self, values: &mut Vec<Option<f64>>) {
        values.extend(self.resources.iter_mut().map(|resource| {
            let at = time::now();
            let us = resource.file.read().and_then(some_total)?;
            // The kernel sums up a little behind the clock.
            Some((resource.waited.per_s(at, us)? / 1e4).min(100.0))
        }));
    }
}

/// Microseconds in which some thread waited: `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`.
fn some_total(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.rsplit_once("total=")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_in_which_something_waited_is_read() {
        let text = "some avg10=0.00 avg60=1.00 avg300=0.00 total=42\nfull avg10=0.00 total=7\n";
        assert_eq!(some_total(text), Some(42));
        assert_eq!(some_total("full avg10=0.00 total=7\n"), None);
        assert_eq!(some_total("some total=\n"), None);
    }
}
