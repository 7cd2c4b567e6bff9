//! Connections that cannot be opened, end while nothing is on them, or come back: never a failed
//! request, never a busy loop.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::{Blast, Deaf, Document, LIMIT, Server, closed_port, each_engine, ok};

/// How many attempts to connect failed, all of them in the same way.
fn tries(document: &Document, kind: &str) -> u64 {
    let failures = document.counts("connections.failures");
    assert_eq!(failures.keys().collect::<Vec<_>>(), [&kind]);
    failures[kind]
}

#[test]
fn where_nothing_listens_there_is_one_sentence_and_exit_1() {
    each_engine(|engine| {
        for load in ["-c 3", "-c 3 -R 100"] {
            let address = closed_port();
            let run = Blast::calm(engine, &format!("http://{address}/")).args(load).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            let sentence = run.complaint();
            assert!(sentence.contains(&address.to_string()), "{sentence}");
            assert!(sentence.contains("connection refused; start the server"), "{sentence}");
        }
    });
}

#[test]
fn a_name_that_nobody_knows_is_one_sentence_and_exit_1() {
    each_engine(|engine| {
        let run = Blast::calm(engine, "http://no-such-host.invalid/").run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.complaint().contains("no-such-host.invalid"), "{run:?}");
    });
}

#[test]
fn a_host_that_takes_no_connection_is_one_sentence_and_exit_1() {
    each_engine(|engine| {
        let deaf = Deaf::new();
        let run = Blast::calm(engine, &deaf.url()).args("-c 3 --connect-timeout 200ms").run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.complaint().contains("no answer within --connect-timeout"), "{run:?}");
        assert!(run.took < Duration::from_secs(5), "{run:?}");
    });
}

#[test]
fn a_name_with_two_addresses_works_where_the_server_has_one_of_them() {
    each_engine(|engine| {
        // `localhost` is ::1 and 127.0.0.1, or the latter alone.
        let server = Server::answering(ok());
        let url = format!("http://localhost:{}/", server.address().port());
        let document = Blast::calm(engine, &url).args("-n 40 -c 4").document();
        assert_eq!(document.fates(["sent", "good"]), [40, 40]);
        assert!(document.counts("connections.failures").is_empty());
        let addresses = document.at("plan.addresses").as_array().unwrap();
        assert_eq!(addresses, &[server.address().to_string()]);
    });
}

#[test]
fn an_ipv6_address_is_a_target_like_any_other() {
    each_engine(|engine| {
        let any: SocketAddr = "[::1]:0".parse().unwrap();
        let server = Server::start_at(any, |peer| peer.answer_all(ok().as_bytes()));
        let document = Blast::calm(engine, &server.url()).args("-n 40 -c 4").document();
        assert_eq!(document.fates(["sent", "good"]), [40, 40]);
        let host = format!("Host: {}\r\n", server.address());
        assert!(server.log().iter().all(|heard| heard.head.contains(&host)));
    });
}

/// Where each connection came from.
fn sources(server: &Server) -> Vec<String> {
    let log = server.log();
    let mut ends: Vec<_> = log.iter().map(|heard| (heard.from, heard.connection)).collect();
    ends.sort_unstable();
    ends.dedup();
    ends.iter().map(|(from, _)| from.to_string()).collect()
}

#[test]
fn connections_come_from_the_addresses_asked_for_in_turn() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let flags = "-c 6 -R 300 -n 90 -t 2 --bind 127.0.0.2,127.0.0.3,127.0.0.4";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["sent", "good"]), [90, 90]);
        let expected = ["2", "2", "3", "3", "4", "4"].map(|last| format!("127.0.0.{last}"));
        assert_eq!(sources(&server), expected);
    });
}

#[test]
fn a_network_of_local_addresses_is_used_in_turn() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let flags = "-c 6 -n 60 -t 2 --bind 127.0.7.0/30,127.0.8.1";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["sent", "good"]), [60, 60]);
        let expected = ["7.1", "7.1", "7.2", "7.2", "8.1", "8.1"].map(|end| format!("127.0.{end}"));
        assert_eq!(sources(&server), expected);
    });
}

#[test]
fn a_local_address_that_is_not_there_is_one_sentence_and_exit_1() {
    each_engine(|engine| {
        // TEST-NET-1 (RFC 5737) is nobody's.
        let server = Server::answering(ok());
        let run = Blast::calm(engine, &server.url()).args("-n 5 --bind 192.0.2.1").run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        run.complaint();
        assert_eq!(server.connections(), 0);
    });
}

#[test]
fn connections_are_opened_no_faster_than_asked() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let flags = "-c 6 -n 60 -t 2 --connect-rate 10";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["sent", "good"]), [60, 60]);
        // Three a worker at 5/s each: two gaps of 0.2 s, less a millisecond each.
        let took = document.number("connections.open_s");
        assert!((0.398..2.0).contains(&took), "{took} s");
    });
}

#[test]
fn a_full_listen_queue_times_out_and_holds_nobody_else_up() {
    each_engine(|engine| {
        let deaf = Deaf::after_one();
        std::thread::scope(|scope| {
            scope.spawn(|| deaf.serve_the_first(&ok()));
            let flags = "-R 50 -n 50 -c 3 -t 1 --connect-timeout 800ms -T 5s";
            let document = Blast::calm(engine, &deaf.url()).args(flags).document();
            assert_eq!(document.fates(["scheduled", "good"]), [50, 50]);
            assert!(tries(&document, "connect_timeout") >= 2);
            assert_eq!(document.count("connections.open_peak"), 1);
            assert!(document.warnings().contains(&"connections_missing"));
        });
    });
}

#[test]
fn a_server_that_closes_idle_connections_costs_no_request() {
    each_engine(|engine| {
        for reset in [false, true] {
            let server = Server::start(move |peer| {
                peer.request();
                peer.write(ok());
                if reset {
                    peer.reset();
                }
            });
            let document = Blast::calm(engine, &server.url()).args("-R 20 -n 10 -c 1").document();
            assert_eq!(document.fates(["sent", "good"]), [10, 10], "{}", document.at("failures"));
            // The end of the last one may come after the run's.
            assert!((9..=10).contains(&document.count("connections.reset_idle")));
            assert!((9..=10).contains(&document.count("connections.reopened")));
            assert!(document.counts("connections.failures").is_empty());
            assert!(document.warnings().contains(&"reset_idle"));
        }
    });
}

#[test]
fn a_server_that_hangs_up_on_everyone_is_dialled_with_patience() {
    each_engine(|engine| {
        // The first two connections are there; the next are closed as soon as they are accepted.
        let server = Server::start(|peer| {
            if peer.number < 2 {
                peer.request();
            }
            peer.reset();
        });
        let flags = "-R 50 -d 1s -c 2 --drain 0 -t 1";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.count("requests.good"), 0);
        // Two connections at 10, 20, 40 ... 500 ms: about 7 tries a second each.
        assert!(server.connections() <= 40, "{} connections", server.connections());
        assert!(document.number("client.cpu_s") < 0.3);
    });
}

/// A server that answers, is gone for a while after so many requests, and comes back.
fn restarted(address: SocketAddr, first: Server, after: usize, gone: Duration) -> Server {
    first.heard(after);
    drop(first);
    std::thread::sleep(gone);
    Server::start_at(address, |peer| peer.answer_all(ok().as_bytes()))
}

#[test]
fn after_a_restart_of_the_server_the_rate_goes_on_and_nothing_was_dropped() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let address = server.address();
        let flags = "-R 200 -d 3s -c 4 -t 1";
        let running = Blast::calm(engine, &server.url()).args(flags).start();
        let server = restarted(address, server, 100, Duration::from_millis(700));
        let run = running.end();
        let document = run.document();
        assert_eq!(document.fates(["scheduled", "dropped", "abandoned"]), [600, 0, 0]);
        // At most what was on the four connections is lost; the rest is sent later.
        let lost = ["closed_before_response", "receive_reset", "truncated"];
        assert!(document.counts("failures").keys().all(|kind| lost.contains(kind)));
        assert!(document.count("requests.failed") <= 4, "{}", document.at("failures"));
        // 0.7 s at 10, 20, 40 ... 500 ms of back-off, four times; twice that on a crowded machine.
        let refused = tries(&document, "connect_refused");
        assert!((4..=60).contains(&refused), "{refused}");
        // Full rate again in the last second: at least its own 200.
        let last = document.intervals().iter().rfind(|i| i["phase"] == "measure").unwrap();
        assert!(last["good"].as_u64().unwrap() >= 150, "{last}");
        assert!(server.requests() >= 300);
        assert!(document.number("client.cpu_s") < 0.5, "it spins");
    });
}

#[test]
fn a_closed_loop_goes_on_after_a_restart_too() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let address = server.address();
        let flags = "-n 2000 -d 20s -c 2 -t 1";
        let running = Blast::calm(engine, &server.url()).args(flags).start();
        let server = restarted(address, server, 100, Duration::from_millis(300));
        let document = running.end().document();
        assert_eq!(document.count("requests.sent"), 2_000);
        assert!(document.count("requests.failed") <= 2, "{}", document.at("failures"));
        assert!(tries(&document, "connect_refused") <= 30);
        assert!(server.requests() > 0);
        // In closed loop a connect that failed stands for the requests it kept from being sent.
        assert!(document.number("requests.error_share") > 0.0);
    });
}

#[test]
fn what_is_due_after_the_server_is_gone_for_good_is_dropped_and_counted() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let flags = "-R 200 -d 1s -c 4 -t 1 --drain 200ms";
        let running = Blast::calm(engine, &server.url()).args(flags).start();
        server.heard(50);
        drop(server);
        let run = running.end();
        let document = run.document();
        assert!(run.took < LIMIT / 5);
        let [scheduled, sent, dropped, good] =
            document.fates(["scheduled", "sent", "dropped", "good"]);
        assert_eq!((scheduled, sent + dropped), (200, 200));
        assert!(good >= 46 && sent - good <= 4, "{good} good of {sent} sent");
        assert!(document.counts("connections.failures")["connect_refused"] >= 4);
        assert_eq!(document.count("latency.response.censored"), scheduled - good);
        assert!(document.warnings().contains(&"unfinished"));
        assert!(document.number("client.cpu_s") < 0.3, "it spins");
    });
}
