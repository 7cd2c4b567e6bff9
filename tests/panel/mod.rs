//! The panel through its program: `blast serve` as somebody starts it, asked over loopback as any
//! program asks it.
//!
//! ```text
//! client   requests, and streams of events
//! process  the panel's child, seen from outside
//! guide    the guide's four paths, by curl
//! access   who may, and may not any more
//! deaths   what becomes of a run whose panel ends, however it does
//! loads    what can be started: presets, searches, ladders
//! others   runs of command lines beside the panel, and old ones
//! ```

mod access;
mod client;
mod deaths;
mod guide;
mod loads;
mod others;
mod process;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::RwLockReadGuard;

use blast::history::{History, Row};
use serde_json::Value;

use self::client::Client;
use self::process::Held;
use crate::support::{Blast, Document, Folder, LIMIT, NO_CALIBRATION, Run, shared};

/// A plan that leaves the cores to the tests beside this one.
const CALM: &str = "[load]\nwait = \"block\"\npin = \"off\"\n[[requests]]\nname = \"root\"\n";

/// A history, a lock, plans and an admin's token, in a folder of their own.
struct Place {
    folder: Folder,
    token: String,
    /// Panels and their runs disturb nobody who measures time.
    _shared: RwLockReadGuard<'static, ()>,
}

impl Place {
    fn new() -> Place {
        let (folder, token, _shared) = (Folder::new(), String::new(), shared());
        let mut place = Place { folder, token, _shared };
        fs::create_dir(place.plans()).unwrap();
        fs::write(place.plans().join("calm.toml"), CALM).unwrap();
        place.token = place.token("ci", "admin");
        place
    }

    fn plans(&self) -> PathBuf {
        self.folder.path().join("plans")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn lock(&self) -> PathBuf {
        self.folder.path().join("lock")
    }

    /// What becomes of a command of blast here.
    fn of(&self, blast: Blast) -> Blast {
        let blast = blast.env("BLAST_HISTORY", self.file()).env("BLAST_LOCK", self.lock());
        blast.env("USER", "ada")
    }

    /// A verb that goes well.
    fn run(&self, verb: &str, words: &str) -> Run {
        let run = self.of(Blast::verb(verb)).args(words).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        run
    }

    /// What a program shows; it stands there once.
    fn token(&self, name: &str, role: &str) -> String {
        let run = self.run("serve", &format!("token add {name} --role {role}"));
        run.stdout.trim().to_string()
    }

    fn user(&self, name: &str, password: &str) {
        let mut command = self.command();
        command.args(["serve", "user", "add", name, "--role", "viewer"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
        assert!(child.wait().unwrap().success(), "the user is made");
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
        command.env("BLAST_HISTORY", self.file()).env("BLAST_LOCK", self.lock());
        command.env("BLAST_CALIBRATION", NO_CALIBRATION);
        for limit in ["WORKERS", "RPS", "DURATION"] {
            command.env_remove(format!("STRESS_TEST_MAX_{limit}"));
        }
        command
    }

    /// With one target: `app`.
    fn panel(&self, target: &str, words: &str) -> Panel {
        let mut command = self.command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--plans"]).arg(self.plans());
        command.arg("--target").arg(format!("app={target}")).args(words.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        Panel { client: Client::new(address.parse().unwrap(), &self.token), child }
    }

    fn history(&self) -> History {
        History::open(&self.file()).unwrap()
    }

    fn row(&self, id: i64) -> Row {
        self.history().show(id).unwrap()
    }

    /// Its books were checked when it was read.
    fn document(&self, id: i64) -> Document {
        let bytes = self.history().document(id).unwrap();
        let bytes = bytes.unwrap_or_else(|| panic!("run {id} has no document"));
        Document::parse(&String::from_utf8(bytes).unwrap())
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

/// `blast serve`; killed at the end, with what it started.
struct Panel {
    client: Client,
    child: Child,
}

impl Panel {
    /// Returns the number of the run.
    fn start(&self, job: &Value) -> i64 {
        let answer = self.client.post("/api/v1/runs", job);
        assert_eq!(answer.status, 202, "{job}: {}", answer.text());
        answer.json()["id"].as_i64().unwrap()
    }

    fn run(&self, id: i64) -> Value {
        let answer = self.client.get(&format!("/api/v1/runs/{id}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The process of the run that goes on.
    fn run_process(&self) -> Held {
        let found = process::children(self.child.id());
        let [run] = found[..] else { panic!("{found:?} are the panel's children") };
        Held::of(run)
    }

    /// As a host does that is out of memory.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As a service manager does.
    fn terminate(&mut self) -> ExitStatus {
        let panel = Held::of(self.child.id());
        panel.signal(libc::SIGTERM);
        assert!(panel.ends_within(LIMIT).is_some(), "it never ended");
        self.child.wait().unwrap()
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        for child in process::children(self.child.id()) {
            Held::of(child).signal(libc::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
