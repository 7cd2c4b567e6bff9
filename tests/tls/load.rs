//! Runs over TLS as runs: counts, schedule, signals, and nothing secret in any output.

use std::thread;
use std::time::Duration;

use super::Site;
use crate::support::{Peer, Server, Terms, each_engine, each_engine_alone, ok};

#[test]
fn each_request_is_counted_once_on_both_sides() {
    each_engine(|engine| {
        let site = Site::new();
        for (flags, requests) in [
            ("-n 500 -c 10 -t 2", 500),
            ("-n 499 -c 7 -t 2 -p 5", 499),
            ("-n 150 -c 10 -t 2 --requests-per-connection 7", 150),
            ("-n 200 -c 10 -R 1000", 200),
            ("-n 100 -c 5 -X HEAD", 100),
            ("-n 100 -c 5 -b small", 100),
        ] {
            let answer = if flags.contains("HEAD") {
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_string()
            } else {
                ok()
            };
            let server = site.answering(&Terms::default(), answer);
            let document = site.blast(engine, &server.https()).args(flags).document();
            assert_eq!(document.fates(["sent", "good"]), [requests; 2], "{flags}");
            assert_eq!(server.requests(), requests, "{flags}");
            // A handshake may be over on one side alone when the run ends.
            let handshakes = server.handshakes().len() as u64;
            let opened = document.count("connections.opened");
            assert!(handshakes.abs_diff(opened) <= 10, "{flags}: {handshakes} of {opened}");
        }
    });
}

#[test]
fn answers_are_told_apart_by_a_header_as_without_tls() {
    each_engine(|engine| {
        let site = Site::new();
        let answer = ok().replacen("\r\n", "\r\nX-Served-By: b-1\r\n", 1);
        let server = site.answering(&Terms::default(), answer);
        let flags = "-n 60 -c 3 -t 1 --group-by header:x-served-by";
        let document = site.blast(engine, &server.https()).args(flags).document();
        let rows = document.at("groups.rows");
        assert_eq!((&rows[0]["value"], &rows[0]["good"]), (&"b-1".into(), &60.into()));
    });
}

/// Its plaintext, and the socket's own figures.
#[test]
fn the_slowest_requests_are_known_as_well_as_without_tls() {
    each_engine(|engine| {
        let site = Site::new();
        let server = site.answering(&Terms::default(), ok());
        let document = site.blast(engine, &server.https()).args("-n 60 -c 3 -t 1").document();
        let slowest = document.at("slowest").as_array().unwrap();
        assert_eq!(slowest.len(), 60);
        for slow in slowest {
            let port = slow["local_port"].as_u64().unwrap_or_else(|| panic!("{slow}"));
            assert!(server.log().iter().any(|heard| u64::from(heard.port) == port), "{slow}");
            assert!(slow["rtt_us"].as_f64() > Some(0.0), "{slow}");
            // On a busy machine the kernel asks again for an acknowledgement that is late.
            assert!(slow["retransmits"].as_u64().is_some_and(|again| again < 5), "{slow}");
            assert!(slow["received"].as_str().unwrap().starts_with("HTTP/1.1 200 OK"), "{slow}");
        }
    });
}

#[test]
fn an_open_loop_over_tls_is_on_schedule() {
    each_engine_alone(|engine| {
        let site = Site::new();
        let server = site.answering(&Terms::default(), ok());
        let flags = "-R 2000 -d 2s -c 50 --wait hybrid --pin off";
        let blast = crate::support::Blast::new(engine, &server.https());
        let blast = blast.arg("--cacert").arg(site.roots.to_str().unwrap()).args(flags);
        let document = blast.document();
        assert_eq!(document.fates(["scheduled", "sent", "good"]), [4_000; 3]);
        assert!(document.counts("connections.failures").is_empty());
        // The handshakes are over before the first request is due. What is left is the machine's:
        // a server with a thread for each of fifty connections runs on the same two cores.
        let late = document.number("latency.send_lag.p50_us");
        assert!(late < 1_000.0, "{late} us");
        let efficiency = document.number("rate.efficiency");
        assert!(efficiency > 0.95, "{efficiency}");
        let service = document.number("latency.service.p50_us");
        assert!((1.0..10_000.0).contains(&service), "{service} us");
    });
}

#[test]
fn an_interrupt_before_the_first_handshake_is_over_leaves_a_report() {
    each_engine(|engine| {
        for signal in [libc::SIGINT, libc::SIGTERM] {
            let site = Site::new();
            let server = Server::start(Peer::wait_for_end);
            let flags = "-c 3 -d 10s --connect-timeout 20s";
            let running = site.blast(engine, &server.https()).args(flags).start();
            while server.connections() == 0 {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(50));
            running.signal(signal);
            let run = running.end();
            assert_eq!(run.code(), Some(128 + signal), "{run:?}");
            assert!(run.took < Duration::from_secs(10), "{run:?}");
            let document = run.document();
            assert!(!document.is_complete());
            assert_eq!(document.count("requests.sent"), 0);
            assert!(document.at("tls.version").is_null());
        }
    });
}

#[test]
fn an_interrupt_while_others_still_shake_hands_leaves_a_report() {
    each_engine(|engine| {
        let site = Site::new();
        let config = site.config();
        let server = Server::start(move |peer| {
            if peer.number > 0 {
                peer.wait_for_end();
            } else if peer.secure(&config) {
                peer.answer_all(ok().as_bytes());
            }
        });
        let flags = "-c 5 -d 10s --connect-timeout 20s";
        let running = site.blast(engine, &server.https()).args(flags).start();
        while server.connections() < 5 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(50));
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let document = run.document();
        assert!(!document.is_complete());
        assert_eq!(document.count("tls.full_handshake.count"), 1);
        assert!(run.took < Duration::from_secs(10), "{run:?}");
    });
}

#[test]
fn an_interrupt_of_a_run_over_tls_leaves_its_report() {
    each_engine(|engine| {
        let site = Site::new();
        let server = site.serve(|peer| {
            while peer.request().is_some() {
                thread::sleep(Duration::from_millis(2));
                peer.write(ok());
            }
        });
        let running = site.blast(engine, &server.https()).args("-c 3 -d 1h").start();
        server.heard(50);
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let document = run.document();
        assert!(!document.is_complete());
        assert!(document.count("requests.good") >= 50);
    });
}

#[test]
fn neither_keys_nor_certificates_are_in_any_output() {
    each_engine(|engine| {
        let site = Site::new();
        let client = site.authority.certify();
        let both = site.folder.file("both", format!("{}{}", client.key_pem, client.pem()));
        let terms = Terms { clients: Some(site.authority.der()), ..Terms::default() };
        let server = site.answering(&terms, ok());
        let base64: Vec<&str> = [&client.key_pem[..], client.pem(), site.authority.pem()]
            .into_iter()
            .flat_map(|pem| pem.lines().filter(|line| !line.starts_with("--")))
            .collect();
        let mut outputs = Vec::new();
        let mut names = Vec::new();
        for ending in ["json", "hgrm", "hlog"] {
            names.push(site.folder.path().join(format!("{engine}.{ending}")));
        }
        let page = crate::support::Blast::page(engine, &server.https());
        let page = page.args("-n 20 -c 2 -v -L --wait block --pin off");
        let json = site.blast(engine, &server.https()).args("-n 20 -c 2");
        let run = names.iter().fold(page, |run, name| run.arg("-o").arg(name.to_str().unwrap()));
        let trust = ["--cacert", site.roots.to_str().unwrap(), "--cert", both.to_str().unwrap()];
        let run = trust.into_iter().fold(run, |run, word| run.arg(word)).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        outputs.extend([run.stdout, run.stderr]);
        let run = json.arg("--cert").arg(both.to_str().unwrap()).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        outputs.extend([run.stdout, run.stderr]);
        outputs.extend(names.iter().map(|name| std::fs::read_to_string(name).unwrap()));
        for output in outputs {
            assert!(!output.contains("PRIVATE KEY") && !output.contains("BEGIN CERT"), "{output}");
            assert!(base64.iter().all(|line| !output.contains(line)), "{output}");
        }
    });
}

#[test]
fn a_handshake_counts_neither_as_connecting_nor_as_answering() {
    each_engine(|engine| {
        let site = Site::new();
        let config = site.config();
        let server = Server::start(move |peer| {
            thread::sleep(Duration::from_millis(200));
            if peer.secure(&config) {
                peer.answer_all(ok().as_bytes());
            }
        });
        let document = site.blast(engine, &server.https()).args("-n 20 -c 2 -t 1").document();
        // The server begins to wait a little before blast knows that it is connected.
        let of = |kind: &str| document.at(&format!("tls.{kind}_handshake.min_us")).as_f64();
        let least = of("full").into_iter().chain(of("resumed")).fold(f64::MAX, f64::min);
        assert!((150_000.0..f64::MAX).contains(&least), "{least}");
        assert!(document.number("latency.connect.min_us") < 100_000.0);
        assert!(document.number("latency.service.min_us") < 100_000.0);
    });
}
