//! The provided buffers of one ring: groups of equal buffers that the kernel fills for any of the
//! ring's connections. A buffer is given back in the same turn, so the few in use stay in cache.
//!
//! Two sizes: a small answer fits a small buffer, and 256 of these stay in the second-level cache;
//! an answer that overflows one moves its connection to the large ones, which take it in one piece.

use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// Which buffers a receive takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    #[default]
    Small,
    Large,
}

impl Size {
    const ALL: [Size; 2] = [Size::Small, Size::Large];

    /// The group's number in the ring.
    pub fn group(self) -> u16 {
        self as u16
    }

    pub const fn bytes(self) -> usize {
        match self {
            Size::Small => 4096,
            Size::Large => 32 * 1024,
        }
    }

    /// The number of the first: a completion names its buffer, not the group.
    const fn first(self) -> u16 {
        match self {
            Size::Small => 0,
            Size::Large => 0x8000,
        }
    }

    #[inline]
    fn of(id: u16) -> Size {
        if id < Size::Large.first() { Size::Small } else { Size::Large }
    }
}

pub struct Buffers {
    groups: [Group; 2],
}

impl Buffers {
    /// `counts`: how many of each size, powers of two.
    pub fn register(submitter: &Submitter<'_>, counts: [u16; 2]) -> io::Result<Buffers> {
        let register = |size: Size| Group::register(submitter, size, counts[size as usize]);
        let [small, large] = Size::ALL.map(register);
        Ok(Buffers { groups: [small?, large?] })
    }

    /// The first `length` bytes of a buffer that a completion named.
    #[inline]
    pub fn bytes(&mut self, id: u16, length: usize) -> &mut [u8] {
        self.groups[Size::of(id) as usize].bytes(id, length)
    }

    /// Puts a buffer back; the kernel sees it after [`Buffers::publish`].
    #[inline]
    pub fn give_back(&mut self, id: u16) {
        self.groups[Size::of(id) as usize].give_back(id);
    }

    #[inline]
    pub fn publish(&mut self) {
        self.groups.iter_mut().for_each(Group::publish);
    }
}

struct Group {
    size: Size,
    count: u16,
    /// The ring of entries, shared with the kernel, and the buffers. Untouched pages cost nothing.
    entries: Mapping,
    memory: Mapping,
    tail: u16,
}

impl Group {
    fn register(submitter: &Submitter<'_>, size: Size, count: u16) -> io::Result<Group> {
        let entries = Mapping::new(usize::from(count) * size_of::<BufRingEntry>())?;
        // SAFETY: `entries` is page-aligned, has room for the count, and lives in the returned
        // value, which the worker keeps until the ring is gone.
        unsafe {
            let (start, group) = (entries.start as u64, size.group());
            submitter.register_buf_ring_with_flags(start, count, group, 0)?;
        }
        let memory = Mapping::new(usize::from(count) * size.bytes())?;
        let mut group = Group { size, count, entries, memory, tail: 0 };
        (0..count).for_each(|number| group.give_back(size.first() + number));
        group.publish();
        Ok(group)
    }

    #[inline]
    fn bytes(&mut self, id: u16, length: usize) -> &mut [u8] {
        let start = self.offset(id);
        assert!(start + length <= self.memory.length, "the kernel named a buffer it has not");
        // SAFETY: inside the mapping by the check above. The kernel has filled the buffer and does
        // not write to it before it is given back, which needs `&mut self`.
        unsafe { std::slice::from_raw_parts_mut(self.memory.start.add(start), length) }
    }

    #[inline]
    fn give_back(&mut self, id: u16) {
        let index = usize::from(self.tail & (self.count - 1));
        let offset = self.offset(id);
        // SAFETY: `index` is below the count, so the entry lies within the mapping, and it is one
        // that the kernel does not own: it has consumed it, and sees it again only after `publish`.
        let entry = unsafe { &mut *self.entries.start.cast::<BufRingEntry>().add(index) };
        entry.set_addr(self.memory.start as u64 + offset as u64);
        entry.set_len(self.size.bytes() as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    #[inline]
    fn publish(&mut self) {
        // SAFETY: the tail is a 16-bit field within the first entry of the mapping, written only
        // here and read by the kernel.
        let tail = unsafe {
            AtomicU16::from_ptr(BufRingEntry::tail(self.entries.start.cast()).cast_mut())
        };
        tail.store(self.tail, Ordering::Release);
    }

    #[inline]
    fn offset(&self, id: u16) -> usize {
        usize::from(id - self.size.first()) * self.size.bytes()
    }
}

/// Anonymous memory, made page by page as it is used.
struct Mapping {
    start: *mut u8,
    length: usize,
}

impl Mapping {
    fn new(length: usize) -> io::Result<Mapping> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping, owned by the value made from it.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapping { start: start.cast(), length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length. The worker drops its rings before
        // its buffers, so the kernel no longer writes to it.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}
