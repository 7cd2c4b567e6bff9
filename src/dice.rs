//! Random numbers that depend on nothing but a seed and what they are for: a request, a user. So
//! the same seed makes the same bytes, whichever worker sends them and however fast it is answered.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

#[derive(Clone, Debug)]
pub struct Dice(SplitMix64);

impl Dice {
    /// The numbers of the `number`-th of a kind; `stream` tells the kinds apart.
    pub fn of(seed: u64, stream: u64, number: u64) -> Dice {
        let mut mixed = SplitMix64::seed_from_u64(seed ^ stream.rotate_left(32));
        let base = mixed.next_u64();
        Dice(SplitMix64::seed_from_u64(base.wrapping_add(number.wrapping_mul(STEP))))
    }

    #[inline]
    #[allow(clippy::should_implement_trait)] // an endless one, and no iterator's caller
    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Less than `end`, which is at least 1; each as likely as any other to within 2^-64 (Lemire's
    /// multiplication).
    #[inline]
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// From 0 to less than 1, in steps of 2^-53.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Odd, and far from the increment of SplitMix64 itself, so that the streams of neighbours do not
/// overlap shifted by one.
const STEP: u64 = 0xd1b5_4a32_d192_ed03;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_numbers_and_another_number_others() {
        let first = |seed, stream, number| Dice::of(seed, stream, number).next();
        assert_eq!(first(1, 2, 3), first(1, 2, 3));
        let mut seen: Vec<u64> = (0..1_000).map(|number| first(1, 2, number)).collect();
        seen.extend([first(2, 2, 3), first(1, 3, 3)]);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1_002);
    }

    #[test]
    fn numbers_below_a_bound_are_spread_evenly() {
        let mut counts = [0u32; 10];
        for number in 0..10_000 {
            counts[Dice::of(7, 0, number).below(10) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
        let mut dice = Dice::of(1, 1, 1);
        assert!((0..1_000).map(|_| dice.unit()).all(|unit| (0.0..1.0).contains(&unit)));
    }
}
