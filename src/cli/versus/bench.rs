//! A run of a tool on this host: its files, its program, its output; beside it the server's side.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use super::log::AccessLog;
use super::outcome;
use super::server::{Readings, Server};
use crate::engine::stop;
use crate::error::{Error, Result};
use crate::monitor::outsider::{self, Fault, Used};
use crate::study::versus::{Bench, Contender, Ending, Job, Ran, Seen, Task};
use crate::time::Nanos;

/// What a tool may take beyond its time, to start and to end.
const PATIENCE: Nanos = Nanos::from_secs(30);

/// What it may take to tell its version.
const VERSION_LIMIT: Nanos = Nanos::from_secs(5);

/// Between two runs: connections are closed, logs are written.
const PAUSE: Duration = Duration::from_millis(200);

/// What is read of an output.
const MOST_READ: u64 = 256 << 20;

pub struct Host<'a> {
    pub task: &'a Task<'a>,
    pub server: &'a Server,
    pub log: Option<AccessLog>,
    pub readings: Readings,
}

impl Bench for Host<'_> {
    fn run(&mut self, contender: &Contender, job: &Job) -> Ending {
        if let Err(error) = self.lay_out(job) {
            return Ending::Failed(format!("its files could not be written ({error})"));
        }
        let before = self.readings.begin(self.server);
        let log_end = self.log.as_ref().map(AccessLog::end);
        let limit = Nanos::from_secs(self.task.seconds) + PATIENCE;
        let ended = self.start(&contender.program, &job.words, limit);
        let (requests, busy) = self.readings.end(self.server, before);
        let (status, used) = match ended {
            Ok(ended) => ended,
            Err(fault) => return self.fault(fault),
        };
        let complaint = outcome::complaint(status);
        let last_words = outcome::last_words(&self.text(OUT), &self.text(ERR), self.task.url);
        if let Some(words) = &job.then
            && let Err(fault) = self.start(&contender.program, words, PATIENCE)
        {
            return self.fault(fault);
        }
        std::thread::sleep(PAUSE);
        let log = self.log.as_ref().zip(log_end).and_then(|(log, end)| log.since(end));
        let quantile = |q: f64| {
            let time = log.as_ref().and_then(|log| log.times.supported_quantile(q));
            time.map(Nanos::as_micros_f64)
        };
        let logged = self.log.as_ref().map(|_| log.as_ref().map_or(0, |log| log.requests));
        // A log that says nothing does not say that nothing came.
        let requests = requests.or(logged.filter(|lines| *lines > 0));
        let seen = Seen { requests, busy, logged, p50_us: quantile(0.5), p99_us: quantile(0.99) };
        let text = self.text(job.output.as_deref().unwrap_or(OUT));
        let Used { cpu, max_rss_bytes, wall } = used;
        Ending::Ran(Box::new(Ran { text, complaint, last_words, cpu, max_rss_bytes, wall, seen }))
    }
}

/// Where its output and its errors go.
const OUT: &str = "out";
const ERR: &str = "err";

impl Host<'_> {
    /// What it prints of its version; many end with an error after it.
    pub fn version(&self, contender: &Contender) -> Option<String> {
        if contender.tool.version.is_empty() || stop::requests() > 0 {
            return None;
        }
        let words: Vec<String> = contender.tool.version.iter().map(ToString::to_string).collect();
        self.start(&contender.program, &words, VERSION_LIMIT).ok()?;
        outcome::version(&self.text(OUT)).or_else(|| outcome::version(&self.text(ERR)))
    }

    /// Nothing of an earlier run is taken for this one's.
    fn lay_out(&self, job: &Job) -> io::Result<()> {
        if let Some(output) = &job.output {
            let _ = fs::remove_file(self.task.folder.join(output));
        }
        job.files.iter().try_for_each(|(name, text)| fs::write(self.task.folder.join(name), text))
    }

    fn start(
        &self,
        program: &Path,
        words: &[String],
        limit: Nanos,
    ) -> std::result::Result<(ExitStatus, Used), Fault> {
        let file =
            |name: &str| File::create(self.task.folder.join(name)).map_err(Fault::NotStarted);
        let mut command = Command::new(program);
        command.args(words).current_dir(self.task.folder);
        // What is kept is the comparison.
        command.env_remove("BLAST_HISTORY");
        command.stdin(Stdio::null()).stdout(file(OUT)?).stderr(file(ERR)?);
        outsider::run(&mut command, &self.server.client_cores, limit, &|| stop::requests() > 0)
    }

    fn fault(&self, fault: Fault) -> Ending {
        match fault {
            Fault::Cut => Ending::Cut,
            Fault::TooLong => {
                let after = self.task.seconds + PATIENCE.0 / 1_000_000_000;
                Ending::Failed(format!("it did not end, and was killed after {after} s"))
            }
            Fault::NotStarted(error) => {
                let reason = super::super::reason(&error);
                Ending::Failed(format!("it could not be started ({reason})"))
            }
        }
    }

    fn text(&self, name: &str) -> String {
        let mut bytes = Vec::new();
        let file = File::open(self.task.folder.join(name));
        // What cannot be read is as good as nothing.
        let _ = file.and_then(|file| file.take(MOST_READ).read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// For this user alone, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Result<Folder> {
        let name = format!("blast-versus-{}-{}", std::process::id(), crate::time::now().0);
        let path = std::env::temp_dir().join(name);
        // It fails where there is one already, whoever made it.
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            let (folder, reason) = (std::env::temp_dir(), super::super::reason(&error));
            Error::failed(format!(
                "no folder can be made in {} ({reason}); name another in TMPDIR",
                folder.display()
            ))
        })?;
        Ok(Folder(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
