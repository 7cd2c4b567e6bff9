//! From good inputs to ones that nobody thought of: a seed of the property, damaged a few times.

use super::properties::Property;
use crate::support::Random;

/// Makes one input; the same seed makes the same.
pub struct Mutator<'a> {
    random: Random,
    property: &'a Property,
}

/// Longer inputs find nothing that shorter ones do not, and cost time.
const LONGEST: usize = 4_096;

/// Where integers and limits end.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "63",
    "64",
    "65",
    "255",
    "256",
    "65535",
    "65536",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
];

impl<'a> Mutator<'a> {
    pub fn new(seed: u64, property: &'a Property) -> Mutator<'a> {
        Mutator { random: Random::new(seed), property }
    }

    pub fn input(&mut self) -> Vec<u8> {
        let mut input = self.random.of(self.property.seeds).to_vec();
        for _ in 0..1 + self.random.below(8) {
            self.damage(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn damage(&mut self, input: &mut Vec<u8>) {
        let at = self.random.below(input.len() + 1);
        let end = (at + self.random.below(24)).min(input.len());
        let property = self.property;
        match self.random.below(10) {
            0 => self.flip(input, at),
            1 => drop(input.drain(at..end)),
            2 => input.insert(at, self.random.next() as u8),
            3 => self.repeat(input, at, end),
            4 => self.splice(input, at),
            5 => replace(input, at..end, self.random.of(property.words).as_bytes()),
            6 => self.number(input, at),
            7 => input.truncate(at),
            _ => replace(input, at..at, self.random.of(property.words).as_bytes()),
        }
    }

    /// One bit.
    fn flip(&mut self, input: &mut [u8], at: usize) {
        let bit = self.random.below(8);
        if let Some(byte) = input.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    /// Twice, or so often that a limit is passed.
    fn repeat(&mut self, input: &mut Vec<u8>, at: usize, end: usize) {
        let times = if self.random.below(8) == 0 { 300 } else { 1 };
        let copy = input[at..end].repeat(times);
        if input.len() + copy.len() <= LONGEST {
            replace(input, at..at, &copy);
        }
    }

    /// Goes on with the end of another seed.
    fn splice(&mut self, input: &mut Vec<u8>, at: usize) {
        let other = *self.random.of(self.property.seeds);
        let from = self.random.below(other.len() + 1);
        replace(input, at..input.len(), &other[from..]);
    }

    /// In the place of the number that stands there, if one does.
    fn number(&mut self, input: &mut Vec<u8>, at: usize) {
        let digits = input[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        replace(input, at..at + digits, self.random.of(&NUMBERS).as_bytes());
    }
}

fn replace(input: &mut Vec<u8>, range: std::ops::Range<usize>, bytes: &[u8]) {
    drop(input.splice(range, bytes.iter().copied()));
}
