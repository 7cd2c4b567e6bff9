//! A place in the table of registered files: what is known of the connection that lies there.

use super::buffers::Size;

/// One place in the table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Which life of it this is, so that news of an earlier one is recognised.
    pub generation: u16,
    /// Operations whose last completion is still to come: connect, receive, confirmed send, and
    /// the shutdown that ends it.
    pub pending: u8,
    pub closing: bool,
    /// The kernel encrypts what is sent.
    pub encrypts: bool,
    /// Sends that were tried again because the kernel had no memory for them.
    pub retries: u8,
    pub receiving: Receiving,
    /// The length of a confirmed send, and how much of it is not written yet.
    pub sending: usize,
    pub unsent: usize,
}

/// The state of a connection's receiving.
#[derive(Clone, Copy, Debug, Default)]
pub struct Receiving {
    pub sort: Sort,
    /// A receive is with the kernel.
    pub armed: bool,
    /// It throws away what it gets.
    pub discards: bool,
    /// And so did an earlier one within this body.
    pub has_discarded: bool,
    /// So many bytes have to be there before a receive ends, if it is not one.
    pub awaited: i32,
    /// And it is being cancelled, because the next one is to be of another sort.
    pub changing: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Small,
    Large,
    Single,
}

impl Sort {
    #[inline]
    pub fn buffer(self) -> Size {
        if self == Sort::Large { Size::Large } else { Size::Small }
    }
}
