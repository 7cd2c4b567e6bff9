//! `--profile`: a profiler beside the load, on the watched server and for measure alone; and `blast
//! profile`, which reads what others took. The profilers are scripts that say what they were told,
//! and perf and py-spy themselves where this host has them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::{
    Blast, Document, Folder, LIMIT, Outsider, Server, beside_others, ok, skipped,
};

/// What a busy machine may add to when something is done.
const LATE: f64 = 2.0;

fn profile(document: &Document) -> &Value {
    let profile = document.at("profile");
    assert!(!profile.is_null(), "{:?}", document.at("warnings"));
    profile
}

fn functions<'a>(profile: &'a Value) -> Vec<(&'a str, f64)> {
    let functions = profile["functions"].as_array().unwrap().iter();
    let row = |one: &'a Value| (one["name"].as_str().unwrap(), one["self_share"].as_f64().unwrap());
    functions.map(row).collect()
}

fn profile_failed(document: &Document) -> &str {
    assert!(document.at("profile").is_null());
    let warnings = document.at("warnings").as_array().unwrap();
    let found = warnings.iter().find(|warning| warning["code"] == "profile_failed");
    found.unwrap_or_else(|| panic!("{warnings:?}"))["text"].as_str().unwrap()
}

/// Seconds since 1970.
fn wall(text: &str) -> f64 {
    text.trim().parse().unwrap_or_else(|_| panic!("{text} is no time"))
}

fn is_left(pid: &str) -> bool {
    let stat = Path::new("/proc").join(pid.trim()).join("stat");
    fs::read_to_string(stat).is_ok_and(|stat| !stat.contains(") Z"))
}

fn until(what: &str, reached: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !reached() {
        assert!(start.elapsed() < LIMIT, "never {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A file that is there in full: it ends in a newline.
fn written(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().filter(|text| text.ends_with('\n'))
}

#[test]
fn a_profiler_is_told_the_server_and_runs_while_it_is_measured() {
    beside_others(|| {
        let (server, folder) = (Outsider::start(""), Folder::new());
        let script = folder.path().join("profiler");
        fs::write(
            &script,
            "date +%s.%N >\"$4/began\"\n\
             trap 'date +%s.%N >\"$4/ended\"; printf \"main;work;pid_%s 6\\nmain;epoll_wait 90\\n\
             main;PQexec %s\\n\" $1 $2 >\"$3\"; exit 0' INT\n\
             while :; do sleep 0.02; done\n",
        )
        .unwrap();
        let command =
            format!("sh {} {{pid}} 4 {{out}} {}", script.display(), folder.path().display());
        let watch = format!("--watch pid:{}", server.pid());
        let blast = Blast::calm("epoll", server.url()).args("-c 2 -R 50 --warmup 1 -d 2");
        let document = blast.args(&watch).args("--profile").arg(&command).document();

        let measure = document.text("started_at").to_string();
        let measure = humantime::parse_rfc3339(&measure).unwrap();
        let measure = measure.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        let at = |name: &str| wall(&fs::read_to_string(folder.path().join(name)).unwrap());
        let (began, ended) = (at("began") - measure, at("ended") - measure);
        // The wall clock of the document has milliseconds.
        assert!((-0.01..LATE).contains(&began), "it began {began} s into measure");
        assert!((2.0 - 0.01..2.0 + LATE).contains(&ended), "it ended {ended} s into measure");

        let profile = profile(&document);
        assert_eq!((&profile["tool"], &profile["samples"]), (&"command".into(), &100.into()));
        let me = format!("pid_{}", server.pid());
        assert_eq!(functions(profile), [(me.as_str(), 0.6), ("PQexec", 0.4)]);
        assert_eq!(profile["waiting_share"], 0.9);
        assert_eq!(
            (&profile["by_class"]["cpu"], &profile["by_class"]["database"]),
            (&0.6.into(), &0.4.into())
        );
    });
}

#[test]
fn a_profiler_that_knows_the_time_ends_by_itself() {
    beside_others(|| {
        let server = Outsider::start("");
        let command = "sleep {seconds}; echo \"main;{seconds} 1\" >{out} # {pid}";
        let blast = Blast::calm("epoll", server.url()).args("-c 1 -R 20 -d 1500ms");
        let watch = format!("--watch pid:{}", server.pid());
        let document = blast.args(&watch).args("--profile").arg(command).document();
        assert_eq!(functions(profile(&document)), [("1", 1.0)]);
    });
}

#[test]
fn a_profiler_that_fails_is_a_warning_and_the_run_goes_on() {
    beside_others(|| {
        let server = Outsider::start("");
        let blast = Blast::calm("epoll", server.url()).args("-c 1 -R 20 -d 500ms");
        let watch = format!("--watch pid:{} --profile", server.pid());
        let command = "echo first >&2; echo 'password=s3cret {pid} denied' >&2; exit 7";
        let run = blast.args(&watch).arg(command).run();
        assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
        let document = run.document();
        let why = profile_failed(&document);
        assert!(why.contains("denied") && why.contains("password=***"), "{why}");
        assert!(!run.stdout.contains("s3cret") && !run.stderr.contains("s3cret"), "{run:?}");
    });
}

#[test]
fn whoever_cannot_be_profiled_is_told_before_anything_is_sent() {
    let server = Server::answering(ok());
    for (flags, expected) in [
        ("--watch off --profile", "no server on this host is watched"),
        ("--watch off --profile perf", "name it with --watch PID"),
    ] {
        let run = Blast::page("epoll", &server.url()).args("-d 1").args(flags).run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains(expected), "{run:?}");
    }
    let run = Blast::page("epoll", &server.url()).args("--profile=prf").run();
    assert_eq!(run.code(), Some(2), "{run:?}");
    let told = "write perf, py-spy, or a command with {pid} in it";
    assert!(run.complaint().contains(told), "{run:?}");
    // A host that has none.
    let outsider = Outsider::start("");
    let watch = format!("--watch pid:{} --profile", outsider.pid());
    let run = Blast::page("epoll", outsider.url()).args(&watch).env("PATH", "/nowhere").run();
    assert_eq!(run.code(), Some(2), "{run:?}");
    assert!(run.complaint().contains("--profile 'COMMAND {pid}'"), "{run:?}");
}

#[test]
fn ctrl_c_ends_the_profiler_and_keeps_what_it_has_seen() {
    beside_others(|| {
        let (server, folder) = (Outsider::start(""), Folder::new());
        let pid = folder.path().join("pid");
        let command = format!(
            "trap 'echo \"main;seen 1\"; exit 0' INT; echo $$ >{}; \
             while :; do sleep 0.02; done # {{pid}}",
            pid.display()
        );
        let watch = format!("--watch pid:{} --profile", server.pid());
        let blast = Blast::calm("epoll", server.url()).args("-c 1 -R 20 -d 60").args(&watch);
        let running = blast.arg(&command).start();
        until("started", || written(&pid).is_some());
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        assert_eq!(functions(profile(&run.document())), [("seen", 1.0)]);
        assert!(!is_left(&written(&pid).unwrap()));
    });
}

#[test]
fn a_profiler_does_not_outlive_a_blast_that_is_killed() {
    beside_others(|| {
        let (server, folder) = (Outsider::start(""), Folder::new());
        let pid = folder.path().join("pid");
        let command = format!("echo $$ >{}; while :; do sleep 0.02; done # {{pid}}", pid.display());
        let watch = format!("--watch pid:{} --profile", server.pid());
        let blast = Blast::calm("epoll", server.url()).args("-c 1 -R 20 -d 60").args(&watch);
        let running = blast.arg(&command).start();
        until("started", || written(&pid).is_some());
        running.signal(libc::SIGKILL);
        let _ = running.end();
        until("ended", || !is_left(&written(&pid).unwrap()));
    });
}

#[test]
fn a_plan_names_a_profiler_that_is_known_and_no_command() {
    let (server, folder) = (Server::answering(ok()), Folder::new());
    let file = folder.path().join("plan.toml");
    let plan = |tool: &str| {
        let text = format!(
            "url = \"{}\"\n[load]\nconnections = 1\nduration = \"1s\"\n[monitor]\nwatch = \"off\"\n\
             profile = \"{tool}\"\n[[requests]]\nname = \"a\"\npath = \"/\"\n",
            server.url()
        );
        fs::write(&file, text).unwrap();
        Blast::verb("run").arg(&file.to_string_lossy()).run()
    };
    let run = plan("touch /tmp/x {pid}");
    assert_eq!(run.code(), Some(2), "{run:?}");
    assert!(run.stderr.contains("a plan names no command that profiles"), "{run:?}");
    let run = plan("auto");
    assert_eq!(run.code(), Some(2), "{run:?}");
    assert!(run.stderr.contains("no server on this host is watched"), "{run:?}");
}

/// Whether a program is here and runs.
fn has(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// A loop that is killed at the end, and says when it is there.
struct Busy(Child);

impl Busy {
    fn start(program: &str, arguments: &[&str]) -> Busy {
        let mut command = Command::new(program);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Busy(child)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn profiled(pid: u32, tool: &str) -> Document {
    let server = Server::answering(ok());
    let blast = Blast::calm("epoll", &server.url()).args("-c 1 -R 20 -d 2");
    blast.args(&format!("--watch pid:{pid} --profile {tool}")).document()
}

#[cfg(feature = "profile")]
#[test]
fn perf_sees_what_a_process_does() {
    if !has("perf") {
        return skipped("perf", "this host has none");
    }
    beside_others(|| {
        let busy = Busy::start("bash", &["-c", "echo ready; while :; do :; done"]);
        let document = profiled(busy.0.id(), "perf");
        if document.at("profile").is_null() {
            return skipped("perf", profile_failed(&document));
        }
        let profile = profile(&document);
        assert_eq!((&profile["tool"], &profile["waiting_share"]), (&"perf".into(), &Value::Null));
        // 99 a second, over 2 s, of a core that others want as well.
        let samples = profile["samples"].as_u64().unwrap();
        assert!((5..=250).contains(&samples), "{profile:#}");
        assert!(functions(profile).iter().map(|(_, share)| share).sum::<f64>() > 0.5);
        let stacks = profile["stacks"].as_array().unwrap();
        assert!(
            stacks.iter().all(|stack| stack.as_str().unwrap().starts_with("bash;")),
            "{stacks:?}"
        );
    });
}

const PYTHON: &str = "import time\ndef burn():\n    return sum(i * i for i in range(20000))\n\
                      print('ready', flush=True)\nwhile True:\n    burn()\n";

#[test]
fn py_spy_sees_the_functions_of_python() {
    if !has("py-spy") || !has("python3") {
        return skipped("py-spy", "this host has none, or no python3");
    }
    beside_others(|| {
        let busy = Busy::start("python3", &["-c", PYTHON]);
        // Nobody said which: it is Python, so it is py-spy.
        let document = profiled(busy.0.id(), "auto");
        let profile = profile(&document);
        assert_eq!(profile["tool"], "py-spy");
        let functions = functions(profile);
        assert!(functions.iter().any(|(name, _)| name.contains("burn")), "{functions:?}");
        // The command line of a process may hold anything.
        assert!(!profile.to_string().contains("range(20000)"), "{profile:#}");
    });
}

#[test]
fn what_cprofile_wrote_is_shown_with_waiting_apart() {
    if !has("python3") {
        return skipped("cProfile", "this host has no python3");
    }
    let folder = Folder::new();
    let (program, out) = (folder.path().join("app.py"), folder.path().join("app.pstat"));
    fs::write(
        &program,
        "import time\ndef burn():\n    return sum(i * i for i in range(300000))\n\
         def rest():\n    time.sleep(0.3)\nburn()\nrest()\n",
    )
    .unwrap();
    let mut python = Command::new("python3");
    python.args(["-m", "cProfile", "-o"]).arg(&out).arg(&program);
    assert!(python.status().unwrap().success());

    let file = out.to_string_lossy();
    let run = Blast::verb("profile").arg(&file).args("--json").run();
    assert_eq!(run.code(), Some(0), "{run:?}");
    let profile: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&profile["tool"], &profile["unit"]), (&"cProfile".into(), &"us".into()));
    let found = functions(&profile);
    assert!(found[0].0.contains("genexpr") || found[0].0.contains("sum"), "{found:?}");
    assert!(!found.iter().any(|(name, _)| name.contains("sleep")), "{found:?}");
    assert_eq!(profile["waits"][0]["name"], "{built-in method time.sleep}");
    let waited = profile["waiting_share"].as_f64().unwrap() * profile["samples"].as_f64().unwrap();
    // It slept for 0.3 s; what a busy machine adds to that is its own.
    assert!((300_000.0..3_000_000.0).contains(&waited), "{waited} us");

    let run = Blast::verb("profile").arg(&file).run();
    assert!(run.stdout.contains("waited in\n") && run.stdout.contains("time.sleep"), "{run:?}");
}

#[test]
fn collapsed_stacks_are_shown_and_drawn() {
    let folder = Folder::new();
    let stacks = folder.path().join("app.folded");
    fs::write(&stacks, "main;parse 30\nmain;recv 50\nmain;sqlite3_step 20\n").unwrap();
    let graph = folder.path().join("app.svg");
    let blast = Blast::verb("profile").arg(&stacks.to_string_lossy());
    let blast = match cfg!(feature = "profile") {
        true => blast.args("-o").arg(&graph.to_string_lossy()),
        false => blast,
    };
    let run = blast.run();
    assert_eq!(run.code(), Some(0), "{run:?}");
    assert_eq!(
        run.stdout,
        "stacks, 100 samples: CPU 60.0 %, database 40.0 %; waiting 50.0 %, which is not\nin these \
         shares\n\n   self   total  class     function\n 60.0 %  60.0 %  cpu       parse\n 40.0 %  \
         40.0 %  database  sqlite3_step\n\nwaited in\n 50.0 %  recv\n"
    );
    if cfg!(feature = "profile") {
        let svg = fs::read_to_string(&graph).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("sqlite3_step (20 samples, 20.00%)"));
    }
}

#[test]
fn what_is_no_profile_is_refused_in_a_sentence() {
    let folder = Folder::new();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    };
    for (path, expected) in [
        (file("text.txt", b"hello world\n"), "line 1 is no collapsed stack"),
        (file("empty.folded", b""), "there is no sample in it"),
        (file("noise.bin", b"\xff\xfe\x00"), "neither text nor a file of cProfile's"),
        (file("cut.pstat", b"{)\x03z\x05app"), "cut short or broken"),
        (
            file("bomb.pstat", &[b"{".as_slice(), &b")\x01".repeat(100_000)].concat()),
            "nested deeper",
        ),
        (folder.path().join("gone").to_string_lossy().into_owned(), "cannot be read"),
    ] {
        let run = Blast::verb("profile").arg(&path).run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.complaint().contains(expected), "{run:?}");
    }
}
