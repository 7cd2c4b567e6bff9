//! The task of one connection: opens it when asked, reads and writes until it ends, and starts
//! again. Every event goes to the core; the task decides nothing.

use std::future::{Future, poll_fn};
use std::io;
use std::net::TcpStream as StdStream;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use tokio::net::TcpSocket;
use tokio_uring::net::TcpStream;

use super::seats::Writing;
use super::{Shared, Watched};
use crate::engine::socket;
use crate::engine::wire::{Event, Slot};
use crate::http::Payload;

/// The receive buffer of a connection: the kernel holds it while a receive is pending, so each
/// has its own.
pub const BUFFER: usize = 2048;

/// What it grows to where answers fill it.
const LARGEST: usize = 64 * 1024;

pub async fn attend(shared: Watched, slot: Slot) {
    loop {
        let address = poll_fn(|cx| shared.wire().poll_open(slot, cx)).await;
        let given_up = poll_fn(|cx| shared.wire().poll_closing(slot, cx));
        match either(connect(&shared, slot, address), given_up).await {
            Either::Left(Ok(stream)) => {
                shared.wire().connected(slot, stream.as_raw_fd());
                shared.on(slot, Event::Opened);
                serve(&shared, slot, &stream).await;
                shared.wire().vacate(slot);
                drop(stream);
                shared.on(slot, Event::Closed);
            }
            Either::Left(Err(error)) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                // Given up in the same moment: then the core waits for the close.
                let given_up = shared.wire().is_closing(slot);
                if given_up {
                    shared.wire().vacate(slot);
                    shared.on(slot, Event::Closed);
                } else {
                    shared.on(slot, Event::OpenFailed(errno));
                }
            }
            Either::Right(()) => {
                shared.wire().vacate(slot);
                shared.on(slot, Event::Closed);
            }
        }
    }
}

/// Not tokio-uring's own connect: that can neither bind first nor be given up.
async fn connect(shared: &Shared, slot: Slot, address: usize) -> io::Result<TcpStream> {
    let job = &shared.job;
    let to = job.addresses.address(address);
    let Some(inet) = to.inet() else {
        let socket = socket::connected_blocking(job.addresses.for_kernel(address))?;
        // A stream of bytes is read and written alike, whatever carries it.
        return Ok(TcpStream::from_std(StdStream::from(socket)));
    };
    let socket = StdStream::from(socket::new(&inet, job.bind(slot, to))?);
    socket.set_nonblocking(true)?;
    let stream = TcpSocket::from_std_stream(socket).connect(inet).await?.into_std()?;
    // The ring waits for what is not there yet only on a blocking socket.
    stream.set_nonblocking(false)?;
    Ok(TcpStream::from_std(stream))
}

/// Reads and writes until the core has the connection closed.
async fn serve(shared: &Shared, slot: Slot, stream: &TcpStream) {
    let reading = read(shared, slot, stream);
    let writing = write(shared, slot, stream);
    // The writing side first: where both are done, the request was written before it was answered.
    either(writing, reading).await;
}

async fn read(shared: &Shared, slot: Slot, stream: &TcpStream) {
    let mut buffer = Vec::with_capacity(BUFFER);
    while !shared.wire().is_closing(slot) {
        let (received, filled) = stream.read(buffer).await;
        buffer = filled;
        match received {
            Ok(0) => shared.on(slot, Event::Fin),
            Ok(length) => {
                shared.received(slot, &mut buffer[..length]);
                if length == buffer.capacity() && length < LARGEST {
                    buffer = Vec::with_capacity(length * 2);
                }
            }
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                shared.on(slot, Event::ReceiveFailed(errno));
            }
        }
    }
}

/// Never returns: the reading side ends the connection, by the core's word.
async fn write(shared: &Shared, slot: Slot, stream: &TcpStream) {
    let request = &shared.job.request;
    loop {
        let (written, confirms) = match poll_fn(|cx| shared.wire().poll_send(slot, cx)).await {
            Writing::Copies(copies) => {
                let length = request.length() * copies as usize;
                (write_out(request, length, stream).await, shared.confirms())
            }
            Writing::Records(records) => {
                (write_whole(shared, slot, records, stream).await, shared.confirms())
            }
            Writing::Parcels(bytes, confirmed) => {
                (write_whole(shared, slot, bytes, stream).await, confirmed)
            }
            Writing::Encrypted(keys) => {
                // SAFETY: the stream is open for as long as it is borrowed here.
                let socket = unsafe { BorrowedFd::borrow_raw(stream.as_raw_fd()) };
                let taken = socket::encrypt(socket, &keys).is_ok();
                shared.on(slot, Event::Offloaded(taken));
                continue;
            }
        };
        match written {
            Ok(()) if confirms => shared.on(slot, Event::Sent),
            Ok(()) => {}
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EPIPE);
                shared.wire().give_up(slot);
                shared.on(slot, Event::SendFailed(errno));
            }
        }
    }
}

/// So many bytes of the copies of a request.
async fn write_out(request: &Payload, length: usize, stream: &TcpStream) -> io::Result<()> {
    let mut done = 0;
    while done < length {
        let (bytes, range) = request.piece(done..length);
        done += range.len();
        stream.write_all(Bytes::slice(bytes, range)).await.0?;
    }
    Ok(())
}

/// The bytes of a seat's buffer, which goes back to it.
async fn write_whole(
    shared: &Shared,
    slot: Slot,
    bytes: Vec<u8>,
    stream: &TcpStream,
) -> io::Result<()> {
    let (written, bytes) = stream.write_all(bytes).await;
    shared.wire().give_back(slot, bytes);
    written
}

enum Either<A, B> {
    Left(A),
    Right(B),
}

/// Both at once, until one of them ends.
async fn either<A, B>(
    left: impl Future<Output = A>,
    right: impl Future<Output = B>,
) -> Either<A, B> {
    let (mut left, mut right) = (pin!(left), pin!(right));
    poll_fn(|cx| {
        if let Poll::Ready(output) = left.as_mut().poll(cx) {
            return Poll::Ready(Either::Left(output));
        }
        right.as_mut().poll(cx).map(Either::Right)
    })
    .await
}
