//! The dice: all chance of a simulated run, from one number.

use std::ops::RangeInclusive;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::time::Nanos;

pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Dice of their own, so that what one part of the run draws does not move another part.
    pub fn fork(&mut self) -> Dice {
        Dice::new(self.0.next_u64())
    }

    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Less than `n`, which is more than zero.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    /// True so many times in a thousand.
    pub fn permille(&mut self, share: u64) -> bool {
        self.below(1_000) < share
    }

    pub fn percent(&mut self, share: u64) -> bool {
        self.permille(share * 10)
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    pub fn micros(&mut self, range: RangeInclusive<u64>) -> Nanos {
        // Whole microseconds would make coincidences the rule.
        Nanos::from_micros(self.within(range)) + Nanos(self.below(1_000))
    }

    pub fn millis(&mut self, range: RangeInclusive<u64>) -> Nanos {
        self.micros(range.start() * 1_000..=range.end() * 1_000)
    }

    /// Any error the kernel knows, and more often one that has a kind of its own.
    pub fn errno(&mut self) -> i32 {
        if self.percent(30) { self.one(&TOLD_APART) } else { self.within(1..=133) as i32 }
    }
}

const TOLD_APART: [i32; 13] = [
    libc::ECONNREFUSED,
    libc::ETIMEDOUT,
    libc::ECONNRESET,
    libc::ECONNABORTED,
    libc::EPIPE,
    libc::ENETUNREACH,
    libc::EHOSTUNREACH,
    libc::EADDRNOTAVAIL,
    libc::EMFILE,
    libc::ENFILE,
    libc::ENOMEM,
    libc::ENOENT,
    libc::EACCES,
];
