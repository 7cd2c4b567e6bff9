//! The terminal: what stdout and stderr are connected to, and the live line on it.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsRawFd;

use crate::engine::Progress;
use crate::metrics::Events;
use crate::report::live::{self, LiveState};
use crate::time::Nanos;

/// Columns and rows where there is no terminal to ask.
const WIDTH: usize = 80;
#[cfg(feature = "tui")]
const HEIGHT: u16 = 24;

/// Columns of lines that stay, in a file.
const FILE: usize = 120;

/// Columns of the terminal behind `stream`, or the standard width.
pub fn width(stream: &(impl IsTerminal + AsRawFd)) -> usize {
    match window(stream) {
        Some(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => WIDTH,
    }
}

/// Columns and rows of it.
#[cfg(feature = "tui")]
pub fn size(stream: &(impl IsTerminal + AsRawFd)) -> (u16, u16) {
    match window(stream) {
        Some(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (WIDTH as u16, HEIGHT),
    }
}

fn window(stream: &(impl IsTerminal + AsRawFd)) -> Option<libc::winsize> {
    if !stream.is_terminal() {
        return None;
    }
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one `winsize`, which this frame owns.
    let outcome = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCGWINSZ, &mut size) };
    (outcome == 0).then_some(size)
}

/// Colours are wanted: a terminal, and no NO_COLOR.
pub fn color() -> bool {
    io::stdout().is_terminal() && may_color()
}

/// Nobody objects to colours (no-color.org).
pub fn may_color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One line a second on stderr while a run goes on.
pub struct Line {
    /// It is not written over: stderr is no terminal.
    stays: bool,
    total: Option<Nanos>,
    requests: Option<u64>,
    open_loop: bool,
    sent: u64,
    last_end: Nanos,
    shown: bool,
}

impl Line {
    pub fn new(stays: bool, total: Option<Nanos>) -> Line {
        Line {
            stays,
            total,
            requests: None,
            open_loop: false,
            sent: 0,
            last_end: Nanos::ZERO,
            shown: false,
        }
    }

    /// What to show the progress against: what became due, and the number of requests asked for.
    pub fn against(mut self, open_loop: bool, requests: Option<u64>) -> Line {
        self.open_loop = open_loop;
        self.requests = requests;
        self
    }

    pub fn show(&mut self, progress: Progress) {
        let width = if self.stays { FILE } else { width(&io::stderr()) };
        let line = match progress {
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
            _ => return,
        };
        // A terminal that is gone takes the line with it; the report is another matter.
        let _ = match self.stays {
            true => writeln!(io::stderr(), "{}", line.trim_end()),
            false => write!(io::stderr(), "\r{line}"),
        };
        self.shown = !self.stays;
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
