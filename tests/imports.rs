//! `blast import`: examples of each format beside the plans that they become, and broken ones
//! beside the sentences that they are refused with. `BLAST_GOLDEN=write cargo test imports`
//! writes both anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blast::plan::Expected;
use blast::plan::file::{Around, VarSheet, Written, build};
use blast::plan::import::{Format, Imported, Wishes, import};
use bytes::Bytes;

use crate::support::{Folder, beside_others};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/imports")
}

/// Examples of a folder: what is no golden file.
fn examples(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_golden = |file: &Path| {
        ["toml", "notes", "refusal"].iter().any(|end| file.extension() == Some(end.as_ref()))
    };
    let mut files: Vec<PathBuf> = files.filter(|file| file.is_file() && !is_golden(file)).collect();
    files.sort();
    files
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap().to_str().unwrap().to_string()
}

fn wishes(file: &Path) -> Wishes {
    Wishes { source: name_of(file), ..Wishes::default() }
}

/// `FILE.END` beside an example.
fn golden(file: &Path, end: &str, text: &str) {
    let path = file.with_file_name(format!("{}.{end}", name_of(file)));
    if std::env::var_os("BLAST_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}

/// The plan as `blast run` would build it, with every file and name of the environment there.
fn assert_builds(imported: &Imported) {
    let written = Written::read("plan.toml", imported.plan.clone());
    let written = written.unwrap_or_else(|error| panic!("{error}\n{}", imported.plan));
    let vars = written.sheet.vars.iter();
    let given = vars.filter(|(_, var): &(_, &VarSheet)| var.default_value().is_none());
    let vars: BTreeMap<String, String> =
        given.map(|(name, _)| (name.to_string(), "1".to_string())).collect();
    let base = written.sheet.url.clone().expect("every import names one");
    let around = Around {
        folder: Path::new("."),
        base: &base,
        read: &|_| Ok(Bytes::from_static(b"\x00\xff")),
        env: &|_| Some("value".to_string()),
        vars: &vars,
        dress: &|_| Ok(()),
        request_id: None,
        expected: &Expected::default(),
        has_rate: false,
        has_rule_by_name: false,
        seed: 1,
        is_shown: false,
    };
    let built = build(&written, &around);
    built.unwrap_or_else(|error| panic!("{error}\n{}", imported.plan));
}

#[test]
fn each_format_becomes_the_plan_beside_it() {
    beside_others(|| {
        for file in examples(&folder()) {
            let imported = import(&fs::read(&file).unwrap(), &wishes(&file));
            let imported = imported.unwrap_or_else(|refusal| panic!("{file:?}: {refusal}"));
            assert_builds(&imported);
            golden(&file, "toml", &imported.plan);
            golden(
                &file,
                "notes",
                &imported.notes.iter().map(|n| format!("{n}\n")).collect::<String>(),
            );
        }
    });
}

#[test]
fn what_is_broken_is_refused_in_the_sentence_beside_it() {
    beside_others(|| {
        for file in examples(&folder().join("broken")) {
            let refusal = import(&fs::read(&file).unwrap(), &wishes(&file));
            let refusal = refusal.expect_err(&name_of(&file));
            golden(&file, "refusal", &format!("{refusal}\n"));
        }
    });
}

#[test]
fn every_format_that_is_named_has_an_example() {
    let names: Vec<String> = examples(&folder()).iter().map(|file| name_of(file)).collect();
    let comments: String = names
        .iter()
        .map(|name| fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap())
        .map(|plan| plan.lines().next().unwrap_or_default().to_string() + "\n")
        .collect();
    let titles = ["HAR 1.2", "vegeta targets)", "vegeta targets in JSON", "list of URLs"];
    for title in titles.iter().chain(&["Postman collection", "OpenAPI 3"]) {
        assert!(comments.contains(title), "{title} is in none of:\n{comments}");
    }
    assert_eq!(Format::ALL.len(), 6);
}

#[test]
fn no_credential_of_a_recording_stands_in_the_plan_unless_it_is_to_be_kept() {
    let secrets = ["5ca1ab1e", "h0rse", "eyJhbGciOi", "pk_live_1234", "tok_abc"];
    let file = folder().join("shop.har");
    let bytes = fs::read(&file).unwrap();
    let imported = import(&bytes, &wishes(&file)).unwrap();
    let shown = format!("{}{:?}", imported.plan, imported.notes);
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
    let kept = import(&bytes, &Wishes { keep_secrets: true, ..wishes(&file) }).unwrap();
    assert!(secrets.iter().all(|secret| kept.plan.contains(secret)), "{}", kept.plan);
    assert!(!kept.plan.contains("{{env"), "{}", kept.plan);
    assert_builds(&kept);
}

#[test]
fn a_thousand_different_requests_are_kept_and_the_most_frequent_of_them() {
    let mut list: String = (0..3000).map(|n| format!("http://h/{n}\n")).collect();
    list += "http://h/2999\n";
    let imported = import(list.as_bytes(), &Wishes::default()).unwrap();
    assert_eq!(imported.plan.matches("[[requests]]").count(), 1000);
    assert!(imported.plan.contains("path = \"/2999\""), "the most frequent one is not there");
    assert!(imported.notes[0].contains("of 3000 different requests"), "{:?}", imported.notes);
}

#[test]
fn shares_are_what_was_counted() {
    let list = "http://h/a\n".repeat(30) + &"http://h/b\n".repeat(20) + &"/c\n".repeat(10);
    let imported = import(list.as_bytes(), &Wishes::default()).unwrap();
    let written = Written::read("plan.toml", imported.plan).unwrap();
    let weights: Vec<u64> =
        written.sheet.requests.iter().map(|request| request.weight.unwrap_or(1)).collect();
    assert_eq!(weights, [3, 2, 1]);
}

/// What the program prints: stdout, stderr, its code.
fn program(folder: &Path, words: &[&str], stdin: Stdio) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    let output = command.arg("import").args(words).current_dir(folder).stdin(stdin).output();
    let output = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

#[test]
fn the_program_prints_the_plan_and_tells_the_rest_on_stderr() {
    let (plan, told, code) = program(&folder(), &["urls.txt"], Stdio::null());
    assert_eq!(plan, fs::read_to_string(folder().join("urls.txt.toml")).unwrap());
    assert!(
        told.contains("blast import: left out: 1 request to http://other.example.com"),
        "{told}"
    );
    assert_eq!(code, 0);
    let stdin = fs::File::open(folder().join("pets.yaml")).unwrap();
    let (plan, _, code) = program(&folder(), &["-"], stdin.into());
    assert!(plan.starts_with("# From stdin (OpenAPI 3): 5 requests.\n"), "{plan}");
    assert_eq!(code, 0);
}

#[test]
fn bodies_that_are_no_text_stand_beside_the_plan() {
    let source = folder().join("vegeta.jsonl");
    let source = source.to_str().unwrap();
    let own = Folder::new();
    let (plan, told, code) = program(own.path(), &[source], Stdio::null());
    assert!(plan.is_empty() && told.contains("`-o plan.toml`") && code == 2, "{told}");
    let (_, told, code) = program(own.path(), &[source, "-o", "plan.toml"], Stdio::null());
    assert_eq!(code, 0, "{told}");
    let body = fs::read(own.path().join("vegeta-body-1.bin")).unwrap();
    assert_eq!(body, [0, 255, 1, 254]);
    let plan = fs::read_to_string(own.path().join("plan.toml")).unwrap();
    assert!(plan.contains("body_file = \"vegeta-body-1.bin\""), "{plan}");
}

#[test]
fn a_plan_in_another_folder_still_finds_the_files() {
    let own = Folder::new();
    fs::create_dir(own.path().join("plans")).unwrap();
    fs::write(own.path().join("targets"), "POST http://h/\n@body.json\n").unwrap();
    let words = ["targets", "-o", "plans/p.toml", "--from", "vegeta"];
    let (_, told, code) = program(own.path(), &words, Stdio::null());
    assert_eq!(code, 0, "{told}");
    let plan = fs::read_to_string(own.path().join("plans/p.toml")).unwrap();
    let body = fs::canonicalize(own.path()).unwrap().join("body.json");
    assert!(plan.contains(body.to_str().unwrap()), "{plan}");
}

#[test]
fn what_cannot_be_imported_is_one_sentence_and_code_2() {
    for (words, expected) in [
        (&["nowhere.har"][..], "nowhere.har cannot be read (No such file or directory)"),
        (&["broken/words.urls"], "words.urls:2: expected `URL` or `METHOD URL`"),
        (&["urls.txt", "--from", "har"], "urls.txt:1: expected HAR 1.2"),
        (&["urls.txt", "--from", "curl"], "`curl` is not one of `har`"),
        (&[], "`FILE` is missing"),
    ] {
        let (stdout, told, code) = program(&folder(), words, Stdio::null());
        assert!(told.contains(expected) && told.lines().count() == 1, "{words:?}: {told}");
        assert!(stdout.is_empty() && code == 2, "{words:?}: {code}");
    }
}
