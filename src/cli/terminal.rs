//! The terminal: what stdout and stderr are connected to, and the live line.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsRawFd;

use crate::engine::Progress;
use crate::metrics::Events;
use crate::report::live::{self, LiveState};
use crate::time::Nanos;

/// Columns where there is no terminal to ask.
const WIDTH: usize = 80;

/// Columns of the terminal behind `stream`, or the standard width.
pub fn width(stream: &(impl IsTerminal + AsRawFd)) -> usize {
    if !stream.is_terminal() {
        return WIDTH;
    }
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one `winsize`, which this frame owns.
    let outcome = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCGWINSZ, &mut size) };
    if outcome == 0 && size.ws_col > 0 { usize::from(size.ws_col) } else { WIDTH }
}

/// Colours are wanted: a terminal, and no NO_COLOR (no-color.org).
pub fn color() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !unwanted
}

/// One line a second on stderr while a run goes on; nothing where stderr is no terminal.
pub struct Live {
    wanted: bool,
    total: Option<Nanos>,
    requests: Option<u64>,
    open_loop: bool,
    sent: u64,
    last_end: Nanos,
    shown: bool,
}

impl Live {
    pub fn new(quiet: bool, total: Option<Nanos>) -> Live {
        Live {
            wanted: !quiet && io::stderr().is_terminal(),
            total,
            requests: None,
            open_loop: false,
            sent: 0,
            last_end: Nanos::ZERO,
            shown: false,
        }
    }

    /// What to show the progress against: what became due, and the number of requests asked for.
    pub fn against(mut self, open_loop: bool, requests: Option<u64>) -> Live {
        self.open_loop = open_loop;
        self.requests = requests;
        self
    }

    pub fn show(&mut self, progress: Progress) {
        if !self.wanted {
            return;
        }
        let width = width(&io::stderr());
        let line = match progress {
            Progress::Starting { .. } => return,
            Progress::Connecting { dialled, connections } => {
                let text = format!("connecting: {dialled} of {connections}");
                let room = width.saturating_sub(1);
                format!("{text:room$.room$}")
            }
            Progress::Interval { interval, errors, .. } => {
                let Events { sent, .. } = interval.events;
                self.sent += sent;
                let interval_length = interval.end - self.last_end;
                self.last_end = interval.end;
                live::line(&LiveState {
                    elapsed: interval.end,
                    total: self.total,
                    requests: self.requests.map(|asked| (self.sent, asked)),
                    open_loop: self.open_loop,
                    interval,
                    interval_length,
                    errors,
                    width,
                })
            }
        };
        self.shown = true;
        // A terminal that is gone takes the line with it; the report is another matter.
        let _ = write!(io::stderr(), "\r{line}");
    }

    /// Leaves a clean line for what comes next.
    pub fn end(&mut self) {
        if self.shown {
            let blank = " ".repeat(width(&io::stderr()).saturating_sub(1));
            let _ = write!(io::stderr(), "\r{blank}\r");
            self.shown = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn what_is_no_terminal_has_the_standard_width() {
        let file = File::open("/dev/null").expect("there is always one");
        assert_eq!(width(&file), WIDTH);
    }
}
