//! The server's access log: what it says of the requests of one run, which is what it grew by.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::metrics::Histogram;
use crate::time::Nanos;
use crate::units::quote;

/// Longer lines are passed over to their end.
const LONGEST_LINE: u64 = 64 << 10;

pub struct AccessLog {
    path: PathBuf,
}

/// By its lines.
#[derive(Debug, Default)]
pub struct Logged {
    pub requests: u64,
    pub times: Histogram,
}

impl AccessLog {
    pub fn open(path: &Path) -> Result<AccessLog> {
        let log = AccessLog { path: path.to_path_buf() };
        File::open(path).map(|_| log).map_err(|error| {
            let (path, reason) = (quote(&path.to_string_lossy()), super::super::reason(&error));
            Error::usage(format!("--log: {path} cannot be read ({reason}); name the server's log"))
        })
    }

    /// Where it ends now.
    pub fn end(&self) -> u64 {
        self.path.metadata().map_or(0, |file| file.len())
    }

    /// What came after that.
    pub fn since(&self, end: u64) -> Option<Logged> {
        let mut file = File::open(&self.path).ok()?;
        // One that is shorter now was begun anew.
        let from = if file.metadata().ok()?.len() < end { 0 } else { end };
        file.seek(SeekFrom::Start(from)).ok()?;
        Some(read(BufReader::new(file)))
    }
}

fn read(mut lines: impl BufRead) -> Logged {
    let mut logged = Logged::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let bytes = std::io::Read::take(&mut lines, LONGEST_LINE).read_until(b'\n', &mut line);
        if !bytes.is_ok_and(|bytes| bytes > 0) {
            return logged;
        }
        // What has no end yet is a line that is being written.
        if let Some(time) = line.strip_suffix(b"\n").and_then(time_of) {
            logged.requests += 1;
            logged.times.record(time);
        }
    }
}

/// The last word: seconds with a dot, or whole microseconds.
fn time_of(line: &[u8]) -> Option<Nanos> {
    let line = std::str::from_utf8(line).ok()?;
    let word = line.split_whitespace().next_back()?.rsplit('=').next()?.trim_matches('"');
    if !word.contains('.') {
        return word.parse().ok().map(Nanos::from_micros);
    }
    let seconds: f64 = word.parse().ok()?;
    (0.0..1e6).contains(&seconds).then_some(Nanos((seconds * 1e9) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_line_is_its_time() {
        let text = "127.0.0.1 - - [x] \"GET / HTTP/1.1\" 200 612 \"-\" 0.012\n\
                    ... 200 612 rt=0.012\n... \"1500\"\nno time here\nnothing at -\n\u{ff} 1.0\n\
                    ... cut 0.5";
        let text: Vec<u8> = text.chars().map(|c| c as u8).collect();
        let logged = read(&text[..]);
        assert_eq!(logged.requests, 3);
        assert_eq!(logged.times.quantile(0.01).0 / 10_000, 150);
        assert_eq!(logged.times.max().0 / 100_000, 120);
    }

    #[test]
    fn a_run_is_what_the_log_grew_by() {
        let path = std::env::temp_dir().join(format!("blast-versus-log-{}", std::process::id()));
        std::fs::write(&path, "a 0.001\n").unwrap();
        let log = AccessLog::open(&path).unwrap();
        let end = log.end();
        std::fs::write(&path, "a 0.001\nb 0.002\nc 0.003\n").unwrap();
        assert_eq!(log.since(end).unwrap().requests, 2);
        // Rotated meanwhile.
        std::fs::write(&path, "d 0.1\n").unwrap();
        assert_eq!(log.since(end).unwrap().requests, 1);
        std::fs::remove_file(&path).unwrap();
        assert!(AccessLog::open(&path).is_err_and(|error| error.message.contains("--log")));
    }
}
