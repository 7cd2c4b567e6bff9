//! Sockets as the drivers want them: stream, no delay, bound where the user asked for it.
//!
//! A Unix socket has no handshake: its connect is over when the call returns. Where the listener's
//! queue is full it would wait in the kernel, which costs the ring a thread of the kernel's for
//! each such connect; so it is asked not to wait (EAGAIN), and asked again later.

use std::ffi::CString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::metrics::{Found, Tcp};
use crate::time::Nanos;
use crate::tls::KernelKeys;

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

/// A socket that is connected to that of another process of this host; it does not block.
pub fn connected(to: &SockAddr) -> io::Result<OwnedFd> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.cloexec().nonblocking(), None)?;
    socket.connect(to)?;
    Ok(socket.into())
}

/// The same, for a ring: that waits for what is not there yet only on a blocking socket.
pub fn connected_blocking(to: &SockAddr) -> io::Result<OwnedFd> {
    let socket = connected(to)?;
    SockRef::from(&socket).set_nonblocking(false)?;
    Ok(socket)
}

/// Has the kernel encrypt what is written to a connection (Documentation/networking/tls.rst): first
/// the socket learns TLS, then the keys. Where it fails the socket is as it was.
pub fn encrypt(socket: BorrowedFd, keys: &KernelKeys) -> io::Result<()> {
    set(socket, libc::SOL_TCP, libc::TCP_ULP, TLS)?;
    set(socket, libc::SOL_TLS, libc::TLS_TX, keys.bytes())
}

/// The name of the upper layer protocol.
pub const TLS: &[u8] = b"tls";

fn set(socket: BorrowedFd, level: i32, option: i32, value: &[u8]) -> io::Result<()> {
    let length = value.len() as libc::socklen_t;
    // SAFETY: the value is as long as said, and only read.
    let outcome = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, value.as_ptr().cast(), length)
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The number of an interface, by its name or the number itself.
pub fn interface(zone: &str) -> Option<u32> {
    if let Ok(number) = zone.parse() {
        return Some(number).filter(|number| *number > 0);
    }
    let name = CString::new(zone).ok()?;
    // SAFETY: the name ends in a zero byte, and is only read.
    let number = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (number > 0).then_some(number)
}

/// What is asked of a connection's socket.
#[cold]
pub fn found(socket: BorrowedFd) -> Found {
    Found { local_port: local_port(socket), tcp: tcp(socket) }
}

/// How TCP does on this connection; a Unix socket has none.
fn tcp(socket: BorrowedFd) -> Option<Tcp> {
    // SAFETY: a structure of integers, for which zero is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = size_of_val(&info) as libc::socklen_t;
    // SAFETY: the kernel writes no more than `length` bytes into it; what an older one leaves out
    // stays zero.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    (outcome == 0).then(|| Tcp {
        rtt: Nanos::from_micros(info.tcpi_rtt.into()),
        rtt_var: Nanos::from_micros(info.tcpi_rttvar.into()),
        retransmits: info.tcpi_total_retrans,
    })
}

/// The port of this side, also after a reset.
fn local_port(socket: BorrowedFd) -> Option<u16> {
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
