//! The sockets of one worker: what the core asks for is done at once, as far as the kernel takes
//! it, and what came of it is told afterwards.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use socket2::{SockAddr, SockRef};

use super::poll::{Poll, Ready};
use crate::engine::job::Job;
use crate::engine::socket;
use crate::engine::wire::{Event, Parcel, Slot, Wire};
use crate::error::Result;
use crate::metrics::Found;
use crate::tls::KernelKeys;

/// Writes on one connection before the others have their turn: a server that reads as fast as we
/// write would never let go.
const WRITES: usize = 4;

/// What is to be told of a call that had its outcome at once.
#[derive(Clone, Copy, Debug)]
pub enum Owed {
    OpenFailed(i32),
    SendFailed(i32),
    Sent,
    Closed,
}

impl Owed {
    pub fn event(self) -> Event<'static> {
        match self {
            Owed::OpenFailed(errno) => Event::OpenFailed(errno),
            Owed::SendFailed(errno) => Event::SendFailed(errno),
            Owed::Sent => Event::Sent,
            Owed::Closed => Event::Closed,
        }
    }
}

pub struct Sockets {
    pub poll: Poll,
    job: Arc<Job>,
    places: Vec<Place>,
    /// What is being delivered, by slot; empty where nothing is.
    parcels: Vec<Option<Parcel>>,
    /// By the token of the life it is news of.
    owed: VecDeque<(u64, Owed)>,
    /// Sockets with more to read or to write than their turn allowed.
    pub unfinished: VecDeque<u64>,
    /// System calls, but for reads.
    pub calls: u64,
}

#[derive(Debug, Default)]
struct Place {
    socket: Option<OwnedFd>,
    /// Which life of the slot it is, so that news of an earlier one is recognised.
    generation: u32,
    opening: bool,
    /// Bytes that the kernel has not taken yet: of requests, or at the end of `records`, and then
    /// those at the end of the slot's parcel.
    unsent: usize,
    /// Of https: what was given to be written. Else what is left of parcels that wait for room in
    /// the socket.
    records: Vec<u8>,
}

impl Sockets {
    pub fn new(job: Arc<Job>) -> Result<Sockets> {
        let slots = job.connections as usize;
        Ok(Sockets {
            poll: Poll::new()?,
            places: (0..slots).map(|_| Place::default()).collect(),
            parcels: if job.delivers() { vec![None; slots] } else { Vec::new() },
            owed: VecDeque::with_capacity(slots * 2),
            unfinished: VecDeque::with_capacity(slots * 2),
            calls: 0,
            job,
        })
    }

    /// The bytes that it keeps for its connections.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.places)
            + size_of_val(&*self.parcels)
            + self.owed.capacity() * size_of::<(u64, Owed)>()
            + self.unfinished.capacity() * size_of::<u64>()
    }

    /// The slot in this life.
    #[inline]
    pub fn token(&self, slot: Slot) -> u64 {
        u64::from(self.places[slot as usize].generation) << 32 | u64::from(slot)
    }

    /// Whose token it is, if that life is not over.
    #[inline]
    pub fn slot_of(&self, token: u64) -> Option<Slot> {
        let (slot, generation) = (token as Slot, (token >> 32) as u32);
        let place = &self.places[slot as usize];
        (place.generation == generation && place.socket.is_some()).then_some(slot)
    }

    fn owe(&mut self, slot: Slot, owed: Owed) {
        let token = self.token(slot);
        self.owed.push_back((token, owed));
    }

    /// What is to be told next. News of a life that was closed since is not.
    pub fn owed(&mut self) -> Option<(Slot, Owed)> {
        loop {
            let (token, owed) = self.owed.pop_front()?;
            let slot = token as Slot;
            if self.token(slot) == token {
                return Some((slot, owed));
            }
        }
    }

    /// How much the kernel has not taken yet.
    #[cfg(test)]
    pub fn unsent(&self, slot: Slot) -> usize {
        self.places[slot as usize].unsent
    }

    #[cfg(test)]
    pub fn set_send_buffer(&self, slot: Slot, bytes: usize) {
        let socket = self.places[slot as usize].socket.as_ref().expect("an open connection");
        SockRef::from(socket).set_send_buffer_size(bytes).expect("a buffer of this size");
    }

    pub fn is_opening(&self, slot: Slot) -> bool {
        self.places[slot as usize].opening
    }

    /// What became of a connect: 0, or its errno; `None` while it is under way.
    pub fn connected(&mut self, slot: Slot, ready: Ready) -> Option<i32> {
        if !ready.can_write {
            return None;
        }
        self.calls += 1;
        let place = &mut self.places[slot as usize];
        let socket = place.socket.as_ref()?;
        let error = SockRef::from(socket).take_error();
        let errno = match error {
            Ok(error) => error.and_then(|error| error.raw_os_error()).unwrap_or(0),
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        };
        place.opening = false;
        if errno != 0 {
            self.vacate(slot);
        }
        Some(errno)
    }

    /// Up to so many bytes: into the buffer, or, without one, nowhere.
    pub fn receive(
        &mut self,
        slot: Slot,
        into: Option<&mut [u8]>,
        most: usize,
    ) -> std::result::Result<usize, i32> {
        let Some(socket) = &self.places[slot as usize].socket else { return Err(libc::EAGAIN) };
        let (start, length, flags) = match into {
            Some(buffer) => (buffer.as_mut_ptr(), buffer.len().min(most), 0),
            None => (std::ptr::null_mut(), most, libc::MSG_TRUNC),
        };
        // SAFETY: `start` is a buffer of at least `length` bytes that this call borrows; or null,
        // where the kernel throws away what it would copy (tcp(7), MSG_TRUNC).
        let count = unsafe { libc::recv(socket.as_raw_fd(), start.cast(), length, flags) };
        usize::try_from(count).map_err(|_| errno())
    }

    /// The kernel may take more of what is unsent. True when all of a confirmed send is taken.
    pub fn write_on(&mut self, slot: Slot) -> bool {
        self.places[slot as usize].unsent > 0 && self.write_out(slot) && self.confirms(slot)
    }

    /// The end of what was just written is told.
    fn confirms(&mut self, slot: Slot) -> bool {
        match self.parcels.get_mut(slot as usize) {
            Some(parcel) => parcel.take().is_some_and(|parcel| parcel.confirmed),
            None => self.job.tls.is_some() || self.job.confirms_sends(),
        }
    }

    /// Keeps a copy of what the kernel does not take of a parcel: others may follow it.
    #[cold]
    fn keep(&mut self, slot: Slot, parcel: Parcel, unsent: usize) {
        let records = &mut self.places[slot as usize].records;
        // SAFETY: it was delivered just now, so its request has no fate yet.
        unsafe { parcel.copy(parcel.length() - unsent, unsent, records) };
    }

    /// Writes what is unsent. True when nothing is left.
    fn write_out(&mut self, slot: Slot) -> bool {
        let request = &self.job.request;
        for _ in 0..WRITES {
            let place = &mut self.places[slot as usize];
            let (Some(socket), unsent @ 1..) = (&place.socket, place.unsent) else {
                return place.unsent == 0;
            };
            let parcel = self.parcels.get(slot as usize).copied().flatten();
            let after = parcel.map_or(0, |parcel| parcel.length());
            let piece = match (parcel, place.records.len()) {
                // SAFETY: its request has no fate yet: not all of it was sent.
                (Some(parcel), _) if unsent <= after => unsafe { parcel.piece(after - unsent) },
                (None, 0) => {
                    // The copies are all the same, so what is left of them is their end.
                    let end = unsent.next_multiple_of(request.length());
                    let (bytes, range) = request.piece(end - unsent..end);
                    &bytes[range]
                }
                (_, length) => &place.records[length - (unsent - after)..],
            };
            let more = if piece.len() < unsent { libc::MSG_MORE } else { 0 };
            let flags = libc::MSG_NOSIGNAL | more;
            self.calls += 1;
            // SAFETY: the bytes live as long as this call, and are only read.
            let count = unsafe {
                libc::send(socket.as_raw_fd(), piece.as_ptr().cast(), piece.len(), flags)
            };
            match usize::try_from(count) {
                Ok(count) => place.unsent -= count,
                Err(_) => match errno() {
                    libc::EINTR => {}
                    libc::EAGAIN => return false,
                    errno => {
                        place.unsent = 0;
                        self.owe(slot, Owed::SendFailed(errno));
                        return false;
                    }
                },
            }
        }
        if self.places[slot as usize].unsent == 0 {
            return true;
        }
        // The kernel would take more, but the others have their turn first.
        let token = self.token(slot);
        self.unfinished.push_back(token);
        false
    }

    fn connect(&mut self, slot: Slot, address: usize) -> io::Result<()> {
        self.calls += 5;
        let (to, name) =
            (self.job.addresses.address(address), self.job.addresses.for_kernel(address));
        // Even of one that is there at once the readiness is told by the epoll.
        let socket = match to.inet() {
            Some(inet) => begin(socket::new(&inet, self.job.bind(slot, to))?, name)?,
            None => socket::connected(name)?,
        };
        self.poll.add(socket.as_raw_fd(), self.token(slot))?;
        let place = &mut self.places[slot as usize];
        place.socket = Some(socket);
        place.opening = true;
        Ok(())
    }

    /// Closes the socket; what was told of it is news no more.
    fn vacate(&mut self, slot: Slot) {
        self.calls += 1;
        let place = &mut self.places[slot as usize];
        let mut records = std::mem::take(&mut place.records);
        records.clear();
        let generation = place.generation.wrapping_add(1);
        *place = Place { generation, records, ..Place::default() };
        if let Some(parcel) = self.parcels.get_mut(slot as usize) {
            *parcel = None;
        }
    }
}

impl Wire for Sockets {
    fn open(&mut self, slot: Slot, address: usize) {
        if let Err(error) = self.connect(slot, address) {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            self.owe(slot, Owed::OpenFailed(errno));
        }
    }

    #[inline]
    fn send(&mut self, slot: Slot, copies: u32) {
        let length = self.job.request.length() * copies as usize;
        let place = &mut self.places[slot as usize];
        let waiting = place.unsent > 0;
        place.unsent += length;
        // What is before it waits for room in the socket, and so does this.
        if !waiting && self.write_out(slot) && self.confirms(slot) {
            self.owe(slot, Owed::Sent);
        }
    }

    fn deliver(&mut self, slot: Slot, parcel: Parcel) {
        if self.parcels.is_empty() {
            self.parcels = vec![None; self.places.len()];
        }
        let place = &mut self.places[slot as usize];
        if place.socket.is_none() {
            return;
        }
        let waiting = place.unsent > 0;
        if !waiting {
            place.records.clear();
        }
        place.unsent += parcel.length();
        if waiting && !parcel.confirmed {
            return self.keep(slot, parcel, parcel.length());
        }
        self.parcels[slot as usize] = Some(parcel);
        if !waiting && self.write_out(slot) {
            if self.confirms(slot) {
                self.owe(slot, Owed::Sent);
            }
        } else if !parcel.confirmed {
            let unsent = self.places[slot as usize].unsent;
            self.parcels[slot as usize] = None;
            self.keep(slot, parcel, unsent);
        }
    }

    fn write(&mut self, slot: Slot, bytes: &[u8]) {
        let place = &mut self.places[slot as usize];
        if place.socket.is_none() {
            return;
        }
        let waiting = place.unsent > 0;
        if !waiting {
            place.records.clear();
        }
        place.records.extend_from_slice(bytes);
        place.unsent += bytes.len();
        if !waiting && self.write_out(slot) {
            self.owe(slot, Owed::Sent);
        }
    }

    fn offload(&mut self, slot: Slot, keys: KernelKeys) -> Option<bool> {
        let place = &mut self.places[slot as usize];
        let (Some(socket), 0) = (&place.socket, place.unsent) else { return Some(false) };
        // From now on the requests are written as they are.
        place.records = Vec::new();
        self.calls += 2;
        Some(socket::encrypt(socket.as_fd(), &keys).is_ok())
    }

    fn close(&mut self, slot: Slot) {
        self.vacate(slot);
        self.owe(slot, Owed::Closed);
    }

    fn ask(&mut self, slot: Slot) -> Option<Found> {
        let socket = self.places[slot as usize].socket.as_ref();
        Some(socket.map(|socket| socket::found(socket.as_fd())).unwrap_or_default())
    }
}

/// The connect is under way, or done.
fn begin(socket: OwnedFd, to: &SockAddr) -> io::Result<OwnedFd> {
    let reference = SockRef::from(&socket);
    reference.set_nonblocking(true)?;
    match reference.connect(to) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(socket),
    }
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}
