//! How a session came to nothing: rustls's errors, sorted and put into words.

use std::net::IpAddr;

use rustls::{CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::Fault;
use crate::flaw::{Flaw, alert};

impl Fault {
    pub(super) fn of(error: &Error) -> Fault {
        match error {
            Error::InvalidCertificate(error) => Fault::of_certificate(error),
            Error::AlertReceived(description) => {
                let number = u8::from(*description);
                let detail = Some(format!("alert `{}`", alert(number)));
                Fault { flaw: Flaw::of_alert(number), detail }
            }
            Error::PeerIncompatible(why) => Fault { flaw: incompatible(why), detail: None },
            Error::NoApplicationProtocol => Flaw::NoCommonProtocol.into(),
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => Flaw::Plain.into(),
            Error::NoCertificatesPresented => Flaw::Certificate.into(),
            other => Fault { flaw: Flaw::Garbled, detail: Some(other.to_string()) },
        }
    }

    fn of_certificate(error: &CertificateError) -> Fault {
        use CertificateError as E;
        let flaw = match error {
            E::Expired | E::ExpiredContext { .. } => Flaw::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => Flaw::NotYetValid,
            E::NotValidForName | E::NotValidForNameContext { .. } => Flaw::WrongHost,
            E::UnknownIssuer => Flaw::UntrustedRoot,
            E::BadSignature => Flaw::BadSignature,
            E::Revoked => Flaw::Revoked,
            E::UnsupportedSignatureAlgorithmContext { .. }
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Flaw::Weak,
            // How the verifier here tells what webpki does not.
            E::Other(other) => match other.0.downcast_ref::<Found>() {
                Some(Found(flaw)) => return (*flaw).into(),
                None => Flaw::Certificate,
            },
            _ => Flaw::Certificate,
        };
        let detail = match error {
            E::NotValidForNameContext { expected, presented } => Some(format!(
                "asked for {}, and it is for {}",
                expected.to_str(),
                if presented.is_empty() { "no name".to_string() } else { names(presented) }
            )),
            E::Other(other) => Some(other.to_string()),
            _ => None,
        };
        Fault { flaw, detail }
    }
}

/// rustls writes `DnsName("localhost")` and `IpAddress(127.0.0.1)`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, inner)| inner);
        let inner = inner.trim_end_matches(')').trim_matches('"');
        // An address as everybody else writes it.
        inner.parse::<IpAddr>().map_or(inner.to_string(), |address| address.to_string())
    };
    presented.iter().map(bare).collect::<Vec<_>>().join(", ")
}

fn incompatible(why: &PeerIncompatible) -> Flaw {
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => Flaw::NoCommonVersion,
        PeerIncompatible::NoCipherSuitesInCommon
        | PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoEcPointFormatsInCommon => Flaw::NoCommonCipher,
        PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            Flaw::ClientCertificateRequired
        }
        _ => Flaw::Garbled,
    }
}

/// A flaw on its way through rustls.
#[derive(Debug)]
pub(super) struct Found(pub Flaw);

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

impl std::error::Error for Found {}
