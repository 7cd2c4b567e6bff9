//! https against servers of the tests' own, with certificates made on the spot, and against those
//! of others.
//!
//! | fault | at the start | in the middle of a run |
//! |---|---|---|
//! | certificate: expired, not yet valid, wrong host, nameless, self-signed, untrusted, chain incomplete, not for servers | `refusals::a_certificate_...` | `midway::a_certificate_...` |
//! | certificate: weak key, SHA-1 | `others::a_weak_key_...` | |
//! | no common version, cipher, protocol | `refusals::what_has_nothing_in_common_...` | |
//! | TLS 1.1 alone | `others::a_server_of_tls_1_1_...` | |
//! | client certificate required, or not trusted | `refusals::a_client_...` | |
//! | plaintext, garbage, an alert, RST, FIN, silence | `refusals::a_handshake_...` | `midway::a_handshake_...` |
//! | RST, alert, garbage after the handshake | | `ends::what_breaks_...` |
//! | FIN without close_notify | | `ends` |

mod ends;
mod ktls;
mod load;
mod midway;
mod others;
mod records;
mod refusals;
mod sessions;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;

use crate::support::{Authority, Blast, Certified, Folder, Peer, Server, Terms};

/// An authority, a certificate by it, and the file that makes blast trust it.
struct Site {
    authority: Authority,
    certified: Certified,
    folder: Folder,
    roots: PathBuf,
}

impl Site {
    fn new() -> Site {
        Site::of(Authority::new())
    }

    fn of(authority: Authority) -> Site {
        let folder = Folder::new();
        let roots = folder.file("roots.pem", authority.pem());
        Site { certified: authority.certify(), authority, folder, roots }
    }

    fn config(&self) -> Arc<ServerConfig> {
        self.certified.served()
    }

    fn config_on(&self, terms: &Terms) -> Arc<ServerConfig> {
        self.certified.served_on(terms)
    }

    fn serve(&self, script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Server {
        Server::secure(self.config(), script)
    }

    /// Answers each request with the same bytes.
    fn answering(&self, terms: &Terms, bytes: impl Into<Vec<u8>>) -> Server {
        let bytes = bytes.into();
        Server::secure(self.config_on(terms), move |peer| peer.answer_all(&bytes))
    }

    /// Trusts the authority.
    fn blast(&self, engine: &str, url: &str) -> Blast {
        Blast::calm(engine, url).arg("--cacert").arg(self.roots.to_str().unwrap())
    }
}
