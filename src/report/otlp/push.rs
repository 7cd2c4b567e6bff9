//! Sends the metrics every few seconds on a thread of its own, and once more at the end. What goes
//! wrong is counted and ends nothing.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{Endpoint, export};
use crate::error::{Error, Result, reason};
use crate::report::exposition::Exposition;
use crate::report::within::Within;

/// From one export to the next.
const PERIOD: Duration = Duration::from_secs(5);

/// For each step of an export: connecting, sending, the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// For an export that is under way at the end, and the last one.
const LAST: Duration = Duration::from_secs(10);

const NO_ANSWER: &str = "no answer in time";

/// The longest answer that is read.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub sent: u64,
    pub failed: u64,
    /// Of the last one that failed.
    pub why: String,
}

/// Sends until it is ended.
#[derive(Debug)]
pub struct Pusher {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Outcome,
    ends: bool,
    /// The last export was sent.
    is_over: bool,
}

impl Pusher {
    pub fn start(endpoint: Endpoint, exposition: Exposition) -> Result<Pusher> {
        let shared = Arc::new(Shared::default());
        let loan = shared.clone();
        let thread = thread::Builder::new().name("blast-otlp".to_string());
        thread.spawn(move || loan.push(&endpoint, &exposition)).map_err(|error| {
            Error::failed(format!(
                "the thread for --otlp could not be started ({error}); try again"
            ))
        })?;
        Ok(Pusher { shared })
    }

    /// Sends what there is now, and tells how all of it went. The run does not end much later for
    /// a collector, or a name, that is not found.
    pub fn end(self) -> Outcome {
        self.shared.lock().ends = true;
        self.shared.wake.notify_all();
        let goes_on = |state: &mut State| !state.is_over;
        let waited = self.shared.wake.wait_timeout_while(self.shared.lock(), LAST, goes_on);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let mut outcome = state.outcome.clone();
        if !state.is_over {
            outcome.failed(NO_ANSWER.to_string());
        }
        outcome
    }
}

/// Nothing more is sent, and nobody is waited for.
impl Drop for Pusher {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        (state.ends, state.is_over) = (true, true);
        self.shared.wake.notify_all();
    }
}

impl Outcome {
    fn failed(&mut self, why: String) {
        self.sent += 1;
        self.failed += 1;
        self.why = why;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, endpoint: &Endpoint, exposition: &Exposition) {
        let start = SystemTime::now();
        loop {
            let is_last = self.wait();
            if self.lock().is_over {
                return;
            }
            let body = export(&exposition.families(), start, SystemTime::now()).to_string();
            let posted = post(endpoint, &body);
            let mut state = self.lock();
            match posted {
                Ok(()) => state.outcome.sent += 1,
                Err(why) => state.outcome.failed(why),
            }
            if is_last {
                state.is_over = true;
                return self.wake.notify_all();
            }
        }
    }

    /// For the next export; true: it is the last.
    fn wait(&self) -> bool {
        let goes_on = |state: &mut State| !state.ends;
        let waited = self.wake.wait_timeout_while(self.lock(), PERIOD, goes_on);
        waited.unwrap_or_else(PoisonError::into_inner).0.ends
    }
}

/// One export. Fails with why, in a few words.
fn post(endpoint: &Endpoint, body: &str) -> std::result::Result<(), String> {
    let answer = exchange(endpoint, body).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => NO_ANSWER.to_string(),
        _ => reason(&error).to_lowercase(),
    })?;
    judge(&answer)
}

fn exchange(endpoint: &Endpoint, body: &str) -> io::Result<Vec<u8>> {
    let Endpoint { host, port, path } = endpoint;
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut connect =
        |address| TcpStream::connect_timeout(&address, PATIENCE).map_err(|e| last = e);
    let mut addresses = (name, *port).to_socket_addrs()?;
    let Some(stream) = addresses.find_map(|address| connect(address).ok()) else {
        return Err(last);
    };
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: blast/{}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut sending = Within::new(&stream, PATIENCE);
    sending.write_all(head.as_bytes())?;
    sending.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    // One that keeps the connection open all the same has answered once its head is there.
    match Within::new(&stream, PATIENCE).take(LONGEST_ANSWER).read_to_end(&mut answer) {
        Err(error) if answer.is_empty() => Err(error),
        _ => Ok(answer),
    }
}

/// A collector that takes only a part says so in its answer.
fn judge(answer: &[u8]) -> std::result::Result<(), String> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(end)) = response.parse(answer) else {
        return Err("the answer is not HTTP".to_string());
    };
    let status = response.code.unwrap_or_default();
    if !(200..300).contains(&status) {
        return Err(format!("it answers {status}"));
    }
    let reply: Value = serde_json::from_slice(&answer[end..]).unwrap_or_default();
    match &reply["partialSuccess"]["rejectedDataPoints"] {
        Value::Null => Ok(()),
        rejected if rejected == "0" || rejected == 0 => Ok(()),
        rejected => {
            Err(format!("it rejects {} of the values", rejected.to_string().trim_matches('"')))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_dawdles_does_not_hold_up_the_end() {
        use std::net::TcpListener;
        use std::sync::mpsc;

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                while stream.write_all(b"x").is_ok() {
                    thread::sleep(Duration::from_millis(100));
                }
            }
        });
        let (over, told) = mpsc::channel();
        thread::spawn(move || {
            let endpoint = Endpoint { host: "127.0.0.1".to_string(), port, path: "/".to_string() };
            let _ = over.send(post(&endpoint, "{}"));
        });
        // Each step has its patience, and the machine may be busy.
        let why = told.recv_timeout(PATIENCE * 6).expect("it ends");
        assert_eq!(why.unwrap_err(), "the answer is not HTTP");
    }

    #[test]
    fn an_answer_is_good_when_all_was_taken() {
        let answer = |status: &str, body: &str| format!("HTTP/1.1 {status}\r\n\r\n{body}");
        let partial =
            |count: &str| format!("{{\"partialSuccess\":{{\"rejectedDataPoints\":{count}}}}}");
        for (status, body, expected) in [
            ("200 OK", "{}".to_string(), ""),
            ("202 Accepted", String::new(), ""),
            ("200 OK", "{\"partialSuccess\":{}}".to_string(), ""),
            ("200 OK", partial("\"0\""), ""),
            ("200 OK", partial("\"7\""), "it rejects 7 of the values"),
            ("200 OK", partial("7"), "it rejects 7 of the values"),
            ("404 Not Found", "{}".to_string(), "it answers 404"),
            ("503 Busy", String::new(), "it answers 503"),
        ] {
            let why = judge(answer(status, &body).as_bytes()).err().unwrap_or_default();
            assert_eq!(why, expected, "{status} {body}");
        }
        assert_eq!(judge(b"SSH-2.0-OpenSSH\r\n").unwrap_err(), "the answer is not HTTP");
    }
}
