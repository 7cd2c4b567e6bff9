//! Who the server is: webpki's verdict, with the words a user needs, and remembered. A load
//! generator is shown the same chain thousands of times a second, and each chain costs two or
//! three signatures to verify; the proof that the server has the key is asked of it every time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::certificate;
use super::fault::Found;
use crate::flaw::Flaw;

/// A chain that was good is good for so long.
const REMEMBERED: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    /// Certificates that the user trusts as they are.
    trusted: Vec<CertificateDer<'static>>,
    good: Mutex<Option<Good>>,
}

/// A chain that was verified.
#[derive(Debug)]
struct Good {
    end_entity: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
    at: UnixTime,
}

impl Verifier {
    /// `trusted`: what the user gave. A server's own certificate may be among it.
    pub fn new(
        roots: RootCertStore,
        trusted: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Verifier, String> {
        let webpki = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build();
        let webpki = webpki.map_err(|error| error.to_string())?;
        Ok(Verifier { webpki, trusted, good: Mutex::new(None) })
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), Error> {
        let verdict = self.webpki.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        match verdict {
            Ok(_) => Ok(()),
            Err(_) if self.trusted.iter().any(|trusted| trusted == end_entity) => {
                in_itself(end_entity, name, now)
            }
            Err(error) => Err(told_apart(error, end_entity, intermediates)),
        }
    }
}

/// A certificate that the user trusts needs no issuer: only its name and its time count.
fn in_itself(
    end_entity: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), Error> {
    verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
    match certificate::validity(end_entity) {
        Some((_, until)) if until < now.as_secs() as i64 => Err(CertificateError::Expired.into()),
        Some((from, _)) if from > now.as_secs() as i64 => Err(CertificateError::NotValidYet.into()),
        _ => Ok(()),
    }
}

/// webpki says that the issuer is unknown, or that a certificate authority is no server; a user
/// wants to know which of three things that means.
fn told_apart(
    error: Error,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Error {
    let is_self_signed = certificate::is_self_signed(end_entity);
    let flaw = match &error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            match (is_self_signed, intermediates) {
                (true, _) => Flaw::SelfSigned,
                (false, []) => Flaw::IncompleteChain,
                _ => Flaw::UntrustedRoot,
            }
        }
        Error::InvalidCertificate(CertificateError::Other(_)) if is_self_signed => Flaw::SelfSigned,
        _ => return error,
    };
    found(flaw)
}

/// A signature that is good for all one can tell, but for the key that made it.
fn of_short_key(error: Error, certificate: &CertificateDer<'_>) -> Error {
    match error {
        Error::InvalidCertificate(_) if certificate::has_short_key(certificate) => {
            found(Flaw::Weak)
        }
        other => other,
    }
}

fn found(flaw: Flaw) -> Error {
    CertificateError::Other(OtherError(Arc::new(Found(flaw)))).into()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = good.as_ref().is_some_and(|good| {
            good.end_entity == *end_entity
                && good.intermediates == intermediates
                && good.name == *name
                && now.as_secs().abs_diff(good.at.as_secs()) < REMEMBERED.as_secs()
        });
        if !is_known {
            self.verify(end_entity, intermediates, name, ocsp, now)?;
            *good = Some(Good {
                end_entity: end_entity.clone().into_owned(),
                intermediates: intermediates.iter().map(|one| one.clone().into_owned()).collect(),
                name: name.to_owned(),
                at: now,
            });
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = self.webpki.verify_tls12_signature(message, certificate, signature);
        verdict.map_err(|error| of_short_key(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = self.webpki.verify_tls13_signature(message, certificate, signature);
        verdict.map_err(|error| of_short_key(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// `--insecure`: whoever answers is taken. A proof by a key that nobody vouches for would prove
/// nothing, so none is looked at.
#[derive(Debug)]
pub struct Anyone {
    pub provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
