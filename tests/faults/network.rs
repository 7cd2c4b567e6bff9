//! Networks that lead nowhere, lose the first packet, or have no port left. Most of them are made
//! in a network namespace of the test's own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::support::{Blast, each_engine, ok};

/// Where the target of [`with_target`] listens.
const URL: &str = "http://127.0.0.1:8080/";

/// In a network of its own: `setup`, the built-in target, and then blast.
fn with_target(setup: &str, engine: &str) -> Option<Blast> {
    let script = format!(
        "ip link set lo up && {setup} || exit 99
        timeout 25 \"$0\" target --port 8080 --pin off >/dev/null 2>&1 & server=$!
        until grep -q ':1F90 .* 0A ' /proc/net/tcp; do sleep 0.01; done
        \"$0\" \"$@\"; code=$?; kill $server; exit $code"
    );
    Blast::in_own_network(&script, engine, URL)
}

#[test]
fn where_no_way_leads_to_the_target_there_is_one_sentence_and_exit_1() {
    each_engine(|engine| {
        for (setup, url, sentence) in [
            // Not even the loopback is up.
            ("true", "http://127.0.0.1/", "there is no route to the target"),
            ("ip link set lo up", "http://192.0.2.1/", "there is no route to the target"),
            (
                "ip link set lo up && ip route add unreachable 192.0.2.0/24",
                "http://192.0.2.1/",
                "the target's host does not answer",
            ),
            (
                "ip link set lo up && ip route add blackhole 192.0.2.0/24",
                "http://192.0.2.1/",
                "the kernel could not open the connection",
            ),
        ] {
            let script = format!("{setup} || exit 99; exec \"$0\" \"$@\"");
            let Some(blast) = Blast::in_own_network(&script, engine, url) else { return };
            let run = blast.args("-c 3").run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            assert!(run.complaint().contains(sentence), "{run:?}");
            assert!(run.took < Duration::from_secs(5), "{run:?}");
        }
    });
}

#[test]
fn a_network_that_is_lost_for_a_while_is_the_networks_failure_and_the_rate_returns() {
    each_engine(|engine| {
        let outage = "(sleep 1; ip address del 127.0.0.1/8 dev lo; sleep 1; \
            ip address add 127.0.0.1/8 dev lo) &";
        let Some(blast) = with_target(&format!("{{ {outage} }}"), engine) else { return };
        let flags = "-R 100 -d 4s -c 4 -t 1 -T 300ms --connect-timeout 300ms --drain 2s";
        let document = blast.args(flags).document();
        let failures = document.counts("connections.failures");
        assert!(failures["network_unreachable"] >= 4, "{failures:?}");
        assert_eq!(document.text("failure_sides.network_unreachable"), "network");
        // What was on its way when the network went; the rest is sent later, so the rate returned.
        assert!(document.counts("failures").keys().all(|kind| *kind == "timeout"));
        let [scheduled, sent, good] = document.fates(["scheduled", "sent", "good"]);
        assert_eq!((scheduled, sent), (400, 400));
        assert!(good >= 390, "{good}");
        assert!(document.number("client.cpu_s") < 1.0, "it spins");
    });
}

#[test]
fn ports_that_run_out_are_the_generators_limit_and_no_failure_of_the_target() {
    each_engine(|engine| {
        let range = "echo 40000 40100 >/proc/sys/net/ipv4/ip_local_port_range";
        let Some(blast) = with_target(range, engine) else { return };
        // Each request leaves its port behind for a second, and there are 101.
        let flags = "--bind 127.0.0.1 --requests-per-connection 1 -R 1000 -d 2s -c 20 -t 1";
        let run = blast.args(flags).args("--drain 100ms -T 5s").run();
        assert_eq!(run.code(), Some(4), "{run:?}");
        let document = run.document();
        let failures = document.counts("connections.failures");
        assert_eq!(failures.keys().collect::<Vec<_>>(), [&"ports_exhausted"], "{failures:?}");
        assert_eq!(document.text("failure_sides.ports_exhausted"), "generator");
        assert_eq!(document.text("verdict.limit"), "ports");
        assert!(document.text("verdict.change").contains("--bind"));
        let evidence = document.at("verdict.evidence").as_array().unwrap();
        let named = |one: &&serde_json::Value| one["name"] == "ports_exhausted";
        let found = evidence.iter().find(named).expect("the evidence");
        assert_eq!(found["value"].as_f64(), Some(failures["ports_exhausted"] as f64));
        assert!(document.counts("failures").is_empty());
        // They come back: some in the second second as well.
        let fates = document.fates(["scheduled", "good", "abandoned", "dropped"]);
        let [scheduled, good, abandoned, dropped] = fates;
        assert!(good > 101 && dropped > 0, "{fates:?}");
        assert_eq!(scheduled, good + abandoned + dropped);
        // Twenty slots that try again each 500 ms or less often, at first faster: no busy loop.
        assert!(failures["ports_exhausted"] < 400, "{failures:?}");
        let example = &document.at("failure_examples")[0];
        assert_eq!(example["errno"], libc::EADDRNOTAVAIL);
    });
}

/// A server whose listen queue holds one connection, and which accepts nobody at first.
fn sluggish() -> (TcpListener, String) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let listener = TcpListener::from(listener);
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn syns_that_a_full_listen_queue_dropped_are_recognised_and_named() {
    each_engine(|engine| {
        let (listener, url) = sluggish();
        thread::spawn(move || {
            // The first SYN of all but one is dropped by then; the next is due after a second.
            thread::sleep(Duration::from_millis(600));
            while let Ok((mut stream, _)) = listener.accept() {
                thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
                        let _ = stream.write_all(ok().as_bytes());
                    }
                });
            }
        });
        let flags = "-R 50 -n 50 -c 4 -t 1 --connect-timeout 10s";
        let document = Blast::calm(engine, &url).args(flags).document();
        assert_eq!(document.fates(["scheduled", "good"]), [50, 50]);
        assert!(document.counts("connections.failures").is_empty());
        assert!(document.warnings().contains(&"listen_backlog"), "{:?}", document.warnings());
        let warnings = document.at("warnings").as_array().unwrap();
        let named = warnings.iter().find(|warning| warning["code"] == "listen_backlog").unwrap();
        assert!(named["text"].as_str().unwrap().contains("listen queue drops SYNs"));
        assert!(named["hint"].as_str().unwrap().contains("net.core.somaxconn"));
        // A retransmitted SYN shows in the connect times, not in those of the requests.
        assert!(document.number("latency.connect.max_us") > 950_000.0);
        assert!(document.number("latency.service.max_us") < 950_000.0);
    });
}
