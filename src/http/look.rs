//! What passes while responses are read, shown to who wants to keep some of it.

/// Who looks at responses while they are read. What is shown does not depend on how the bytes were
/// split over reads, but for the pieces of a body.
pub trait Look {
    /// The head of a final response, whole: its status line and fields, as they came.
    fn head(&mut self, _head: &[u8]) {}

    /// The next piece of the body, without its framing.
    fn body(&mut self, _piece: &[u8]) {}
}

/// Nobody looks.
pub struct Unseen;

impl Look for Unseen {}
