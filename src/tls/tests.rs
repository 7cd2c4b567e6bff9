//! Sessions against rustls as the server: whatever the cipher, and however the bytes are split.

use std::io::{Read, Write};
use std::sync::Arc;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, Error, ServerConfig, ServerConnection};

use super::{Client, Progress, Resumption, Session, Settings, Suite};
use crate::flaw::Flaw;

/// Those that a server with a key on a curve can choose.
fn suites() -> impl Iterator<Item = Suite> {
    Suite::all().filter(|suite| !suite.name().contains("_RSA_"))
}

/// The longest record of the server is of so many bytes.
fn server(longest: usize) -> Arc<ServerConfig> {
    let made =
        rcgen::generate_simple_self_signed(["localhost".to_string()]).expect("a certificate");
    let certificate = CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("PEM");
    let key =
        PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("PEM");
    let provider = rustls::crypto::ring::default_provider();
    let builder = ServerConfig::builder_with_provider(provider.into());
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let config = builder.with_no_client_auth().with_single_cert(vec![certificate], key);
    let mut config = config.expect("a key");
    config.max_fragment_size = Some(longest);
    Arc::new(config)
}

/// Both ends of a connection.
struct Pair {
    session: Session,
    server: ServerConnection,
    /// What the session has to say.
    out: Vec<u8>,
    /// What the server saw of it.
    seen: Vec<u8>,
}

impl Pair {
    /// After the handshake.
    fn new(client: &Client, config: &Arc<ServerConfig>) -> Pair {
        let mut out = Vec::new();
        let session = client.session(&mut out).expect("a session");
        let mut server = ServerConnection::new(config.clone()).expect("a server");
        server.set_buffer_limit(None);
        let mut pair = Pair { session, server, out, seen: Vec::new() };
        while !pair.session.is_established() || pair.server.is_handshaking() {
            pair.deliver();
            let mut bytes = pair.answer();
            pair.take(&mut bytes).expect("a handshake");
        }
        pair.deliver();
        pair
    }

    fn of(suite: Suite) -> Pair {
        Pair::new(&client(suite, Resumption::Off), &server(16 * 1024))
    }

    /// To the server, which says what it thinks of it.
    fn deliver(&mut self) {
        self.try_deliver().expect("TLS");
    }

    fn try_deliver(&mut self) -> Result<(), Error> {
        let mut bytes = &self.out[..];
        while !bytes.is_empty() {
            self.server.read_tls(&mut bytes).expect("bytes");
            self.server.process_new_packets()?;
            // It keeps only so much: that all of it is read is no error.
            let _ = self.server.reader().read_to_end(&mut self.seen);
        }
        self.out.clear();
        Ok(())
    }

    /// What the server has to say.
    fn answer(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut bytes).expect("a write");
        }
        bytes
    }

    /// To the session: the plaintext that comes of it.
    fn take(&mut self, bytes: &mut [u8]) -> Result<(Vec<u8>, Progress), super::Fault> {
        let mut plain = Vec::new();
        let progress = self.session.receive(bytes, &mut self.out, &mut |piece| {
            plain.extend_from_slice(piece);
            true
        })?;
        Ok((plain, progress))
    }

    /// Sends, and gives back what the server saw.
    fn request(&mut self, plain: &[u8]) -> Vec<u8> {
        self.session.seal(plain, &mut self.out).expect("sealed");
        self.deliver();
        std::mem::take(&mut self.seen)
    }
}

fn client(suite: Suite, resumption: Resumption) -> Client {
    let settings = Settings { insecure: true, suites: vec![suite], resumption, ..Settings::new() };
    Client::new(&settings, "localhost").expect("settings").for_worker(4)
}

#[test]
fn what_is_sealed_is_what_the_server_sees() {
    for suite in suites() {
        let mut pair = Pair::of(suite);
        for length in [0, 1, 60, 16_384, 16_385, 70_000] {
            let plain: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            assert_eq!(pair.request(&plain), plain, "{length} of {suite:?}");
        }
    }
}

#[test]
fn what_is_opened_is_what_the_server_sent_however_it_is_split() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(17);
    // Tickets come in several records as well: one has more than 70 bytes.
    for longest in [70, 1_500, 16 * 1024] {
        let config = server(longest);
        for suite in suites() {
            let mut pair = Pair::new(&client(suite, Resumption::On), &config);
            for round in 0..20 {
                pair.request(b"GET / HTTP/1.1\r\n\r\n");
                let mut sent = vec![0; (random.next_u32() % 40_000) as usize];
                random.fill_bytes(&mut sent);
                pair.server.writer().write_all(&sent).expect("room");
                let mut records = pair.answer();
                let mut seen = Vec::new();
                let mut rest = &mut records[..];
                while !rest.is_empty() {
                    let most = if round % 2 == 0 { rest.len() as u32 } else { 600 };
                    let split = (random.next_u32() % most + 1).min(rest.len() as u32);
                    let (piece, after) = rest.split_at_mut(split as usize);
                    seen.extend(pair.take(piece).expect("TLS").0);
                    rest = after;
                }
                assert!(seen == sent, "round {round} of {suite:?}, records of {longest}");
            }
        }
    }
}

#[test]
fn a_session_is_taken_up_again_after_tickets_that_came_with_answers() {
    for suite in suites() {
        let (client, config) = (client(suite, Resumption::On), server(16 * 1024));
        let mut first = Pair::new(&client, &config);
        assert!(!first.session.is_resumed());
        first.request(b"x");
        first.server.writer().write_all(b"y").expect("room");
        let mut records = first.answer();
        assert_eq!(first.take(&mut records).expect("TLS").0, b"y");
        assert!(Pair::new(&client, &config).session.is_resumed(), "{suite:?}");
    }
}

#[test]
fn new_keys_that_the_server_asks_for_are_used_on_both_sides() {
    for suite in suites().filter(|suite| !suite.name().contains("_WITH_")) {
        let mut pair = Pair::of(suite);
        pair.request(b"before");
        pair.server.refresh_traffic_keys().expect("TLS 1.3");
        pair.server.writer().write_all(b"after").expect("room");
        let mut records = pair.answer();
        assert_eq!(pair.take(&mut records).expect("TLS").0, b"after");
        assert!(!pair.out.is_empty(), "it says that it has new keys as well");
        assert_eq!(pair.request(b"after"), b"after");
    }
}

#[test]
fn a_changed_record_ends_the_session_and_the_server_is_told() {
    for suite in suites() {
        let mut pair = Pair::of(suite);
        pair.request(b"x");
        pair.server.writer().write_all(b"an answer").expect("room");
        let mut records = pair.answer();
        *records.last_mut().expect("a record") ^= 1;
        let fault = pair.take(&mut records).expect_err("it was changed");
        assert_eq!(fault.flaw, Flaw::Garbled);
        assert_eq!(fault.detail, Some("cannot decrypt peer's message".to_string()));
        let told = pair.try_deliver();
        assert_eq!(told, Err(Error::AlertReceived(AlertDescription::BadRecordMac)));
    }
}

#[test]
fn a_close_notify_is_the_end_and_what_follows_it_is_not_read() {
    for suite in suites() {
        let mut pair = Pair::of(suite);
        pair.request(b"x");
        pair.server.writer().write_all(b"the last").expect("room");
        pair.server.send_close_notify();
        let mut records = pair.answer();
        records.extend_from_slice(b"HTTP/1.1 400");
        let (plain, progress) = pair.take(&mut records).expect("TLS");
        assert_eq!((&plain[..], progress), (&b"the last"[..], Progress::Ended));
    }
}

#[test]
fn a_close_notify_that_is_cut_is_the_end_as_well() {
    for suite in suites() {
        let mut pair = Pair::of(suite);
        pair.request(b"x");
        pair.server.send_close_notify();
        let records = pair.answer();
        for cut in 1..records.len() {
            let mut pair = Pair::of(suite);
            pair.request(b"x");
            pair.server.send_close_notify();
            let mut first = pair.answer();
            let mut rest = first.split_off(cut);
            rest.extend_from_slice(b"HTTP/1.1 400");
            assert_eq!(pair.take(&mut first).expect("TLS").1, Progress::Established);
            assert_eq!(pair.take(&mut rest).expect("TLS"), (Vec::new(), Progress::Ended));
        }
    }
}

#[test]
fn what_is_no_record_is_a_fault_and_not_waited_for() {
    for bytes in [&b"HTTP/"[..], b"\x17\x03\x03\xff\xff", b"\x18\x03\x03\x00\x01"] {
        let mut pair = Pair::of(Suite::named("TLS_AES_128_GCM_SHA256").expect("a suite"));
        pair.request(b"x");
        let mut bytes = bytes.to_vec();
        assert_eq!(pair.take(&mut bytes).expect_err("no record").flaw, Flaw::Garbled);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_given_no_more() {
    let mut pair = Pair::of(Suite::named("TLS_AES_128_GCM_SHA256").expect("a suite"));
    pair.request(b"x");
    pair.server.writer().write_all(b"one").expect("room");
    let mut records = pair.answer();
    pair.server.writer().write_all(b"two").expect("room");
    records.extend(pair.answer());
    let mut pieces = Vec::new();
    let mut stop = |piece: &[u8]| {
        pieces.push(piece.to_vec());
        false
    };
    pair.session.receive(&mut records, &mut pair.out, &mut stop).expect("TLS");
    assert_eq!(pieces, [b"one"]);
}

#[test]
fn a_worn_key_is_replaced_and_tls_1_2_which_cannot_ends() {
    for suite in suites() {
        let mut pair = Pair::of(suite);
        pair.request(b"first");
        pair.session.wear_out_at(2);
        if suite.version() == super::Version::V1_3 {
            (0..5).for_each(|_| assert_eq!(pair.request(b"more"), b"more"));
        } else {
            assert!(pair.session.seal(b"more", &mut pair.out).is_err());
        }
    }
}
