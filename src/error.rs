//! Errors: blast could not do what was asked. Not failures: those are outcomes of requests, are
//! counted (`failure.rs`) and never end a run.
//!
//! An error's text is a full sentence that ends in what to do. Its exit code is part of the
//! interface.

use std::{fmt, io};

/// How the process ends. Documented in `--help`; the numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The run was done and its report written.
    Done = 0,
    /// Could not run, a report could not be written, or the audit failed.
    Failed = 1,
    /// The command line (or the plan) is wrong.
    Usage = 2,
    /// A threshold failed.
    Threshold = 3,
    /// Not a valid measurement: open loop, and blast or its host was the limit.
    Invalid = 4,
    /// SIGINT; the report was printed.
    Interrupted = 130,
    /// SIGTERM or SIGHUP; the report was printed.
    Terminated = 143,
}

impl Exit {
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// What ends a run before it could be done, in one sentence, with the exit code it deserves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub exit: Exit,
    pub message: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// blast could not do it (exit 1).
    pub fn failed(message: impl Into<String>) -> Error {
        Error { exit: Exit::Failed, message: message.into() }
    }

    /// The user asked for something that makes no sense (exit 2).
    pub fn usage(message: impl Into<String>) -> Error {
        Error { exit: Exit::Usage, message: message.into() }
    }
}

/// What went wrong in words, without the number that std puts behind it: "(os error 2)".
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_string()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
