//! kTLS: where the kernel of this host encrypts, and where it does not, the same comes out, and
//! the report says who did it.

use super::Site;
use crate::support::{Terms, each_engine, ok};

#[test]
fn ktls_on_runs_in_the_kernel_or_says_in_one_sentence_why_it_does_not() {
    each_engine(|engine| {
        let site = Site::new();
        for version in ["1.2", "1.3"] {
            let server = site.answering(&Terms::of(version), ok());
            let blast = || site.blast(engine, &server.https());
            let run = blast().args("-c 3 -n 100 --ktls on").run();
            let can = run.code() == Some(0);
            if can {
                let document = run.document();
                assert_eq!(document.at("tls.path"), "kernel");
                assert_eq!(document.count("tls.kernel_connections"), 3);
                document.agrees_with(100);
            } else {
                assert_eq!(run.code(), Some(1), "{run:?}");
                let sentence = run.complaint();
                assert!(sentence.starts_with("--ktls on: the kernel does not"), "{sentence}");
                assert!(sentence.contains("modprobe tls"), "{sentence}");
                assert_eq!(server.connections(), 0);
            }
            // By itself it does what it can.
            let large = format!("-b {}", "x".repeat(10_000));
            let off = format!("{large} --ktls off");
            let once = format!("{large} --no-keepalive");
            for (flags, path) in [(&off[..], false), (&large, can), (&once, false), ("", false)] {
                let document = blast().args("-c 3 -n 100").args(flags).document();
                let path = if path { "kernel" } else { "userspace" };
                assert_eq!(document.at("tls.path"), path, "{flags}");
                assert_eq!(document.count("requests.good"), 100);
            }
        }
    });
}

#[test]
fn what_the_kernel_was_to_do_stands_in_the_plan() {
    let site = Site::new();
    let server = site.answering(&Terms::of("1.3"), ok());
    let document = site.blast("epoll", &server.https()).args("-n 1 --ktls off").document();
    assert_eq!(document.at("plan.tls.ktls"), "off");
}
