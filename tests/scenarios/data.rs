//! Data: which row is whose, what is done when there are no more, and that values arrive as they
//! are, whatever they stand in.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Call, Script, Witness, by_connection};
use crate::support::{Document, each_engine};

const SIX: &str = "id,name\n1,ann\n2,ben\n3,cat\n4,dan\n5,eve\n6,fay\n";

/// Requests with the id of their row, of six, taken in this order.
fn drawing(order: &str, rest: &str) -> Script {
    let plan = format!(
        "[data.six]\nfile = \"six.csv\"\n{order}\n[[requests]]\npath = \"/{{{{data.six.id}}}}\"\n{rest}"
    );
    Script::new(&plan).with("six.csv", SIX)
}

fn ids(calls: &[Call]) -> Vec<u64> {
    calls.iter().map(|call| call.target()[1..].parse().unwrap()).collect()
}

fn counts(ids: &[u64]) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    ids.iter().for_each(|id| *counts.entry(*id).or_default() += 1);
    counts
}

fn each(times: u64) -> BTreeMap<u64, u64> {
    (1..=6).map(|id| (id, times)).collect()
}

#[test]
fn rows_are_taken_in_order_and_again_from_the_first() {
    each_engine(|engine| {
        let (script, witness) = (drawing("order = \"sequential\"", ""), Witness::new());
        for words in ["-c 1 -n 15", "-c 1 -n 15 -R 500"] {
            script.play(engine, &witness, words);
            let expected = [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3];
            assert_eq!(ids(&witness.take()), expected, "{words}");
        }
        for words in ["-c 4 -t 2 -n 60", "-c 4 -t 2 -n 60 -R 1000"] {
            script.play(engine, &witness, words);
            assert_eq!(counts(&ids(&witness.take())), each(10), "{words}");
        }
    });
}

/// Four standard deviations of a binomial count of 600 at 1/6 are 37.
#[test]
fn random_rows_come_about_as_often_as_each_other() {
    each_engine(|engine| {
        let (script, witness) = (drawing("order = \"random\"", ""), Witness::new());
        script.play(engine, &witness, "-c 4 -t 2 -n 600 --seed 3");
        let counts = counts(&ids(&witness.take()));
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (63..=137).contains(count)), "{counts:?}");
    });
}

#[test]
fn a_unique_row_is_one_users_for_good() {
    each_engine(|engine| {
        let session = "[session]\nrounds = 5\n";
        let (script, witness) = (drawing("order = \"unique\"", session), Witness::new());
        script.play(engine, &witness, "-c 4 -t 2");
        let mut all = Vec::new();
        for calls in by_connection(&witness.take()) {
            let ids = ids(&calls);
            assert_eq!(ids, [ids[0]; 5]);
            all.push(ids[0]);
        }
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4]);
    });
}

#[test]
fn a_thread_keeps_to_its_block_of_sharded_rows() {
    each_engine(|engine| {
        let (script, witness) = (drawing("order = \"sharded\"", ""), Witness::new());
        script.play(engine, &witness, "-c 2 -t 2 -n 18");
        let mut blocks: Vec<Vec<u64>> =
            by_connection(&witness.take()).iter().map(|calls| ids(calls)).collect();
        blocks.sort();
        assert_eq!(blocks, [[1, 2, 3, 1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6, 4, 5, 6]]);
    });
}

/// The run is over long before its time, well, and says why.
#[track_caller]
fn ran_out(document: &Document, requests: u64) {
    assert_eq!(document.fates(["scheduled", "sent", "good"]), [requests; 3]);
    assert!(document.warnings().contains(&"data_ran_out"), "{:?}", document.warnings());
    assert!(document.number("duration_s") < 10.0, "{}", document.number("duration_s"));
}

#[test]
fn data_that_is_used_once_ends_the_run() {
    each_engine(|engine| {
        for (order, session, words) in [
            ("sequential", "", "-c 1 -d 20s"),
            ("sequential", "", "-c 4 -t 2 -d 20s"),
            ("sequential", "", "-c 4 -t 2 -R 40 -d 20s"),
            ("sharded", "", "-c 4 -t 2 -d 20s"),
            ("sequential", "[session]\n", "-c 1 -d 20s"),
            ("sequential", "[session]\n", "-c 3 -t 1 -d 20s"),
            ("sequential", "[session]\nmodel = \"sessions\"\n", "-c 3 -t 1 -R 40 -d 20s"),
        ] {
            let order = format!("order = \"{order}\"\nwhen_exhausted = \"stop\"");
            let (script, witness) = (drawing(&order, session), Witness::new());
            let run = script.blast(engine, &witness.url()).args(words).run();
            assert_eq!(run.code(), Some(0), "{words} {run:?}");
            ran_out(&run.document(), 6);
            assert_eq!(counts(&ids(&witness.take())), each(1), "{order} {session} {words}");
        }
    });
}

#[test]
fn users_without_a_row_of_their_own_do_not_come() {
    each_engine(|engine| {
        let order = "order = \"unique\"\nwhen_exhausted = \"stop\"";
        let (script, witness) = (drawing(order, "[session]\nrounds = 2\n"), Witness::new());
        let document = script.play(engine, &witness, "-c 8 -t 2");
        ran_out(&document, 12);
        assert_eq!(counts(&ids(&witness.take())), each(2));
    });
}

#[test]
fn a_round_of_a_user_has_one_row_for_all_of_its_steps() {
    each_engine(|engine| {
        let plan = "[data.six]\nfile = \"six.ndjson\"\n[[requests]]\nname = \"one\"\n\
                    path = \"/{{data.six.id}}\"\n[[requests]]\nname = \"two\"\n\
                    path = \"/{{data.six.id}}/{{data.six.name}}\"\n[session]\nrounds = 3\n";
        let rows = "{\"id\": 1, \"name\": \"ann\"}\n{\"name\": \"ben\", \"id\": 2}\n";
        let (script, witness) = (Script::new(plan).with("six.ndjson", rows), Witness::new());
        script.play(engine, &witness, "-c 1");
        assert_eq!(witness.targets(), ["/1", "/1/ann", "/2", "/2/ben", "/1", "/1/ann"]);
    });
}

/// Whatever ends a field, a line, a string or a pair, and more.
const NASTY: &str = "a\"b'c%41&d=e\r\nX-Evil: y+z /?#\\;,{}ü\t<";

const EVERYWHERE: &str = r#"
[data.bad]
file = "FILE"
[[requests]]
path = "/p/{{data.bad.v}}/end?q={{data.bad.v}}"
query = { more = "{{data.bad.v}}" }
headers = { X-Value = "{{data.bad.v}}", X-After = "here" }
json = { v = "{{data.bad.v}}", "in" = ["<{{data.bad.v}}>"] }
[[requests]]
path = "/form"
form = { v = "{{data.bad.v}}", after = "x" }
[[requests]]
path = "/multipart"
multipart = [ { name = "v", value = "{{data.bad.v}}" }, { name = "after", value = "x" } ]
[[requests]]
path = "/text"
body = "<{{data.bad.v}}>"
"#;

/// What percent-encoding stands for; `plus`: a blank may be a plus.
fn decoded(text: &str, plus: bool) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(&tail[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &tail[2..];
            }
            b'+' if plus => bytes.push(b' '),
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn values_arrive_unharmed_whatever_they_stand_in() {
    each_engine(|engine| {
        let csv = format!("v\n\"{}\"\n", NASTY.replace('"', "\"\""));
        let ndjson = format!("{}\n", json!({ "v": NASTY }));
        for (file, text) in [("bad.csv", csv), ("bad.ndjson", ndjson)] {
            let witness = Witness::new();
            let script = Script::new(&EVERYWHERE.replace("FILE", file)).with(file, text);
            script.play(engine, &witness, "-c 1 -n 4");
            let calls = witness.take();
            let at =
                |path: &str| calls.iter().find(|call| call.target().starts_with(path)).unwrap();
            is_unharmed_in_head_and_json(at("/p/"));
            let form = at("/form").text();
            let (value, after) = form.split_once('&').unwrap();
            assert_eq!((decoded(&value[2..], true).as_str(), after), (NASTY, "after=x"));
            let parts = at("/multipart").text();
            assert!(parts.contains(&format!("name=\"v\"\r\n\r\n{NASTY}\r\n--")), "{parts}");
            assert_eq!(at("/text").text(), format!("<{NASTY}>"));
        }
    });
}

#[track_caller]
fn is_unharmed_in_head_and_json(call: &Call) {
    let (path, query) = call.target().split_once('?').unwrap();
    let value = path.strip_prefix("/p/").unwrap().strip_suffix("/end").unwrap();
    assert_eq!(decoded(value, false), NASTY);
    for (pair, name) in query.split('&').zip(["q", "more"]) {
        let (found, value) = pair.split_once('=').unwrap();
        assert_eq!((found, decoded(value, false).as_str()), (name, NASTY));
    }
    // A line break is the one thing that a field cannot hold.
    assert_eq!(call.of("X-Value"), NASTY.replace("\r\n", ""));
    assert_eq!((call.of("X-After"), call.field("X-Evil")), ("here", None));
    assert_eq!(call.json(), json!({ "v": NASTY, "in": [format!("<{NASTY}>")] }));
}
