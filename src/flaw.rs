//! Flaws: why a TLS connection came to nothing. Each belongs to a kind of failure, has a name that
//! stands in the JSON, and a text that says what to do.

use crate::failure::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    Expired,
    NotYetValid,
    WrongHost,
    SelfSigned,
    /// The one certificate that came is not its own issuer, and the issuer is unknown.
    IncompleteChain,
    UntrustedRoot,
    BadSignature,
    /// A key or a digest that is no longer accepted.
    Weak,
    Revoked,
    /// Anything else about the certificate.
    Certificate,
    NoCommonVersion,
    NoCommonCipher,
    NoCommonProtocol,
    ClientCertificateRequired,
    /// By its number (RFC 8446, 6).
    Alert(u8),
    /// The peer does not speak TLS.
    Plain,
    /// The peer's messages are not what the protocol allows.
    Garbled,
    Reset,
    Closed,
    /// It took longer than `--connect-timeout`.
    Silence,
}

impl Flaw {
    /// Of a handshake that it ended.
    pub fn kind(self) -> Kind {
        use Flaw::*;
        match self {
            Expired | NotYetValid | WrongHost | SelfSigned | IncompleteChain | UntrustedRoot
            | BadSignature | Weak | Revoked | Certificate => Kind::TlsCertificate,
            Silence => Kind::TlsTimeout,
            _ => Kind::TlsHandshake,
        }
    }

    /// What an alert of the peer stands for.
    pub fn of_alert(number: u8) -> Flaw {
        match number {
            0 => Flaw::Closed,
            70 => Flaw::NoCommonVersion,
            71 | 40 => Flaw::NoCommonCipher,
            116 => Flaw::ClientCertificateRequired,
            120 => Flaw::NoCommonProtocol,
            _ => Flaw::Alert(number),
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        use Flaw::*;
        match self {
            Expired => "expired",
            NotYetValid => "not_yet_valid",
            WrongHost => "wrong_host",
            SelfSigned => "self_signed",
            IncompleteChain => "incomplete_chain",
            UntrustedRoot => "untrusted_root",
            BadSignature => "bad_signature",
            Weak => "weak",
            Revoked => "revoked",
            Certificate => "certificate",
            NoCommonVersion => "no_common_version",
            NoCommonCipher => "no_common_cipher",
            NoCommonProtocol => "no_common_protocol",
            ClientCertificateRequired => "client_certificate_required",
            Alert(number) => alert(number),
            Plain => "plain",
            Garbled => "garbled",
            Reset => "reset",
            Closed => "closed",
            Silence => "silence",
        }
    }

    /// What it is, and what to do about it.
    pub fn text(self) -> &'static str {
        use Flaw::*;
        match self {
            Expired => "its certificate has expired; renew it, or accept it with --insecure",
            NotYetValid => {
                "its certificate is not valid yet; check the clocks, or accept it with --insecure"
            }
            WrongHost => {
                "its certificate is for another name; use that name in the URL, give it with --sni, \
                 or accept it with --insecure"
            }
            SelfSigned => {
                "its certificate is self-signed; trust it with --cacert FILE, or accept it with \
                 --insecure"
            }
            IncompleteChain => {
                "its certificate is by an unknown issuer, and it sent no intermediate; have it send \
                 the whole chain, trust the issuer with --cacert FILE, or accept it with --insecure"
            }
            UntrustedRoot => {
                "its certificates lead to no trusted root; trust theirs with --cacert FILE, or \
                 accept them with --insecure"
            }
            BadSignature => {
                "a signature does not fit its certificate; check the server's key and chain, and that \
                 --cacert has the very issuer and not another of the same name"
            }
            Weak => {
                "its certificate has a key or a digest that is too weak; replace it, or accept it \
                 with --insecure"
            }
            Revoked => "its certificate is revoked; replace it",
            Certificate => {
                "its certificate is not accepted; check it with `openssl x509 -text`, or accept it \
                 with --insecure"
            }
            NoCommonVersion => {
                "it and blast have no version of TLS in common (blast speaks 1.2 and 1.3); check \
                 --tls-min and --tls-max and the server's own"
            }
            NoCommonCipher => {
                "it and blast have no cipher or key exchange in common; check --ciphers and the \
                 server's own"
            }
            NoCommonProtocol => {
                "it and blast agree on no protocol; blast speaks http/1.1 alone, see --alpn"
            }
            ClientCertificateRequired => {
                "it wants a certificate of the client; give one with --cert FILE and --key FILE"
            }
            Alert(46 | 42 | 43 | 44 | 45 | 48 | 49) => {
                "it refused the certificate of the client; check --cert and --key, and what it trusts"
            }
            Alert(112) => "it knows no site of that name; check the host, or give one with --sni",
            Alert(_) => "it ended the handshake with an alert; look at its log",
            Plain => "it does not speak TLS there; use http://, or the port (or socket) of https",
            Garbled => "it broke the rules of TLS; look at its log",
            Reset => "it reset the connection in the handshake; look at its log and its limits",
            Closed => "it closed the connection in the handshake; look at its log and its limits",
            Silence => {
                "it did not end the handshake within --connect-timeout; is it overloaded, or does \
                 it speak another protocol?"
            }
        }
    }
}

/// RFC 8446, 6 and B.2; TLS 1.2's are in RFC 5246.
pub fn alert(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown_alert",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_of_the_certificate_is_told_apart_from_one_of_the_handshake() {
        for (flaw, kind) in [
            (Flaw::Expired, "tls_certificate"),
            (Flaw::WrongHost, "tls_certificate"),
            (Flaw::SelfSigned, "tls_certificate"),
            (Flaw::IncompleteChain, "tls_certificate"),
            (Flaw::of_alert(40), "tls_handshake"),
            (Flaw::of_alert(116), "tls_handshake"),
            (Flaw::Plain, "tls_handshake"),
            (Flaw::Reset, "tls_handshake"),
            (Flaw::Silence, "tls_timeout"),
        ] {
            assert_eq!(flaw.kind().name(), kind, "{flaw:?}");
        }
    }

    #[test]
    fn every_alert_of_the_protocol_has_its_name() {
        assert_eq!(Flaw::of_alert(80).name(), "internal_error");
        assert_eq!(Flaw::of_alert(116), Flaw::ClientCertificateRequired);
        assert_eq!(Flaw::of_alert(0), Flaw::Closed, "that nothing more will come is no complaint");
        assert_eq!(Flaw::of_alert(255).name(), "unknown_alert");
    }
}
