//! The rings of one worker: one, unless it has more connections than a table of registered files
//! may be long.
//!
//! Only the first ring is slept on. Each further one has a bell: an eventfd that the kernel rings
//! when that ring gets work, polled in the first ring. A poll of the ring's own descriptor would
//! not wake: the work stays deferred until the ring is entered. While the worker is awake it looks
//! at every ring itself, and the bells are muffled.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{Ordering, fence};

use io_uring::types::{Fd, Fixed};
use io_uring::{cqueue, opcode, squeue};

use super::setup::Setup;
use super::token::{Token, Verb};
use super::uring::Uring;
use crate::engine::core::Wake;
use crate::engine::wire::Slot;
use crate::error::{Error, Result};
use crate::plan::Wait;
use crate::time::{self, Nanos};

pub struct Rings {
    rings: Vec<Uring>,
    /// Of each ring but the first.
    bells: Vec<Bell>,
    layout: Layout,
    wait: Wait,
    spin_window: Nanos,
    pub spin_time: Nanos,
}

/// How the slots lie in the tables of the rings: in blocks of a power of two, so that finding one
/// takes a shift and a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    slots: u32,
    shift: u32,
}

impl Layout {
    /// `longest`: how long one table may be.
    pub fn new(slots: u32, longest: u32) -> Layout {
        let shift = if slots <= longest { u32::BITS - 1 } else { longest.max(1).ilog2() };
        Layout { slots, shift }
    }

    /// How many rings it takes.
    pub fn rings(self) -> u32 {
        self.slots.div_ceil(1 << self.shift)
    }

    #[inline]
    fn ring(self, slot: Slot) -> usize {
        (slot >> self.shift) as usize
    }

    #[inline]
    fn index(self, slot: Slot) -> u32 {
        slot & ((1 << self.shift) - 1)
    }

    /// The length of a ring's table.
    fn length(self, ring: u32) -> u32 {
        (self.slots - (ring << self.shift)).min(1 << self.shift)
    }
}

impl Rings {
    /// Made by the thread that uses them.
    pub fn new(layout: Layout, wait: Wait, spin_window: Nanos, setup: &Setup) -> Result<Rings> {
        let rings = (0..layout.rings()).map(|ring| Uring::new(layout.length(ring), setup));
        let rings = rings.collect::<Result<Vec<_>>>()?;
        let bells = rings[1..].iter().map(Bell::hang).collect::<Result<Vec<_>>>()?;
        Ok(Rings { rings, bells, layout, wait, spin_window, spin_time: Nanos::ZERO })
    }

    pub fn all(&self) -> &[Uring] {
        &self.rings
    }

    /// A slot's place in the table of its ring.
    #[inline]
    pub fn fixed(&self, slot: Slot) -> Fixed {
        Fixed(self.layout.index(slot))
    }

    /// Adds an entry to the ring of a slot.
    ///
    /// # Safety
    /// What the entry points to must stay valid until its completion arrives.
    #[inline]
    pub unsafe fn push(&mut self, slot: Slot, entry: &squeue::Entry) -> Result<()> {
        // SAFETY: passed on to the caller.
        unsafe { self.rings[self.layout.ring(slot)].push(entry) }
    }

    /// Puts a descriptor into the slot's place; -1 empties it.
    pub fn install(&self, slot: Slot, descriptor: RawFd) -> io::Result<()> {
        self.rings[self.layout.ring(slot)].install(self.layout.index(slot), descriptor)
    }

    #[inline]
    pub fn reap(&mut self, ring: usize, into: &mut Vec<cqueue::Entry>) {
        self.rings[ring].reap(into);
    }

    /// A bell was heard: its poll is over.
    pub fn rung(&mut self, ring: u32) {
        if let Some(bell) = self.bells.get_mut(ring as usize - 1) {
            bell.polled = false;
            bell.silence();
        }
    }

    pub fn enters(&self) -> u64 {
        self.rings.iter().map(|ring| ring.enters).sum()
    }

    /// How often the kernel had to keep completions aside.
    pub fn overflows(&self) -> u64 {
        self.rings.iter().map(|ring| ring.overflows).sum()
    }

    /// Submits what is queued, and returns when there are completions or `wake` is reached.
    #[inline]
    pub fn wait(&mut self, wake: Wake, now: Nanos) -> Result<()> {
        for ring in &mut self.rings[1..] {
            ring.flush()?;
        }
        if self.rings.iter_mut().any(Uring::has_completions) {
            return self.rings[0].flush();
        }
        // Only the intended time of a request is worth spinning for.
        let spin = match self.wait {
            Wait::Hybrid if wake.exact => self.spin_window,
            Wait::Spin if wake.exact => Nanos::MAX,
            _ => Nanos::ZERO,
        };
        let asleep_until = wake.at - spin;
        if asleep_until > now { self.sleep(asleep_until, now) } else { self.spin(wake.at) }
    }

    /// Submits what is queued, and has the kernel do what it put off.
    pub fn gather(&mut self) -> Result<()> {
        self.rings.iter_mut().try_for_each(Uring::gather)
    }

    /// Looks for completions without a system call until `until`: the kernel sets a flag in a ring
    /// that has some.
    fn spin(&mut self, until: Nanos) -> Result<()> {
        self.rings[0].gather()?;
        let start = time::now();
        let mut now = start;
        while now < until && !self.rings.iter_mut().any(Uring::has_news) {
            std::hint::spin_loop();
            now = time::now();
        }
        self.spin_time += now - start;
        self.rings.iter_mut().try_for_each(Uring::flush)
    }

    fn sleep(&mut self, until: Nanos, now: Nanos) -> Result<()> {
        if self.bells.is_empty() {
            return self.rings[0].sleep(until, now);
        }
        let (first, further) = self.rings.split_at_mut(1);
        for (number, bell) in (1..).zip(&mut self.bells) {
            bell.poll(&mut first[0], number)?;
        }
        further.iter_mut().for_each(|ring| ring.mute(false));
        // What came before the bells could be heard rang none.
        fence(Ordering::SeqCst);
        if further.iter_mut().any(Uring::has_news) {
            first[0].flush()?;
        } else {
            first[0].sleep(until, now)?;
        }
        further.iter_mut().for_each(|ring| ring.mute(true));
        further.iter_mut().try_for_each(Uring::flush)
    }
}

/// The eventfd of a further ring.
struct Bell {
    eventfd: OwnedFd,
    /// The first ring has a poll for it.
    polled: bool,
}

impl Bell {
    fn hang(ring: &Uring) -> Result<Bell> {
        let eventfd = eventfd().map_err(|error| unmade(&error))?;
        let registered = ring.submitter().register_eventfd(eventfd.as_raw_fd());
        registered.map_err(|error| unmade(&error))?;
        ring.mute(true);
        Ok(Bell { eventfd, polled: false })
    }

    fn poll(&mut self, first: &mut Uring, number: Slot) -> Result<()> {
        if self.polled {
            return Ok(());
        }
        self.polled = true;
        let token = Token { slot: number, generation: 0, verb: Verb::Bell };
        let entry = opcode::PollAdd::new(Fd(self.eventfd.as_raw_fd()), libc::POLLIN as u32);
        // SAFETY: a poll points to no memory.
        unsafe { first.push(&entry.build().user_data(token.pack())) }
    }

    /// Else the next poll would be over at once.
    fn silence(&self) {
        let mut count = 0_u64;
        // SAFETY: eight bytes of this frame. With nothing to read it fails, and that is as well.
        unsafe { libc::read(self.eventfd.as_raw_fd(), (&raw mut count).cast(), 8) };
    }
}

fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn unmade(error: &io::Error) -> Error {
    Error::failed(format!(
        "a further ring could not be set up ({error}): use fewer --connections, or more of \
         `ulimit -n`"
    ))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::host::tables;

    fn rings(slots: u32, longest: u32, wait: Wait, spin_window: Nanos) -> Rings {
        let layout = Layout::new(slots, longest);
        Rings::new(layout, wait, spin_window, &Setup::DEFAULT).expect("rings")
    }

    #[test]
    fn every_slot_has_a_place_of_its_own_in_a_table_that_is_not_too_long() {
        for (slots, longest) in [(1, 1), (5, 5), (20_000, 20_000), (100_000, 20_000), (999, 64)] {
            let layout = Layout::new(slots, longest);
            let mut seen = std::collections::HashSet::new();
            for slot in 0..slots {
                let (ring, index) = (layout.ring(slot), layout.index(slot));
                assert!(index < layout.length(ring as u32) && index < longest);
                assert!(seen.insert((ring, index)));
            }
            let total: u32 = (0..layout.rings()).map(|ring| layout.length(ring)).sum();
            assert_eq!(total, slots);
        }
        // What is checked before the run.
        for (slots, limit) in [(20_000, 20_000), (50_000, 20_000), (999, 64), (2_000_000, 1 << 40)]
        {
            let layout = Layout::new(slots, tables::longest(limit));
            assert_eq!(u64::from(layout.rings()), tables::rings(slots.into(), limit));
        }
    }

    #[test]
    fn a_hybrid_wait_spins_only_at_the_end() {
        let window = Nanos::from_millis(5);
        let spun = || {
            let mut rings = rings(4, 4, Wait::Hybrid, window);
            let wake = Wake { at: time::now() + Nanos::from_millis(20), exact: true };
            while time::now() < wake.at {
                rings.wait(wake, time::now()).expect("a wait");
            }
            rings.spin_time
        };
        // Another thread may take the core in the middle of a spin, but not each time.
        let least = (0..10).map(|_| spun()).min().expect("ten tries");
        assert!(least <= window + Nanos::from_millis(1), "{least:?}");
    }

    #[test]
    fn what_comes_in_a_further_ring_ends_a_sleep_on_the_first() {
        let mut rings = rings(6, 2, Wait::Block, Nanos::ZERO);
        assert_eq!(rings.all().len(), 3);
        for ring in [1, 2, 1, 1, 2] {
            let (mut near, far) = UnixStream::pair().expect("two sockets");
            let entry = opcode::PollAdd::new(Fd(far.as_raw_fd()), libc::POLLIN as u32).build();
            // SAFETY: a poll points to no memory.
            unsafe { rings.rings[ring].push(&entry.user_data(7)) }.expect("a poll");
            let thread = std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                near.write_all(b"x").expect("a write");
                near
            });
            let start = time::now();
            let wake = Wake { at: start + Nanos::from_secs(30), exact: false };
            let mut found = Vec::with_capacity(8);
            while found.is_empty() {
                rings.wait(wake, time::now()).expect("a wait");
                let mut first = Vec::with_capacity(8);
                rings.reap(0, &mut first);
                for bell in first.iter().map(|entry| Token::unpack(entry.user_data())) {
                    assert_eq!(bell.verb, Verb::Bell);
                    rings.rung(bell.slot);
                }
                rings.reap(ring, &mut found);
            }
            assert_eq!(found[0].user_data(), 7);
            assert!(time::now() - start < Nanos::from_secs(20), "ring {ring}");
            thread.join().expect("the other thread");
        }
    }
}
