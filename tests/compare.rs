//! `blast compare` and `blast ab`, on results of short real runs and on files that are none.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Blast, Folder, Server, of_verb, ok};

/// Few seconds, so that it is quick; whether it is a good measurement is not what is looked at.
const LOAD: &str = "-R 200 -d 4s -c 4 --wait block --pin off --quiet --warmup 200ms";

fn saved(folder: &Folder, name: &str, server: &Server) -> PathBuf {
    let path = folder.path().join(name);
    let blast = Blast::page("epoll", &server.url()).args(LOAD).args("-o");
    let run = blast.arg(path.to_str().unwrap()).run();
    assert!(path.exists(), "{run:?}");
    path
}

fn compare(files: &[&PathBuf], more: &str) -> crate::support::Run {
    let blast = Blast::verb("compare");
    let blast = files.iter().fold(blast, |blast, file| blast.arg(file.to_str().unwrap()));
    blast.args(more).run()
}

fn metric<'a>(comparison: &'a Value, name: &str) -> &'a Value {
    let metrics = comparison["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).unwrap()
}

#[test]
fn runs_of_a_server_and_of_a_slower_one_are_told_apart() {
    let folder = Folder::new();
    let fast = Server::answering(ok());
    // Far slower: how busy the machine is does not matter.
    let slow = Server::start(|peer| {
        while peer.request().is_some() {
            std::thread::sleep(std::time::Duration::from_millis(15));
            peer.write(ok());
        }
    });
    let (a, b) = (saved(&folder, "a.json", &fast), saved(&folder, "b.json", &slow));
    let [json, page, html] = ["c.json", "c.md", "c.html"].map(|name| folder.path().join(name));
    let files = format!("-o {} -o {} -o {}", json.display(), page.display(), html.display());
    let more = format!("--fail-if p50>+5% --target p50=1h {files}");
    let run = compare(&[&a, &b], &more);
    assert_eq!(run.code(), Some(3), "{run:?}");
    assert!(run.stdout.contains("p50>+5% in B: FAILED"), "{}", run.stdout);
    assert!(run.stdout.contains("A asked for GET"), "{}", run.stdout);
    let comparison = of_verb("compare", &fs::read_to_string(&json).unwrap());
    let p50 = metric(&comparison, "p50");
    assert_eq!(p50["differences"][0]["significant"], true, "{p50}");
    assert!(p50["values"][0]["low"].as_f64() <= p50["values"][0]["value"].as_f64(), "{p50}");
    // Processor time has its interval from the gauge beside the run.
    let cpu = metric(&comparison, "cpu_us_per_request");
    assert!(cpu["values"][0]["high"].as_f64() > cpu["values"][0]["value"].as_f64(), "{cpu}");
    assert_eq!(comparison["targets"][0]["reached"], true);
    assert!(fs::read_to_string(&page).unwrap().contains("| p50 |"));
    let html = fs::read_to_string(&html).unwrap();
    assert!(html.contains("FAILED: p50&gt;+5% in B"), "{html}");
    // The saved comparison has all that the page shows.
    let again = folder.path().join("again.html");
    let report = Blast::verb("report").arg(json.to_str().unwrap()).args("-o");
    let report = report.arg(again.to_str().unwrap()).run();
    assert_eq!(report.code(), Some(0), "{report:?}");
    assert!(fs::read_to_string(&again).unwrap() == html);

    let itself = compare(&[&a, &a], "--json --fail-if p50>+0% --fail-if good_per_s<-0%");
    assert_eq!(itself.code(), Some(0), "{itself:?}");
    let comparison = of_verb("compare", &itself.stdout);
    assert_eq!(metric(&comparison, "p99")["differences"][0]["significant"], false);
    // Better is no reason to fail.
    assert_eq!(compare(&[&b, &a], "--fail-if p50>+5%").code(), Some(0));
}

#[test]
fn what_is_no_pair_of_results_is_one_sentence() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (text, other) =
        (write("a.txt", "hello"), write("b.json", r#"{"schema":"blast.ceiling/1"}"#));
    let absent = folder.path().join("absent.json");
    for (files, more, expected) in [
        (vec![], "", "takes two results or more"),
        (vec![&text], "", "takes two results or more"),
        (vec![&text, &text], "", "is no result of blast"),
        (vec![&other, &other], "", "is 'blast.ceiling/1' and not"),
        (vec![&absent, &text], "", "cannot be read"),
        (vec![&text, &text], "--fail-if p42>+5%", "is about no figure"),
        (vec![&text, &text], "--fail-if p99", "compares nothing"),
        (vec![&text, &text], "--target p95=150", "has no value"),
        (vec![&text, &text], "-o x.svg", "does not write that"),
    ] {
        let run = compare(&files, more);
        assert_eq!(run.code(), Some(2), "{run:?}");
        let complaint = run.complaint().replace('`', "'");
        assert!(complaint.contains(expected) && run.stdout.is_empty(), "{complaint}");
    }
}

/// Answers after so long.
fn after(milliseconds: u64) -> Server {
    Server::start(move |peer| {
        while peer.request().is_some() {
            std::thread::sleep(std::time::Duration::from_millis(milliseconds));
            peer.write(ok());
        }
    })
}

fn in_turns(first: &Server, other: &Server, rounds: u32) -> Value {
    let blast = Blast::verb("ab").arg(&first.url()).arg(&other.url());
    let more = format!("--rounds {rounds} -d 150ms --warmup 20ms -c 4 --engine epoll --json");
    let run = blast.args(&more).args("--wait block --pin off --quiet").run();
    assert_eq!(run.code(), Some(0), "{run:?}");
    of_verb("ab", &run.stdout)
}

#[test]
fn a_slower_server_is_found_in_turns_and_the_same_one_is_not() {
    let (fast, slow) = (after(10), after(15));
    let found = in_turns(&fast, &slow, 8);
    assert_eq!(found["rounds"].as_array().unwrap().len(), 8);
    let p50 = metric(&found, "p50");
    assert!(p50["significant"] == true && p50["percent"].as_f64().unwrap() > 20.0, "{p50}");
    // All rounds, the warm-up too, went on the same connections.
    assert_eq!((fast.connections(), slow.connections()), (4, 4));
    // One of twenty may be wrong: three in a row are one of eight thousand.
    let is_calm = |_| {
        let document = in_turns(&fast, &fast, 8);
        let metrics = document["metrics"].as_array().unwrap().clone();
        metrics.iter().all(|metric| metric["significant"] != true)
    };
    assert!((0..3).any(is_calm));
}

#[test]
fn what_cannot_be_measured_in_turns_is_one_sentence() {
    for (words, expected) in [
        ("http://127.0.0.1:1/", "takes two URLs"),
        ("http://127.0.0.1:1/ http://127.0.0.1:2/ http://127.0.0.1:3/", "takes two URLs"),
        ("http://127.0.0.1:1/ http://127.0.0.1:2/ --rounds 3", "fewer than 8"),
        ("http://127.0.0.1:1/ http://127.0.0.1:2/ --effect 0%", "a difference of 0"),
        ("http://127.0.0.1:1/ http://127.0.0.1:2/ --watch 80", "leave it away"),
        ("http://127.0.0.1:1/ http://127.0.0.1:2/ --threshold p99<1s", "checks no rules"),
        ("http://127.0.0.1:1/ http://127.0.0.1:2/ --abort-on errors>5%", "checks no rules"),
        ("http://127.0.0.1:1/ http://127.0.0.1:2/ -o x.hlog", "name a file that ends in `.json`"),
    ] {
        let run = Blast::verb("ab").args(words).run();
        assert_eq!(run.code(), Some(2), "{words}: {run:?}");
        assert!(run.complaint().contains(expected), "{words}: {}", run.complaint());
    }
}
