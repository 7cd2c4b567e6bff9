//! Certificates made on the spot: an authority of the test's own, and what it signs, with whatever
//! may be wrong about it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Folder;

/// A root, or an intermediate below one.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    /// From this one up to the root, without the root: what a server has to send.
    path: Vec<CertificateDer<'static>>,
}

impl Authority {
    pub fn new() -> Authority {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        Authority::named(&format!("Root {} of a test", NUMBER.fetch_add(1, Relaxed)))
    }

    /// There may be several of the same name.
    pub fn named(name: &str) -> Authority {
        let (params, key) = (Authority::params(name), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        let pem = certificate.pem();
        Authority { issuer: Issuer::new(params, key), pem, path: Vec::new() }
    }

    /// An intermediate.
    pub fn below(&self) -> Authority {
        let params = Authority::params("Intermediate of a test");
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let pem = certificate.pem();
        let path = [vec![certificate.der().clone()], self.path.clone()].concat();
        Authority { issuer: Issuer::new(params, key), pem, path }
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn der(&self) -> CertificateDer<'static> {
        rustls::pki_types::pem::PemObject::from_pem_slice(self.pem.as_bytes()).unwrap()
    }

    /// For 127.0.0.1 and localhost, with nothing wrong about it.
    pub fn certify(&self) -> Certified {
        self.certify_with(|_| {})
    }

    pub fn certify_with(&self, change: impl FnOnce(&mut CertificateParams)) -> Certified {
        let (params, key) = (for_this_host(change), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Certified::new(&certificate, &key, &self.path)
    }
}

fn for_this_host(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let names = ["127.0.0.1", "localhost"].map(String::from);
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "A server of a test");
    change(&mut params);
    params
}

/// A certificate with its key and what leads to its root.
#[derive(Clone)]
pub struct Certified {
    pub chain: Vec<CertificateDer<'static>>,
    pub key_pem: String,
    pem: String,
    key: Vec<u8>,
}

impl Certified {
    pub fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Certified {
        let (params, key) = (for_this_host(change), KeyPair::generate().unwrap());
        Certified::new(&params.self_signed(&key).unwrap(), &key, &[])
    }

    fn new(
        certificate: &Certificate,
        key: &KeyPair,
        path: &[CertificateDer<'static>],
    ) -> Certified {
        Certified {
            chain: [&[certificate.der().clone()], path].concat(),
            key_pem: key.serialize_pem(),
            pem: certificate.pem(),
            key: key.serialize_der(),
        }
    }

    /// Without those that lead to the root.
    pub fn alone(mut self) -> Certified {
        self.chain.truncate(1);
        self
    }

    /// The certificate itself.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }
}

impl Folder {
    /// A file of this text.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}
