//! The same faults once the run is under way: counted with their examples, and the run goes on.

use std::sync::Arc;

use blast::flaw::Flaw;
use rcgen::date_time_ymd;
use rustls::ServerConfig;

use super::Site;
use crate::support::{Authority, Certified, Document, Peer, Server, Terms, each_engine, ok};

/// Each fifth connection meets `fault` instead of a handshake with an answer.
fn each_fifth(
    good: Arc<ServerConfig>,
    fault: impl Fn(&mut Peer) + Send + Sync + 'static,
) -> Server {
    Server::start(move |peer| {
        if peer.number % 5 == 4 {
            fault(peer);
        } else if peer.secure(&good) {
            peer.answer_all(ok().as_bytes());
        }
    })
}

/// Twenty requests, each on a connection of its own.
fn goes_on(site: &Site, engine: &str, server: &Server, flaw: Flaw) -> Document {
    let blast = site.blast(engine, &server.https()).args("-n 20 -c 2 -t 1 --no-keepalive");
    let limit = if flaw == Flaw::Silence { "--connect-timeout 300ms" } else { "" };
    let document = blast.args(limit).document();
    assert_eq!(document.fates(["sent", "good", "failed"]), [20, 20, 0], "{flaw:?}");
    assert_eq!(server.requests(), 20, "{flaw:?}");
    let failures = document.counts("connections.failures");
    assert_eq!(failures.keys().collect::<Vec<_>>(), [&flaw.kind().name()], "{flaw:?}");
    // Numbers 4, 9, 14 and 19, of which the last may not be over; and 24, if it is dialled.
    let count = failures[flaw.kind().name()];
    assert!((3..=5).contains(&count), "{flaw:?}: {count}");
    let examples = document.at("failure_examples").as_array().unwrap();
    assert!(!examples.is_empty(), "{flaw:?}");
    for example in examples {
        assert_eq!(example["kind"], flaw.kind().name(), "{flaw:?}");
        assert_eq!(example["flaw"], flaw.name(), "{example}");
        assert_eq!(example["stage"], "handshake", "{example}");
        assert_eq!(example["side"], "target", "{example}");
    }
    document
}

#[test]
fn a_certificate_that_is_refused_in_the_middle_of_a_run_is_a_failed_connection() {
    each_engine(|engine| {
        let site = Site::new();
        let expired = site.authority.certify_with(|p| p.not_after = date_time_ymd(2020, 1, 1));
        for (certified, flaw) in [
            (expired, Flaw::Expired),
            (Certified::self_signed(|_| {}), Flaw::SelfSigned),
            (Authority::new().certify(), Flaw::IncompleteChain),
        ] {
            let bad = certified.served();
            let server = each_fifth(site.config(), move |peer| {
                assert!(!peer.secure(&bad));
            });
            goes_on(&site, engine, &server, flaw);
        }
    });
}

#[test]
fn a_handshake_that_fails_in_the_middle_of_a_run_is_a_failed_connection() {
    each_engine(|engine| {
        let site = Site::new();
        let (half, rest) = (site.config(), site.config());
        let begun = |fault: fn(&mut Peer)| {
            move |peer: &mut Peer| {
                peer.read_raw();
                fault(peer);
            }
        };
        for (server, flaw) in [
            (each_fifth(site.config(), begun(Peer::reset)), Flaw::Reset),
            (each_fifth(site.config(), begun(Peer::cut)), Flaw::Closed),
            (each_fifth(site.config(), Peer::wait_for_end), Flaw::Silence),
            (each_fifth(site.config(), begun(|peer| peer.write(ok()))), Flaw::Plain),
            (
                each_fifth(site.config(), begun(|peer| peer.write([21, 3, 3, 0, 2, 2, 80]))),
                Flaw::Alert(80),
            ),
            (each_fifth(half, move |peer| peer.secure_in_part(&rest, 0.5)), Flaw::Closed),
        ] {
            goes_on(&site, engine, &server, flaw);
        }
    });
}

#[test]
fn a_server_that_begins_to_ask_for_certificates_is_told_by_its_alert() {
    each_engine(|engine| {
        let site = Site::new();
        let terms = Terms { clients: Some(site.authority.der()), ..Terms::of("1.2") };
        let strict = site.config_on(&terms);
        let server = each_fifth(site.config(), move |peer| {
            assert!(!peer.secure(&strict));
        });
        goes_on(&site, engine, &server, Flaw::ClientCertificateRequired);
    });
}

#[test]
fn a_refusal_that_comes_after_the_request_fails_it_and_says_why() {
    each_engine(|engine| {
        let site = Site::new();
        // For the client of TLS 1.3 the handshake is over before the server has seen that there is
        // no certificate (RFC 8446, 4.4.2.4).
        let terms = Terms { clients: Some(site.authority.der()), ..Terms::of("1.3") };
        let strict = site.config_on(&terms);
        let server = each_fifth(site.config(), move |peer| {
            assert!(!peer.secure(&strict));
        });
        let flags = "-n 20 -c 2 -t 1 --no-keepalive";
        let document = site.blast(engine, &server.https()).args(flags).document();
        let failed = document.count("requests.failed");
        assert_eq!(document.fates(["sent", "good"]), [20, 20 - failed]);
        assert_eq!(document.counts("failures"), [("tls_broken", failed)].into());
        // Numbers 4, 9, 14 and 19; for the last there may be no request left.
        assert!((3..=4).contains(&failed), "{failed}");
        let examples = document.at("failure_examples").as_array().unwrap();
        let flaw = Flaw::ClientCertificateRequired.name();
        assert!(examples.iter().all(|example| example["flaw"] == flaw), "{examples:?}");
        assert_eq!(server.requests(), 20 - failed);
    });
}
