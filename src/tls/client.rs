//! The settings made ready: keys and roots read, a configuration for each worker.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{self, Tls12Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::{RootCertStore, SupportedCipherSuite, SupportedProtocolVersion, version};

use super::identity::{Asked, certificates};
use super::settings::{Resumption, Settings, Sni, Suite, Version};
use super::tickets::Tickets;
use super::verifier::{Anyone, Verifier};
use super::{Fault, Session};
use crate::error::{Error, Result};

/// What all sessions of a worker have in common.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    asked: Arc<Asked>,
    resumption: Resumption,
}

impl Client {
    /// `host`: a name, or an IP address without brackets. Reads the system's roots where they
    /// count.
    pub fn new(settings: &Settings, host: &str) -> Result<Client> {
        let provider = Arc::new(provider(&settings.suites));
        let versions = versions(settings.oldest, settings.newest, &settings.suites)?;
        let builder = ClientConfig::builder_with_provider(provider.clone());
        let builder = builder.with_protocol_versions(&versions).map_err(|error| {
            Error::usage(format!("--ciphers, --tls-min and --tls-max leave nothing ({error})"))
        })?;
        let builder =
            builder.dangerous().with_custom_certificate_verifier(verifier(settings, &provider)?);
        let asked = Arc::new(Asked::new(settings.identity.as_ref(), &provider)?);
        let mut config = builder.with_client_cert_resolver(asked.clone());
        // The records of an established session are none of rustls's business: see `traffic`.
        config.enable_secret_extraction = true;
        config.enable_sni = settings.sni != Sni::Off;
        config.alpn_protocols = settings.protocols.iter().map(|name| name.clone().into()).collect();
        let name = name(settings, host)?;
        Ok(Client { config: Arc::new(config), name, asked, resumption: settings.resumption })
    }

    /// For a worker with so many connections: it resumes its own sessions.
    pub fn for_worker(&self, connections: usize) -> Client {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = match self.resumption {
            Resumption::Off => client::Resumption::disabled(),
            // Servers give two tickets at a time.
            Resumption::On => client::Resumption::store(Arc::new(Tickets::new(connections * 2)))
                .tls12_resumption(Tls12Resumption::SessionIdOrTickets),
        };
        Client { config: Arc::new(config), ..self.clone() }
    }

    /// A new session, with the bytes that begin it.
    pub fn session(&self, out: &mut Vec<u8>) -> std::result::Result<Session, Fault> {
        Session::begin(self.config.clone(), self.name.clone(), self.asked.clone(), out)
    }
}

fn provider(suites: &[Suite]) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !suites.is_empty() {
        let all = provider.cipher_suites.clone();
        let known = |suite: &Suite| all.iter().find(|known| iana(known) == suite.name()).copied();
        provider.cipher_suites = suites.iter().filter_map(known).collect();
    }
    provider
}

/// rustls's name with TLS13_ in front is IANA's with TLS_.
pub fn iana(suite: &SupportedCipherSuite) -> &'static str {
    let named = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
    Suite::named(&named).map_or("unknown", Suite::name)
}

/// Those of the span that some suite is for.
fn versions(
    oldest: Version,
    newest: Version,
    suites: &[Suite],
) -> Result<Vec<&'static SupportedProtocolVersion>> {
    let all = [(Version::V1_3, &version::TLS13), (Version::V1_2, &version::TLS12)];
    let has_suite = |version| suites.is_empty() || suites.iter().any(|s| s.version() == version);
    let fits = |version| oldest <= version && version <= newest && has_suite(version);
    let versions: Vec<_> = all.into_iter().filter(|(version, _)| fits(*version)).collect();
    if versions.is_empty() {
        return Err(Error::usage(
            "--ciphers: none of them is of the versions that --tls-min and --tls-max allow; name \
             one that is",
        ));
    }
    Ok(versions.into_iter().map(|(_, version)| version).collect())
}

fn name(settings: &Settings, host: &str) -> Result<ServerName<'static>> {
    let (text, flag) = match &settings.sni {
        Sni::Name(name) => (name.as_str(), "--sni: "),
        _ => (host, ""),
    };
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(ServerName::IpAddress(ip.into()));
    }
    ServerName::try_from(text.to_string()).map_err(|_| {
        Error::usage(format!(
            "{flag}{} is no name that a certificate can be for; give one with --sni",
            crate::units::quote(text)
        ))
    })
}

fn verifier(
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>> {
    if settings.insecure {
        return Ok(Arc::new(Anyone { provider: provider.clone() }));
    }
    let mut roots = RootCertStore::empty();
    let mut trusted = Vec::new();
    match &settings.roots {
        Some(pem) => {
            trusted = certificates(pem).map_err(|why| {
                Error::usage(format!("--cacert: {why}; give a file of certificates in PEM"))
            })?;
            // A server's own certificate is none that others could be verified with.
            roots.add_parsable_certificates(trusted.iter().cloned());
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() && trusted.is_empty() {
        return Err(Error::failed(
            "this host has no trusted roots to verify a server with: install its ca-certificates, \
             give a file of them with --cacert, or accept any server with --insecure",
        ));
    }
    if roots.is_empty() {
        return Err(Error::usage(
            "--cacert: none of its certificates can be read; give X.509 certificates of version 3",
        ));
    }
    let verifier = Verifier::new(roots, trusted, provider.clone()).map_err(|why| {
        Error::failed(format!(
            "the trusted roots cannot be used ({why}); give others with --cacert"
        ))
    })?;
    Ok(Arc::new(verifier))
}
