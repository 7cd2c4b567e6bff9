//! TLS for the server that follows a script: rustls's server side, buffered, under the same
//! reading and writing. A script says when the handshake comes, and may do anything before it,
//! within it, and after it.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::server::{
    NoServerSessionStorage, ServerConfig, ServerSessionMemoryCache, WebPkiClientVerifier,
};
use rustls::{HandshakeKind, ProtocolVersion, RootCertStore, ServerConnection, version};

use super::authority::Certified;
use super::{Peer, Server};

/// What a server insists on.
pub struct Terms {
    pub versions: Vec<&'static rustls::SupportedProtocolVersion>,
    /// By their names in rustls, such as `TLS13_AES_128_GCM_SHA256`; empty: all.
    pub suites: Vec<&'static str>,
    /// Of ALPN; empty: it does not look.
    pub protocols: Vec<&'static str>,
    /// Clients must have a certificate by this root.
    pub clients: Option<CertificateDer<'static>>,
    pub tickets: Tickets,
    /// The largest record.
    pub fragment: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Tickets {
    Off,
    /// The server remembers: session ids in TLS 1.2, and tickets that stand for one in 1.3.
    Remembered,
    /// The client keeps it all.
    Sealed,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            versions: vec![&version::TLS13, &version::TLS12],
            suites: Vec::new(),
            protocols: Vec::new(),
            clients: None,
            tickets: Tickets::Remembered,
            fragment: None,
        }
    }
}

impl Terms {
    /// One version alone.
    pub fn of(version: &str) -> Terms {
        let version = match version {
            "1.2" => &version::TLS12,
            _ => &version::TLS13,
        };
        Terms { versions: vec![version], ..Terms::default() }
    }
}

impl Certified {
    pub fn served(&self) -> Arc<ServerConfig> {
        self.served_on(&Terms::default())
    }

    pub fn served_on(&self, terms: &Terms) -> Arc<ServerConfig> {
        let mut provider = ring::default_provider();
        provider.cipher_suites.retain(|suite| {
            let name = format!("{:?}", suite.suite());
            terms.suites.is_empty() || terms.suites.contains(&name.as_str())
        });
        let provider = Arc::new(provider);
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_protocol_versions(&terms.versions).unwrap();
        let builder = match &terms.clients {
            None => builder.with_no_client_auth(),
            Some(root) => {
                let mut roots = RootCertStore::empty();
                roots.add(root.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let mut config = builder.with_single_cert(self.chain.clone(), self.key()).unwrap();
        config.alpn_protocols = terms.protocols.iter().map(|name| name.as_bytes().into()).collect();
        config.max_fragment_size = terms.fragment;
        match terms.tickets {
            Tickets::Off => {
                config.send_tls13_tickets = 0;
                config.session_storage = Arc::new(NoServerSessionStorage {});
            }
            Tickets::Remembered => config.session_storage = ServerSessionMemoryCache::new(4_096),
            Tickets::Sealed => config.ticketer = ring::Ticketer::new().unwrap(),
        }
        Arc::new(config)
    }
}

/// What was agreed on, as the server sees it.
#[derive(Clone, Debug)]
pub struct Handshake {
    pub resumed: bool,
    pub version: &'static str,
    /// As rustls names it.
    pub suite: String,
    /// The name that the client asked for.
    pub name: Option<String>,
    pub protocol: Option<String>,
    /// Certificates of the client.
    pub client: usize,
}

impl Server {
    /// Each connection is handed to `script` when its handshake is over.
    pub fn secure(
        config: Arc<ServerConfig>,
        script: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Server {
        Server::start(move |peer| {
            if peer.secure(&config) {
                script(peer);
            }
        })
    }

    pub fn https(&self) -> String {
        format!("https://{}/", self.address())
    }

    /// How many handshakes were full, and how many resumed.
    pub fn kinds(&self) -> (u64, u64) {
        let handshakes = self.handshakes();
        let resumed = handshakes.iter().filter(|handshake| handshake.resumed).count();
        ((handshakes.len() - resumed) as u64, resumed as u64)
    }
}

impl Peer {
    /// The server's part of a handshake. False: it came to nothing, and the client was told so.
    pub fn secure(&mut self, config: &Arc<ServerConfig>) -> bool {
        self.begin(config);
        self.shake_hands()
    }

    /// The same, each byte in a segment of its own.
    pub fn secure_slowly(&mut self, config: &Arc<ServerConfig>) -> bool {
        self.begin(config);
        self.is_slow = true;
        let outcome = self.shake_hands();
        self.is_slow = false;
        outcome
    }

    fn shake_hands(&mut self) -> bool {
        while self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            // The first request may come with the end of the handshake.
            let Some(plain) = self.unseal() else { return false };
            self.unread.extend(plain);
        }
        let Some(tls) = &self.tls else { return false };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let handshake = Handshake {
            resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
            version: match tls.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            suite: tls
                .negotiated_cipher_suite()
                .map_or(String::new(), |s| format!("{:?}", s.suite())),
            name: tls.server_name().map(String::from),
            protocol: tls.alpn_protocol().map(text),
            client: tls.peer_certificates().map_or(0, <[_]>::len),
        };
        self.shared.handshakes.lock().unwrap().push(handshake);
        true
    }

    /// The first `share` of the server's answer to the client's first message, and nothing after
    /// it: what is written next is not TLS.
    pub fn secure_in_part(&mut self, config: &Arc<ServerConfig>, share: f64) {
        self.begin(config);
        let mut flight = Vec::new();
        while flight.is_empty() {
            let (Some(bytes), Some(tls)) = (self.read_raw(), &mut self.tls) else { return };
            tls.read_tls(&mut &bytes[..]).unwrap();
            tls.process_new_packets().unwrap();
            while tls.wants_write() {
                tls.write_tls(&mut flight).unwrap();
            }
        }
        self.tls = None;
        self.write_raw(&flight[..(flight.len() as f64 * share) as usize]);
    }

    fn begin(&mut self, config: &Arc<ServerConfig>) {
        // Records that follow each other are not held back for an acknowledgement.
        self.no_delay();
        let mut tls = ServerConnection::new(config.clone()).unwrap();
        tls.set_buffer_limit(None);
        self.tls = Some(Box::new(tls));
    }

    /// Each piece in a record of its own, all of them written at once.
    pub fn write_records<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) {
        let records = pieces.into_iter().filter_map(|piece| self.seal(piece));
        let records: Vec<u8> = records.collect::<Vec<_>>().concat();
        self.write_raw(&records);
    }

    /// New keys for what this side sends, of which the client is told with the next record.
    pub fn refresh_keys(&mut self) {
        self.tls.as_mut().unwrap().refresh_traffic_keys().unwrap();
    }

    /// Nothing more will come (close_notify).
    pub fn notify(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            self.flush();
        }
    }

    /// The records of some plaintext; `None` without TLS.
    pub(super) fn seal(&mut self, plain: &[u8]) -> Option<Vec<u8>> {
        let tls = self.tls.as_mut()?;
        tls.writer().write_all(plain).unwrap();
        let mut records = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut records).unwrap();
        }
        Some(records)
    }

    /// What has come: perhaps nothing yet. `None` at the end.
    pub(super) fn unseal(&mut self) -> Option<Vec<u8>> {
        let bytes = self.read_raw()?;
        let tls = self.tls.as_mut()?;
        let mut unread = &bytes[..];
        let mut plain = Vec::new();
        while !unread.is_empty() {
            tls.read_tls(&mut unread).unwrap();
            if tls.process_new_packets().is_err() {
                self.flush();
                self.tls = None;
                return None;
            }
            match tls.reader().read_to_end(&mut plain) {
                // The client has said that it is done.
                Ok(_) if plain.is_empty() => return None,
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        self.flush();
        Some(plain)
    }

    fn flush(&mut self) {
        if let Some(records) = self.seal(&[])
            && !records.is_empty()
        {
            match self.is_slow {
                true => self.dribble_raw(&records),
                false => self.write_raw(&records),
            }
        }
    }
}
