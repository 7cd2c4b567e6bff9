//! The token of a ring operation: whose it is, so that its completion finds the way back, and
//! which life of the slot it belongs to, so that a stale one is recognised.

use crate::engine::wire::Slot;

/// What was asked of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    Connect,
    Receive,
    /// A receive that throws away what it gets.
    Discard,
    /// A change of how much has to be there before a receive ends.
    Await,
    Send,
    /// A send of a parcel that is not confirmed.
    Deliver,
    Cancel,
    Shutdown,
    Close,
    /// A poll of another ring's eventfd; the slot is that ring's number.
    Bell,
    /// Asks for a descriptor, to ask the socket itself with.
    Ask,
    /// Teaches the socket TLS.
    Learn,
    /// Gives it the keys.
    Keys,
}

/// By their numbers.
const VERBS: [Verb; 13] = {
    use Verb::*;
    [
        Connect, Receive, Discard, Await, Send, Deliver, Cancel, Shutdown, Close, Bell, Ask, Learn,
        Keys,
    ]
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub slot: Slot,
    pub generation: u16,
    pub verb: Verb,
}

impl Token {
    /// Bits 0 to 31: the slot; 32 to 47: the generation; 48 to 55: the verb.
    #[inline]
    pub fn pack(self) -> u64 {
        u64::from(self.slot) | u64::from(self.generation) << 32 | (self.verb as u64) << 48
    }

    #[inline]
    pub fn unpack(bits: u64) -> Token {
        let verb = VERBS[usize::from((bits >> 48) as u8)];
        Token { slot: bits as u32, generation: (bits >> 32) as u16, verb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_kernel() {
        for verb in VERBS {
            for (slot, generation) in [(0, 0), (u32::MAX, u16::MAX), (19_999, 7)] {
                let token = Token { slot, generation, verb };
                assert_eq!(Token::unpack(token.pack()), token);
            }
        }
    }
}
