//! What a certificate says, for the report.

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

use crate::agreed::Certificate;

/// In bits (NIST SP 800-131A).
const SHORTEST_RSA: usize = 2_048;

/// `chain`: the server's own first.
pub fn describe(chain: &[CertificateDer<'_>]) -> Option<Certificate> {
    let (own, others) = chain.split_first()?;
    let sha256 = sha256(own);
    let Some(parsed) = parse(own) else {
        return Some(Certificate { sha256, intermediates: others.len(), ..Certificate::default() });
    };
    Some(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        names: names(&parsed),
        not_before: shown(&parsed.validity().not_before),
        not_after: shown(&parsed.validity().not_after),
        key: key(&parsed),
        sha256,
        intermediates: others.len(),
    })
}

pub fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    parse(certificate).is_some_and(|parsed| parsed.subject().as_raw() == parsed.issuer().as_raw())
}

/// A key that no careful client takes a signature of.
pub fn has_short_key(certificate: &CertificateDer<'_>) -> bool {
    let is_short = |parsed: X509Certificate<'_>| match parsed.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => key.key_size() < SHORTEST_RSA,
        _ => false,
    };
    parse(certificate).is_some_and(is_short)
}

/// From when to when, in seconds of Unix time.
pub fn validity(certificate: &CertificateDer<'_>) -> Option<(i64, i64)> {
    let parsed = parse(certificate)?;
    let validity = parsed.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(certificate).ok().map(|(_, parsed)| parsed)
}

fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = parsed.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_string()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::Ipv4Addr::from(bytes).to_string());
    let v6 = <[u8; 16]>::try_from(bytes).map(|bytes| std::net::Ipv6Addr::from(bytes).to_string());
    v4.or(v6).ok()
}

fn key(parsed: &X509Certificate<'_>) -> String {
    match parsed.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => format!("EC {}", point.key_size()),
        _ if parsed.public_key().algorithm.algorithm.to_id_string() == "1.3.101.112" => {
            "Ed25519".to_string()
        }
        _ => "unknown".to_string(),
    }
}

fn shown(time: &ASN1Time) -> String {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    humantime::format_rfc3339_seconds(time).to_string()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .map(|suite| suite.common.hash_provider.hash(bytes));
    let bytes = digest.as_ref().map_or(&[][..], |digest| digest.as_ref());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
