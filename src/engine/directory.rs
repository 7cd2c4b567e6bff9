//! The target's addresses, for all workers: which there are, and which of them new connections go
//! to. An address keeps its number for the whole run, and its place in memory, so that a driver may
//! hand it to the kernel.
//!
//! With `--dns-refresh` what new connections go to changes while the workers run. They look at a
//! number when they dial, and only where it has changed at the list behind the lock.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

use socket2::SockAddr;

use crate::address::Address;
use crate::error::{Error, Result};
use crate::metrics::Refreshes;

/// Addresses that a name may turn out to have over a run.
const ROOM: usize = 1_024;

/// Clones are the same directory.
#[derive(Clone, Debug)]
pub struct Directory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Filled from the front, never emptied.
    entries: Box<[OnceLock<Entry>]>,
    /// The numbers of those that new connections go to; never empty.
    current: Mutex<Vec<usize>>,
    /// Changes with `current`.
    generation: AtomicU64,
    refreshes: AtomicU64,
    failures: AtomicU64,
    last_failure: Mutex<String>,
}

#[derive(Debug)]
struct Entry {
    address: Address,
    for_kernel: SockAddr,
}

impl Directory {
    /// `changes`: further addresses may come in the run.
    pub fn new(addresses: Vec<Address>, changes: bool) -> Directory {
        let room = if changes { ROOM.max(addresses.len()) } else { addresses.len() };
        let entries: Box<[OnceLock<Entry>]> = (0..room).map(|_| OnceLock::new()).collect();
        let current = (0..addresses.len()).collect();
        for (entry, address) in entries.iter().zip(addresses) {
            fill(entry, address);
        }
        Directory(Arc::new(Shared {
            entries,
            current: Mutex::new(current),
            generation: AtomicU64::new(0),
            refreshes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_failure: Mutex::default(),
        }))
    }

    /// All addresses that there have been, in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = &Address> {
        self.0.entries.iter().map_while(|entry| entry.get()).map(|entry| &entry.address)
    }

    pub fn count(&self) -> usize {
        self.all().count()
    }

    #[inline]
    pub fn address(&self, number: usize) -> &Address {
        &self.entry(number).address
    }

    /// As connect(2) takes it. It never moves, and lives as long as the directory.
    #[inline]
    pub fn for_kernel(&self, number: usize) -> &SockAddr {
        &self.entry(number).for_kernel
    }

    fn entry(&self, number: usize) -> &Entry {
        self.0.entries[number].get().expect("numbers are given to addresses only")
    }

    /// The connections go through a Unix socket.
    #[inline]
    pub fn is_unix(&self) -> bool {
        matches!(self.address(0), Address::Unix(_))
    }

    #[inline]
    pub fn generation(&self) -> u64 {
        self.0.generation.load(SeqCst)
    }

    /// What new connections go to; `None` while it is being written, for who does not wait.
    pub fn current(&self) -> Option<Vec<usize>> {
        self.0.current.try_lock().ok().map(|current| current.clone())
    }

    /// From now on new connections go to these.
    pub fn replace(&self, found: &[Address]) -> Result<()> {
        let numbers = found.iter().map(|address| self.number(address));
        let mut numbers = numbers.collect::<Result<Vec<_>>>()?;
        self.0.refreshes.fetch_add(1, SeqCst);
        numbers.sort_unstable();
        let Ok(mut current) = self.0.current.lock() else { return Ok(()) };
        if *current != numbers && !numbers.is_empty() {
            *current = numbers;
            self.0.generation.fetch_add(1, SeqCst);
        }
        Ok(())
    }

    /// Nothing was found: all stays as it is.
    pub fn note_failure(&self, why: String) {
        self.0.refreshes.fetch_add(1, SeqCst);
        self.0.failures.fetch_add(1, SeqCst);
        if let Ok(mut last) = self.0.last_failure.lock() {
            *last = why;
        }
    }

    pub fn refreshes(&self) -> Refreshes {
        Refreshes {
            asked: self.0.refreshes.load(SeqCst),
            changes: self.generation(),
            failed: self.0.failures.load(SeqCst),
        }
    }

    /// Why the last refresh that failed did.
    pub fn last_failure(&self) -> String {
        self.0.last_failure.lock().map(|last| last.clone()).unwrap_or_default()
    }

    /// The number of an address, which is given one where it is new.
    fn number(&self, address: &Address) -> Result<usize> {
        if let Some(number) = self.all().position(|known| known == address) {
            return Ok(number);
        }
        let number = self.count();
        let full = || format!("the target had more than {ROOM} addresses in this run");
        let entry = self.0.entries.get(number).ok_or_else(|| Error::failed(full()))?;
        fill(entry, address.clone());
        Ok(number)
    }
}

/// Only whoever made the directory or refreshes it writes, one after the other.
fn fill(entry: &OnceLock<Entry>, address: Address) {
    let for_kernel = address.for_kernel();
    let _ = entry.set(Entry { address, for_kernel });
}

impl<const N: usize> From<[SocketAddr; N]> for Directory {
    fn from(addresses: [SocketAddr; N]) -> Directory {
        Directory::new(addresses.into_iter().map(Address::from).collect(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(last: u8) -> Address {
        Address::Inet(([10, 0, 0, last], 80).into())
    }

    #[test]
    fn an_address_keeps_its_number_and_its_place_whatever_is_found_later() {
        let directory = Directory::new(vec![of(1), of(2)], true);
        let place: *const SockAddr = directory.for_kernel(1);
        assert_eq!((directory.generation(), directory.current()), (0, Some(vec![0, 1])));
        directory.replace(&[of(3), of(2)]).expect("room");
        assert_eq!((directory.generation(), directory.current()), (1, Some(vec![1, 2])));
        directory.replace(&[of(2), of(3)]).expect("room");
        assert_eq!(directory.generation(), 1, "the same in another order is no change");
        assert_eq!(directory.address(0), &of(1));
        assert_eq!(directory.address(2), &of(3));
        assert!(std::ptr::eq(place, directory.for_kernel(1)));
    }

    #[test]
    fn what_was_not_found_or_has_no_room_leaves_all_as_it_is() {
        let directory = Directory::new(vec![of(1)], false);
        directory.note_failure("it has no address".to_string());
        assert!(directory.replace(&[of(2)]).is_err());
        directory.replace(&[]).expect("nothing to do");
        assert_eq!((directory.generation(), directory.current()), (0, Some(vec![0])));
        let Refreshes { asked, changes, failed } = directory.refreshes();
        assert_eq!((asked, changes, failed), (2, 0, 1));
        assert_eq!(directory.last_failure(), "it has no address");
    }
}
