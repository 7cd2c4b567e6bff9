//! The target's addresses, as one worker finds them while it connects.
//!
//! All are used round robin. One that fails before it ever worked (`localhost` is often two
//! addresses and the server listens on one) is left out and reported, rather than counted as a
//! failure for every connection; the last one is never left out.
//!
//! Where the directory changes in the run (`--dns-refresh`), the new ones are taken from then on.

use super::directory::Directory;
use crate::failure::Kind;

#[derive(Debug)]
pub struct Addresses {
    directory: Directory,
    /// What is in `usable` is of this generation of the directory.
    generation: u64,
    /// Numbers of the directory's addresses; never empty.
    usable: Vec<usize>,
    /// By number: how often a connection to it opened, and how often before this load.
    opened: Vec<u64>,
    before: Vec<u64>,
    skipped: Vec<(usize, Kind)>,
}

impl Addresses {
    pub fn new(directory: Directory) -> Addresses {
        let count = directory.count();
        let (usable, opened) = ((0..count).collect(), vec![0; count]);
        let skipped = Vec::with_capacity(count);
        Addresses { generation: 0, directory, usable, opened, before: Vec::new(), skipped }
    }

    /// Before a dial: takes over what the directory says by now. A number is all that is looked at
    /// while that stays the same.
    #[inline]
    pub fn catch_up(&mut self) {
        let generation = self.directory.generation();
        if generation != self.generation {
            self.take_over(generation);
        }
    }

    #[cold]
    fn take_over(&mut self, generation: u64) {
        // Being written: the next dial is soon enough.
        let Some(mut current) = self.directory.current() else { return };
        self.generation = generation;
        let is_alive = |number: &usize| !self.skipped.iter().any(|(dead, _)| dead == number);
        if current.iter().any(is_alive) {
            current.retain(is_alive);
        }
        self.usable = current;
        self.opened.resize(self.directory.count(), 0);
    }

    /// The address of the connection with this number (over all workers, plus its detours).
    pub fn pick(&self, number: u64) -> usize {
        self.usable[(number % self.usable.len() as u64) as usize]
    }

    pub fn worked(&mut self, index: usize) {
        self.opened[index] += 1;
    }

    /// By number: how often a connection to the address opened in this load.
    pub fn opened(&self) -> Vec<u64> {
        let before = self.before.iter().chain(std::iter::repeat(&0));
        self.opened.iter().zip(before).map(|(opened, before)| opened - before).collect()
    }

    /// Another load begins.
    pub fn begin_anew(&mut self) {
        self.before.clone_from(&self.opened);
    }

    /// A connect failed while the run was still connecting. True if the address is left out: then
    /// it is no failure of the run.
    pub fn leave_out(&mut self, index: usize, kind: Kind) -> bool {
        if self.opened[index] > 0 {
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
    use crate::address::Address;

    fn of(last: u8) -> Address {
        Address::Inet(([10, 0, 0, last], 80).into())
    }

    fn addresses(count: u8) -> Addresses {
        Addresses::new(Directory::new((0..count).map(of).collect(), true))
    }

    #[test]
    fn new_connections_go_to_the_addresses_found_last_and_to_none_that_never_worked() {
        let mut addresses = addresses(2);
        let picked = |addresses: &mut Addresses| {
            addresses.catch_up();
            [0, 1, 2, 3].map(|number| addresses.pick(number))
        };
        assert_eq!(picked(&mut addresses), [0, 1, 0, 1]);
        assert!(addresses.leave_out(0, Kind::ConnectRefused));
        let directory = addresses.directory.clone();
        directory.replace(&[of(0), of(1), of(7)]).expect("room");
        assert_eq!(picked(&mut addresses), [1, 2, 1, 2]);
        addresses.worked(2);
        directory.replace(&[of(7)]).expect("room");
        assert_eq!(picked(&mut addresses), [2; 4]);
        // Better one that never worked than none.
        directory.replace(&[of(0)]).expect("room");
        assert_eq!(picked(&mut addresses), [0; 4]);
        assert_eq!(addresses.opened(), [0, 0, 1]);
    }

    #[test]
    fn an_address_that_never_worked_is_left_out_but_not_the_last() {
        let mut addresses = addresses(2);
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
        let mut addresses = addresses(2);
        addresses.worked(1);
        assert!(!addresses.leave_out(1, Kind::ConnectReset));
        assert_eq!(addresses.pick(1), 1);
    }
}
