//! The wire of this driver: what the core asks for is noted at the connection's seat, and the
//! task that sits there is woken to do it.

use std::os::fd::{BorrowedFd, RawFd};
use std::task::{Context, Poll, Waker};

use crate::engine::socket;
use crate::engine::wire::{Parcel, Slot, Wire};
use crate::metrics::Found;
use crate::tls::KernelKeys;

/// The seats of one worker's connections, by slot.
#[derive(Debug)]
pub struct Seats {
    seats: Vec<Seat>,
    /// Parcels were delivered: they are what is written.
    delivers: bool,
}

/// The bytes of one seat.
pub const MEMORY: usize = size_of::<Seat>();

/// The most that is copied of a parcel at a time.
const PIECE: usize = 64 * 1024;

/// What a task is to write.
#[derive(Debug)]
pub enum Writing {
    /// The request, so often.
    Copies(u32),
    Records(Vec<u8>),
    /// Parcels, or a piece of one; whether its end is to be told.
    Parcels(Vec<u8>, bool),
    /// By the kernel, from now on, with these keys.
    Encrypted(KernelKeys),
}

/// What one connection's task is asked to do.
#[derive(Debug, Default)]
struct Seat {
    /// Connect to the address of this index.
    open: Option<usize>,
    /// Requests to be written.
    copies: u32,
    /// Of https: bytes to be written, and a buffer for the next ones. Else those of parcels that
    /// are not confirmed.
    records: Vec<u8>,
    spare: Vec<u8>,
    /// One that is, behind them, and how much of it was taken. It is copied piece by piece: what
    /// the ring reads must outlive a write that is given up, and a parcel does not.
    parcel: Option<(Parcel, usize)>,
    keys: Option<KernelKeys>,
    /// The connection has to end.
    closing: bool,
    /// The connected socket: for the shutdown that ends a pending receive.
    socket: Option<RawFd>,
    /// Two may wait at a seat: the reading side, and the writing one.
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Seat {
    /// The next piece of the parcel. None of one whose connection has to end: it may be gone.
    fn next_piece(&mut self) -> Option<Writing> {
        let (parcel, taken) = self.parcel.take_if(|_| !self.closing)?;
        let mut piece = std::mem::take(&mut self.spare);
        // SAFETY: not all of it was sent, so its request has no fate but by the end of the
        // connection, and that is not even asked for.
        let copied = unsafe { parcel.copy(taken, PIECE, &mut piece) };
        let rest = taken + copied;
        let is_last = rest == parcel.length();
        if !is_last {
            self.parcel = Some((parcel, rest));
        }
        Some(Writing::Parcels(piece, is_last))
    }
}

impl Seats {
    pub fn new(slots: u32) -> Seats {
        Seats { seats: (0..slots).map(|_| Seat::default()).collect(), delivers: false }
    }

    /// Ready when a connection is to be opened.
    pub fn poll_open(&mut self, slot: Slot, cx: &mut Context<'_>) -> Poll<usize> {
        let seat = &mut self.seats[slot as usize];
        match seat.open.take() {
            Some(address) => Poll::Ready(address),
            None => {
                seat.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Ready when the attempt to connect is given up.
    pub fn poll_closing(&mut self, slot: Slot, cx: &mut Context<'_>) -> Poll<()> {
        let seat = &mut self.seats[slot as usize];
        if seat.closing {
            return Poll::Ready(());
        }
        seat.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready with what is to be written.
    pub fn poll_send(&mut self, slot: Slot, cx: &mut Context<'_>) -> Poll<Writing> {
        let seat = &mut self.seats[slot as usize];
        if seat.copies > 0 {
            return Poll::Ready(Writing::Copies(std::mem::take(&mut seat.copies)));
        }
        if !seat.records.is_empty() {
            let spare = std::mem::take(&mut seat.spare);
            let records = std::mem::replace(&mut seat.records, spare);
            return Poll::Ready(match self.delivers {
                true => Writing::Parcels(records, false),
                false => Writing::Records(records),
            });
        }
        if let Some(writing) = seat.next_piece() {
            return Poll::Ready(writing);
        }
        if let Some(keys) = seat.keys.take() {
            return Poll::Ready(Writing::Encrypted(keys));
        }
        // The same task waits here each time: most clones are spared.
        if !seat.writer.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            seat.writer = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// A buffer that is written.
    pub fn give_back(&mut self, slot: Slot, mut records: Vec<u8>) {
        records.clear();
        self.seats[slot as usize].spare = records;
    }

    /// A write has failed: what was to follow it has no way any more.
    pub fn give_up(&mut self, slot: Slot) {
        self.seats[slot as usize].parcel = None;
    }

    pub fn is_closing(&self, slot: Slot) -> bool {
        self.seats[slot as usize].closing
    }

    /// The connection is there, on this socket.
    pub fn connected(&mut self, slot: Slot, socket: RawFd) {
        self.seats[slot as usize].socket = Some(socket);
    }

    /// The connection is gone, and its socket is about to be closed.
    pub fn vacate(&mut self, slot: Slot) {
        let seat = &mut self.seats[slot as usize];
        (seat.copies, seat.closing, seat.socket) = (0, false, None);
        seat.records.clear();
        (seat.keys, seat.parcel) = (None, None);
    }

    /// No connection is open.
    pub fn are_vacant(&self) -> bool {
        self.seats.iter().all(|seat| seat.socket.is_none())
    }

    /// Ends every receive that is still pending.
    pub fn shut_down(&mut self) {
        self.seats.iter().filter_map(|seat| seat.socket).for_each(shut_down);
    }
}

impl Wire for Seats {
    fn open(&mut self, slot: Slot, address: usize) {
        let seat = &mut self.seats[slot as usize];
        seat.open = Some(address);
        wake(seat.reader.take());
    }

    fn send(&mut self, slot: Slot, copies: u32) {
        let seat = &mut self.seats[slot as usize];
        seat.copies += copies;
        if let Some(writer) = &seat.writer {
            writer.wake_by_ref();
        }
    }

    fn deliver(&mut self, slot: Slot, parcel: Parcel) {
        self.delivers = true;
        let seat = &mut self.seats[slot as usize];
        if parcel.confirmed {
            debug_assert!(seat.parcel.is_none());
            seat.parcel = Some((parcel, 0));
        } else {
            // SAFETY: it is delivered just now, so its request has no fate yet.
            unsafe { parcel.copy(0, usize::MAX, &mut seat.records) };
        }
        if let Some(writer) = &seat.writer {
            writer.wake_by_ref();
        }
    }

    fn write(&mut self, slot: Slot, bytes: &[u8]) {
        let seat = &mut self.seats[slot as usize];
        seat.records.extend_from_slice(bytes);
        if let Some(writer) = &seat.writer {
            writer.wake_by_ref();
        }
    }

    /// By the task: between two of its writes.
    fn offload(&mut self, slot: Slot, keys: KernelKeys) -> Option<bool> {
        let seat = &mut self.seats[slot as usize];
        seat.keys = Some(keys);
        if let Some(writer) = &seat.writer {
            writer.wake_by_ref();
        }
        None
    }

    fn close(&mut self, slot: Slot) {
        let seat = &mut self.seats[slot as usize];
        seat.closing = true;
        seat.socket.into_iter().for_each(shut_down);
        wake(seat.reader.take());
    }

    fn ask(&mut self, slot: Slot) -> Option<Found> {
        // SAFETY: the descriptor is open: its task takes it out of the seat before it closes it.
        let found = |socket| socket::found(unsafe { BorrowedFd::borrow_raw(socket) });
        Some(self.seats[slot as usize].socket.map(found).unwrap_or_default())
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn shut_down(socket: RawFd) {
    // SAFETY: the descriptor is open: its task takes it out of the seat before it closes it.
    // An error means that the connection is down already.
    unsafe { libc::shutdown(socket, libc::SHUT_RDWR) };
}
