//! One child: started, listened to, ended when its time is over, and closed in the history however it
//! went.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::log::Log;
use crate::history::{History, Status};
use crate::serve::refusal::Refusal;

/// Bytes of a line of the child.
const LONGEST: u64 = 4 << 20;

/// A line of what it complains about.
const LONGEST_WORD: usize = 500;

/// What is waited for after its stdout has ended.
const LAST_BREATH: Duration = Duration::from_secs(5);

/// A run that is carried out by a child.
pub struct Run {
    pub id: i64,
    pid: i32,
    log: Mutex<Log>,
    orders: mpsc::UnboundedSender<String>,
    /// Whether it is over, with its row closed.
    over: watch::Sender<bool>,
}

/// How long it may take.
#[derive(Clone, Copy)]
pub struct Time {
    pub ends_within: Duration,
    /// Beyond it until SIGTERM, and from there until SIGKILL.
    pub patience: Duration,
}

impl Run {
    /// `command`: this binary. `first`: what is to be done. It runs by itself from here on.
    pub fn start(
        mut command: std::process::Command,
        history: PathBuf,
        first: &Value,
        (id, is_open_loop): (i64, bool),
        time: Time,
    ) -> Result<Arc<Run>, Refusal> {
        command.arg("child").env_remove("BLAST_HISTORY");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Command::from(command).spawn();
        let mut child = started.map_err(|error| {
            Refusal::failed(format!("blast itself cannot be started ({error}); is it still there?"))
        })?;
        let (orders, told) = mpsc::unbounded_channel();
        // What is sent before anybody reads it waits.
        let _ = orders.send(first.to_string());
        let run = Arc::new(Run {
            id,
            pid: child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0),
            log: Mutex::new(Log::new(is_open_loop)),
            orders,
            over: watch::Sender::new(false),
        });
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(tell(stdin, told));
        }
        tokio::spawn(run.clone().attend(child, history, time));
        Ok(run)
    }

    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn order(&self, order: &Value) {
        // Where the child is gone, its end is on its way.
        let _ = self.orders.send(order.to_string());
    }

    pub fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    pub async fn wait(&self) {
        // The sender is this run's own.
        let _ = self.over.subscribe().wait_for(|is_over| *is_over).await;
    }

    fn signal(&self, signal: i32) {
        if self.pid > 0 && !self.is_over() {
            // SAFETY: a system call on no memory. The number is still the child's: it is waited for
            // by the task that says that it is over, after which nobody comes here.
            unsafe { libc::kill(self.pid, signal) };
        }
    }

    /// It is not waited for any longer.
    pub fn kill(&self) {
        self.signal(libc::SIGKILL);
    }

    async fn attend(self: Arc<Run>, mut child: Child, history: PathBuf, time: Time) {
        let mut is_overdue = false;
        let listened = {
            let listening = self.listen(&mut child);
            tokio::pin!(listening);
            let due = Instant::now() + time.ends_within + time.patience;
            tokio::select! {
                last = &mut listening => last,
                () = sleep_until(due) => {
                    is_overdue = true;
                    self.order(&json!({"do": "over_time"}));
                    self.signal(libc::SIGTERM);
                    match timeout(time.patience, &mut listening).await {
                        Ok(last) => last,
                        Err(_) => {
                            self.signal(libc::SIGKILL);
                            listening.await
                        }
                    }
                }
            }
        };
        let ended = match timeout(LAST_BREATH, child.wait()).await {
            Ok(ended) => ended.map(|status| how(&status)).unwrap_or_default(),
            // It has closed its stdout and goes on.
            Err(_) => {
                let _ = child.kill().await;
                "it did not end".to_string()
            }
        };
        let reason = match is_overdue {
            true => "over time".to_string(),
            false => ended,
        };
        self.close(&history, listened, reason).await;
    }

    /// Both of its voices, until they end; the line that ends a run, if it came.
    async fn listen(&self, child: &mut Child) -> Option<Value> {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let said = async {
            let mut end = None;
            let mut lines = BufReader::new(stdout?);
            while let Some(line) = line(&mut lines).await {
                let value = serde_json::from_str::<Value>(&line).unwrap_or_default();
                if value["type"] == "end" {
                    // It is told when the row is closed.
                    end = Some(value);
                } else {
                    self.log().push(&line);
                }
            }
            end
        };
        let complained = async {
            let Some(stderr) = stderr else { return };
            let mut lines = BufReader::new(stderr);
            while let Some(line) = line(&mut lines).await {
                let text: String = line.chars().take(LONGEST_WORD).collect();
                self.log().push(&json!({"type": "log", "text": text}).to_string());
            }
        };
        let (end, ()) = tokio::join!(said, complained);
        end
    }

    /// Its row is closed if it could not do that itself, and whoever watches hears of the end.
    async fn close(&self, history: &Path, end: Option<Value>, reason: String) {
        let (id, path) = (self.id, history.to_path_buf());
        let said = end.as_ref().and_then(|end| end["reason"].as_str());
        let reason = said.map_or(reason, str::to_string);
        let wanted = reason.clone();
        let row = tokio::task::spawn_blocking(move || {
            let mut history = History::there(&path)?;
            history.fail(id, &wanted)?;
            history.show(id)
        });
        let row = row.await.ok().and_then(Result::ok);
        let status = row.as_ref().map_or(Status::Failed, |row| row.status);
        let mut last = end.unwrap_or_else(|| json!({"type": "end", "exit": null}));
        last["status"] = json!(status.name());
        last["reason"] = match row {
            Some(row) => json!(row.reason),
            None => json!(reason),
        };
        {
            let mut log = self.log();
            log.push(&last.to_string());
            log.close();
        }
        self.over.send_replace(true);
    }
}

/// Orders, until nobody has any more: then its stdin ends.
async fn tell(mut stdin: ChildStdin, mut orders: mpsc::UnboundedReceiver<String>) {
    while let Some(order) = orders.recv().await {
        let line = format!("{order}\n");
        if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

async fn line(from: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    let read = from.take(LONGEST).read_until(b'\n', &mut line).await.ok()?;
    let text = String::from_utf8_lossy(&line);
    (read > 0).then(|| text.trim_end_matches('\n').to_string())
}

/// How a process ended that had not said so.
fn how(status: &std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("the run's process was ended by signal {signal}"),
        (None, Some(code)) => format!("the run's process ended with code {code} and no result"),
        (None, None) => "the run's process ended without a result".to_string(),
    }
}
