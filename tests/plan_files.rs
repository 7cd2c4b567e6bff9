//! `blast run`: plan files through the program. Nothing here needs a server.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use blast::cli;

use crate::support::{Folder, NO_CALIBRATION};

const BROKEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plans/broken");

fn blast(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command.env_remove("BLAST_ENGINE").env("BLAST_TEST_KEY", "s3cret");
    command.env("BLAST_CALIBRATION", NO_CALIBRATION);
    command.output().expect("blast starts")
}

/// `blast run` of a plan with these arguments behind it.
fn run(text: &str, arguments: &[&str]) -> Output {
    let folder = Folder::new();
    fs::write(folder.path().join("plan.toml"), text).unwrap();
    fs::write(folder.path().join("users.csv"), "email,password\na@b.c,x\nd@e.f,y\n").unwrap();
    blast(folder.path(), &[&["run", "plan.toml"], arguments].concat())
}

/// What is printed of it.
fn printed(text: &str, arguments: &[&str]) -> String {
    let output = run(text, arguments);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{complaint}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn complaint(text: &str, arguments: &[&str]) -> String {
    let output = run(text, arguments);
    let complaint = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
    assert_eq!(complaint.matches('\n').count(), 1, "{complaint}");
    complaint.strip_prefix("blast: ").expect("a name in front").trim_end().to_string()
}

/// `BLAST_GOLDEN=write cargo test --test main every_broken_plan` writes the sentences anew: look
/// at them before they are kept.
#[test]
fn every_broken_plan_is_refused_with_its_own_sentence() {
    let mut plans: Vec<PathBuf> = fs::read_dir(BROKEN)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    plans.sort();
    assert!(plans.len() > 100);
    for plan in plans {
        let name = plan.file_name().unwrap().to_str().unwrap();
        // --check, but where the run itself is what is refused.
        let check: &[&str] = if name == "protected.toml" { &[] } else { &["--check"] };
        let output = blast(Path::new(BROKEN), &[&["run", name], check].concat());
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(output.stdout.is_empty(), "{name}");
        let golden = plan.with_extension("txt");
        if std::env::var_os("BLAST_GOLDEN").is_some() {
            fs::write(&golden, &said).unwrap();
            continue;
        }
        assert_eq!(said, fs::read_to_string(&golden).unwrap_or_default(), "{name}");
    }
}

#[test]
fn an_error_of_a_broken_plan_is_one_line_that_says_where() {
    for entry in fs::read_dir(BROKEN).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let said = fs::read_to_string(&path).unwrap();
        assert_eq!(said.matches('\n').count(), 1, "{path:?}: {said}");
        let plan = path.with_extension("toml");
        let name = plan.file_name().unwrap().to_str().unwrap();
        // These are about what is typed as much as about the file.
        let is_of_the_command = ["empty", "no-url", "several-targets", "protected"]
            .contains(&path.file_stem().unwrap().to_str().unwrap());
        let place = said.strip_prefix(&format!("blast: {name}:"));
        let is_placed = place.is_some_and(|rest| {
            let mut numbers = rest.splitn(3, ':');
            numbers.by_ref().take(2).all(|number| number.parse::<u32>().is_ok())
        });
        assert!(is_placed || is_of_the_command, "{said}");
    }
}

const HOSPITAL: &str = r#"# The registry of a hospital, on an ordinary day.
url = "http://127.0.0.1:9"
thresholds = ["p99<500ms"]
[targets.production]
url = "https://hospital.example.com"
protected = true
[vars]
channel = { default = 1, help = "channel to test" }
api_key = "demo"
[load]
connections = 4
rps = 100
duration = "30s"
[[requests]]
path = "/"
weight = 3
[[requests]]
name = "new patient"
method = "POST"
path = "/patient/{{var.channel}}"
headers = { Authorization = "Bearer {{env BLAST_TEST_KEY}}", X-Note = "{{env BLAST_TEST_KEY}}" }
json = { name = "{{choice a b}}", mail = "{{data.users.email}}", age = "{{int 7 7}}", password = "pl4in" }
[data.users]
file = "users.csv"
"#;

#[test]
fn the_check_names_target_load_requests_shares_variables_and_data() {
    let text = printed(HOSPITAL, &["--check"]);
    for line in [
        "plan.toml is a valid plan",
        "  The registry of a hospital, on an ordinary day.",
        "target    http://127.0.0.1:9/",
        "model     mix over connections, exact shares",
        "load      3,000 requests at up to 100/s over 30 s on 4 connections",
        "rules     p99<500ms",
        "3       75.0 %  GET /        GET /",
        "1       25.0 %  new patient  POST /patient/{{var.channel}}",
        "  channel = 1                     channel to test",
        "  users: users.csv, 2 rows, in order, then from the first again",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("api_key = ***") && !text.contains("demo"), "{text}");
}

#[test]
fn what_is_shown_is_what_is_sent_but_for_its_secrets() {
    let text = printed(HOSPITAL, &["--show", "4", "--var", "channel=7"]);
    assert_eq!(text.matches("--- ").count(), 4, "{text}");
    assert_eq!(text.matches("GET / HTTP/1.1\nHost: 127.0.0.1:9\n").count(), 3, "{text}");
    assert!(text.contains("POST /patient/7 HTTP/1.1\n"), "{text}");
    assert!(text.contains("\nAuthorization: ***\nX-Note: ***\n"), "{text}");
    assert!(text.contains("\"mail\":\"a@b.c\",\"age\":7,\"password\":\"***\"}"), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("pl4in"), "{text}");
    assert_eq!(text, printed(HOSPITAL, &["--show", "4", "--var", "channel=7"]));
}

#[test]
fn users_are_shown_by_the_steps_of_the_first() {
    let plan = "url = \"http://h\"\n[[requests]]\nname = \"login\"\nform = { user = \"{{user.id}}\" }\n\
                capture = { token = { json = \"/t\" } }\n[[requests]]\nname = \"list\"\n\
                path = \"/l?t={{capture.token}}\"\nheaders = { A = \"{{capture.token}}\" }\n\
                [[requests]]\nname = \"out\"\n[session]\nsetup = [\"login\"]\nteardown = [\"out\"]\n\
                rounds = 1\nsteps = [ { request = \"list\", repeat = 2 } ]\n";
    let text = printed(plan, &["--show", "9"]);
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("--- ")).collect();
    assert_eq!(names, ["1: login", "2: list", "3: list", "4: out"]);
    assert!(text.contains("GET /l?t=*** HTTP/1.1\n"), "{text}");
    assert!(text.contains("\nA: ***\n"), "{text}");
    assert!(text.contains("\n\nuser=1\n"), "{text}");
}

#[test]
fn typed_flags_win_over_the_file() {
    let load = |arguments: &[&str]| {
        let text = printed(HOSPITAL, &[&["--check"], arguments].concat());
        let line = text.lines().find_map(|line| line.strip_prefix("load      "));
        line.expect("a load").to_string()
    };
    for (arguments, expected) in [
        (&["--rps", "10"][..], "300 requests at up to 10/s over 30 s on 4 connections"),
        (&["-d", "10s"], "1,000 requests at up to 100/s over 10 s on 4 connections"),
        (&["-c", "9"], "3,000 requests at up to 100/s over 30 s on 9 connections"),
        (&["--speed", "10x"], "300 requests at up to 100/s over 3 s on 4 connections"),
        (&["-n", "70"], "70 requests at up to 100/s over 30 s on 4 connections"),
        (&["--stages", "10s:100"], "500 requests at up to 100/s over 10 s on 4 connections"),
        (&["--steps", "1..2/1@10s"], "30 requests at up to 2/s over 20 s on 4 connections"),
        (
            &["--users", "50", "--spawn-rate", "5", "--run-time", "2m", "--headless"],
            "as many requests as answers come on 50 connections over 2m",
        ),
        (
            &["--connections-stages", "1m:20,1m:0"],
            "as many requests as answers come on 20 connections over 2m",
        ),
    ] {
        assert_eq!(load(arguments), expected, "{arguments:?}");
    }
}

/// A plan by what it holds.
fn of_words(words: &[&str]) -> String {
    let words: Vec<OsString> = ["blast"].iter().chain(words).map(OsString::from).collect();
    let mut plan = match words.get(1).is_some_and(|word| word == "run") {
        true => cli::plan_of_file(&words).expect("a plan file"),
        false => match cli::parse(&words).expect("flags") {
            cli::Parsed::Cli(typed) => cli::plan(&typed.load).expect("a plan"),
            cli::Parsed::Text(text) => panic!("{text}"),
        },
    };
    plan.file = None;
    format!("{plan:#?}")
}

#[test]
fn a_file_of_one_request_is_the_same_plan_as_its_flags() {
    for (file, flags) in [
        ("url = \"http://h\"\n[[requests]]\n", "http://h"),
        (
            "url = \"http://u:p@h:8080/api\"\n[load]\nrps = \"1k:50k\"\nrun_time = \"1m\"\nusers = 7\n\
             [[requests]]\npath = \"/a?b=c\"\n",
            "http://u:p@h:8080/api/a?b=c -R 1k:50k -d 1m -c 7",
        ),
        (
            "url = \"h\"\n[load]\nstages = [[\"30s\", \"1k\"], [10, 0]]\nwarmup = \"5s\"\ndrain = 1\n\
             arrivals = \"poisson\"\nseed = 5\ntimeout = \"250ms\"\n[[requests]]\n",
            "h --stages 30s:1k,10:0 --warmup 5s --drain 1 --arrivals poisson --seed 5 -T 250ms",
        ),
        (
            "url = \"h\"\n[load]\nusers_stages = [[\"5m\", 100], [\"2m\", 0]]\nno_keepalive = true\n\
             bind = [\"127.0.0.1\", \"127.0.0.2\"]\nengine = \"epoll\"\npin = \"off\"\nipv4 = true\n\
             resolve = [\"h:80:127.0.0.1\"]\n[[requests]]\n",
            "h --connections-stages 5m:100,2m:0 --no-keepalive --bind 127.0.0.1,127.0.0.2 \
             --engine epoll --pin off -4 --resolve h:80:127.0.0.1",
        ),
        (
            "url = \"h\"\nthresholds = [\"p99<5ms\", \"errors<1%\"]\nabort_on = [\"errors>50%\"]\n\
             [[requests]]\nmethod = \"put\"\nbody = \"abc\"\ncontent_type = \"text/plain\"\n\
             headers = { X-A = \"1\", User-Agent = false, B = \"\" }\n\
             expect = { status = [200, \"3xx\"], size = \"1..2\", body = \"/a+/\" }\n",
            "h --threshold p99<5ms --threshold errors<1% --abort-on errors>50% -X PUT -b abc \
             --content-type text/plain -H X-A:1 -H User-Agent: -H B; --expect-status 200,3xx \
             --expect-size 1..2 --expect-body /a+/",
        ),
        (
            "url = \"h\"\n[[requests]]\njson = \"[1]\"\n[load]\nconnections = 3\nrequests = 9\n",
            "h --json-body [1] -c 3 -n 9",
        ),
    ] {
        let folder = Folder::new();
        let path = folder.path().join("plan.toml");
        fs::write(&path, file).unwrap();
        let of_file = of_words(&["run", path.to_str().unwrap()]);
        let of_flags = of_words(&flags.split_whitespace().collect::<Vec<_>>());
        assert_eq!(of_file, of_flags, "{file}");
    }
}

#[test]
fn a_rule_may_name_the_only_request() {
    let plan = "url = \"http://h\"\nthresholds = [\"'GET /'.errors<1%\"]\n[[requests]]\n";
    assert!(printed(plan, &["--check"]).contains("GET /"));
    let other = complaint(&plan.replace("GET /", "POST /"), &["--check"]);
    assert_eq!(
        other,
        "plan.toml:2:15: `'POST /'.errors<1%` is about `POST /`, which is no request; there are \
         `GET /`"
    );
}

#[test]
fn the_target_is_the_files_or_one_that_is_named() {
    let target = |arguments: &[&str]| {
        let text = printed(HOSPITAL, &[&["--check"], arguments].concat());
        let line = text.lines().find_map(|line| line.strip_prefix("target    "));
        line.expect("a target").to_string()
    };
    assert_eq!(target(&["--host", "http://other:7"]), "http://other:7/");
    assert_eq!(target(&["other:7"]), "http://other:7/");
    let guarded = "https://hospital.example.com/ (protected: needs --yes production)";
    assert_eq!(target(&["--target", "production"]), guarded);
    assert_eq!(target(&["--host", "https://hospital.example.com"]), guarded);
    let two = complaint(HOSPITAL, &["--host", "a", "--target", "production"]);
    assert!(two.contains("write one of them"), "{two}");
    let unknown = complaint(HOSPITAL, &["--target", "prodution"]);
    assert!(unknown.ends_with("did you mean `production`?"), "{unknown}");
}

#[test]
fn a_protected_target_needs_its_name_twice() {
    for arguments in [&["--target", "production"][..], &["https://hospital.example.com"]] {
        let refused = complaint(HOSPITAL, arguments);
        for part in ["3,000 requests", "100/s", "30 s", "`--yes production`"] {
            assert!(refused.contains(part), "{refused}");
        }
    }
    let other = complaint(HOSPITAL, &["--target", "production", "--yes", "staging"]);
    assert!(other.contains("names another target"), "{other}");
}

#[test]
fn what_makes_another_request_is_refused_beside_a_plan() {
    for arguments in [
        &["-b", "x"][..],
        &["-X", "PUT"],
        &["-F", "a=b"],
        &["--json-body", "{}"],
        &["--curl", "curl h"],
        &["--content-type", "a/b"],
        &["--user", "a:b"],
        &["--cookie", "a=b"],
        &["--compressed"],
    ] {
        let refused = complaint(HOSPITAL, arguments);
        assert!(refused.contains("the plan has its own"), "{arguments:?}: {refused}");
    }
    let variable = complaint(HOSPITAL, &["--var", "chanel=2"]);
    assert!(variable.ends_with("did you mean `channel`?"), "{variable}");
    let text = printed(HOSPITAL, &["--show", "1", "-H", "X-All: yes", "-H", "User-Agent:"]);
    assert!(text.contains("\nX-All: yes") && !text.contains("User-Agent"), "{text}");
}

#[test]
fn the_schema_is_printed() {
    let output = blast(Path::new(BROKEN), &["run", "--schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["title"], "blast.plan/1");
    assert_eq!(schema["additionalProperties"], false);
}
