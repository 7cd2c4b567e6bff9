//! `blast soak`: a server that leaks on purpose, one that does not, and a blast that is killed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use blast::target::{Options, Target};
use serde_json::Value;

use crate::support::{Blast, Document, Folder, LIMIT, Run, closed_port};

/// How often the server forgets a file that it opened, in ms; 0: never.
const LEAK: &str = "BLAST_TEST_LEAK_MS";

/// A process of its own: this one opens and closes files for other tests.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(leak_ms: u64) -> Server {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "soak::a_server_for_the_tests_beside_it"]);
        command.args(["--ignored", "--nocapture"]).env(LEAK, leak_ms.to_string());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.map_while(Result::ok).find_map(|line| {
            line.split_once("http://").map(|(_, address)| format!("http://{address}"))
        });
        Server { child, url: url.expect("it says where it listens") }
    }

    /// What is read beside it is read several times a second, so that some seconds are enough.
    fn soak(&self, duration: &str, block: &str) -> Run {
        let watch = format!("--watch={}", self.child.id());
        let folder = Folder::new();
        let file = folder.path().join("soak.json").display().to_string();
        let blast =
            Blast::verb("soak").args("--json -R 50 -c 2 --wait block --pin off --rating off");
        blast
            .args("-d")
            .arg(duration)
            .args("--block")
            .arg(block)
            .arg(&watch)
            .arg("-o")
            .arg(&file)
            .arg(&self.url)
            .run()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "it is the server of the tests beside it, which start it as a process"]
fn a_server_for_the_tests_beside_it() {
    let Some(every) = std::env::var(LEAK).ok().and_then(|ms| ms.parse::<u64>().ok()) else {
        return;
    };
    let target = Target::start(Options::default()).unwrap();
    println!("http://{}/", target.address());
    let mut kept = Vec::new();
    let started = Instant::now();
    while started.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(every.max(20)));
        if every > 0 && kept.len() < 900 {
            kept.push(File::open("/dev/null").unwrap());
        }
    }
}

fn trend<'a>(document: &'a Document, name: &str) -> &'a Value {
    let mut trends = document.at("soak.trends").as_array().unwrap().iter();
    trends.find(|trend| trend["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_server_that_forgets_to_close_files_is_leaking_and_that_is_exit_3() {
    let server = Server::start(20);
    let run = server.soak("5s", "150ms");
    // On a machine that is too busy for blast the files are still the server's.
    assert!(matches!(run.code(), Some(3 | 4)), "{run:?}");
    let document = run.document();
    assert_eq!(document.text("soak.verdict"), "leaking", "{run:?}");
    let files = trend(&document, "server.fds");
    assert_eq!((&files["state"], &files["growth_is"]), (&"grows".into(), &"leak".into()));
    // 50 a second, on a machine with time for it.
    let per_h = files["slope_per_h"].as_f64().unwrap();
    assert!(per_h > 2.0 * 3_600.0 && per_h < 55.0 * 3_600.0, "{per_h}");
    assert!(files["limit"]["value"].as_f64().unwrap() > 100.0, "{files}");
    let sentence = document.at("soak.sentences")[0].as_str().unwrap();
    assert!(sentence.starts_with("the server's open files grow by "), "{sentence}");
    assert!(document.at("gauges").is_object() && document.is_complete());
}

#[test]
fn a_server_that_gives_back_what_it_takes_is_stable() {
    let server = Server::start(0);
    let run = server.soak("4s", "120ms");
    assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
    let document = run.document();
    // Of a few seconds of times nothing is said, which is no drift.
    assert_eq!(document.text("soak.verdict"), "stable", "{run:?}");
    assert_eq!(trend(&document, "server.fds")["state"], "steady");
    assert_eq!(trend(&document, "response.p50")["state"], "too_short");
}

/// The file as it is there, once it holds a run that got somewhere.
fn checkpoint(file: &Path) -> Document {
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < LIMIT, "never a checkpoint");
        // It is there from one instant to the next, and whole.
        if let Ok(text) = fs::read_to_string(file) {
            let document = Document::parse(&text).unwrap_or_else(|error| panic!("{error}"));
            if document.count("requests.completed") > 0 {
                return document;
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_blast_that_is_killed_leaves_its_last_checkpoint() {
    for load in ["-R 200", "--warmup 100ms"] {
        let target = Target::start(Options::default()).unwrap();
        let folder = Folder::new();
        let file = folder.path().join("soak.json");
        let blast =
            Blast::verb("soak").args("-c 4 -d 60s --checkpoint 200ms --wait block --pin off");
        let blast = blast.args(load).arg("-o").arg(&file.display().to_string());
        let running = blast.arg(&format!("http://{}/", target.address())).start();
        let found = checkpoint(&file);
        running.kill();
        let heard = target.stop().requests;
        assert!(!found.is_complete());
        let [scheduled, sent, good, failed] = found.fates(["scheduled", "sent", "good", "failed"]);
        assert!(sent <= scheduled && good <= sent && good <= heard && failed == 0, "{heard}");
        assert_eq!(found.text("soak.verdict"), "too_short");
        let kept = Document::parse(&fs::read_to_string(&file).unwrap()).unwrap();
        assert!(kept.count("requests.good") >= good && kept.count("requests.completed") <= heard);
        let page = Blast::verb("report").arg(&file.display().to_string()).run();
        assert_eq!(page.code(), Some(0), "{page:?}");
        assert!(page.stdout.contains("INTERRUPTED after"), "{page:?}");
        assert!(page.stdout.contains("soak         too short to say"), "{page:?}");
    }
}

#[test]
fn a_plan_file_soaks_as_it_runs() {
    let target = Target::start(Options::default()).unwrap();
    let folder = Folder::new();
    let plan = folder.path().join("plan.toml");
    let head = format!("url = \"http://{}\"\n", target.address());
    let load = "[load]\nrps = 50\nduration = \"300ms\"\nconnections = 2\n";
    let text = format!("{head}{load}[[requests]]\npath = \"/\"\n");
    fs::write(&plan, text).unwrap();
    let file = folder.path().join("soak.json").display().to_string();
    let blast = Blast::verb("soak").arg(&plan.display().to_string());
    let run = blast.args("--json --wait block --pin off -o").arg(&file).run();
    assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
    let document = run.document();
    assert_eq!(document.text("soak.verdict"), "too_short");
    assert!(document.text("plan.file").ends_with("plan.toml"), "{run:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), run.stdout);
    let blast = Blast::verb("soak").args("- --json --wait block --pin off -o").arg(&file);
    let document = blast.stdin(File::open(&plan).unwrap()).run().document();
    assert_eq!(document.text("soak.verdict"), "too_short");
    assert_eq!(document.count("requests.scheduled"), 15);
}

#[test]
fn what_makes_no_soak_is_one_sentence() {
    let url = format!("http://{}/", closed_port());
    let folder = Folder::new();
    let file = folder.path().join("soak.json").display().to_string();
    for (words, code, expected) in [
        (&["localhost"][..], 2, "add `--duration 8h`"),
        (&["-d", "1h", "--check", "localhost"], 2, "write `blast soak plan.toml`"),
        (&["-d", "1h"], 2, "the URL is missing"),
        (&["-d", "1h", "--settle", "soon", "localhost"], 2, "--settle"),
        (&["-d", "1h", "--settle", "1h", "localhost"], 2, "leave out less"),
        (&["-d", "1h", "-o", "/no/such/a.json", "localhost"], 2, "a directory that exists"),
        (&["-d", "1h", "-o", &file, &url], 1, "connection refused"),
    ] {
        let run = words.iter().fold(Blast::verb("soak"), |blast, word| blast.arg(word)).run();
        assert_eq!(run.code(), Some(code), "{run:?}");
        assert!(run.complaint().contains(expected), "{run:?}");
    }
}
