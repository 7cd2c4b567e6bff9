//! Checks: each is counted by its name, one that does not hold rejects its answer, and none is
//! misled by how an answer comes.

use std::thread;
use std::time::Duration;

use super::{Script, Witness, count};
use crate::support::{answer, each_engine, ring_alone};

const CHECKED: &str = r#"
[[requests]]
name = "item"
path = "/{{seq}}"
checks = [
  { name = "st", status = "200,201" },
  { name = "ok", contains = "\"ok\"" },
  { name = "id", regex = "id=(\\d+)" },
  { name = "there", json = "/id" },
  { name = "seven", json = "/n", equals = 7 },
  { name = "typed", header = "Content-Type", contains = "json" },
  { name = "exact", header = "X-A", equals = "b" },
  { name = "small", size = "..80" },
]
"#;

/// The answer to the request of that number: each of eight breaks another check.
fn item(number: u64) -> Vec<u8> {
    let wrong = number % 9;
    let unless = |broken: u64, right: &'static str, other: &'static str| {
        if wrong == broken { other } else { right }
    };
    let (status, word, id) =
        (unless(1, "201 C", "202 A"), unless(2, "ok", "no"), unless(3, "=", "-"));
    let (name, n, json) = (unless(4, "id", "ID"), unless(5, "7.0", "8"), unless(6, "json", "xml"));
    let (field, more) =
        (unless(7, "b", "bb"), if wrong == 8 { " ".repeat(80) } else { String::new() });
    let body =
        format!("{{\"t\":\"{word}\",\"ok\":1,\"s\":\"id{id}12\",\"{name}\":3,\"n\":{n}}}{more}");
    let body = if wrong == 2 { body.replace("\"ok\"", "\"no\"") } else { body };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/{json}\r\nX-A: {field}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}

#[test]
fn each_check_is_counted_by_its_name_and_decides() {
    each_engine(|engine| {
        let witness = Witness::answering(|call| item(call.target()[1..].parse().unwrap()));
        let document = Script::new(CHECKED).play(engine, &witness, "-c 3 -t 2 -n 90");
        assert_eq!(document.fates(["completed", "good", "rejected"]), [90, 10, 80]);
        let rejections = document.counts("rejections");
        let seen = document.named("item")["failures"].as_array().unwrap();
        for name in ["st", "ok", "id", "there", "seven", "typed", "exact", "small"] {
            assert_eq!(document.check(name), (80, 10), "{name}");
            let kind = format!("check:{name}");
            assert_eq!(rejections[kind.as_str()], 10, "{name}");
            assert!(seen.iter().any(|seen| seen["kind"] == kind && seen["count"] == 10), "{name}");
        }
        assert_eq!(document.counts("statuses"), [("201", 80), ("202", 10)].into());
    });
}

/// Of several that do not hold the first one decides, and all are counted.
#[test]
fn an_answer_is_rejected_once_however_many_checks_it_breaks() {
    each_engine(|engine| {
        let witness = Witness::answering(|_| answer("500 Broken", "nothing").into());
        let plan = CHECKED.replace("  { name = \"st\", status = \"200,201\" },\n", "");
        let document = Script::new(&plan).play(engine, &witness, "-c 1 -n 5");
        assert_eq!(document.counts("rejections"), [("status_5xx", 5)].into());
        assert_eq!(document.check("ok"), (0, 5));
        assert_eq!(document.check("small"), (5, 0));
        let document = Script::new(CHECKED).play(engine, &witness, "-c 1 -n 5");
        assert_eq!(document.counts("rejections"), [("check:st", 5)].into());
    });
}

#[test]
fn an_answer_that_takes_too_long_is_a_check_that_does_not_hold() {
    ring_alone(|engine| {
        let plan = "[[requests]]\npath = \"/{{seq}}\"\nchecks = [{ name = \"fast\", latency = \"60ms\" }]\n";
        let witness = Witness::serving(|peer, call| {
            if call.target() == "/3" {
                thread::sleep(Duration::from_millis(90));
            }
            peer.write(answer("200 OK", ""));
        });
        let document = Script::new(plan).play(engine, &witness, "-c 1 -n 6");
        let (held, broken) = document.check("fast");
        // Another may be late on a machine that is busy.
        assert!(held + broken == 6 && (1..=2).contains(&broken), "{broken}");
        assert_eq!(document.fates(["good"]), [held]);
    });
}

#[test]
fn a_body_beyond_the_limit_is_counted_whole_and_looked_at_up_to_it() {
    each_engine(|engine| {
        let plan = "[limits]\nbody = \"1000\"\n[[requests]]\npath = \"/{{seq}}\"\nchecks = [\n\
                    { name = \"text\", contains = \"needle\" },\n\
                    { name = \"size\", size = \"100000\" } ]\n";
        // Within the limit, across it, and behind it.
        let witness = Witness::answering(|call| {
            let at = match call.target() {
                "/1" => 0,
                "/2" => 994,
                "/3" => 995,
                _ => 99_994,
            };
            let mut body = "x".repeat(100_000);
            body.replace_range(at..at + 6, "needle");
            answer("200 OK", &body).into()
        });
        let document = Script::new(plan).play(engine, &witness, "-c 1 -n 4");
        assert_eq!(document.check("text"), (2, 2));
        assert_eq!(document.check("size"), (4, 0));
        assert!(document.count("bytes.received") > 400_000);
    });
}

/// However its bytes come, an answer is what it is.
#[test]
fn a_check_sees_through_chunks_splinters_and_a_body_that_ends_with_its_connection() {
    each_engine(|engine| {
        let plan = "[[requests]]\npath = \"/{{seq}}\"\nchecks = [\n\
                    { name = \"v\", json = \"/v\", equals = \"long\" },\n\
                    { name = \"end\", regex = \"\\\"end\\\": true}$\" },\n\
                    { name = \"x\", header = \"X-Late\", equals = \"yes\" } ]\n";
        let body = "{\"v\": \"long\", \"end\": true}";
        let field = "X-Late: yes\r\n";
        let witness = Witness::serving(move |peer, call| {
            let number: usize = call.target()[1..].parse().unwrap();
            let (one, two) = body.split_at(number % body.len());
            let counted =
                format!("HTTP/1.1 200 OK\r\n{field}Content-Length: {}\r\n\r\n{body}", body.len());
            let chunks: String = [one, two]
                .iter()
                .filter(|part| !part.is_empty())
                .map(|part| format!("{:x};x=y\r\n{part}\r\n", part.len()))
                .collect();
            let chunked = format!(
                "HTTP/1.1 200 OK\r\n{field}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
            );
            match number % 5 {
                0 => peer.write(counted),
                1 => peer.dribble(counted),
                2 => peer.write(chunked),
                3 => peer.dribble(chunked),
                _ => {
                    peer.write(format!("HTTP/1.0 200 OK\r\n{field}\r\n{one}"));
                    peer.write(two);
                    peer.fin();
                }
            }
        });
        let document = Script::new(plan).play(engine, &witness, "-c 2 -t 1 -n 60");
        assert_eq!(document.fates(["good", "rejected", "failed"]), [60, 0, 0]);
        for name in ["v", "end", "x"] {
            assert_eq!(document.check(name), (60, 0), "{name}");
        }
        // The last of each connection may be the last of all.
        assert!((10..=12).contains(&document.count("connections.reopened")));
    });
}

#[test]
fn head_has_fields_to_check_and_no_body_to_wait_for() {
    each_engine(|engine| {
        let plan = "[[requests]]\nmethod = \"HEAD\"\npath = \"/head\"\n\
                    checks = [{ name = \"h\", header = \"X-H\" }]\n\
                    [[requests]]\npath = \"/get\"\nchecks = [{ name = \"b\", contains = \"body\" }]\n";
        let witness = Witness::answering(|call| match call.line() {
            "HEAD /head" => "HTTP/1.1 200 OK\r\nX-H: 1\r\nContent-Length: 70000\r\n\r\n".into(),
            _ => answer("200 OK", "a body").into(),
        });
        for words in ["-c 1 -n 40", "-c 2 -n 40 -p 4"] {
            let document = Script::new(plan).play(engine, &witness, words);
            let calls = witness.take();
            assert_eq!((count(&calls, "/head"), count(&calls, "/get")), (20, 20));
            assert_eq!(document.counts("rejections"), Default::default(), "{words}");
            assert_eq!(document.fates(["good"]), [40], "{words} {}", document.at("failures"));
            assert_eq!((document.check("h"), document.check("b")), ((20, 0), (20, 0)));
        }
    });
}

/// Which answer belongs to which request decides what is looked at in it.
#[test]
fn answers_to_pipelined_requests_are_checked_by_their_own_checks() {
    each_engine(|engine| {
        let request = |name: &str| {
            format!(
                "[[requests]]\npath = \"/{name}\"\n\
                 checks = [{{ name = \"{name}\", contains = \"<{name}>\" }}]\n"
            )
        };
        let plan: String = ["a", "b", "c"].map(request).concat();
        let witness = Witness::answering(|call| {
            answer("200 OK", &format!("<{}>", &call.target()[1..])).into()
        });
        let document = Script::new(&plan).play(engine, &witness, "-c 3 -t 2 -p 4 -n 300");
        assert_eq!(document.fates(["good"]), [300]);
        for name in ["a", "b", "c"] {
            assert_eq!(document.check(name), (100, 0), "{name}");
        }
    });
}

#[test]
fn a_rule_by_name_fails_the_run_that_its_own_request_spoils() {
    each_engine(|engine| {
        let witness = Witness::answering(|call| match call.target() {
            "/bad" => answer("500 Broken", "").into(),
            _ => answer("200 OK", "").into(),
        });
        for (rule, code) in [("'GET /bad'.errors<1%", 3), ("'GET /good'.errors<1%", 0)] {
            let plan = format!(
                "thresholds = [\"{rule}\"]\n[[requests]]\npath = \"/good\"\nweight = 9\n\
                 [[requests]]\npath = \"/bad\"\n"
            );
            let script = Script::new(&plan);
            let run = script.blast(engine, &witness.url()).args("-c 2 -n 200").run();
            assert_eq!(run.code(), Some(code), "{run:?}");
            let document = run.document();
            assert_eq!(document.fates(["good", "rejected"]), [180, 20]);
            assert_eq!(document.named("GET /bad")["rejections"]["status_5xx"], 20);
        }
    });
}
