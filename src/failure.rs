//! The taxonomy of what goes wrong on the wire: one table of kinds.
//!
//! A failure is an outcome that is counted; it never ends the run. Each kind belongs to a request
//! or to a connection attempt, has a side (who is to blame) and a hint (what to do about it). The
//! names are an interface: they stand in the JSON and never change.

/// What a failure happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A request that was sent: counted in `failures`.
    Request,
    /// An attempt to connect: no request, counted in `connections.failures`.
    Connection,
}

/// Whose fault it is, as far as a client can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Target,
    Network,
    Generator,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Side::Target => "target",
            Side::Network => "network",
            Side::Generator => "generator",
        }
    }
}

macro_rules! kinds {
    ($($variant:ident $name:literal $scope:ident $side:ident $hint:literal;)*) => {
        /// The kinds of failure. `Kind::ALL` is the table in order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($variant),* }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];
            pub const COUNT: usize = Self::ALL.len();

            /// The name in JSON and on the page.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name),* }
            }

            pub fn scope(self) -> Scope {
                match self { $(Kind::$variant => Scope::$scope),* }
            }

            pub fn side(self) -> Side {
                match self { $(Kind::$variant => Side::$side),* }
            }

            /// What the user can do about it.
            pub fn hint(self) -> &'static str {
                match self { $(Kind::$variant => $hint),* }
            }
        }
    };
}

kinds! {
    Timeout "timeout" Request Target
        "no full answer within --timeout of sending: the server is overloaded or stuck";
    ReceiveReset "receive_reset" Request Target
        "the server reset the connection before its answer was complete: look at its log and its limits";
    ClosedBeforeResponse "closed_before_response" Request Target
        "the server closed after the request and sent nothing: it crashed, or its keep-alive limit is short";
    Truncated "truncated" Request Target
        "the server closed in the middle of an answer";
    Malformed "malformed" Request Target
        "the answer is not HTTP/1.1: does the target speak TLS or another protocol?";
    HeadTooLarge "head_too_large" Request Target
        "the head of the answer is over 64 KB or has over 256 fields";
    SendReset "send_reset" Request Target
        "the server reset the connection while the request was being sent";
    ReceiveFailed "receive_failed" Request Network
        "the kernel reported an error on the connection while waiting for the answer";
    SendFailed "send_failed" Request Network
        "the kernel reported an error on the connection while sending";
    BuffersExhausted "buffers_exhausted" Request Generator
        "blast ran out of its bounded buffers for split heads: use fewer --connections or more --threads";
    NoMemory "no_memory" Request Generator
        "this host had no memory for what was sent or received: use fewer --connections, or raise net.ipv4.tcp_mem";
    TlsBroken "tls_broken" Request Target
        "the TLS connection broke after its handshake: an alert, or a record that does not decrypt; look at the server's log";
    ConnectRefused "connect_refused" Connection Target
        "nothing listens at that address and port";
    ConnectTimeout "connect_timeout" Connection Network
        "no answer to the connect within --connect-timeout: a full listen backlog or a firewall";
    ConnectReset "connect_reset" Connection Target
        "the server reset the connection while it was being opened";
    NetworkUnreachable "network_unreachable" Connection Network
        "there is no route to the target";
    HostUnreachable "host_unreachable" Connection Network
        "the target's host does not answer on its network";
    PortsExhausted "ports_exhausted" Connection Generator
        "no free local port: keep connections alive, or add source addresses with --bind";
    DescriptorsExhausted "descriptors_exhausted" Connection Generator
        "out of file descriptors: raise the limit with `ulimit -n` or use fewer --connections";
    ConnectNoMemory "connect_no_memory" Connection Generator
        "this host had no memory for another connection: use fewer --connections, or raise net.ipv4.tcp_mem";
    SocketMissing "socket_missing" Connection Target
        "there is no socket of that path: start the server, or check the path";
    ConnectDenied "connect_denied" Connection Generator
        "this host does not allow the connect: check the socket's permissions, or the firewall's rules";
    TlsCertificate "tls_certificate" Connection Target
        "the server's certificate is not accepted: trust its issuer with --cacert, or accept any with --insecure";
    TlsHandshake "tls_handshake" Connection Target
        "the TLS handshake failed: the examples say why (--verbose)";
    TlsTimeout "tls_timeout" Connection Target
        "the TLS handshake did not end within --connect-timeout: the server is overloaded, or speaks no TLS";
    ConnectFailed "connect_failed" Connection Network
        "the kernel could not open the connection";
}

impl Kind {
    /// The kind of a failed connect, by its errno (connect(2)).
    pub fn of_connect(errno: i32) -> Kind {
        match errno {
            libc::ECONNREFUSED => Kind::ConnectRefused,
            libc::ETIMEDOUT => Kind::ConnectTimeout,
            libc::ECONNRESET | libc::ECONNABORTED | libc::EPIPE => Kind::ConnectReset,
            libc::ENETUNREACH | libc::ENETDOWN | libc::ENONET => Kind::NetworkUnreachable,
            libc::EHOSTUNREACH | libc::EHOSTDOWN => Kind::HostUnreachable,
            libc::EADDRNOTAVAIL | libc::EADDRINUSE | libc::EAGAIN => Kind::PortsExhausted,
            libc::EMFILE | libc::ENFILE => Kind::DescriptorsExhausted,
            libc::ENOMEM | libc::ENOBUFS => Kind::ConnectNoMemory,
            libc::ENOENT | libc::ENOTDIR => Kind::SocketMissing,
            libc::EACCES | libc::EPERM => Kind::ConnectDenied,
            _ => Kind::ConnectFailed,
        }
    }

    /// The kind of a failed receive, by its errno (recv(2)).
    pub fn of_receive(errno: i32) -> Kind {
        match errno {
            libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED => Kind::ReceiveReset,
            libc::ENOMEM | libc::ENOBUFS => Kind::NoMemory,
            _ => Kind::ReceiveFailed,
        }
    }

    /// The kind of a failed send, by its errno (send(2)).
    pub fn of_send(errno: i32) -> Kind {
        match errno {
            libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED => Kind::SendReset,
            libc::ENOMEM | libc::ENOBUFS => Kind::NoMemory,
            _ => Kind::SendFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_snake_case() {
        let names: HashSet<_> = Kind::ALL.iter().map(|k| k.name()).collect();
        assert_eq!(names.len(), Kind::COUNT);
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }

    #[test]
    fn the_table_is_indexed_by_the_kind_itself() {
        for (i, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, i);
        }
    }

    #[test]
    fn an_errno_of_connect_never_becomes_a_request_failure() {
        for errno in 1..134 {
            assert_eq!(Kind::of_connect(errno).scope(), Scope::Connection);
            assert_eq!(Kind::of_receive(errno).scope(), Scope::Request);
            assert_eq!(Kind::of_send(errno).scope(), Scope::Request);
        }
    }
}
