//! From good inputs to ones that nobody thought of: a seed of the property, damaged a few times.

use super::properties::Property;

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

/// SplitMix64 (Steele, Lea and Flood, 2014): neighbouring seeds have nothing in common.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 32) as usize) % n.max(1)
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// New at each run; `BLAST_SEED` repeats one.
pub fn first_seed() -> u64 {
    let given = std::env::var("BLAST_SEED").ok().map(|seed| seed.parse().unwrap());
    given.unwrap_or_else(|| {
        let since = std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970");
        // What is random for this run reads as a number that can be typed.
        since.as_nanos() as u64 / 1_000
    })
}
