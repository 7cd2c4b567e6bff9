//! The mix: which request is next. A shuffled table that is gone through over and over: over any
//! window as long as the table, each entry is sent exactly as often as its weight says.

use crate::dice::Dice;
use crate::error::{Error, Result};

/// Entries with weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Places of entries; none twice.
    pub entries: Vec<(usize, u64)>,
    /// Each choice for itself, by chance. Otherwise the shares are exact over any window of the
    /// sum of the weights.
    pub random: bool,
}

/// The sum of the weights at most, without what they have in common.
pub const LONGEST: u64 = 1_000_000;

/// The stream of the dice that shuffle.
const SHUFFLE: u64 = 0x6d69_785f_7368;

impl Mix {
    /// The places of entries, each as often as it weighs; shuffled, the same for the same seed.
    pub fn table(&self, seed: u64) -> Result<Vec<u16>> {
        let common = self.entries.iter().fold(0, |common, (_, weight)| divisor(common, *weight));
        let weights = || self.entries.iter().map(|(_, weight)| weight / common.max(1));
        let sum = weights().try_fold(0u64, u64::checked_add).unwrap_or(u64::MAX);
        if sum == 0 {
            return Err(Error::usage(
                "all weights are 0, so no request would be sent; give one at least 1",
            ));
        }
        if sum > LONGEST {
            return Err(Error::usage(format!(
                "the weights make {sum} in all, over {LONGEST}; write smaller ones of the same shares"
            )));
        }
        let mut table = Vec::with_capacity(sum as usize);
        for ((entry, _), weight) in self.entries.iter().zip(weights()) {
            table.extend(std::iter::repeat_n(*entry as u16, weight as usize));
        }
        let mut dice = Dice::of(seed, SHUFFLE, 0);
        // Fisher and Yates.
        for last in (1..table.len()).rev() {
            table.swap(last, dice.below(last as u64 + 1) as usize);
        }
        Ok(table)
    }
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(weights: &[u64]) -> Mix {
        Mix { entries: weights.iter().copied().enumerate().collect(), random: false }
    }

    #[test]
    fn the_shares_are_exact_over_any_window_of_the_sum_of_the_weights() {
        let table = mix(&[10, 3, 2, 2, 1]).table(1).expect("a table");
        assert_eq!(table.len(), 18);
        for start in 0..18 {
            let mut counts = [0; 5];
            (start..start + 18).for_each(|k| counts[usize::from(table[k % 18])] += 1);
            assert_eq!(counts, [10, 3, 2, 2, 1]);
        }
    }

    #[test]
    fn weights_are_taken_without_what_they_have_in_common() {
        let table = mix(&[1_000_000, 500_000, 0]).table(1).expect("a table");
        assert_eq!(table.len(), 3);
        assert_eq!(table.iter().filter(|entry| **entry == 0).count(), 2);
    }

    #[test]
    fn another_seed_is_another_order() {
        let mix = mix(&[40, 40]);
        assert_eq!(mix.table(1), mix.table(1));
        assert_ne!(mix.table(1), mix.table(2));
    }

    #[test]
    fn weights_that_make_no_table_are_refused() {
        for weights in [&[0, 0][..], &[1_000_001, 1], &[u64::MAX, u64::MAX - 1]] {
            assert!(mix(weights).table(1).is_err(), "{weights:?}");
        }
    }
}
