//! Each verdict for real, through the program: who was the limit, by what evidence, and how the run
//! ends. Ports, descriptors and an open loop without processor time are tried in `faults`.
//!
//! Figures that depend on the machine's speed are bounded to one side only: a busy machine makes a
//! server slower, and never faster than it was told to be.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use blast::target::{Behaviour, Options, Target};
use serde_json::Value;

use crate::support::{
    Blast, Document, Server, each_engine, each_engine_alone, ok, ring_alone, sit_on, skipped,
};

/// A target on the lowest core, as the load takes the highest: `delay=10ms`.
fn target(words: &str) -> Target {
    let mut behaviour = Behaviour::default();
    for (key, value) in words.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        assert_eq!(behaviour.set(key, value), Ok(true), "{key}={value}");
    }
    let cores = Some(vec![blast::host::allowed_cores()[0]]);
    Target::start(Options { behaviour, cores, ..Options::default() }).unwrap()
}

fn url(target: &Target) -> String {
    format!("http://{}/", target.address())
}

/// A figure that the verdict was weighed by.
fn evidence(document: &Document, name: &str) -> Option<f64> {
    let all = document.at("verdict.evidence").as_array().unwrap();
    let found = all.iter().find(|one| one["name"] == name)?;
    assert!(!found["text"].as_str().unwrap().is_empty());
    found["value"].as_f64()
}

#[track_caller]
fn assert_limit(document: &Document, limit: &str, change: &str) {
    assert_eq!(document.text("verdict.limit"), limit, "{:#}", document.at("verdict"));
    let text = document.text("verdict.change");
    assert!(text.contains(change), "{text}");
}

#[test]
fn a_rate_that_is_held_has_no_limit() {
    each_engine_alone(|engine| {
        // A machine with other work to do may make blast late; it says so, and gets two more tries.
        let server = Server::answering(ok());
        let tries = (0..3).map(|_| {
            let blast = Blast::new(engine, &server.url());
            blast.args("-R 200 -d 2s -c 20 -t 1 --wait block").document()
        });
        let held: Vec<Document> =
            tries.take_while(|document| document.text("verdict.limit") != "none").collect();
        assert!(held.len() < 3, "{:#}", held[0].at("verdict"));
    });
}

#[test]
fn a_server_that_is_slower_than_the_rate_is_the_limit() {
    each_engine_alone(|engine| {
        // Two workers of 10 ms each: 200 a second, and who waits for one takes longer.
        let target = target("service=10ms workers=2");
        let flags = "-R 1000 -d 2s -c 64 -t 1 --drain 1s --wait block";
        let run = Blast::new(engine, &url(&target)).args(flags).run();
        let document = run.document();
        assert_limit(&document, "server", "server");
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert!(document.number("rate.good_per_s") < 210.0);
        // Nearly all connections wait for it nearly all the time.
        assert!(evidence(&document, "in_flight").unwrap() > 0.8, "{}", document.at("verdict"));
        assert!(evidence(&document, "worker_busy").unwrap() < 0.95);
    });
}

#[test]
fn a_closed_loop_waits_for_its_server() {
    each_engine_alone(|engine| {
        let target = target("delay=20ms");
        let document = Blast::new(engine, &url(&target)).args("-d 1s -c 8 -t 1").document();
        assert_limit(&document, "server", "server");
        assert!(document.text("verdict.why").contains("each connection waited for its answer"));
    });
}

#[test]
fn two_connections_carry_what_little_says() {
    each_engine_alone(|engine| {
        let target = target("delay=10ms");
        let flags = "-c 2 -R 2000 -d 2s -t 1 --drain 1s --wait block";
        let run = Blast::new(engine, &url(&target)).args(flags).run();
        let document = run.document();
        assert_limit(&document, "connections", "raise --connections to ");
        assert_eq!(run.code(), Some(0), "{run:?}");
        // `2 in flight at 10.1 ms can carry 198/s at most, and ...`
        let words: Vec<&str> = document.text("verdict.why").split(' ').collect();
        assert_eq!((words[0], words[5], &words[6..8]), ("2", "ms", &["can", "carry"][..]));
        let service: f64 = words[4].parse().unwrap();
        let most: f64 = words[8].strip_suffix("/s").unwrap().parse().unwrap();
        assert!((10.0..20.0).contains(&service), "{words:?}");
        // Both are rounded to three digits.
        assert!((most * service / 2_000.0 - 1.0).abs() < 0.02, "{words:?}");
        let good = document.number("rate.good_per_s");
        assert!(good <= most * 1.1, "{good} of {most}");
        // Twice what Little asks for: 2,000 a second at 10 ms are 20 on their way.
        let advised = document.text("verdict.change").rsplit(' ').next().unwrap();
        let advised: f64 = advised.parse().unwrap();
        assert!((advised / (4.0 * service) - 1.0).abs() < 0.05, "{advised} at {service} ms");
    });
}

#[test]
fn a_closed_loop_without_processor_time_is_no_measurement_of_the_server() {
    ring_alone(|engine| {
        let server = Server::answering(ok());
        let (core, over) = (*blast::host::allowed_cores().last().unwrap(), AtomicBool::new(false));
        let run = thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    sit_on(core).unwrap();
                    while !over.load(SeqCst) {
                        std::hint::spin_loop();
                    }
                });
            }
            let blast = Blast::calm(engine, &server.url()).on_core(core);
            let run = blast.args("-d 2s -c 64 -t 1").run();
            over.store(true, SeqCst);
            run
        });
        let document = run.document();
        assert_limit(&document, "client_cpu", "blast");
        // Exit 4 is for a schedule that was not the schedule; a closed loop has none.
        assert_eq!(run.code(), Some(0), "{run:?}");
        let weighed = document.at("verdict.evidence").as_array().unwrap();
        assert!(weighed.iter().any(|one: &Value| one["name"] == "worker_busy"));
    });
}

/// In a network of its own: `setup`, the built-in target, and then blast.
fn in_network(setup: &str, engine: &str) -> Option<Blast> {
    let script = format!(
        "ip link set lo up && {setup} || exit 99
        timeout 25 \"$0\" target --port 8080 --pin off >/dev/null 2>&1 & server=$!
        until grep -q ':1F90 .* 0A ' /proc/net/tcp; do sleep 0.01; done
        \"$0\" \"$@\"; code=$?; kill $server; exit $code"
    );
    Blast::in_own_network(&script, engine, "http://127.0.0.1:8080/")
}

#[test]
fn a_network_that_goes_and_does_not_return_is_the_limit() {
    each_engine(|engine| {
        let outage = "(sleep 1; ip address del 127.0.0.1/8 dev lo) &";
        let Some(blast) = in_network(&format!("{{ {outage} }}"), engine) else { return };
        let flags = "-R 100 -d 3s -c 4 -t 1 -T 300ms --connect-timeout 300ms --drain 200ms";
        let run = blast.args(flags).run();
        let document = run.document();
        assert_limit(&document, "network", "routes");
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert!(document.count("requests.dropped") > 0);
        assert!(document.text("verdict.why").contains("connects failed"));
        assert!(document.warnings().contains(&"errors_5"), "{:?}", document.warnings());
    });
}

#[test]
fn a_network_that_loses_packets_is_the_limit_where_somebody_counts_them() {
    ring_alone(|engine| {
        let loses =
            "iptables -A INPUT -p tcp -m statistic --mode random --probability 0.05 -j DROP";
        let trial = std::process::Command::new("unshare").args(["-rn", "sh", "-c", loses]).output();
        if !trial.is_ok_and(|output| output.status.success()) {
            return skipped(
                "a network that loses packets",
                "no iptables drops them at random here",
            );
        }
        let Some(blast) = in_network(loses, engine) else { return };
        let run = blast.args("-d 5s -c 8 -t 1").run();
        let document = run.document();
        let Some(share) = evidence(&document, "retransmits") else {
            return skipped("a network that loses packets", "retransmits are not read here");
        };
        assert!(share > 0.01, "{share}");
        assert_limit(&document, "network", "loss");
        assert!(document.warnings().contains(&"retransmits"), "{:?}", document.warnings());
    });
}

#[test]
fn what_the_answers_show_is_told_with_its_figures() {
    each_engine_alone(|engine| {
        // One in four answers is a refusal, and one in a hundred never comes.
        let target = target("status=200:3,429:1 unanswered=100");
        let flags = "-R 500 -d 2s -c 100 -T 400ms -t 1 --wait block";
        let document = Blast::new(engine, &url(&target)).args(flags).document();
        let warnings = document.warnings();
        for code in ["errors_5", "timeouts", "rate_limited"] {
            assert!(warnings.contains(&code), "{warnings:?}");
        }
        let all = document.at("warnings").as_array().unwrap();
        let text = |code: &str| {
            let found = all.iter().find(|warning| warning["code"] == code).unwrap();
            found["text"].as_str().unwrap().to_owned()
        };
        let timeouts = document.counts("failures")["timeout"];
        assert!(text("timeouts").contains(&format!("({timeouts})")), "{}", text("timeouts"));
        let limited = document.counts("rejections")["status_429"];
        assert!(text("rate_limited").contains(&format!("({limited})")));
    });
}

#[test]
fn a_mixture_of_quick_and_slow_answers_is_seen_and_an_even_server_is_not_accused() {
    each_engine_alone(|engine| {
        let even = target("delay=5ms");
        let flags = "-R 600 -d 3s -c 60 -t 1 --wait block";
        let document = Blast::new(engine, &url(&even)).args(flags).document();
        for code in ["bimodal", "saw_tooth", "latency_drifts"] {
            assert!(!document.warnings().contains(&code), "{:?}", document.at("warnings"));
        }
        // A script of its own: every third answer takes 40 ms.
        let server = Server::start(|peer| {
            let mut turn = 0;
            while peer.request().is_some() {
                turn += 1;
                if turn % 3 == 0 {
                    thread::sleep(std::time::Duration::from_millis(40));
                }
                peer.write(ok());
            }
        });
        let document = Blast::new(engine, &server.url()).args(flags).document();
        assert!(document.warnings().contains(&"bimodal"), "{:?}", document.at("warnings"));
    });
}
