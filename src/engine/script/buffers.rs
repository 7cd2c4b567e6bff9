//! Buffers that requests are made in. One is lent from the making of a request until its answer is
//! in (or its connection is closed): until then the kernel may read it. The one given back last is
//! the next to be lent, so few requests in flight touch little memory.

/// No buffer.
const NONE: u32 = u32::MAX;

/// What is made before the start at most, in bytes.
const MOST: usize = 64 << 20;

#[derive(Debug)]
pub struct Buffers {
    all: Vec<Vec<u8>>,
    free: Vec<u32>,
    /// By the place of a flight: the buffer that it has.
    lent: Vec<u32>,
    /// Room that a new one has.
    room: usize,
    grown: u64,
}

impl Buffers {
    /// For so many requests in flight, each about this long; 0: none is ever made.
    pub fn new(flights: usize, room: usize) -> Buffers {
        let count = MOST.checked_div(room).map_or(0, |most| flights.min(most));
        let mut buffers = Buffers {
            all: Vec::with_capacity(flights),
            free: Vec::with_capacity(flights),
            lent: vec![NONE; flights],
            room,
            grown: 0,
        };
        buffers.all.extend((0..count).map(|_| Vec::with_capacity(room)));
        buffers.free.extend((0..count as u32).rev());
        buffers
    }

    /// An empty one for this flight.
    #[inline]
    pub fn lend(&mut self, flight: usize) -> &mut Vec<u8> {
        debug_assert_eq!(self.lent[flight], NONE, "one flight has one buffer");
        let index = self.free.pop().unwrap_or_else(|| {
            self.grown += 1;
            self.all.push(Vec::with_capacity(self.room));
            self.all.len() as u32 - 1
        });
        self.lent[flight] = index;
        let buffer = &mut self.all[index as usize];
        buffer.clear();
        buffer
    }

    /// The flight is over, and nobody reads its buffer any more.
    #[inline]
    pub fn give_back(&mut self, flight: usize) {
        let index = std::mem::replace(&mut self.lent[flight], NONE);
        if index != NONE {
            self.free.push(index);
        }
    }

    /// Buffers made since the start.
    pub fn grown(&self) -> u64 {
        self.grown
    }

    pub fn memory(&self) -> usize {
        let buffers: usize = self.all.iter().map(|buffer| buffer.capacity()).sum();
        buffers + size_of_val(&*self.all) + size_of_val(&*self.lent) + self.free.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_given_back_last_is_lent_next() {
        let mut buffers = Buffers::new(3, 16);
        buffers.lend(0).extend_from_slice(b"first");
        buffers.lend(2);
        let first = buffers.all[buffers.lent[0] as usize].as_ptr();
        buffers.give_back(0);
        assert_eq!(buffers.lend(1).as_ptr(), first);
        assert!(buffers.all.iter().all(Vec::is_empty));
        buffers.give_back(0);
        assert_eq!((buffers.all.len(), buffers.grown()), (3, 0));
    }

    #[test]
    fn more_than_there_are_is_counted() {
        let mut buffers = Buffers::new(MOST / 1024 + 1, 1024);
        (0..=MOST / 1024).for_each(|flight| {
            buffers.lend(flight);
        });
        assert_eq!(buffers.grown(), 1);
    }
}
