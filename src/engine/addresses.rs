//! The target's addresses, as one worker finds them while it connects.
//!
//! All are used round robin. One that fails before it ever worked (`localhost` is often two
//! addresses and the server listens on one) is left out and reported, rather than counted as a
//! failure for every connection; the last one is never left out.

use crate::failure::Kind;

#[derive(Debug)]
pub struct Addresses {
    /// Indices into the job's addresses.
    usable: Vec<usize>,
    /// By index: a connection to it was open at some time.
    proven: Vec<bool>,
    skipped: Vec<(usize, Kind)>,
}

impl Addresses {
    pub fn new(count: usize) -> Addresses {
        let (usable, proven) = ((0..count).collect(), vec![false; count]);
        Addresses { usable, proven, skipped: Vec::with_capacity(count) }
    }

    /// The address of the connection with this number (over all workers, plus its detours).
    pub fn pick(&self, number: u64) -> usize {
        self.usable[(number % self.usable.len() as u64) as usize]
    }

    pub fn worked(&mut self, index: usize) {
        self.proven[index] = true;
    }

    /// A connect failed while the run was still connecting. True if the address is left out: then
    /// it is no failure of the run.
    pub fn leave_out(&mut self, index: usize, kind: Kind) -> bool {
        if self.proven[index] {
            return false;
        }
        if self.usable.len() > 1
            && let Some(at) = self.usable.iter().position(|usable| *usable == index)
        {
            self.usable.remove(at);
            self.skipped.push((index, kind));
        }
        !self.usable.contains(&index)
    }

    /// What was left out, by index, and why.
    pub fn skipped(&self) -> Vec<(usize, Kind)> {
        self.skipped.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_never_worked_is_left_out_but_not_the_last() {
        let mut addresses = Addresses::new(2);
        assert_eq!([0, 1, 2].map(|number| addresses.pick(number)), [0, 1, 0]);
        assert!(addresses.leave_out(0, Kind::ConnectRefused));
        // Others were under way to it.
        assert!(addresses.leave_out(0, Kind::ConnectRefused));
        assert_eq!([0, 1].map(|number| addresses.pick(number)), [1, 1]);
        assert!(!addresses.leave_out(1, Kind::ConnectRefused));
        assert_eq!(addresses.skipped(), [(0, Kind::ConnectRefused)]);
    }

    #[test]
    fn an_address_that_worked_stays_and_its_failures_count() {
        let mut addresses = Addresses::new(2);
        addresses.worked(1);
        assert!(!addresses.leave_out(1, Kind::ConnectReset));
        assert_eq!(addresses.pick(1), 1);
    }
}
