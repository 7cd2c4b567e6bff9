//! The provided-buffer ring: memory the kernel picks from when bytes arrive, so that an idle
//! connection holds none.
//!
//! Every buffer is owned either by the kernel (it stands in the ring) or by us (a completion named
//! it and [`Buffers::give_back`] was not called yet), never by both.

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// 256 buffers of 4 KB: each goes back in the turn that used it, so only the heads of a few are
/// touched and the set stays in the second-level cache.
const COUNT: u16 = 256;
const SIZE: usize = 4096;

/// The group the receive operations name.
pub(super) const GROUP: u16 = 0;

pub(super) struct Buffers {
    /// One mapping: the ring's entries (a page), then the buffers.
    base: *mut u8,
    tail: u16,
}

impl Buffers {
    pub fn map() -> io::Result<Buffers> {
        // SAFETY: a fresh anonymous mapping; nothing else refers to it.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                Buffers::mapped(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Buffers { base: base.cast(), tail: 0 })
    }

    /// Hands all of them to the kernel. From here on they must outlive the ring.
    pub fn register(&mut self, submitter: &Submitter<'_>) -> io::Result<()> {
        // SAFETY: the entries lie at the start of our mapping, page aligned, and stay mapped until
        // the `Buffers` is dropped, which the server does after its ring.
        unsafe { submitter.register_buf_ring_with_flags(self.base as u64, COUNT, GROUP, 0)? };
        for id in 0..COUNT {
            self.give_back(id);
        }
        self.publish();
        Ok(())
    }

    /// The first `length` bytes of a buffer that a completion named.
    ///
    /// # Safety
    ///
    /// `id` was named by a completion with this length, and was not given back since.
    pub unsafe fn bytes(&self, id: u16, length: usize) -> &[u8] {
        assert!(id < COUNT && length <= SIZE, "the kernel named a buffer it was not given");
        // SAFETY: inside our mapping by the check above; ours, not the kernel's, by the contract.
        unsafe { std::slice::from_raw_parts(self.address(id), length) }
    }

    /// Queues a buffer for the kernel; it is the kernel's from the next [`Buffers::publish`] on.
    pub fn give_back(&mut self, id: u16) {
        let address = self.address(id) as u64;
        let place = usize::from(self.tail & (COUNT - 1));
        // SAFETY: `place` is inside the page of entries, and the kernel does not read an entry
        // before the tail has passed it.
        let entry = unsafe { &mut *self.base.cast::<BufRingEntry>().add(place) };
        entry.set_addr(address);
        entry.set_len(SIZE as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Makes the queued buffers the kernel's.
    pub fn publish(&self) {
        // SAFETY: the tail's place in the first entry, inside our mapping, aligned for a u16; the
        // kernel only reads it.
        unsafe {
            let tail = BufRingEntry::tail(self.base.cast());
            AtomicU16::from_ptr(tail.cast_mut()).store(self.tail, Ordering::Release);
        }
    }

    fn address(&self, id: u16) -> *mut u8 {
        // SAFETY: `id` is below COUNT, so the result stays inside the mapping.
        unsafe { self.base.add(Buffers::entries() + usize::from(id) * SIZE) }
    }

    /// The bytes of the entries, 16 each: with 256 exactly one page.
    const fn entries() -> usize {
        COUNT as usize * size_of::<BufRingEntry>()
    }

    const fn mapped() -> usize {
        Buffers::entries() + COUNT as usize * SIZE
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: our own mapping, of this length; the ring that used it is gone (see `register`).
        unsafe { libc::munmap(self.base.cast(), Buffers::mapped()) };
    }
}
