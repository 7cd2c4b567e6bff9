//! Listening sockets, the descriptor limit, and the descriptor that says stop.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::error::{Error, Result};
use crate::host;

/// Connections that may wait to be accepted; the kernel cuts it to net.core.somaxconn.
const BACKLOG: i32 = 4096;

/// The kernel's own limit of a file table.
const LARGEST_TABLE: usize = 1 << 20;

/// One listening socket a thread, all on the same port. With a port of 0 the first one picks it.
pub(super) fn open(address: SocketAddr, threads: usize) -> Result<Vec<OwnedFd>> {
    let refused = |error: io::Error| {
        Error::failed(format!(
            "cannot listen on {address} ({error}); give another `--port`, 0 for a free one"
        ))
    };
    // SO_REUSEPORT would silently share the port with another target: without it, a port in use is
    // an error.
    let alone = listen(address, false).map_err(refused)?;
    if threads == 1 {
        return Ok(vec![alone.into()]);
    }
    let address = self::address_of(&alone).map_err(refused)?;
    drop(alone);
    (0..threads).map(|_| Ok(listen(address, true).map_err(refused)?.into())).collect()
}

fn listen(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    // Accepted sockets inherit it, which spares an operation for each.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

pub(super) fn address(listener: &OwnedFd) -> Result<SocketAddr> {
    let address = address_of(&SockRef::from(listener));
    address.map_err(|error| {
        Error::failed(format!("the listener has no address ({error}); start the target again"))
    })
}

fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::Error::from_raw_os_error(libc::EAFNOSUPPORT))
}

/// Slots for a thread's connections: as asked, but no more than the limit of open files, which is
/// raised first as far as it goes (a file table may not be longer than it).
pub(super) fn capacity(asked: Option<usize>) -> usize {
    let limit = usize::try_from(host::raise_descriptor_limit()).unwrap_or(usize::MAX);
    let limit = limit.clamp(1, LARGEST_TABLE);
    asked.unwrap_or(limit).clamp(1, limit)
}

pub(super) fn eventfd() -> Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if descriptor < 0 {
        let error = io::Error::last_os_error();
        return Err(Error::failed(format!(
            "cannot make an eventfd ({error}); raise the limit with `ulimit -n 65536`"
        )));
    }
    // SAFETY: just made, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Makes an eventfd readable for good: nobody reads it.
pub(super) fn signal(eventfd: &OwnedFd) {
    let one = 1_u64;
    // SAFETY: eight bytes of this frame, only read. It fails only when the counter is full, and
    // then the descriptor is readable already.
    unsafe { libc::write(eventfd.as_raw_fd(), (&raw const one).cast(), 8) };
}
