//! Whose dice are whose: what is drawn for a choice, a request or a user depends on the seed and
//! on which one it is, and on nothing that happens in a run. So what is shown is what is sent.

use crate::dice::Dice;
use crate::metrics::Phase;

/// The streams of the dice.
const CHOICES: u64 = 0x6368_6f69_6365;
const REQUESTS: u64 = 0x7265_7175_6573;
const USERS: u64 = 0x0075_7365_7273;

/// For which request of a random mix is the one at that place.
#[inline]
pub fn of_choice(seed: u64, place: u64) -> Dice {
    Dice::of(seed, CHOICES, place)
}

/// For what a mix's `number`-th request of a phase holds, from 0.
#[inline]
pub fn of_request(seed: u64, phase: Phase, number: u64) -> Dice {
    Dice::of(seed, REQUESTS + phase as u64, number)
}

/// For all that the user of that number does and sends, from 1; `before`: how many came with the
/// same number before.
pub fn of_user(seed: u64, number: u64, before: u32) -> Dice {
    Dice::of(seed, USERS + (u64::from(before) << 48), number)
}
