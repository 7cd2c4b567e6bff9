//! Where a connection goes: an address of the internet, or a socket of this host's file system.

use std::fmt;
use std::net::SocketAddr;

use socket2::SockAddr;

use crate::error::{Error, Result};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    Inet(SocketAddr),
    Unix(UnixName),
}

/// The name of a Unix socket: a path, or behind a leading `@` an abstract name (unix(7)), which no
/// file stands for. It fits the kernel's 107 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnixName(String);

/// What `sun_path` holds, less the byte that ends a path or begins an abstract name.
const LONGEST: usize = 107;

impl UnixName {
    /// A file whose name begins with `@` is written with its folder: `./@name`. Errors do not
    /// repeat the text: where a value was forgotten it is the URL.
    pub fn parse(text: &str) -> Result<UnixName> {
        if text.is_empty() || text == "@" {
            return Err(Error::usage(
                "the Unix socket has no name; write its path, or `@name` for an abstract one",
            ));
        }
        if text.contains('\0') {
            return Err(Error::usage(
                "the Unix socket's name has a zero byte; write an abstract one with a leading `@`",
            ));
        }
        if text.strip_prefix('@').unwrap_or(text).len() > LONGEST {
            return Err(Error::usage(format!(
                "the Unix socket's name is longer than the {LONGEST} bytes that the kernel takes; \
                 use a shorter path, such as a symbolic link's"
            )));
        }
        Ok(UnixName(text.to_string()))
    }

    /// As it is shown and typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn for_kernel(&self) -> SockAddr {
        let name = match self.0.strip_prefix('@') {
            Some(name) => SockAddr::unix(format!("\0{name}")),
            None => SockAddr::unix(&self.0),
        };
        name.expect("a name is made only where the kernel has room for it")
    }
}

impl Address {
    pub fn inet(&self) -> Option<SocketAddr> {
        match self {
            Address::Inet(address) => Some(*address),
            Address::Unix(_) => None,
        }
    }

    /// Whether it can be no other host's: a Unix socket, or a loopback address.
    pub fn is_of_this_host(&self) -> bool {
        match self {
            Address::Inet(address) => address.ip().to_canonical().is_loopback(),
            Address::Unix(_) => true,
        }
    }

    /// As connect(2) takes it.
    pub fn for_kernel(&self) -> SockAddr {
        match self {
            Address::Inet(address) => SockAddr::from(*address),
            Address::Unix(name) => name.for_kernel(),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Inet(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Inet(address) => address.fmt(f),
            // A path may hold what would end a line, or steer a terminal.
            Address::Unix(name) => name.0.escape_debug().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_or_an_abstract_one_and_fits_the_kernel() {
        let longest = "a".repeat(LONGEST);
        for text in
            ["/run/app.sock", "app.sock", "@app", "./@app", &longest, &format!("@{longest}")]
        {
            let address = Address::Unix(UnixName::parse(text).expect(text));
            assert_eq!(address.to_string(), text);
            let name = address.for_kernel();
            assert!(name.is_unix(), "{text}");
            let path = name.as_pathname().map(|path| path.to_string_lossy().into_owned());
            match text.strip_prefix('@') {
                Some(rest) => assert_eq!(name.as_abstract_namespace(), Some(rest.as_bytes())),
                None => assert_eq!(path.as_deref(), Some(text)),
            }
        }
        for (text, expected) in [
            ("", "no name"),
            ("@", "no name"),
            ("a\0b", "zero byte"),
            (&*"a".repeat(LONGEST + 1), "longer than the 107 bytes"),
            (&*format!("@{}", "a".repeat(LONGEST + 1)), "longer than the 107 bytes"),
        ] {
            let message = UnixName::parse(text).expect_err(text).message;
            assert!(message.contains(expected) && !message.contains('\0'), "{message}");
        }
    }

    #[test]
    fn the_kernel_finds_what_an_abstract_name_stands_for() {
        let name = format!("@blast-test-{}", std::process::id());
        let address = Address::Unix(UnixName::parse(&name).expect("a name"));
        let listener = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
        let listener = listener.expect("a socket");
        listener.bind(&address.for_kernel()).expect("bound");
        listener.listen(1).expect("listening");
        let client = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
        let connected = client.expect("a socket").connect(&address.for_kernel());
        assert!(connected.is_ok(), "{connected:?}");
    }
}
