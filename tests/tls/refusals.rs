//! What is wrong from the first connection on: one sentence that says what to do, exit 1, at once,
//! and nothing sent.

use std::sync::Arc;
use std::time::Duration;

use blast::flaw::Flaw;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
use rustls::{ServerConfig, version};

use super::Site;
use crate::support::{Authority, Blast, Certified, Peer, Run, Server, Terms, each_engine, ok};

/// Before the limit of a handshake, which would be 5 s.
const QUICK: Duration = Duration::from_secs(4);

/// Refuses to run against it, for this flaw.
fn refused(run: &Run, server: &Server, flaw: Flaw) {
    assert_eq!(run.code(), Some(1), "{flaw:?}: {run:?}");
    let expected = format!("no TLS with {} ({}): ", server.address(), flaw.kind().name());
    let sentence = run.complaint();
    assert!(sentence.starts_with(&expected), "{flaw:?}: {sentence}");
    assert!(sentence[expected.len()..].starts_with(flaw.text()), "{flaw:?}: {sentence}");
    assert!(run.took < QUICK, "{flaw:?}: {run:?}");
    assert_eq!(server.requests(), 0, "{flaw:?}");
    assert_eq!(server.connections(), 1, "{flaw:?}: one connection is enough to know");
}

fn serving(config: Arc<ServerConfig>) -> Server {
    Server::secure(config, |peer| peer.answer_all(ok().as_bytes()))
}

fn signed(authority: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Certified {
    authority.certify_with(change)
}

const ROOT: &str = "A root made anew";

/// What is shown, and why it is refused.
fn certificates(trusted: &Authority) -> Vec<(Certified, Flaw)> {
    let stranger = Authority::new();
    let authority = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    let outdated = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(3000, 1, 1);
    let for_clients = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let elsewhere = |params: &mut CertificateParams| {
        params.subject_alt_names =
            CertificateParams::new(["other.test".to_string()]).unwrap().subject_alt_names;
    };
    vec![
        (signed(trusted, outdated), Flaw::Expired),
        (signed(trusted, early), Flaw::NotYetValid),
        (signed(trusted, elsewhere), Flaw::WrongHost),
        (signed(trusted, |params| params.subject_alt_names.clear()), Flaw::WrongHost),
        (signed(trusted, for_clients), Flaw::Certificate),
        (Certified::self_signed(|_| {}), Flaw::SelfSigned),
        (Certified::self_signed(authority), Flaw::SelfSigned),
        (Certified::self_signed(outdated), Flaw::Expired),
        (trusted.below().certify().alone(), Flaw::IncompleteChain),
        (stranger.certify(), Flaw::IncompleteChain),
        (Authority::named(ROOT).certify(), Flaw::BadSignature),
        (stranger.below().certify(), Flaw::UntrustedRoot),
    ]
}

#[test]
fn a_certificate_that_cannot_be_trusted_is_told_by_its_flaw() {
    each_engine(|engine| {
        let site = Site::of(Authority::named(ROOT));
        for (certified, flaw) in certificates(&site.authority) {
            let server = serving(certified.served());
            let run = site.blast(engine, &server.https()).args("-c 3 -d 5s").run();
            refused(&run, &server, flaw);
            if flaw == Flaw::WrongHost {
                let sentence = run.complaint();
                let names = ["it is for other.test", "it is for no name"];
                assert!(sentence.contains("asked for 127.0.0.1"), "{sentence}");
                assert!(names.iter().any(|name| sentence.contains(name)), "{sentence}");
            }
        }
    });
}

#[test]
fn a_certificate_by_nobody_that_this_host_knows_is_refused_with_its_roots_too() {
    each_engine(|engine| {
        let server = serving(Authority::new().certify().served());
        for load in ["-c 3", "-c 3 -R 100"] {
            let run = Blast::calm(engine, &server.https()).args(load).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            // A host without roots says so instead.
            let sentence = run.complaint();
            assert!(sentence.contains("--cacert"), "{sentence}");
        }
        assert_eq!(server.requests(), 0);
    });
}

/// What the server speaks, what blast is told to speak, and why that is nothing.
fn nothing_in_common() -> Vec<(Terms, &'static str, Flaw)> {
    let large = || vec!["TLS13_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"];
    let of_h2 = || Terms { protocols: vec!["h2"], ..Terms::default() };
    vec![
        (Terms::of("1.2"), "--tls-min 1.3", Flaw::NoCommonVersion),
        (Terms::of("1.3"), "--tls-max 1.2", Flaw::NoCommonVersion),
        (
            Terms { suites: large(), ..Terms::default() },
            "--ciphers TLS_AES_128_GCM_SHA256",
            Flaw::NoCommonCipher,
        ),
        (
            Terms { suites: large(), versions: vec![&version::TLS12], ..Terms::default() },
            "--ciphers ECDHE-ECDSA-AES128-GCM-SHA256",
            Flaw::NoCommonCipher,
        ),
        (of_h2(), "", Flaw::NoCommonProtocol),
        (Terms { versions: vec![&version::TLS12], ..of_h2() }, "", Flaw::NoCommonProtocol),
        // It may have what it was offered, and cannot be spoken with.
        (of_h2(), "--alpn h2,http/1.1", Flaw::NoCommonProtocol),
    ]
}

#[test]
fn what_has_nothing_in_common_with_blast_is_told_by_what_is_missing() {
    each_engine(|engine| {
        let site = Site::new();
        for (terms, flags, flaw) in nothing_in_common() {
            let server = serving(site.config_on(&terms));
            let run = site.blast(engine, &server.https()).args("-c 3 -d 5s").args(flags).run();
            refused(&run, &server, flaw);
        }
    });
}

/// nginx does so: the settings of h2 come with the end of the handshake.
#[test]
fn a_server_that_speaks_h2_at_once_is_told_by_the_protocol_it_chose() {
    each_engine(|engine| {
        let site = Site::new();
        let config = site.config_on(&Terms { protocols: vec!["h2"], ..Terms::default() });
        let server = Server::secure(config, |peer| {
            peer.write(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64");
            let _ = peer.request();
        });
        let blast = site.blast(engine, &server.https()).args("-c 3 -d 5s --alpn h2,http/1.1");
        let run = blast.run();
        let complaint = run.complaint();
        assert!(complaint.contains("it chose h2, and blast speaks HTTP/1.1"), "{complaint}");
    });
}

#[test]
fn a_client_without_a_certificate_is_told_that_one_is_wanted() {
    each_engine(|engine| {
        let site = Site::new();
        for version in ["1.2", "1.3"] {
            let terms = Terms { clients: Some(site.authority.der()), ..Terms::of(version) };
            let server = serving(site.config_on(&terms));
            let run = site.blast(engine, &server.https()).args("-c 3 -d 5s").run();
            refused(&run, &server, Flaw::ClientCertificateRequired);
        }
    });
}

#[test]
fn a_client_with_a_certificate_that_the_server_does_not_trust_is_told_so() {
    each_engine(|engine| {
        let site = Site::new();
        let client = Authority::new().certify();
        let cert = site.folder.file("client.pem", format!("{}{}", client.pem(), client.key_pem));
        for version in ["1.2", "1.3"] {
            let terms = Terms { clients: Some(site.authority.der()), ..Terms::of(version) };
            let server = serving(site.config_on(&terms));
            let blast = site.blast(engine, &server.https()).args("-c 3 -d 5s --cert");
            let run = blast.arg(cert.to_str().unwrap()).run();
            refused(&run, &server, Flaw::Alert(48));
            assert!(run.complaint().contains("unknown_ca"), "{run:?}");
        }
    });
}

/// A server whose connections meet this instead of a handshake, once the client has begun one.
fn meeting(fault: impl Fn(&mut Peer) + Send + Sync + 'static) -> Server {
    Server::start(move |peer| {
        if peer.read_raw().is_some() {
            fault(peer);
        }
    })
}

fn alert(number: u8) -> [u8; 7] {
    [21, 3, 3, 0, 2, 2, number]
}

#[test]
fn a_handshake_that_comes_to_nothing_is_told_by_what_came_instead() {
    each_engine(|engine| {
        let site = Site::new();
        let (early, late) = (site.config(), site.config());
        let faults = [
            (
                meeting(|peer| peer.write(crate::support::answer("400 Bad Request", ""))),
                Flaw::Plain,
            ),
            (meeting(|peer| peer.write("SSH-2.0-OpenSSH_9.2\r\n")), Flaw::Plain),
            (meeting(|peer| peer.write([0; 100])), Flaw::Plain),
            (meeting(|peer| peer.write([22, 3, 3, 0, 4, 99, 0, 0, 0])), Flaw::Garbled),
            (meeting(|peer| peer.write(alert(80))), Flaw::Alert(80)),
            (meeting(|peer| peer.write(alert(112))), Flaw::Alert(112)),
            (meeting(|peer| peer.write(alert(40))), Flaw::NoCommonCipher),
            (meeting(|peer| peer.write(alert(0))), Flaw::Closed),
            (meeting(Peer::reset), Flaw::Reset),
            (meeting(Peer::cut), Flaw::Closed),
            (Server::start(move |peer| peer.secure_in_part(&early, 0.5)), Flaw::Closed),
            (
                Server::start(move |peer| {
                    peer.secure_in_part(&late, 0.9);
                    std::thread::sleep(Duration::from_millis(50));
                    peer.reset();
                }),
                Flaw::Reset,
            ),
            (Server::start(Peer::cut), Flaw::Closed),
        ];
        for (server, flaw) in faults {
            let run = site.blast(engine, &server.https()).args("-c 3 -d 5s").run();
            refused(&run, &server, flaw);
        }
    });
}

#[test]
fn a_plain_answer_is_shown_in_its_first_bytes() {
    each_engine(|engine| {
        let site = Site::new();
        let server = meeting(|peer| peer.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
        let run = site.blast(engine, &server.https()).run();
        refused(&run, &server, Flaw::Plain);
        assert!(run.complaint().contains("it answered `HTTP/1.1 400 Bad"), "{run:?}");
    });
}

#[test]
fn a_handshake_that_nobody_answers_ends_with_its_limit() {
    each_engine(|engine| {
        let site = Site::new();
        let half = site.config();
        for server in [
            Server::start(Peer::wait_for_end),
            Server::start(move |peer| {
                peer.secure_in_part(&half, 0.7);
                peer.wait_for_end();
            }),
        ] {
            let flags = "-c 3 -d 5s --connect-timeout 300ms";
            let run = site.blast(engine, &server.https()).args(flags).run();
            refused(&run, &server, Flaw::Silence);
        }
    });
}

#[test]
fn files_that_hold_no_certificate_or_key_are_refused_before_anything_is_opened() {
    each_engine(|engine| {
        let site = Site::new();
        let server = serving(site.config());
        let file = |name: &str, text: &str| site.folder.file(name, text).display().to_string();
        let empty = file("empty", "");
        let broken = file("broken", "-----BEGIN CERTIFICATE-----\nnot base64!\n");
        let (cert, key) =
            (file("cert", site.certified.pem()), file("key", &site.certified.key_pem));
        let other = file("other", &site.authority.certify().key_pem);
        for (flags, part) in [
            (format!("--cacert {empty}"), "--cacert: it holds no certificate"),
            (format!("--cacert {broken}"), "--cacert: it cannot be read"),
            (format!("--cacert {key}"), "--cacert: it holds no certificate"),
            ("--cacert /no/such/file".to_string(), "--cacert: `/no/such/file` cannot be read"),
            (format!("--cert {cert}"), "--key: it holds no private key"),
            (format!("--cert {empty} --key {key}"), "--cert: it holds no certificate"),
            (format!("--cert {cert} --key {cert}"), "--key: it holds no private key"),
            (format!("--cert {cert} --key {other}"), "--cert and --key do not go together"),
            (format!("--key {key}"), "give --cert FILE"),
        ] {
            let run = Blast::calm(engine, &server.https()).args(&flags).run();
            assert_eq!(run.code(), Some(2), "{run:?}");
            assert!(run.complaint().contains(part), "{part}: {run:?}");
        }
        assert_eq!(server.connections(), 0);
    });
}
