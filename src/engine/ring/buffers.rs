//! The provided buffers of one worker: a ring of equal buffers that the kernel fills for any of
//! its connections. A buffer is given back in the same turn, so the few in use stay in cache.

use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// How many; a power of two.
const COUNT: u16 = 256;

/// How large each is: 256 of 4 KB fit the second-level cache of a core. Small answers fit one.
const SIZE: usize = 4096;

/// The buffer group's number in the ring.
pub const GROUP: u16 = 0;

const MASK: u16 = COUNT - 1;

pub struct Buffers {
    memory: Box<[u8]>,
    entries: Entries,
    tail: u16,
}

impl Buffers {
    pub fn register(submitter: &Submitter<'_>) -> io::Result<Buffers> {
        let entries = Entries::map()?;
        // SAFETY: `entries` is page-aligned, has COUNT entries, and lives in the returned value,
        // which the worker keeps until the ring is gone.
        unsafe { submitter.register_buf_ring_with_flags(entries.0 as u64, COUNT, GROUP, 0)? };
        let memory = vec![0; usize::from(COUNT) * SIZE].into_boxed_slice();
        let mut buffers = Buffers { memory, entries, tail: 0 };
        (0..COUNT).for_each(|id| buffers.give_back(id));
        buffers.publish();
        Ok(buffers)
    }

    /// The first `length` bytes of a buffer that a completion named.
    #[inline]
    pub fn bytes(&self, id: u16, length: usize) -> &[u8] {
        &self.memory[usize::from(id) * SIZE..][..length.min(SIZE)]
    }

    /// Puts a buffer back; the kernel sees it after [`Buffers::publish`].
    #[inline]
    pub fn give_back(&mut self, id: u16) {
        let start = self.memory[usize::from(id) * SIZE..].as_mut_ptr();
        let index = usize::from(self.tail & MASK);
        // SAFETY: `index < COUNT`, so the entry lies within the mapping, and it is one that the
        // kernel does not own: it has consumed it, and sees it again only after `publish`.
        let entry = unsafe { &mut *self.entries.0.add(index) };
        entry.set_addr(start as u64);
        entry.set_len(SIZE as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    #[inline]
    pub fn publish(&mut self) {
        // SAFETY: the tail is a 16-bit field within the first entry of the mapping, written only
        // here and read by the kernel.
        let tail = unsafe { &*BufRingEntry::tail(self.entries.0).cast::<AtomicU16>() };
        tail.store(self.tail, Ordering::Release);
    }
}

/// The ring of entries, shared with the kernel.
struct Entries(*mut BufRingEntry);

impl Entries {
    const BYTES: usize = COUNT as usize * size_of::<BufRingEntry>();

    fn map() -> io::Result<Entries> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping, owned by the value made from it.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), Self::BYTES, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Entries(start.cast()))
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map` with this length. The worker drops its ring before
        // its buffers, so the kernel no longer writes to it.
        unsafe { libc::munmap(self.0.cast(), Self::BYTES) };
    }
}
