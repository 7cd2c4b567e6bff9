//! The apparatus: a server and a load as processes of their own, on a core each, and what they
//! wrote.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use blast::Nanos;

use crate::document::Document;
pub use crate::document::Outcome;

const BLAST: &str = env!("CARGO_BIN_EXE_blast");

/// What every experiment is told.
pub struct Lab {
    pub engine: String,
    pub quick: bool,
    folder: PathBuf,
}

impl Lab {
    pub fn new(engine: &str, quick: bool) -> Outcome<Lab> {
        let folder = env::temp_dir().join(format!("blast-experiments-{}", process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Lab { engine: engine.to_owned(), quick, folder })
    }

    /// One of two, by how long the run may take.
    pub fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// `blast target` with these flags, on the lowest core, with a log.
    pub fn target(&self, flags: &str) -> Outcome<Server> {
        self.target_on("0", flags)
    }

    /// The same in the place of an earlier one.
    pub fn target_at(&self, flags: &str, url: &str) -> Outcome<Server> {
        let port = url.trim_end_matches('/').rsplit(':').next();
        self.target_on(port.unwrap_or_default(), flags)
    }

    fn target_on(&self, port: &str, flags: &str) -> Outcome<Server> {
        let log = self.folder.join("log");
        let mut command = Command::new(BLAST);
        command.args(["target", "--port", port, "--pin"]).arg(cores().0.to_string());
        command.args(flags.split_whitespace()).arg("--log").arg(&log);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("blast target: {error}"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            // Without a line it has ended, and said why on stderr.
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        let url = line.trim_end().strip_prefix("blast target listens on ").map(str::to_owned);
        let server = Server { child, url: url.unwrap_or_default(), log: Some(log) };
        if server.url.is_empty() { Err(format!("no target for `{flags}`")) } else { Ok(server) }
    }

    /// nginx as one process, so that one signal stops all of it; `None` where it is not installed.
    pub fn nginx(&self) -> Outcome<Option<Server>> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.map_err(|error| format!("no free port: {error}"))?.port();
        let (folder, file) = (self.folder.display(), self.folder.join("nginx.conf"));
        let text = format!(
            "daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;\n\
             worker_rlimit_nofile 4096; events {{ worker_connections 2048; }}\n\
             http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};\n\
             fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};\n\
             server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000000;\n\
             location / {{ return 200 \"hello\"; }} }} }}\n"
        );
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else { return Ok(None) };
        let url = format!("http://127.0.0.1:{port}/");
        let (server, began) = (Server { child, url, log: None }, Instant::now());
        let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        while !listens() {
            if began.elapsed() > Duration::from_secs(5) {
                return Err("nginx did not start".to_owned());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Some(server))
    }

    /// A load of one worker on the highest core, to its end.
    pub fn load(&self, server: &Server, flags: &str) -> Outcome<Document> {
        self.start(server, &format!("-t 1 --pin {} {flags}", cores().1))?.end()
    }

    /// A load that places its own workers.
    pub fn load_unpinned(&self, server: &Server, flags: &str) -> Outcome<Document> {
        self.start(server, flags)?.end()
    }

    pub fn start_pinned(&self, server: &Server, flags: &str) -> Outcome<Running> {
        self.start(server, &format!("-t 1 --pin {} {flags}", cores().1))
    }

    /// A verb and what it takes, pinned like a load.
    pub fn carry_out(&self, server: &Server, words: &[String], flags: &str) -> Outcome<Document> {
        self.begin(server, words, &format!("-t 1 --pin {} {flags}", cores().1))?.end()
    }

    /// The same of a verb with a document of its own.
    pub fn study(&self, server: &Server, words: &[String], flags: &str) -> Outcome<Document> {
        let running = self.begin(server, words, &format!("-t 1 --pin {} {flags}", cores().1))?;
        let (status, text, complaint) = running.output()?;
        match status.code() {
            Some(0 | 4) => Document::of_study(&text),
            _ => Err(format!("`blast {flags}`: {status}: {}", complaint.trim())),
        }
    }

    /// This thread is where loads are.
    pub fn sit_on_the_core_of_loads(&self) {
        blast::host::pin(cores().1);
    }

    fn start(&self, server: &Server, flags: &str) -> Outcome<Running> {
        self.begin(server, &[], flags)
    }

    fn begin(&self, server: &Server, words: &[String], flags: &str) -> Outcome<Running> {
        let mut command = Command::new(BLAST);
        command.args(words);
        command.args(["--engine", &self.engine, "--json"]).args(flags.split_whitespace());
        command.arg(&server.url).stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.stderr(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("blast: {error}"))?;
        Ok(Running { child, flags: flags.to_owned() })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One for the server and one for the load: the lowest and the highest allowed.
fn cores() -> (usize, usize) {
    let cores = blast::host::allowed_cores();
    (cores.first().copied().unwrap_or(0), cores.last().copied().unwrap_or(0))
}

/// A server process, killed when it is dropped.
pub struct Server {
    child: Child,
    url: String,
    log: Option<PathBuf>,
}

impl Server {
    /// Ends a target in order; its log says what it saw.
    pub fn stop(mut self) -> Outcome<Log> {
        signal(&self.child, libc::SIGTERM);
        self.child.wait().map_err(|error| format!("the target: {error}"))?;
        let path = self.log.take().ok_or("this server has no log")?;
        let text = fs::read_to_string(&path).map_err(|error| format!("the log: {error}"))?;
        text.lines().map(Seen::parse).collect::<Option<_>>().map(Log).ok_or("a broken log".into())
    }

    /// Stops it for so long; says for how long it really was, in seconds.
    pub fn freeze(&self, time: Duration) -> f64 {
        freeze(&self.child, time)
    }

    /// SIGKILL; says where it was.
    pub fn kill(self) -> String {
        self.url.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A load under way, killed when it is dropped.
pub struct Running {
    child: Child,
    flags: String,
}

impl Running {
    pub fn freeze(&self, time: Duration) -> f64 {
        freeze(&self.child, time)
    }

    /// The processor time it has used, in seconds.
    pub fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        // Behind the name in brackets: user and system time are the 12th and 13th field, in ticks.
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    /// Sends a signal. The exit code, and the document as in [`Running::end`].
    pub fn interrupt(self, by: i32) -> Outcome<(Option<i32>, Outcome<Document>)> {
        signal(&self.child, by);
        let (status, text, complaint) = self.output()?;
        let document = Document::parse(&text).map_err(|error| format!("{error}: {complaint}"));
        Ok((status.code(), document))
    }

    /// The document, its invariants checked. Exit 4, blast was the limit, is for the figures to
    /// tell.
    pub fn end(self) -> Outcome<Document> {
        let flags = self.flags.clone();
        let (status, text, complaint) = self.output()?;
        if !matches!(status.code(), Some(0 | 4)) {
            return Err(format!("`blast {flags}`: {status}: {}", complaint.trim()));
        }
        let document =
            Document::parse(&text).map_err(|error| format!("`blast {flags}`: {error}"))?;
        if document.is_complete() {
            Ok(document)
        } else {
            Err(format!("`blast {flags}`: cut short"))
        }
    }

    fn output(mut self) -> Outcome<(ExitStatus, String, String)> {
        let (mut text, mut complaint) = (String::new(), String::new());
        let broken = |error: std::io::Error| format!("blast's output: {error}");
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut text).map_err(broken)?;
        }
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut complaint).map_err(broken)?;
        }
        let status = self.child.wait().map_err(broken)?;
        Ok((status, text, complaint))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn freeze(child: &Child, time: Duration) -> f64 {
    let began = Instant::now();
    signal(child, libc::SIGSTOP);
    thread::sleep(time);
    signal(child, libc::SIGCONT);
    began.elapsed().as_secs_f64()
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: signals our own child, which has not been waited for.
    unsafe { libc::kill(child.id() as i32, signal) };
}

/// What a target saw, in the order of arrival.
pub struct Log(Vec<Seen>);

/// One request.
#[derive(Clone, Copy)]
pub struct Seen {
    pub arrived: Nanos,
    /// Zero: never.
    pub answered: Nanos,
}

impl Seen {
    fn parse(line: &str) -> Option<Seen> {
        let mut numbers = line.split(' ').map(|word| word.parse().ok().map(Nanos));
        Some(Seen { arrived: numbers.next()??, answered: numbers.next()?? })
    }
}

impl Log {
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Since the first one, in seconds.
    pub fn arrived(&self) -> Vec<f64> {
        let first = self.0.first().map_or(Nanos::ZERO, |seen| seen.arrived);
        self.0.iter().map(|seen| (seen.arrived - first).as_secs_f64()).collect()
    }

    /// From arrival to answer, of those that were answered, in seconds.
    pub fn held(&self) -> Vec<f64> {
        let answered = self.0.iter().filter(|seen| seen.answered > Nanos::ZERO);
        answered.map(|seen| (seen.answered - seen.arrived).as_secs_f64()).collect()
    }

    pub fn unanswered(&self) -> u64 {
        self.0.iter().filter(|seen| seen.answered == Nanos::ZERO).count() as u64
    }

    pub fn held_longer_than(&self, seconds: f64) -> u64 {
        self.held().iter().filter(|held| **held > seconds).count() as u64
    }
}
