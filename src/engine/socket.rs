//! Sockets as the drivers want them: stream, no delay, bound where the user asked for it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

/// A socket ready to be connected to `address`.
pub fn new(address: &SocketAddr, bind: Option<SocketAddr>) -> io::Result<OwnedFd> {
    let kind = Type::STREAM.cloexec();
    let socket = Socket::new(Domain::for_address(*address), kind, Some(Protocol::TCP))?;
    // A request is written in one piece and has nothing to wait for.
    socket.set_tcp_nodelay(true)?;
    if let Some(local) = bind {
        // The port is chosen at connect, by the four-tuple: one local address then serves its
        // whole port range towards each destination (ip(7), IP_BIND_ADDRESS_NO_PORT).
        bind_address_no_port(&socket)?;
        socket.bind(&SockAddr::from(local))?;
    }
    Ok(socket.into())
}

/// The port of this side, also after a reset.
pub fn local_port(socket: BorrowedFd) -> Option<u16> {
    let address = SockRef::from(&socket).local_addr().ok()?.as_socket()?;
    Some(address.port()).filter(|port| *port != 0)
}

fn bind_address_no_port(socket: &Socket) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option's value is an int owned by this frame, of the length given.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
