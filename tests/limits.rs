//! Limits of the host: file descriptors.

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
        let run = blast.args("-c 500 -t 1").run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        // The ring's connections are no descriptors, but its table is as long as the limit.
        let needed = if engine == "ring" { "500" } else { "564" };
        let sentence = run.complaint();
        assert!(sentence.contains(needed) && sentence.contains("ulimit -Hn"), "{sentence}");
        assert_eq!(server.connections(), 0);
    });
}

#[test]
fn the_ring_needs_few_descriptors_for_many_connections() {
    // The table of one worker may be as long as the limit, whatever else is open.
    let server = Server::answering(ok());
    let blast = Blast::limited("ulimit -n 128", "ring", &server.url());
    let document = blast.args("-c 128 -t 1 -R 500 -d 500ms").document();
    assert_eq!(document.fates(["scheduled", "good"]), [250, 250]);
    assert_eq!(document.count("connections.open_peak"), 128);
}
