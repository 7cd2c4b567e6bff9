//! Records of https on their way to the kernel.

use crate::tls::KernelKeys;

/// Of one connection.
#[derive(Debug, Default)]
pub struct Outbox {
    /// What the kernel reads while `unsent` of its place is not zero: not touched until then.
    pub writing: Vec<u8>,
    pub next: Vec<u8>,
    /// What the kernel is given to encrypt with, until it has it.
    pub keys: Option<Box<KernelKeys>>,
}

impl Outbox {
    pub fn clear(&mut self) {
        self.writing.clear();
        self.next.clear();
        self.keys = None;
    }

    pub fn memory(&self) -> usize {
        size_of::<Outbox>() + self.writing.capacity() + self.next.capacity()
    }
}
