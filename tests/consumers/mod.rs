//! Each file read by what it is for: JUnit's XML by a validator of schemas, the tables by pandas or
//! Python's csv, the lines by Python's json, the page and the pictures by a browser. Where one of
//! them is not installed, that is said.

mod browser;
mod hour;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{Blast, Document, Folder, Server, answer, beside_others, ok, skipped};

/// A file of this folder.
fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a program says of these arguments; `None`, and said so, where there is no such program.
fn program(name: &str, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
    match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skipped(&format!("files read by {name}"), "it is not installed");
            None
        }
        output => Some(output.unwrap()),
    }
}

/// A run of two seconds and a bit that had good answers, rejected ones and a rule that failed, as
/// a document.
fn run(folder: &Folder) -> (PathBuf, Document) {
    let server = Server::start(|peer| {
        while let Some(heard) = peer.request() {
            match heard.head.contains("/busy") {
                true => peer.write(answer("503 Service Unavailable", "busy")),
                false => peer.write(ok()),
            }
        }
    });
    let plan = folder.path().join("plan.toml");
    let requests = format!(
        "url = \"{}\"\n[[requests]]\nname = \"good, often\"\npath = \"/a\"\nweight = 3\n\
         [[requests]]\npath = \"/busy\"\n",
        server.url()
    );
    fs::write(&plan, requests).unwrap();
    let saved = folder.path().join("run.json");
    let words = "-R 200 -d 2200ms -c 4 --wait block --pin off --threshold p50<10s \
                 --threshold errors<1% -o";
    let blast = Blast::verb("run").arg(text(&plan)).args(words).arg(text(&saved));
    let run = blast.run();
    assert_eq!(run.code(), Some(3), "{run:?}");
    let document = Document::parse(&fs::read_to_string(&saved).unwrap()).unwrap();
    (saved, document)
}

/// Those of a saved document.
fn views(saved: &Path, files: &[&str]) {
    let folder = saved.parent().unwrap();
    let asked = files.iter().fold(Blast::verb("report").arg(text(saved)), |blast, file| {
        blast.arg("-o").arg(&format!("{}/{file}", folder.display()))
    });
    let report = asked.run();
    assert_eq!((report.code(), &*report.stderr), (Some(0), ""), "{report:?}");
}

#[test]
fn a_validator_of_schemas_takes_the_xml() {
    beside_others(|| {
        let folder = Folder::new();
        let (saved, _) = run(&folder);
        views(&saved, &["run.xml"]);
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden");
        let golden = fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            golden.filter(|path| path.extension().is_some_and(|end| end == "xml")).collect();
        assert!(files.len() > 5, "{files:?}");
        files.push(folder.path().join("run.xml"));
        let schema = own("junit.xsd");
        for file in &files {
            let arguments = ["--noout", "--schema", text(&schema), text(file)];
            let Some(output) = program("xmllint", &arguments) else { return };
            assert!(output.status.success(), "{}: {output:?}", file.display());
        }
        // And it would not take everything.
        let broken = folder.path().join("broken.xml");
        let good = fs::read_to_string(files.last().unwrap()).unwrap();
        fs::write(
            &broken,
            good.replace("<properties>", "<settings>").replace("/properties", "/settings"),
        )
        .unwrap();
        let arguments = ["--noout", "--schema", text(&schema), text(&broken)];
        assert!(!program("xmllint", &arguments).unwrap().status.success());
    });
}

#[test]
fn scripts_for_locust_read_the_tables_and_pythons_json_the_lines() {
    beside_others(|| {
        let folder = Folder::new();
        let (saved, document) = run(&folder);
        views(&saved, &["tables/", "run.ndjson"]);
        let (tables, lines) = (folder.path().join("tables"), folder.path().join("run.ndjson"));
        let intervals = document.intervals().len();
        for (script, file, expected) in [
            ("tables.py", tables, format!(": 3 rows, {intervals} intervals, 1 failures")),
            ("lines.py", lines, format!("json: {intervals} intervals")),
        ] {
            let arguments = [text(&own(script)), text(&file), text(&saved)].map(str::to_string);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let Some(output) = program("python3", &arguments) else { return };
            assert!(output.status.success(), "{script}: {output:?}");
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.trim().ends_with(&expected), "{script}: {said}");
            if said.starts_with("csv") {
                skipped("tables read by pandas", "it is not installed; Python's csv read them");
            }
        }
    });
}

/// A value that a page's script wrote as JSON.
fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("{name} of {value}"))
}
