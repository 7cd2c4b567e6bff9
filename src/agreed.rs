//! What a TLS handshake agreed on, and with whom: plain data.

/// Of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// As OpenSSL writes it: `TLSv1.3`.
    pub version: &'static str,
    /// As IANA writes it.
    pub cipher: &'static str,
    /// Of the key exchange; a resumed session of TLS 1.2 has none.
    pub group: Option<&'static str>,
    pub protocol: Option<String>,
    pub certificate: Option<Certificate>,
}

/// What the server's certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    /// Names and addresses it is for.
    pub names: Vec<String>,
    /// RFC 3339.
    pub not_before: String,
    pub not_after: String,
    /// Such as `RSA 2048`.
    pub key: String,
    pub sha256: String,
    /// Certificates that came with it.
    pub intermediates: usize,
}
