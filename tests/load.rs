//! How much is sent: closed and open loop, by number and by time, exact over any number of
//! threads, connections and requests in flight.

use blast::target::{Options, Target};

use crate::support::{Blast, Document, Server, each_engine, ok};

/// The embedded target: the scripted server cannot hold these rates.
fn target() -> Target {
    Target::start(Options::default()).unwrap()
}

fn url(target: &Target) -> String {
    format!("http://{}/", target.address())
}

/// All that was due was sent and answered well, and the server has heard exactly that.
fn all_good(document: &Document, expected: u64, heard: u64) {
    let fates = document.fates(["scheduled", "sent", "completed", "good"]);
    assert_eq!(fates, [expected; 4], "{}", document.at("failures"));
    assert_eq!(heard, expected);
}

#[test]
fn a_closed_loop_keeps_its_connections_and_counts_what_the_server_counts() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let document = Blast::calm(engine, &server.url()).args("-c 5 -d 300ms").document();
        let [sent, good] = document.fates(["sent", "good"]);
        assert!(sent >= 5 && sent == good, "{sent} sent, {good} good");
        assert_eq!(server.requests(), sent);
        assert_eq!(server.connections(), 5);
        let mut busy: Vec<_> = server.log().iter().map(|heard| heard.connection).collect();
        busy.sort_unstable();
        busy.dedup();
        assert_eq!(busy.len(), 5, "each of them has carried requests");
        assert_eq!(document.count("connections.opened"), 5);
        assert_eq!(document.count("connections.reopened"), 0);
        assert_eq!(document.counts("statuses"), [("200", sent)].into());
    });
}

#[test]
fn a_closed_loop_has_no_schedule_and_says_so() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let document = Blast::calm(engine, &server.url()).args("-c 2 -n 50").document();
        assert_eq!(document.text("latency_from"), "sent");
        assert_eq!(document.text("plan.mode"), "closed");
        assert_eq!(document.count("latency.send_lag.count"), 0);
        assert!(document.at("rate.efficiency").is_null());
        assert!(document.at("rate.target_per_s").is_null());
    });
}

#[test]
fn a_number_of_requests_is_exact_over_threads_connections_and_pipelines() {
    each_engine(|engine| {
        for (requests, shape) in [
            (997, "-c 7 -t 2 -p 4"),
            (997, "-c 7 -t 1 -p 1"),
            (1, "-c 7 -t 2 -p 4"),
            (3, "-c 64 -t 2"),
            (100, "-c 3 -t 3 -p 16"),
            (1_000, "-c 1 -t 2 -p 3"),
        ] {
            let server = Server::answering(ok());
            let blast = Blast::calm(engine, &server.url()).args(shape);
            let document = blast.args("-n").arg(&requests.to_string()).document();
            all_good(&document, requests, server.requests());
        }
    });
}

#[test]
fn an_open_loop_sends_the_rate_times_the_time_whatever_carries_it() {
    each_engine(|engine| {
        for rate in [997_u64, 10_000] {
            for threads in [1, 2] {
                for connections in [1, 7, 64] {
                    let target = target();
                    let shape = format!("-R {rate} -d 300ms -t {threads} -c {connections}");
                    let document = Blast::calm(engine, &url(&target)).args(&shape).document();
                    all_good(&document, (rate * 3).div_ceil(10), target.stop().requests);
                    assert_eq!(document.text("latency_from"), "intended");
                }
            }
        }
    });
}

#[test]
fn one_request_a_second_is_a_rate_as_well() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let document = Blast::calm(engine, &server.url()).args("-R 1 -d 3s -c 2").document();
        all_good(&document, 3, server.requests());
        let log = server.log();
        let gaps = log.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64());
        // Nothing else stands between two sends than the schedule; 0.2 s for a crowded machine.
        gaps.for_each(|gap| assert!((0.8..1.2).contains(&gap), "{gap} s"));
    });
}

#[test]
fn a_hundred_thousand_a_second_are_counted_to_the_last() {
    each_engine(|engine| {
        let target = target();
        let document = Blast::calm(engine, &url(&target)).args("-R 100k -d 500ms -c 64").document();
        all_good(&document, 50_000, target.stop().requests);
    });
}

#[test]
fn a_thousand_connections_send_exactly_what_is_due() {
    each_engine(|engine| {
        let target = target();
        let document = Blast::calm(engine, &url(&target)).args("-R 2k -d 1s -c 1000").document();
        all_good(&document, 2_000, target.stop().requests);
        assert_eq!(document.count("connections.opened"), 1_000);
        assert_eq!(document.count("connections.open_peak"), 1_000);
    });
}

#[test]
fn a_rate_and_a_number_of_requests_end_with_the_number() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let document = Blast::calm(engine, &server.url()).args("-R 1000 -n 301 -c 7").document();
        all_good(&document, 301, server.requests());
        // The 302nd would have been due then.
        assert_eq!(document.number("duration_s"), 0.301);
    });
}

#[test]
fn of_time_and_number_whichever_comes_first_ends_the_run() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let run = |flags: &str| Blast::calm(engine, &server.url()).args(flags).document();
        let by_number = run("-R 1000 -n 200 -d 20s -c 3");
        assert_eq!(by_number.fates(["scheduled", "good"]), [200, 200]);
        let by_time = run("-R 1000 -n 100k -d 200ms -c 3");
        assert_eq!(by_time.fates(["scheduled", "good"]), [200, 200]);
        let by_number = run("-n 200 -d 20s -c 3");
        assert_eq!(by_number.fates(["scheduled", "good"]), [200, 200]);
        let by_time = run("-n 10M -d 200ms -c 3");
        let [sent, good] = by_time.fates(["sent", "good"]);
        assert!(sent == good && sent < 10_000_000);
        assert!((0.2..0.3).contains(&by_time.number("duration_s")), "at most a turn late");
    });
}

#[test]
fn a_warm_up_is_counted_apart_and_to_the_last() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let flags = "-R 997 --warmup 500ms -d 1s -c 7 -t 2";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["scheduled", "sent", "good"]), [997; 3]);
        for fate in ["scheduled", "sent", "good"] {
            assert_eq!(document.count(&format!("warmup.requests.{fate}")), 499, "{fate}");
        }
        assert_eq!(server.requests(), 997 + 499);
        assert_eq!(document.number("duration_s"), 1.0);
        assert_eq!(document.number("warmup.duration_s"), 0.5);
    });
}

#[test]
fn a_number_of_requests_does_not_include_those_of_the_warm_up() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let flags = "-n 300 --warmup 200ms -c 5 -t 2";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["scheduled", "sent", "good"]), [300; 3]);
        let warmup = document.count("warmup.requests.good");
        assert!(warmup > 0);
        assert_eq!(server.requests(), 300 + warmup);
    });
}
