//! Plan files through the program: what `blast run` sends is told by the one who received it, and
//! what it reports is held against that.

mod captures;
mod checks;
mod data;
mod mix;
mod once;
mod pace;
mod sessions;
mod templates;
mod uploads;
mod users;

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::Value;

use crate::support::{Blast, Document, Folder, Peer, Server, ok};

/// A request as it arrived.
#[derive(Clone, Debug)]
struct Call {
    connection: usize,
    at: Instant,
    head: String,
    body: Vec<u8>,
}

impl Call {
    /// Method and target.
    fn line(&self) -> &str {
        self.head.split(" HTTP/1.1\r\n").next().unwrap()
    }

    fn target(&self) -> &str {
        self.line().split_once(' ').unwrap().1
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// A field that must be there.
    #[track_caller]
    fn of(&self, name: &str) -> &str {
        self.field(name).unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server that keeps what it hears, in the order in which it was heard.
struct Witness {
    server: Server,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Witness {
    fn new() -> Witness {
        Witness::answering(|_| ok().into())
    }

    fn answering(answer: impl Fn(&Call) -> Vec<u8> + Send + Sync + 'static) -> Witness {
        Witness::serving(move |peer, call| peer.write(answer(call)))
    }

    /// With the answer in the hands of `serve`.
    fn serving(serve: impl Fn(&mut Peer, &Call) + Send + Sync + 'static) -> Witness {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let kept = calls.clone();
        let server = Server::start(move |peer| attend(peer, &kept, &serve));
        Witness { server, calls }
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// What came since it was asked last.
    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn targets(&self) -> Vec<String> {
        self.calls().iter().map(|call| call.target().to_string()).collect()
    }

    fn url(&self) -> String {
        self.server.url()
    }
}

fn attend(peer: &mut Peer, calls: &Mutex<Vec<Call>>, serve: &impl Fn(&mut Peer, &Call)) {
    while let Some((heard, body)) = peer.request_and_body() {
        let call =
            Call { connection: heard.connection, at: Instant::now(), head: heard.head, body };
        calls.lock().unwrap().push(call.clone());
        serve(peer, &call);
    }
}

/// A plan file in a folder of its own.
struct Script(Folder);

impl Script {
    /// Without a `url`, which is the server's.
    fn new(text: &str) -> Script {
        Script(Folder::new()).with("plan.toml", text)
    }

    /// A file that the plan refers to.
    fn with(self, name: &str, contents: impl AsRef<[u8]>) -> Script {
        fs::write(self.0.path().join(name), contents).unwrap();
        self
    }

    /// `blast run` of it that leaves the cores to others.
    fn page(&self, engine: &str, url: &str) -> Blast {
        let plan = self.0.path().join("plan.toml");
        let blast = Blast::verb("run").arg(plan.to_str().unwrap());
        blast.arg("--engine").arg(engine).arg("--host").arg(url).args("--wait block --pin off")
    }

    /// The same with the document instead of the page.
    fn blast(&self, engine: &str, url: &str) -> Blast {
        self.page(engine, url).args("--json")
    }

    /// The document of a run that ended well.
    #[track_caller]
    fn play(&self, engine: &str, witness: &Witness, words: &str) -> Document {
        self.blast(engine, &witness.url()).args(words).document()
    }
}

impl Document {
    /// A row of the results by its name.
    #[track_caller]
    fn named(&self, name: &str) -> &Value {
        let rows = self.at("names").as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name);
        row.unwrap_or_else(|| panic!("no row {name} in {rows:?}"))
    }

    /// How many requests of a row were sent.
    #[track_caller]
    fn sent(&self, name: &str) -> u64 {
        self.named(name)["requests"]["sent"].as_u64().unwrap()
    }

    /// How often a check held, and how often it did not.
    #[track_caller]
    fn check(&self, name: &str) -> (u64, u64) {
        let checks = self.at("checks").as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name);
        let check = check.unwrap_or_else(|| panic!("no check {name} in {checks:?}"));
        (check["passed"].as_u64().unwrap(), check["failed"].as_u64().unwrap())
    }
}

/// How many of the calls went there.
fn count(calls: &[Call], target: &str) -> u64 {
    calls.iter().filter(|call| call.target() == target).count() as u64
}

/// The calls of each connection, in order.
fn by_connection(calls: &[Call]) -> Vec<Vec<Call>> {
    let most = calls.iter().map(|call| call.connection).max().map_or(0, |most| most + 1);
    let mut all = vec![Vec::new(); most];
    calls.iter().for_each(|call| all[call.connection].push(call.clone()));
    all.retain(|calls| !calls.is_empty());
    all
}
