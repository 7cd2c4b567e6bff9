//! stdout of a child: lines of JSON, written by a thread of their own. A reader that is slow, or has
//! stopped, delays nobody: beyond [`ROOM`] the oldest lines of intervals go, which the history has
//! as well.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Lines that wait to be read: some minutes of a run.
const ROOM: usize = 2_000;

#[derive(Clone)]
pub struct Wire(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Line>,
    is_closed: bool,
    /// All was written, or nobody reads any more.
    is_done: bool,
}

struct Line {
    text: String,
    /// It may go where there is no room.
    is_spare: bool,
}

impl Wire {
    /// To stdout.
    pub fn open() -> Wire {
        Wire::to(io::stdout())
    }

    fn to(mut out: impl Write + Send + 'static) -> Wire {
        let state = Mutex::new(State::default());
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let lent = shared.clone();
        let thread = thread::Builder::new().name("blast-wire".to_string());
        let started = thread.spawn(move || lent.write_all(&mut out));
        if started.is_err() {
            shared.state().is_done = true;
        }
        Wire(shared)
    }

    /// A line that stays.
    pub fn tell(&self, line: &Value) {
        self.push(format!("{line}\n"), false);
    }

    /// Lines of the run's course, which may go where nobody reads them in time.
    pub fn tell_lines(&self, lines: String) {
        if !lines.is_empty() {
            self.push(lines, true);
        }
    }

    fn push(&self, text: String, is_spare: bool) {
        let mut state = self.0.state();
        if state.lines.len() >= ROOM {
            match state.lines.iter().position(|line| line.is_spare) {
                Some(oldest) => drop(state.lines.remove(oldest)),
                None => drop(state.lines.pop_front()),
            }
        }
        state.lines.push_back(Line { text, is_spare });
        self.0.changed.notify_all();
    }

    /// Waits until all was read, so long at the most.
    pub fn close(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut state = self.0.state();
        state.is_closed = true;
        self.0.changed.notify_all();
        while !state.is_done {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, out: &mut impl Write) {
        while let Some(text) = self.next() {
            // Where nobody reads any more, stdin says so as well.
            if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                break;
            }
        }
        self.state().is_done = true;
        self.changed.notify_all();
    }

    fn next(&self) -> Option<String> {
        let mut state = self.state();
        loop {
            if let Some(line) = state.lines.pop_front() {
                return Some(line.text);
            }
            if state.is_closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use serde_json::json;

    use super::*;

    /// Takes a line each time it is let.
    struct Slow {
        let_go: mpsc::Receiver<()>,
        read: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.let_go.recv().map_err(io::Error::other)?;
            self.read.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_does_not_read_costs_intervals_and_nothing_else() {
        let (go, let_go) = mpsc::channel();
        let read = Arc::new(Mutex::new(Vec::new()));
        let wire = Wire::to(Slow { let_go, read: read.clone() });
        wire.tell(&json!({"type": "phase"}));
        for second in 0..2 * ROOM {
            wire.tell_lines(format!("{{\"type\":\"interval\",\"t_s\":{second}}}\n"));
        }
        wire.tell(&json!({"type": "end"}));
        (0..2 * ROOM).for_each(|_| go.send(()).unwrap());
        wire.close(Duration::from_secs(20));
        let text = String::from_utf8(read.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() <= ROOM + 2, "{}", lines.len());
        assert_eq!(lines[0], "{\"type\":\"phase\"}");
        assert_eq!(*lines.last().unwrap(), "{\"type\":\"end\"}");
        let newest = format!("{{\"type\":\"interval\",\"t_s\":{}}}", 2 * ROOM - 1);
        assert_eq!(lines[lines.len() - 2], newest);
    }

    #[test]
    fn a_reader_that_is_gone_is_not_waited_for() {
        let (go, let_go) = mpsc::channel();
        drop(go);
        let wire = Wire::to(Slow { let_go, read: Arc::default() });
        wire.tell(&json!({"type": "phase"}));
        let began = Instant::now();
        wire.close(Duration::from_secs(60));
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
