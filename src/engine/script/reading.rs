//! What is kept of an answer while it is read: for checks and captures, where there are some.

use crate::http::Look;
use crate::plan::answer::Needs;

#[derive(Debug, Default)]
pub struct Reading {
    needs: Needs,
    /// Bytes of a body at most.
    limit: usize,
    pub head: Vec<u8>,
    pub body: Vec<u8>,
    /// The body was longer.
    pub is_cut: bool,
}

impl Look for Reading {
    #[inline]
    fn head(&mut self, head: &[u8]) {
        if self.needs.head {
            self.head.extend_from_slice(head);
        }
    }

    #[inline]
    fn body(&mut self, piece: &[u8]) {
        if self.needs.body {
            let room = self.limit - self.body.len();
            self.is_cut |= piece.len() > room;
            self.body.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }
}

/// Those of a worker: one for each answer that is being read, used again and again. Boxed, because
/// slots without one are many.
#[derive(Debug)]
pub struct Readings {
    /// By slot.
    open: Vec<Option<Box<Reading>>>,
    #[allow(clippy::vec_box)]
    spare: Vec<Box<Reading>>,
    limit: usize,
}

/// A reading that grew beyond this is not kept for another answer.
const WORTH_KEEPING: usize = 1 << 20;

impl Readings {
    /// For so many slots; none where nothing is ever looked at.
    pub fn new(slots: usize, limit: usize) -> Readings {
        Readings { open: (0..slots).map(|_| None).collect(), spare: Vec::new(), limit }
    }

    /// The one of the answer that is read on this slot.
    #[inline]
    pub fn of(&mut self, slot: usize, needs: Needs) -> &mut Reading {
        let reading = self.open[slot].get_or_insert_with(|| {
            let mut reading = self.spare.pop().unwrap_or_default();
            reading.head.clear();
            reading.body.clear();
            (reading.limit, reading.is_cut) = (self.limit, false);
            reading
        });
        // It may have been opened before it was known whose answer comes: by a connect, or when a
        // request was written later than it was answered.
        reading.needs = needs;
        reading
    }

    /// The answer is complete.
    #[inline]
    pub fn take(&mut self, slot: usize) -> Option<Box<Reading>> {
        self.open.get_mut(slot)?.take()
    }

    pub fn give_back(&mut self, reading: Option<Box<Reading>>) {
        if let Some(reading) = reading
            && reading.body.capacity() <= WORTH_KEEPING
        {
            self.spare.push(reading);
        }
    }

    pub fn memory(&self) -> usize {
        let all = self.open.iter().flatten().chain(&self.spare);
        let kept = all.map(|r| size_of::<Reading>() + r.head.capacity() + r.body.capacity());
        kept.sum::<usize>() + size_of_val(&*self.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_opened_before_its_request_keeps_what_that_one_needs() {
        let mut readings = Readings::new(1, 8);
        readings.of(0, Needs { head: true, body: false });
        let reading = readings.of(0, Needs { head: false, body: true });
        reading.head(b"head");
        reading.body(b"a body of");
        assert_eq!(
            (&*reading.head, &*reading.body, reading.is_cut),
            (&b""[..], &b"a body o"[..], true)
        );
    }
}
