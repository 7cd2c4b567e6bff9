//! Who the client is, where the server asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::settings::Identity;
use crate::error::{Error, Result};

/// The client's certificate, if it has one, and whether a server ever asked for it.
#[derive(Debug)]
pub struct Asked {
    key: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl Asked {
    pub fn new(identity: Option<&Identity>, provider: &CryptoProvider) -> Result<Asked> {
        let key = identity.map(|identity| certified(identity, provider)).transpose()?;
        Ok(Asked { key: key.map(Arc::new), asked: AtomicBool::new(false) })
    }

    pub fn asked(&self) -> bool {
        self.asked.load(Relaxed)
    }

    /// And there was nothing to show.
    pub fn in_vain(&self) -> bool {
        self.asked() && self.key.is_none()
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}

fn certified(identity: &Identity, provider: &CryptoProvider) -> Result<CertifiedKey> {
    let chain = certificates(&identity.chain).map_err(|why| {
        Error::usage(format!("--cert: {why}; give the certificate and its chain in PEM"))
    })?;
    let key = PrivateKeyDer::from_pem_slice(&identity.key).map_err(|_| {
        Error::usage(
            "--key: it holds no private key that can be read; give one in PEM, without a passphrase",
        )
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| {
        Error::usage(format!(
            "--cert and --key do not go together ({error}); give the key of this very certificate"
        ))
    })
}

/// At least one.
pub fn certificates(pem: &[u8]) -> std::result::Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<Vec<_>, _>>();
    match all {
        Ok(all) if all.is_empty() => Err("it holds no certificate".to_string()),
        Ok(all) => Ok(all),
        Err(error) => Err(format!("it cannot be read ({error})")),
    }
}
