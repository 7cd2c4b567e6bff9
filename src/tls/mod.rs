//! TLS as a client speaks it, sans-IO: bytes in, bytes out. The protocol is rustls's; here is what
//! a load generator does with it.
//!
//! ```text
//! Settings   what the user asked for: plain data
//! Client     the settings made ready for one worker, and the sessions it can resume
//! Session    one connection: the peer's bytes in, the plaintext and the bytes to send out
//! Fault      how one came to nothing: a flaw and its text
//! ```
//!
//! A build without the feature `tls` has the same types, of which none can be made.

mod offload;
mod settings;

#[cfg(feature = "tls")]
mod certificate;
#[cfg(feature = "tls")]
mod client;
#[cfg(feature = "tls")]
mod fault;
#[cfg(feature = "tls")]
mod identity;
#[cfg(feature = "tls")]
mod records;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod tickets;
#[cfg(feature = "tls")]
mod traffic;
#[cfg(feature = "tls")]
mod verifier;

#[cfg(not(feature = "tls"))]
mod absent;

#[cfg(all(test, feature = "tls"))]
mod tests;

use crate::flaw::Flaw;
pub use offload::{KernelKeys, KernelKind};

pub use settings::{Identity, Ktls, Resumption, Settings, Sni, Suite, Version};

#[cfg(feature = "tls")]
pub use {client::Client, session::Session};

#[cfg(not(feature = "tls"))]
pub use absent::{Client, Session};

/// What came of some bytes of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The handshake goes on.
    Handshaking,
    Established,
    /// The peer has said that nothing more will come (close_notify).
    Ended,
}

/// How a session came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub flaw: Flaw,
    /// What is known of this very one, such as the names of a certificate.
    pub detail: Option<String>,
}

impl From<Flaw> for Fault {
    fn from(flaw: Flaw) -> Fault {
        Fault { flaw, detail: None }
    }
}
