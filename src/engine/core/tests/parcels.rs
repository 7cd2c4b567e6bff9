//! Parcels where the core would send its one request over and over: for tests of the drivers.

use std::cell::RefCell;

use super::super::Core;
use crate::engine::wire::{Parcel, Slot, Wire};
use crate::time::Nanos;

type Maker = Box<dyn FnMut(Slot) -> Parcel>;

thread_local! {
    static MAKER: RefCell<Option<Maker>> = const { RefCell::new(None) };
}

/// Every core of this thread delivers what `make` gives. The bytes of a parcel have to stay as the
/// wire asks for it.
pub fn deliver_all(make: impl FnMut(Slot) -> Parcel + 'static) {
    MAKER.with_borrow_mut(|maker| *maker = Some(Box::new(make)));
}

impl Core {
    /// Whether there was something to be delivered instead.
    pub fn delivers(&mut self, slot: Slot, copies: u32, now: Nanos, wire: &mut impl Wire) -> bool {
        for _ in 0..copies {
            let made = MAKER.with_borrow_mut(|maker| maker.as_mut().map(|make| make(slot)));
            let Some(parcel) = made else { return false };
            self.connections[slot as usize].sending = parcel.confirmed;
            self.deliver(slot, parcel, now, wire);
        }
        true
    }
}
