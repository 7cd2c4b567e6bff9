//! The cookies of one user (RFC 6265).

/// Bounded in number and size.
#[derive(Debug, Default)]
pub struct Jar {}

impl Jar {
    /// What a response's head sets. `now`: seconds since 1970.
    pub fn take(&mut self, _head: &[u8], _now: u64) {}

    pub fn is_empty(&self) -> bool {
        true
    }

    /// Appends `a=b; c=d`.
    pub fn write(&self, _into: &mut Vec<u8>) {}

    /// The bytes that it keeps.
    pub fn memory(&self) -> usize {
        0
    }
}
