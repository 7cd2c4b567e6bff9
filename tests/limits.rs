//! Limits of the host: file descriptors.

use blast::target::{Options, Target};

use crate::support::{Blast, Server, each_engine, ok};

#[test]
fn a_low_soft_limit_of_descriptors_is_raised() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let flags = "-c 300 -R 600 -d 500ms -t 1";
        let document =
            Blast::limited("ulimit -Sn 64", engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["scheduled", "good"]), [300, 300]);
        assert_eq!(document.count("connections.open_peak"), 300);
        assert!(document.counts("connections.failures").is_empty());
    });
}

#[test]
fn a_low_hard_limit_is_one_sentence_with_the_number_that_would_do() {
    each_engine(|engine| {
        let server = Server::answering(ok());
        let blast = Blast::limited("ulimit -n 64", engine, &server.url());
        // The ring's connections are no descriptors, but its tables are as long as the limit.
        let (flags, needed) = match engine {
            "ring" => ("-c 5000 -t 1", "256"),
            _ => ("-c 500 -t 1", "564"),
        };
        let run = blast.args(flags).run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        let sentence = run.complaint();
        let raise = format!("ulimit -Hn {needed}`");
        assert!(sentence.contains(&raise), "{sentence}");
        assert_eq!(server.connections(), 0);
    });
}

#[test]
fn more_connections_than_one_table_holds_take_further_rings() {
    let target = Target::start(Options::default()).expect("a target");
    let url = format!("http://{}/", target.address());
    for (threads, load) in [(1, "-R 1500 -d 2s"), (2, "-R 1500 -d 2s"), (1, "-n 3000")] {
        let blast = Blast::limited("ulimit -n 64", "ring", &url);
        let document = blast.args(&format!("-c 1000 -t {threads} {load}")).document();
        assert_eq!(document.fates(["sent", "good"]), [3_000, 3_000], "{load}");
        assert_eq!(document.count("connections.open_peak"), 1_000);
        assert!(document.counts("connections.failures").is_empty());
        assert_eq!(document.count("client.rings"), 16);
        let memory = document.count("client.memory_per_connection_bytes");
        assert!((100..=300).contains(&memory), "{memory}");
    }
    assert_eq!(target.stop().requests, 9_000);
}

#[test]
fn connections_that_do_not_fit_the_ports_are_refused_before_any_is_opened() {
    // IPv6 has one loopback address. (The other engine runs out of descriptors before.)
    let run = Blast::calm("ring", "http://[::1]:9/").args("-c 70000").run();
    assert_eq!(run.code(), Some(1), "{run:?}");
    let sentence = run.complaint();
    assert!(sentence.contains("ip_local_port_range") && sentence.contains("--bind"), "{sentence}");
}
