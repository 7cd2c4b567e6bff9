//! What the user asked of TLS: plain data, without a look at any file.

use std::fmt;

use bytes::Bytes;

/// The defaults are those of a careful client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Any certificate is taken.
    pub insecure: bool,
    /// PEM: these roots instead of the system's.
    pub roots: Option<Bytes>,
    /// The client's own certificate.
    pub identity: Option<Identity>,
    pub sni: Sni,
    /// Empty: none is offered.
    pub protocols: Vec<String>,
    pub oldest: Version,
    pub newest: Version,
    /// In the order of preference; empty: all.
    pub suites: Vec<Suite>,
    pub resumption: Resumption,
    pub ktls: Ktls,
}

impl Settings {
    /// What `blast https://…` does without a flag.
    pub fn new() -> Settings {
        Settings {
            protocols: vec![HTTP_1_1.to_string()],
            newest: Version::V1_3,
            ..Settings::default()
        }
    }
}

/// What blast speaks, as ALPN names it (RFC 7301).
pub const HTTP_1_1: &str = "http/1.1";

/// Which name is asked for, and expected in the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sni {
    /// The URL's.
    #[default]
    Host,
    Name(String),
    /// None is asked for; the certificate is to be for the URL's.
    Off,
}

/// PEM, both.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    pub chain: Bytes,
    pub key: Bytes,
}

impl fmt::Debug for Identity {
    /// The key stays hidden.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Identity")
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub enum Version {
    #[default]
    V1_2,
    V1_3,
}

impl Version {
    /// As the flags take it.
    pub fn name(self) -> &'static str {
        match self {
            Version::V1_2 => "1.2",
            Version::V1_3 => "1.3",
        }
    }
}

/// Whether a connection may take up what an earlier one agreed on. Each stands for a client of its
/// own, which has agreed on nothing yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resumption {
    On,
    #[default]
    Off,
}

/// Whether the kernel is to encrypt what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ktls {
    /// Where it can and it pays.
    #[default]
    Auto,
    /// Always; an error where it cannot.
    On,
    Off,
}

impl Ktls {
    const ALL: [Ktls; 3] = [Ktls::Auto, Ktls::On, Ktls::Off];

    pub fn named(name: &str) -> Option<Ktls> {
        Ktls::ALL.into_iter().find(|ktls| ktls.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Ktls::Auto => "auto",
            Ktls::On => "on",
            Ktls::Off => "off",
        }
    }
}

/// A cipher suite, by its name at IANA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite(&'static str);

/// IANA's names and OpenSSL's.
const SUITES: [(&str, &str); 9] = [
    ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    ("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"),
];

impl Suite {
    /// By either name, in any case.
    pub fn named(name: &str) -> Option<Suite> {
        let named = |(iana, openssl): &&(&'static str, &str)| {
            iana.eq_ignore_ascii_case(name) || openssl.eq_ignore_ascii_case(name)
        };
        SUITES.iter().find(named).map(|(iana, _)| Suite(iana))
    }

    /// All that blast speaks.
    pub fn all() -> impl Iterator<Item = Suite> {
        SUITES.iter().map(|(iana, _)| Suite(iana))
    }

    pub fn name(self) -> &'static str {
        self.0
    }

    /// The first three of the table are of TLS 1.3, the others of 1.2.
    pub fn version(self) -> Version {
        if self.0.contains("_WITH_") { Version::V1_2 } else { Version::V1_3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_is_known_by_either_name() {
        let of_openssl = Suite::named("ecdhe-rsa-aes128-gcm-sha256");
        assert_eq!(of_openssl, Suite::named("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        assert_eq!(of_openssl.map(Suite::version), Some(Version::V1_2));
        assert_eq!(Suite::named("TLS_AES_128_GCM_SHA256").map(Suite::version), Some(Version::V1_3));
        assert_eq!(Suite::named("RC4-MD5"), None);
    }

    #[test]
    fn a_key_is_not_printed() {
        let (chain, key) = (Bytes::from_static(b"chain"), Bytes::from_static(b"s3cret"));
        let settings = Settings { identity: Some(Identity { chain, key }), ..Settings::new() };
        assert!(!format!("{settings:?}").contains("cret"));
    }
}
