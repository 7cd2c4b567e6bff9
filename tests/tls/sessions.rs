//! What a handshake agrees on, with whom, and what of it is taken up again.

use std::path::Path;

use super::Site;
use crate::support::{Authority, Blast, Certified, Server, Terms, Tickets, each_engine, ok};

/// Twelve connections, a request each.
const TWELVE: &str = "-n 12 -c 2 -t 1 --no-keepalive";

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_session_is_taken_up_again_where_the_server_and_the_user_allow_it() {
    each_engine(|engine| {
        let site = Site::new();
        let on = "--tls-resumption on";
        for (version, tickets, flags, resumes) in [
            ("1.2", Tickets::Remembered, on, true),
            ("1.2", Tickets::Sealed, on, true),
            ("1.2", Tickets::Off, on, false),
            ("1.2", Tickets::Remembered, "", false),
            ("1.3", Tickets::Remembered, on, true),
            ("1.3", Tickets::Sealed, on, true),
            ("1.3", Tickets::Off, on, false),
            ("1.3", Tickets::Sealed, "--tls-resumption off", false),
        ] {
            let terms = Terms { tickets, ..Terms::of(version) };
            let server = site.answering(&terms, ok());
            let blast = site.blast(engine, &server.https()).args(TWELVE).args(flags);
            let document = blast.document();
            assert_eq!(document.fates(["sent", "good"]), [12, 12]);
            let of = |kind: &str| document.count(&format!("tls.{kind}_handshake.count"));
            let (full, resumed) = (of("full"), of("resumed"));
            let what = format!("{version}, {flags}: {full} full, {resumed} resumed");
            assert_eq!(full + resumed, document.count("connections.opened"), "{what}");
            // A handshake may be over on one side alone when the run ends.
            let (theirs, taken_up) = server.kinds();
            assert!(theirs.abs_diff(full) <= 2, "{what}, {theirs}");
            assert!(taken_up.abs_diff(resumed) <= 2, "{what}, {taken_up}");
            // The first two may begin before there is anything to take up.
            assert!(if resumes { full <= 2 } else { resumed + taken_up == 0 }, "{what}");
            assert_eq!(document.at("tls.resumption"), flags == on, "{what}");
            assert_eq!(document.text("tls.version"), format!("TLSv{version}"));
        }
    });
}

#[test]
fn what_was_agreed_on_is_reported_as_the_server_saw_it() {
    each_engine(|engine| {
        let site = Site::new();
        for (flags, version, cipher) in [
            ("", "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
            ("--tls-max 1.2", "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
            ("--tls-min 1.3", "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
            ("--tls-min 1.2 --tls-max 1.2", "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
            ("--ciphers TLS_AES_128_GCM_SHA256", "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
            ("--ciphers tls_chacha20_poly1305_sha256", "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"),
            (
                "--ciphers ECDHE-ECDSA-AES128-GCM-SHA256",
                "TLSv1.2",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            ),
            (
                "--ciphers TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLSv1.2",
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            ),
            // The client's order counts.
            (
                "--ciphers ECDHE-ECDSA-CHACHA20-POLY1305,ECDHE-ECDSA-AES256-GCM-SHA384",
                "TLSv1.2",
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            ),
        ] {
            let server = site.answering(&Terms::default(), ok());
            let blast = site.blast(engine, &server.https()).args("-n 4 -c 2").args(flags);
            let document = blast.document();
            assert_eq!(document.count("requests.good"), 4, "{flags}");
            let agreed = [document.text("tls.version"), document.text("tls.cipher")];
            assert_eq!(agreed, [version, cipher], "{flags}");
            assert_eq!(document.text("tls.group"), "x25519", "{flags}");
            for handshake in server.handshakes() {
                assert_eq!(handshake.version, version, "{flags}");
                assert_eq!(handshake.suite.replace("TLS13_", "TLS_"), cipher, "{flags}");
            }
        }
    });
}

#[test]
fn a_protocol_is_offered_as_asked_and_the_server_may_choose_none() {
    each_engine(|engine| {
        let site = Site::new();
        let both = || vec!["http/1.1", "http/1.0"];
        for (flags, protocols, chosen) in [
            ("", both(), Some("http/1.1")),
            ("", vec![], None),
            ("--alpn none", both(), None),
            ("--alpn none", vec!["h2"], None),
            ("--alpn http/1.0", both(), Some("http/1.0")),
            ("--alpn h2,http/1.1", vec!["http/1.1"], Some("http/1.1")),
        ] {
            let server = site.answering(&Terms { protocols, ..Terms::default() }, ok());
            let blast = site.blast(engine, &server.https()).args("-n 4 -c 2").args(flags);
            let document = blast.document();
            assert_eq!(document.count("requests.good"), 4, "{flags}");
            assert_eq!(document.at("tls.protocol").as_str(), chosen, "{flags}");
            let seen = server.handshakes();
            assert!(seen.iter().all(|h| h.protocol.as_deref() == chosen), "{flags}: {seen:?}");
        }
    });
}

#[test]
fn the_name_asked_for_is_the_one_expected_in_the_certificate() {
    each_engine(|engine| {
        let site = Site::new();
        let shop = site.authority.certify_with(|params| {
            let names = rcgen::CertificateParams::new(["shop.test".to_string()]).unwrap();
            params.subject_alt_names = names.subject_alt_names;
        });
        for (certified, host, flags, asked) in [
            (&site.certified, "localhost", "", Some("localhost")),
            // An address is no name (RFC 6066, 3).
            (&site.certified, "127.0.0.1", "", None),
            (&site.certified, "127.0.0.1", "--sni localhost", Some("localhost")),
            (&site.certified, "localhost", "--sni off", None),
            (&shop, "127.0.0.1", "--sni shop.test", Some("shop.test")),
            (&shop, "localhost", "--sni shop.test", Some("shop.test")),
        ] {
            let server =
                Server::secure(certified.served(), |peer| peer.answer_all(ok().as_bytes()));
            let url = format!("https://{host}:{}/", server.address().port());
            let document = site.blast(engine, &url).args("-n 4 -c 2").args(flags).document();
            assert_eq!(document.count("requests.good"), 4, "{host} {flags}");
            let seen = server.handshakes();
            assert!(seen.iter().all(|h| h.name.as_deref() == asked), "{host} {flags}: {seen:?}");
            // What is asked for in TLS changes nothing of the request.
            let expected = format!("Host: {host}:{}\r\n", server.address().port());
            assert!(server.log().iter().all(|heard| heard.head.contains(&expected)));
        }
        // And the other way round: right host, wrong name.
        let server = site.answering(&Terms::default(), ok());
        let run = site.blast(engine, &server.https()).args("--sni shop.test").run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.complaint().contains("asked for shop.test"), "{run:?}");
    });
}

#[test]
fn a_client_certificate_is_shown_to_a_server_that_asks() {
    each_engine(|engine| {
        let site = Site::new();
        let client = site.authority.below().certify();
        let chain: Vec<String> = client.chain.iter().map(|one| pem(one)).collect();
        let folder = &site.folder;
        let (cert, key) =
            (folder.file("cert", chain.concat()), folder.file("key", &client.key_pem));
        let both = folder.file("both", format!("{}{}", client.key_pem, chain.concat()));
        for version in ["1.2", "1.3"] {
            let terms = Terms { clients: Some(site.authority.der()), ..Terms::of(version) };
            let server = site.answering(&terms, ok());
            for flags in [
                format!("--cert {} --key {}", path(&cert), path(&key)),
                format!("--cert {}", path(&both)),
            ] {
                let blast = site.blast(engine, &server.https()).args(TWELVE).args(&flags);
                let document = blast.document();
                assert_eq!(document.fates(["sent", "good"]), [12, 12], "{version} {flags}");
                assert!(document.counts("connections.failures").is_empty());
            }
            assert!(server.handshakes().iter().all(|handshake| handshake.client == 2));
            assert_eq!(server.requests(), 24);
        }
    });
}

fn pem(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[test]
fn a_server_that_would_like_a_certificate_and_needs_none_is_served_without() {
    each_engine(|engine| {
        let site = Site::new();
        let client = site.authority.certify();
        let both = site.folder.file("both", format!("{}{}", client.key_pem, client.pem()));
        // One that nobody asks for is not shown.
        let server = site.answering(&Terms::default(), ok());
        let blast = site.blast(engine, &server.https()).args("-n 4 -c 2 --cert").arg(path(&both));
        assert_eq!(blast.document().count("requests.good"), 4);
        assert!(server.handshakes().iter().all(|handshake| handshake.client == 0));
    });
}

#[test]
fn a_server_s_own_certificate_can_be_trusted_whatever_it_says_of_itself() {
    each_engine(|engine| {
        let site = Site::new();
        let authority = |params: &mut rcgen::CertificateParams| {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        };
        let below = site.authority.below().certify();
        for certified in
            [Certified::self_signed(|_| {}), Certified::self_signed(authority), below.alone()]
        {
            let own = site.folder.file("own.pem", certified.pem());
            let server =
                Server::secure(certified.served(), |peer| peer.answer_all(ok().as_bytes()));
            let blast = Blast::calm(engine, &server.https()).args("-n 4 -c 2 --cacert");
            let document = blast.arg(path(&own)).document();
            assert_eq!(document.count("requests.good"), 4);
            assert_eq!(document.at("tls.verified"), true);
            // It is trusted for what it is, and for nothing else.
            let run = Blast::calm(engine, &server.https()).args("--sni other.test --cacert");
            let run = run.arg(path(&own)).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            assert!(run.complaint().contains("(tls_certificate)"), "{run:?}");
        }
    });
}

#[test]
fn an_outdated_certificate_is_refused_even_where_it_is_trusted_itself() {
    each_engine(|engine| {
        let site = Site::new();
        let outdated =
            Certified::self_signed(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
        let own = site.folder.file("own.pem", outdated.pem());
        let server = Server::secure(outdated.served(), |peer| peer.answer_all(ok().as_bytes()));
        let run = Blast::calm(engine, &server.https()).arg("--cacert").arg(path(&own)).run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.complaint().contains("has expired"), "{run:?}");
    });
}

#[test]
fn whoever_answers_is_taken_with_insecure_and_every_output_says_so() {
    each_engine(|engine| {
        let expired = Authority::new()
            .certify_with(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
        for (version, flag) in [("1.2", "--insecure"), ("1.3", "-k")] {
            let config = expired.served_on(&Terms::of(version));
            let server = Server::secure(config, |peer| peer.answer_all(ok().as_bytes()));
            let blast = Blast::calm(engine, &server.https()).args("-n 4 -c 2").arg(flag);
            let document = blast.document();
            assert_eq!(document.count("requests.good"), 4);
            assert_eq!(document.at("tls.verified"), false);
            assert!(document.text("tls.certificate.not_after").starts_with("2020-01-01"));
            let page = Blast::page(engine, &server.https());
            let page = page.args("-n 4 -c 2 --wait block --pin off").arg(flag).run();
            assert_eq!(page.code(), Some(0), "{page:?}");
            let words: Vec<&str> = page.stdout.split_whitespace().collect();
            assert!(words.join(" ").contains("NOT VERIFIED"), "{page:?}");
        }
        let site = Site::new();
        let server = site.answering(&Terms::default(), ok());
        let document = site.blast(engine, &server.https()).args("-n 4 -c 2").document();
        assert_eq!(document.at("tls.verified"), true);
        assert_eq!(document.count("tls.certificate.intermediates"), 0);
        let names = document.at("tls.certificate.names");
        assert_eq!(names, &serde_json::json!(["127.0.0.1", "localhost"]));
    });
}

#[test]
fn a_chain_with_its_intermediate_is_followed_to_the_root() {
    each_engine(|engine| {
        let site = Site::new();
        let below = site.authority.below().below().certify();
        let server = Server::secure(below.served(), |peer| peer.answer_all(ok().as_bytes()));
        let document = site.blast(engine, &server.https()).args("-n 4 -c 2").document();
        assert_eq!(document.count("requests.good"), 4);
        assert_eq!(document.count("tls.certificate.intermediates"), 2);
    });
}
