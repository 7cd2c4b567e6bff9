//! Files for other tools: written by a run, and from its saved document afterwards.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Blast, Document, Folder, LIMIT, Server, each_engine, ok};

const LOAD: &str = "-R 100 -d 1200ms -c 2 --wait block --pin off";

/// What `blast report` is asked for, and a run beside it.
const FILES: [&str; 8] =
    ["a.hgrm", "a.xml", "a.md", "checklist.md", "a.ndjson", "a.html", "a.svg", "tables/"];

const TABLES: [&str; 4] = [
    "tables/results_stats.csv",
    "tables/results_failures.csv",
    "tables/results_stats_history.csv",
    "tables/results_exceptions.csv",
];

fn with_files(mut blast: Blast, folder: &Folder) -> Blast {
    for file in FILES {
        blast = blast.arg("-o").arg(&format!("{}/{file}", folder.path().display()));
    }
    let prefix = format!("{}/typed", folder.path().display());
    blast.arg("--csv").arg(&prefix)
}

fn read(folder: &Folder, file: &str) -> String {
    let path = folder.path().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_saved_document_gives_the_files_that_the_run_gave() {
    each_engine(|engine| {
        let (server, during, after) = (Server::answering(ok()), Folder::new(), Folder::new());
        let saved = during.path().join("run.json");
        let blast = Blast::new(engine, &server.url()).args(LOAD).args("-o");
        let run = with_files(blast.arg(saved.to_str().unwrap()), &during).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        let report = with_files(Blast::verb("report").arg(saved.to_str().unwrap()), &after).run();
        assert_eq!((report.code(), &*report.stdout, &*report.stderr), (Some(0), "", ""));
        let typed = ["typed_stats.csv", "typed_failures.csv", "typed_stats_history.csv"];
        for file in FILES[..7].iter().chain(&TABLES).chain(&typed) {
            assert_eq!(read(&during, file), read(&after, file), "{file}");
        }
        assert_eq!(read(&after, "typed_stats.csv"), read(&after, TABLES[0]));
        let document = Document::parse(&fs::read_to_string(&saved).unwrap()).unwrap();
        let mut lines = lines(&read(&during, "a.ndjson"));
        let last = lines.pop().unwrap();
        assert_eq!(last["requests"]["good"], document.count("requests.good"));
        lines.retain(|line| line["type"] == "interval");
        assert_eq!(lines.len(), document.intervals().len());
        for (line, interval) in lines.iter().zip(document.intervals()) {
            for (key, value) in interval.as_object().unwrap() {
                assert_eq!(line[key], *value, "{key}");
            }
        }
    });
}

#[test]
fn a_saved_document_prints_the_page_of_its_run() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let saved = folder.path().join("run.json");
        let blast = Blast::page(engine, &server.url()).args("-R 100 -d 200ms -c 2 --wait block");
        let run = blast.args("-v -o").arg(saved.to_str().unwrap()).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        let report = Blast::verb("report").arg(saved.to_str().unwrap()).args("-v").run();
        assert_eq!((report.code(), &report.stdout), (Some(0), &run.stdout));
    });
}

#[test]
fn the_lines_of_a_run_can_be_followed_while_it_goes_on() {
    each_engine(|engine| {
        let (server, folder) = (Server::answering(ok()), Folder::new());
        let file = folder.path().join("run.ndjson");
        let blast = Blast::calm(engine, &server.url()).args("-R 50 -d 60s -c 1 -o");
        let running = blast.arg(file.to_str().unwrap()).start();
        let began = Instant::now();
        while !fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
            assert!(began.elapsed() < LIMIT, "no line was written");
            thread::sleep(Duration::from_millis(20));
        }
        let first = lines(&fs::read_to_string(&file).unwrap());
        assert_eq!(first[0]["type"], "interval");
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let lines = lines(&fs::read_to_string(&file).unwrap());
        assert_eq!(lines[0], first[0]);
        let last = lines.last().unwrap();
        assert_eq!((&last["type"], &last["complete"]), (&"summary".into(), &false.into()));
    });
}

#[test]
fn a_run_that_cannot_start_leaves_the_older_lines_alone() {
    let folder = Folder::new();
    let file = folder.path().join("run.ndjson");
    fs::write(&file, "older\n").unwrap();
    let run = Blast::page("epoll", "http://127.0.0.1:1/").args("-d 1s -o");
    let run = run.arg(file.to_str().unwrap()).run();
    assert_eq!(run.code(), Some(1), "{run:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "older\n");
}

#[test]
fn a_plan_file_takes_tables_and_its_outputs_begin_at_its_folder() {
    let (server, folder) = (Server::answering(ok()), Folder::new());
    let plan = folder.path().join("plan.toml");
    let text = format!(
        "url = \"{}\"\noutputs = [\"out/\"]\n[load]\nrps = 50\nduration = \"300ms\"\n\
         [[requests]]\npath = \"/a\"\nname = \"first, of two\"\n[[requests]]\npath = \"/b\"\n",
        server.url()
    );
    fs::write(&plan, text).unwrap();
    let run = Blast::verb("run").arg(plan.to_str().unwrap()).args("--wait block --pin off --csv");
    let run = run.arg(&format!("{}/locust", folder.path().display())).run();
    assert_eq!(run.code(), Some(0), "{run:?}");
    let stats = read(&folder, "locust_stats.csv");
    assert_eq!(read(&folder, "out/results_stats.csv"), stats);
    let rows: Vec<&str> = stats.split("\r\n").collect();
    assert!(rows[1].starts_with("GET,\"first, of two\","), "{stats}");
    assert!(rows[2].starts_with("GET,/b,") && rows[3].starts_with(",Aggregated,15,0,"), "{stats}");
}

#[test]
fn what_cannot_be_reported_is_one_sentence_and_exit_2() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    fs::write(at("no.json"), "{}").unwrap();
    fs::write(at("doctor.json"), "{\"schema\":\"blast.doctor/1\"}").unwrap();
    for (arguments, expected) in [
        (vec![at("missing.json")], "cannot be read (No such file"),
        (vec![at("no.json")], "is no result of blast"),
        (vec![at("doctor.json")], "is `blast.doctor/1` and not `blast.result/1`"),
        (vec![at("no.json"), "-o".into(), at("a.hlog")], "is written while a run goes on"),
        (vec![at("no.json"), "-o".into(), at("a.csv")], "its name must end in"),
        (vec![], "is missing"),
        (vec!["--schema".into(), "plan".into()], "`plan` is not one of `result`, `ceiling`"),
        (vec!["--schema".into(), "ab".into(), at("no.json")], "cannot be used with"),
    ] {
        let blast = arguments.iter().fold(Blast::verb("report"), |blast, word| blast.arg(word));
        let run = blast.run();
        assert_eq!(run.code(), Some(2), "{arguments:?}: {run:?}");
        assert!(run.complaint().contains(expected), "{arguments:?}: {run:?}");
    }
    assert!(!Path::new(&at("a.hlog")).exists());
}

#[test]
fn the_schema_of_each_document_is_printed() {
    for name in blast::report::schema::names() {
        let run = Blast::verb("report").args("--schema").arg(name).run();
        let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let id = schema["properties"]["schema"]["const"].as_str().unwrap();
        assert_eq!(id, format!("blast.{name}/1"));
        assert_eq!(schema["additionalProperties"], false, "{name}");
    }
}

#[test]
fn a_table_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let (server, folder) = (Server::answering(ok()), Folder::new());
    fs::write(folder.path().join("file"), "").unwrap();
    fs::create_dir(folder.path().join("a_stats.csv")).unwrap();
    for prefix in ["file/a", "a", "file/deep/a", "/proc/a"] {
        let prefix = folder.path().join(prefix);
        let blast = Blast::page("epoll", &server.url()).args(LOAD).args("--csv");
        let run = blast.arg(prefix.to_str().unwrap()).run();
        assert!(matches!(run.code(), Some(1 | 2)), "{run:?}");
        assert!(run.complaint().starts_with("--csv: "), "{run:?}");
    }
    assert_eq!(server.connections(), 0);
}
