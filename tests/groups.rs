//! Answers by one of their headers, through the program: against a server that plays several
//! backends behind a balancer.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Blast, Document, Folder, Server, each_engine, ok};

/// What the slow backend takes.
const SLOW: Duration = Duration::from_millis(10);

/// The n-th request of all goes to whom `backend` says, with that status; "c" is slow.
fn balancer(backend: impl Fn(usize) -> (String, u16) + Send + Sync + 'static) -> Server {
    let count = Arc::new(AtomicUsize::new(0));
    Server::start(move |peer| {
        while peer.request().is_some() {
            let (name, status) = backend(count.fetch_add(1, SeqCst));
            if name == "c" {
                thread::sleep(SLOW);
            }
            peer.write(answer(&name, status));
        }
    })
}

/// In shares of 50, 30 and 20: quick, erring, slow.
fn three(number: usize) -> (String, u16) {
    match number % 10 {
        0..5 => ("a".to_string(), 200),
        5..8 => ("b".to_string(), 502),
        _ => ("c".to_string(), 200),
    }
}

fn answer(name: &str, status: u16) -> String {
    format!("HTTP/1.1 {status} X\r\nx-served-by: {name}\r\nContent-Length: 2\r\n\r\nok")
}

/// A figure of a row, by its JSON pointer.
fn of_row<'a>(document: &'a Document, row: usize, at: &str) -> &'a Value {
    let found = document.at("groups.rows")[row].pointer(at);
    found.unwrap_or_else(|| panic!("no {at} in row {row}"))
}

/// Value, answers and good ones of each row.
fn rows(document: &Document) -> Vec<(&str, u64, u64)> {
    let rows = document.at("groups.rows").as_array().unwrap();
    let count = |row: &Value, name: &str| row[name].as_u64().unwrap();
    rows.iter()
        .map(|row| (row["value"].as_str().unwrap(), count(row, "completed"), count(row, "good")))
        .collect()
}

fn signs(document: &Document) -> Vec<&str> {
    let all = document.warnings();
    all.into_iter().filter(|code| code.starts_with("group") && *code != "group_slow").collect()
}

#[test]
fn each_answer_is_counted_to_the_backend_that_gave_it() {
    each_engine(|engine| {
        for load in ["-c 6 -t 2 -n 400", "-c 6 -t 2 -n 400 -R 2000", "-c 2 -t 1 -n 400 -p 3"] {
            let server = balancer(three);
            let flags = format!("{load} --group-by header:X-Served-By --expect-body ok");
            let document = Blast::calm(engine, &server.url()).args(&flags).document();
            let expected = [("a", 200, 200), ("b", 120, 0), ("c", 80, 80)];
            assert_eq!(rows(&document), expected, "{load}");
            assert_eq!(document.text("plan.group_by"), "header:X-Served-By");
            assert_eq!(of_row(&document, 1, "/rejections"), &json!({"status_5xx": 120}));
            assert_eq!(of_row(&document, 1, "/error_share"), &json!(1.0));
            assert_eq!(of_row(&document, 0, "/share"), &json!(0.5));
            let least = of_row(&document, 2, "/latency/service/min_us").as_f64().unwrap();
            assert!(least >= SLOW.as_micros() as f64 * 0.99, "{least}");
            assert_eq!(document.at("groups.even"), &Value::Bool(false));
            assert_eq!(document.text("groups.evidence.of"), "answers");
            assert_eq!(signs(&document), ["group_errors", "groups_uneven"]);
        }
    });
}

#[test]
fn connections_that_stay_with_a_backend_are_what_shares_are_told_by() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            let name = if peer.number.is_multiple_of(2) { "even" } else { "odd" };
            peer.answer_all(answer(name, 200).as_bytes());
        });
        let flags = "-c 20 -t 1 -n 600 --group-by header:X-SERVED-BY";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        assert_eq!(document.count("groups.strayed_connections"), 0);
        assert_eq!([0, 1].map(|row| of_row(&document, row, "/connections")), [&json!(10); 2]);
        assert_eq!(document.at("groups.even"), &Value::Bool(true));
        assert_eq!(document.text("groups.evidence.of"), "connections");
        assert_eq!(document.number("groups.evidence.choices"), 20.0);
        assert_eq!(signs(&document), [""; 0]);
    });
}

#[test]
fn what_has_no_header_or_no_answer_is_said_to_be_so() {
    each_engine(|engine| {
        let server = Server::start(|peer| {
            while let Some(heard) = peer.request() {
                if heard.connection == 0 {
                    return peer.reset();
                }
                peer.write(ok());
            }
        });
        let flags = "-c 2 -t 1 -n 40 --group-by header:X-Served-By";
        let document = Blast::calm(engine, &server.url()).args(flags).document();
        let [completed, failed] = document.fates(["completed", "failed"]);
        assert_eq!((completed, failed), (39, 1));
        assert_eq!(rows(&document), [("(none)", 39, 39)]);
        assert_eq!(of_row(&document, 0, "/kind"), "none");
        assert_eq!(document.count("groups.unanswered"), 1);
        assert!(document.at("groups.even").is_null());
        assert_eq!(signs(&document), ["groups_without_header"]);
    });
}

#[test]
fn a_header_with_hundreds_of_values_is_bounded_and_no_secret_is_shown() {
    each_engine(|engine| {
        let server = balancer(|number| (format!("request {number}; token=planted"), 200));
        let folder = Folder::new();
        let file = folder.path().join("run");
        let outputs: Vec<String> =
            ["json", "html", "md"].map(|end| format!("{}.{end}", file.display())).into();
        let flags = format!(
            "-c 3 -t 1 -n 300 --group-by header:X-Served-By -o {} -o {} -o {} --csv {}",
            outputs[0],
            outputs[1],
            outputs[2],
            file.display()
        );
        let document = Blast::calm(engine, &server.url()).args(&flags).document();
        let rows = rows(&document);
        assert_eq!((rows.len(), rows[64]), (65, ("(other)", 236, 236)));
        assert!(rows[..64].iter().all(|(value, ..)| value.ends_with("token=***")), "{rows:?}");
        assert_eq!(signs(&document), ["groups_too_many"]);
        let table = format!("{}_groups.csv", file.display());
        for output in outputs.iter().chain([&table]) {
            // Markdown escapes what is shown.
            let text = fs::read_to_string(output).unwrap().replace('\\', "");
            assert!(text.contains("token=***") && !text.contains("planted"), "{output}");
        }
    });
}

const PLAN: &str = r#"
[load]
requests = 200
connections = 4
group_by = "header:X-Served-By"
[[requests]]
path = "/a"
checks = [{ name = "says who it is", header = "x-served-by" }]
[[requests]]
path = "/b"
"#;

#[test]
fn a_plan_file_asks_for_it_too() {
    each_engine(|engine| {
        let server = balancer(three);
        let folder = Folder::new();
        let file = folder.path().join("plan.toml");
        fs::write(&file, PLAN).unwrap();
        let blast = Blast::verb("run").arg(file.to_str().unwrap()).arg("--engine").arg(engine);
        let words = format!("--host {} --wait block --pin off -t 1 --json", server.url());
        let document = blast.args(&words).document();
        assert_eq!(rows(&document), [("a", 100, 100), ("b", 60, 0), ("c", 40, 40)]);
    });
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    for (words, expected) in [
        ("http://127.0.0.1:1/ --group-by header:Set-Cookie", "may be secrets"),
        ("http://127.0.0.1:1/ --group-by X-Served-By", "write `header:NAME`"),
        ("ceiling --group-by header:A http://127.0.0.1:1/", "`blast ceiling` does not show that"),
        (
            "ab --group-by header:A http://127.0.0.1:1/ http://127.0.0.1:2/",
            "`blast ab` does not show that",
        ),
    ] {
        let (verb, rest) = words.split_once(' ').unwrap();
        let run = Blast::verb(verb).args(rest).run();
        assert_eq!(run.code(), Some(2), "{words}");
        assert!(run.complaint().contains(expected), "{words}: {}", run.complaint());
    }
}
