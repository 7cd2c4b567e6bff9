//! What varies in a request: the same for a seed on every engine and over any number of threads,
//! and shown before it is sent.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Call, Script, Witness, count};
use crate::support::{ENGINES, beside_others, each_engine};

/// All that is random, everywhere.
const VARYING: &str = r#"
[data.users]
file = "users.csv"
order = "random"
[[requests]]
name = "get"
path = "/{{uuid}}/{{hex 16}}?a={{int -5 5}}"
weight = 2
query = { b = "{{choice x 'y z' w}}" }
headers = { X-Trace = "{{string 12}}-{{seq}}" }
[[requests]]
name = "post"
path = "/post"
json = { age = "{{int 1 90}}", v = "{{float 0 1 3}}", n = "{{data.users.name}}", s = "<{{choice a b c}}>" }
[[requests]]
name = "form"
path = "/form"
form = { id = "{{seq}}", name = "{{data.users.name}}", c = "{{string 3}}" }
"#;

/// Users who do something else each time.
const ROAMING: &str = r#"
[session]
rounds = 3
steps = [
  { request = "get", repeat = "1..3", think = "1ms..2ms" },
  { one_of = [ { request = "post", weight = 2 }, "form" ], probability = 0.7 },
  { request = "form", think = "exp 1ms" },
]
"#;

fn varying(more: &str) -> Script {
    Script::new(&[VARYING, more].concat()).with("users.csv", "name\nann\nben\ncat\n\"d, e\"\n")
}

fn bytes(calls: &[Call]) -> Vec<(&str, &str)> {
    calls.iter().map(|call| (call.head.as_str(), call.text())).collect()
}

#[test]
fn the_same_seed_makes_the_same_bytes_on_every_engine_and_another_one_others() {
    beside_others(|| {
        for (more, words) in
            [("", "-c 1 -t 1 -n 60"), ("", "-c 1 -t 1 -n 60 -R 1000"), (ROAMING, "-c 1 -t 1")]
        {
            let (script, witness) = (varying(more), Witness::new());
            let sent = |engine: &str, seed: u64| {
                script.play(engine, &witness, &format!("{words} --seed {seed}"));
                witness.take()
            };
            let first = sent(ENGINES[0], 7);
            assert!(first.len() >= 7, "{}", first.len());
            for engine in ENGINES {
                assert_eq!(bytes(&sent(engine, 7)), bytes(&first), "{engine} {words}");
            }
            let other = sent(ENGINES[0], 8);
            let same = bytes(&first).iter().filter(|call| bytes(&other).contains(call)).count();
            assert_eq!(same, 0, "{words}");
        }
    });
}

/// The requests of a schedule have numbers, whoever sends them.
#[test]
fn more_threads_send_the_same_requests_of_a_schedule() {
    each_engine(|engine| {
        let (script, witness) = (varying(""), Witness::new());
        let sent = |words: &str| -> BTreeSet<(String, String)> {
            script.play(engine, &witness, &format!("-R 1000 -n 100 --seed 3 {words}"));
            let calls = witness.take();
            calls.iter().map(|call| (call.head.clone(), call.text().to_string())).collect()
        };
        let alone = sent("-c 1 -t 1");
        assert_eq!(alone.len(), 100);
        assert_eq!(sent("-c 8 -t 2"), alone);
        assert_eq!(sent("-c 3 -t 1"), alone);
    });
}

#[test]
fn what_is_shown_is_what_is_sent_first() {
    each_engine(|engine| {
        for (more, words) in [
            ("", "-c 1 -t 1 -n 40 --seed 5"),
            ("", "-c 1 -t 1 -n 40 --seed 6 -R 1000"),
            ("[mix]\nchoice = \"random\"\n", "-c 1 -t 1 -n 40 --seed 7"),
            (ROAMING, "-c 1 -t 1 --seed 8"),
            ("[session]\norder = \"weighted\"\nthink = \"exp 1ms\"\n", "-c 1 -t 1 -n 40 --seed 9"),
        ] {
            let (script, witness) = (varying(more), Witness::new());
            script.play(engine, &witness, words);
            let calls = witness.take();
            let text = |call: &Call| {
                let head = call.head.replace("\r\n", "\n");
                let body = if call.body.is_empty() { "" } else { "\n\n" };
                format!("{}{body}{}\n", head.trim_end(), call.text())
            };
            let sent: Vec<String> = calls.iter().map(text).collect();
            let run = script.page(engine, &witness.url()).args(words).args("--show 12").run();
            assert_eq!(run.code(), Some(0), "{run:?}");
            assert!(witness.take().is_empty(), "nothing is sent to show it");
            // Each stands behind a line with its number and its name.
            let parts = run.stdout.split("--- ").skip(1);
            let shown: Vec<&str> = parts.map(|part| part.split_once('\n').unwrap().1).collect();
            assert_eq!(shown.len(), sent.len().min(12), "{run:?}");
            for (shown, sent) in shown.iter().zip(&sent) {
                assert_eq!(shown.trim_end(), sent.trim_end(), "{more} {words}");
            }
        }
    });
}

/// One that is `{{now ...}}` may differ by what a run takes.
#[test]
fn each_placeholder_is_what_it_says() {
    each_engine(|engine| {
        let plan = r#"
[vars]
channel = { default = "a b" }
[[requests]]
path = "/p"
headers = { X-Uuid = "{{uuid}}", X-Var = "{{var.channel}}", X-Now = "{{now rfc3339}}", X-Raw = '{{"{{"}}' }
json = { i = "{{int 3 5}}", f = "{{float 1 2 2}}", s = "{{string 9}}", h = "{{hex 6}}", c = "{{choice \"a b\" c}}", q = "{{seq}}", ms = "{{now unix_ms}}", t = "is {{int 7 7}}", deep = [{ x = "{{int 1 1}}" }] }
"#;
        let (script, witness) = (Script::new(plan), Witness::new());
        script.play(engine, &witness, "-c 2 -t 1 -n 50 --var channel=c-d");
        let calls = witness.take();
        assert_eq!(count(&calls, "/p"), 50);
        let is_of = |text: &str, more: &str| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let mut numbers = BTreeSet::new();
        for call in &calls {
            let uuid = call.of("X-Uuid");
            assert!(uuid.len() == 36 && is_of(uuid, "-") && &uuid[14..15] == "4", "{uuid}");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
            assert_eq!((call.of("X-Var"), call.of("X-Raw")), ("c-d", "{{"));
            let now = call.of("X-Now");
            assert!(now.len() >= 20 && now.ends_with('Z') && now.contains('T'), "{now}");
            let body = call.json();
            assert!((3..=5).contains(&body["i"].as_i64().unwrap()), "{body}");
            assert!((1.0..=2.0).contains(&body["f"].as_f64().unwrap()), "{body}");
            let text = |name: &str| body[name].as_str().unwrap();
            assert!(text("s").len() == 9 && is_of(text("s"), ""), "{body}");
            assert!(text("h").len() == 6 && u64::from_str_radix(text("h"), 16).is_ok(), "{body}");
            assert!(["a b", "c"].contains(&text("c")), "{body}");
            assert_eq!((text("t"), &body["deep"][0]["x"]), ("is 7", &1.into()));
            let sent = UNIX_EPOCH + Duration::from_millis(body["ms"].as_u64().unwrap());
            let ago = SystemTime::now().duration_since(sent).unwrap_or_default();
            assert!(ago < Duration::from_secs(60), "{body}");
            numbers.insert(body["q"].as_u64().unwrap());
        }
        assert_eq!(numbers, (1..=50).collect());
        let drawn: BTreeSet<i64> = calls.iter().map(|c| c.json()["i"].as_i64().unwrap()).collect();
        assert_eq!(drawn, [3, 4, 5].into(), "both ends are drawn");
    });
}
