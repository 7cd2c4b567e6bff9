//! Mixes: the shares of the requests.

use super::{Call, Script, Witness, count};
use crate::support::{Document, each_engine};

const WEIGHTS: [(&str, u64); 5] = [("/a", 10), ("/b", 3), ("/c", 2), ("/d", 2), ("/e", 1)];

/// Ten, three, two, two and one, with bodies of several kinds.
const TASKS: &str = r#"
[[requests]]
path = "/a"
weight = 10
[[requests]]
path = "/b"
weight = 3
json = { name = "{{string 8}}", value = "{{float 0 100 2}}" }
[[requests]]
path = "/c"
weight = 2
method = "PUT"
body = "{{int 1 1000000}}"
[[requests]]
path = "/d"
weight = 2
form = { id = "{{seq}}", text = "a b&c" }
[[requests]]
path = "/e"
weight = 1
method = "DELETE"
"#;

/// Every window as long as the sum of the weights holds each request as often as it weighs.
#[track_caller]
fn has_exact_shares(what: &str, calls: &[Call]) {
    assert!(calls.len() >= 18, "{what}: {}", calls.len());
    for (start, window) in calls.windows(18).enumerate() {
        for (target, weight) in WEIGHTS {
            assert_eq!(count(window, target), weight, "{what}: {target} from {start} on");
        }
    }
}

/// Each row of the results counts what the server counts.
#[track_caller]
fn agrees(document: &Document, calls: &[Call]) {
    for (method, (target, _)) in ["GET", "POST", "PUT", "POST", "DELETE"].iter().zip(WEIGHTS) {
        let name = format!("{method} {target}");
        assert_eq!(document.sent(&name), count(calls, target), "{name}");
    }
}

#[test]
fn the_shares_are_exact_in_every_window_of_the_sum_of_the_weights() {
    each_engine(|engine| {
        let (script, witness) = (Script::new(TASKS), Witness::new());
        for words in [
            "-c 1 -t 1 -n 300",
            "-c 1 -t 1 -n 300 -R 2000",
            "-c 1 -t 1 -n 200 -R 1000 --arrivals poisson",
            "-c 1 -t 1 -n 300 --pipeline 4",
            "-c 1 -t 1 -n 200 --requests-per-connection 7",
        ] {
            let document = script.play(engine, &witness, words);
            let calls = witness.take();
            assert_eq!(document.fates(["sent", "good"]), [calls.len() as u64; 2], "{words}");
            has_exact_shares(words, &calls);
            agrees(&document, &calls);
        }
    });
}

#[test]
fn a_number_of_requests_is_shared_exactly_by_threads_and_connections() {
    each_engine(|engine| {
        let (script, witness) = (Script::new(TASKS), Witness::new());
        for words in ["-c 8 -t 2 -n 900", "-c 8 -t 2 -n 900 -R 6000", "-c 7 -t 2 -p 4 -n 900"] {
            let document = script.play(engine, &witness, words);
            let calls = witness.take();
            for (target, weight) in WEIGHTS {
                assert_eq!(count(&calls, target), weight * 50, "{words}: {target}");
            }
            agrees(&document, &calls);
            let asked = document.named("GET /a")["share_asked"].as_f64().unwrap();
            let sent = document.named("GET /a")["share_sent"].as_f64().unwrap();
            assert!((asked - 10.0 / 18.0).abs() < 1e-6 && (sent - asked).abs() < 1e-6);
        }
    });
}

/// Four standard deviations of a binomial count of 3,000 at 1/4 are 95; of 18 in a row it is as
/// good as impossible that all windows are exact.
#[test]
fn a_random_choice_has_its_shares_within_what_chance_allows() {
    each_engine(|engine| {
        let plan = "[mix]\nchoice = \"random\"\n[[requests]]\npath = \"/a\"\nweight = 3\n\
                    [[requests]]\npath = \"/b\"\n";
        let (script, witness) = (Script::new(plan), Witness::new());
        script.play(engine, &witness, "-c 1 -t 1 -n 3000 --seed 5");
        let calls = witness.take();
        let second = count(&calls, "/b");
        assert!((655..=845).contains(&second), "{second} of 3,000, not a quarter");
        let windows = calls.chunks(4).filter(|four| count(four, "/b") == 1).count();
        // 750 x 4 x 1/4 x (3/4)^3 = 316, with a standard deviation of 13.5.
        assert!((262..=370).contains(&windows), "{windows} of 750 windows");
        script.play(engine, &witness, "-c 1 -t 1 -n 300 --seed 5");
        let first = |calls: &[Call]| -> Vec<String> {
            calls[..300].iter().map(|call| call.target().to_string()).collect()
        };
        assert_eq!(first(&witness.take()), first(&calls), "the same seed, the same choice");
    });
}

#[test]
fn bodies_of_a_mix_arrive_whole_and_each_anew() {
    each_engine(|engine| {
        let (script, witness) = (Script::new(TASKS), Witness::new());
        script.play(engine, &witness, "-c 4 -t 2 -n 900 -p 2");
        let calls = witness.take();
        let of = |target: &'static str| calls.iter().filter(move |call| call.target() == target);
        for call in of("/b") {
            let body = call.json();
            assert_eq!(body["name"].as_str().unwrap().len(), 8, "{body}");
            assert!((0.0..=100.0).contains(&body["value"].as_f64().unwrap()), "{body}");
            assert_eq!(call.of("Content-Type"), "application/json");
        }
        for call in of("/c") {
            assert!((1..=1_000_000).contains(&call.text().parse::<u64>().unwrap()));
        }
        let mut ids: Vec<u64> = Vec::new();
        for call in of("/d") {
            let (id, rest) = call.text().split_once('&').unwrap();
            assert_eq!(rest, "text=a+b%26c");
            ids.push(id.strip_prefix("id=").unwrap().parse().unwrap());
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), all), (100, 100), "numbers of requests are unique");
        assert!(ids.iter().all(|id| (1..=900).contains(id)), "{ids:?}");
    });
}
