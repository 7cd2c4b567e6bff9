//! TLS: what was agreed on, with whom, and how long it took.

use serde::{Deserialize, Serialize};

use super::Latency;
use crate::agreed;
use crate::metrics::{Connections, Summary};
use crate::plan::Plan;
use crate::tls::{Resumption, Settings, Sni};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tls {
    /// False with `--insecure`: any certificate was taken.
    pub verified: bool,
    /// Sessions of earlier connections could be taken up.
    pub resumption: bool,
    /// What the first connection agreed on; null when none did.
    pub version: Option<String>,
    pub cipher: Option<String>,
    /// Of the key exchange.
    pub group: Option<String>,
    /// By ALPN; null when the server chose none.
    pub protocol: Option<String>,
    /// Who encrypted the requests of all connections: `kernel`; or `userspace`, blast itself, those
    /// of some of them.
    pub path: String,
    /// Connections whose requests the kernel encrypted.
    pub kernel_connections: u64,
    pub certificate: Option<Certificate>,
    /// From the connect to the end of the handshake, of all connections in all phases.
    pub full_handshake: Latency,
    /// The same of those that took up an earlier session.
    pub resumed_handshake: Latency,
    /// Connections that the server closed without a close_notify.
    pub closed_without_notify: u64,
}

/// What was asked of TLS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TlsEcho {
    pub insecure: bool,
    /// Roots of a file were trusted instead of the system's.
    pub cacert: bool,
    /// A certificate of the client was at hand.
    pub client_certificate: bool,
    /// The name that was asked for; null: the URL's, or none.
    pub sni: Option<String>,
    /// None was asked for.
    pub sni_off: bool,
    pub alpn: Vec<String>,
    pub min: String,
    pub max: String,
    /// In the order of preference; empty: all.
    pub ciphers: Vec<String>,
    pub resumption: bool,
    /// auto, on or off.
    pub ktls: String,
}

impl TlsEcho {
    pub(super) fn new(settings: &Settings) -> TlsEcho {
        TlsEcho {
            insecure: settings.insecure,
            cacert: settings.roots.is_some(),
            client_certificate: settings.identity.is_some(),
            sni: match &settings.sni {
                Sni::Name(name) => Some(name.clone()),
                Sni::Host | Sni::Off => None,
            },
            sni_off: settings.sni == Sni::Off,
            alpn: settings.protocols.clone(),
            min: settings.oldest.name().to_string(),
            max: settings.newest.name().to_string(),
            ciphers: settings.suites.iter().map(|suite| suite.name().to_string()).collect(),
            resumption: settings.resumption == Resumption::On,
            ktls: settings.ktls.name().to_string(),
        }
    }
}

/// The server's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    pub names: Vec<String>,
    pub not_before: String,
    pub not_after: String,
    pub key: String,
    pub sha256: String,
    /// Certificates that came with it.
    pub intermediates: u64,
}

impl Tls {
    /// `None` for http.
    pub(super) fn of(plan: &Plan, summary: &Summary) -> Option<Tls> {
        let settings = plan.tls.as_ref()?;
        let agreed = summary.agreed.as_ref();
        let connections = &summary.connections;
        let (full, resumed) = (&connections.full_handshakes, &connections.resumed_handshakes);
        Some(Tls {
            verified: !settings.insecure,
            resumption: settings.resumption == Resumption::On,
            version: agreed.map(|agreed| agreed.version.to_string()),
            cipher: agreed.map(|agreed| agreed.cipher.to_string()),
            group: agreed.and_then(|agreed| agreed.group).map(ToString::to_string),
            protocol: agreed.and_then(|agreed| agreed.protocol.clone()),
            path: path(connections).to_string(),
            kernel_connections: connections.kernel_sealed,
            certificate: agreed.and_then(|a| a.certificate.as_ref()).map(Certificate::new),
            full_handshake: Latency::new(full, full.count(), 0),
            resumed_handshake: Latency::new(resumed, resumed.count(), 0),
            closed_without_notify: connections.cut,
        })
    }
}

fn path(connections: &Connections) -> &'static str {
    match (connections.kernel_sealed, connections.self_sealed) {
        (1.., 0) => "kernel",
        _ => "userspace",
    }
}

impl Certificate {
    fn new(certificate: &agreed::Certificate) -> Certificate {
        let agreed::Certificate { subject, issuer, names, not_before, not_after, .. } = certificate;
        Certificate {
            subject: subject.clone(),
            issuer: issuer.clone(),
            names: names.clone(),
            not_before: not_before.clone(),
            not_after: not_after.clone(),
            key: certificate.key.clone(),
            sha256: certificate.sha256.clone(),
            intermediates: certificate.intermediates as u64,
        }
    }
}
