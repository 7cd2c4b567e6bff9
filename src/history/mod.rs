//! The memory: every run that was saved, in one file of SQLite that outlives who wrote it.
//!
//! It knows rows, no engine and no document: what a run said is kept as the bytes it was told, with
//! the figures that lists show beside them.
//!
//! ```text
//! schema    the tables, and how an older file becomes a newer one
//! run       a row: what is known before, at the end, and of runs that never ended
//! life      what becomes of a row, from before its first packet to its end
//! rows      what is read of runs, and noted on them
//! filter    which rows are meant
//! packed    documents as they lie in the file
//! events    who did what to which run
//! counts    how many there are of each status
//! baseline  which run later ones are judged by
//! exchange  rows as lines of JSON, to and from another history
//! holder    which process a row belongs to, and whether it is still there
//! lock      that one load goes on at a time
//! ```

pub mod lock;

mod baseline;
mod counts;
mod events;
mod exchange;
mod filter;
mod holder;
mod life;
mod packed;
mod rows;
mod run;
mod schema;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Error, Result, reason};
use crate::units::quote;

pub use events::Event;
pub use exchange::Imported;
pub use filter::{Filter, older_than};
pub use holder::Holder;
pub use life::{GONE, now};
pub use lock::{Held, Lock, LockText};
pub use run::{Begun, Ended, Figures, Row, Status};

/// How long another writer is waited for. A run that is being measured has other things to do.
const PATIENCE: Duration = Duration::from_millis(500);

/// An open history.
pub struct History {
    connection: Connection,
    path: PathBuf,
}

impl History {
    /// The file there, made where there is none; of the same owner only. Rows of runs whose process
    /// is gone are closed as failed.
    pub fn open(path: &Path) -> Result<History> {
        create(path)?;
        History::there(path)
    }

    /// The same, and no file is made: what is only read was written before.
    pub fn there(path: &Path) -> Result<History> {
        let mut history = History::connect(path)?;
        history.said(schema::prepare)?;
        history.close_what_nobody_runs()?;
        Ok(history)
    }

    /// From now on another writer is waited for this long: for who has the time.
    pub fn wait_up_to(&mut self, patience: Duration) -> Result<()> {
        self.said(|connection, _| Ok(connection.busy_timeout(patience)?))
    }

    fn connect(path: &Path) -> Result<History> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags);
        let connection = connection.map_err(|error| trouble(path, &error))?;
        let set = connection.busy_timeout(PATIENCE);
        set.map_err(|error| trouble(path, &error))?;
        Ok(History { connection, path: path.to_path_buf() })
    }

    /// What SQLite says, as a sentence with the file's name.
    fn said<T>(
        &mut self,
        act: impl FnOnce(&mut Connection, &Path) -> std::result::Result<T, Trouble>,
    ) -> Result<T> {
        act(&mut self.connection, &self.path).map_err(|error| match error {
            Trouble::Sqlite(error) => trouble(&self.path, &error),
            Trouble::Said(error) => error,
        })
    }
}

/// What may go wrong in a file.
enum Trouble {
    Sqlite(rusqlite::Error),
    Said(Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        Trouble::Sqlite(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Said(error)
    }
}

/// What was measured on a host is nobody else's business on it.
fn create(path: &Path) -> Result<()> {
    private_file(path).map_err(|error| {
        let (name, reason) = (quote(&path.to_string_lossy()), reason(&error));
        Error::failed(format!(
            "the history {name} cannot be opened ({reason}); name another with `--history FILE`"
        ))
    })
}

/// Sees to it that the file is there, of the same owner only, and its folder.
pub fn private_file(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

fn missing(id: i64) -> Error {
    Error::usage(format!("there is no run {id} in the history; `blast history` lists them"))
}

fn trouble(path: &Path, error: &rusqlite::Error) -> Error {
    let name = quote(&path.to_string_lossy());
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "is held by another program; try again when it is done"
        }
        Some(ErrorCode::NotADatabase) => {
            "is no history of blast; name another file with `--history FILE`"
        }
        Some(ErrorCode::DatabaseCorrupt) => "is damaged; move it away, `blast` begins a new one",
        Some(ErrorCode::SystemIoFailure) => {
            "cannot be read or written: the disk fails, or is full; make room, or name another \
             file with `--history FILE`"
        }
        Some(ErrorCode::DiskFull) => "cannot grow, the disk is full; make room",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "cannot be written; make it writable or name another with `--history FILE`"
        }
        Some(ErrorCode::CannotOpen) => {
            "is not there; `blast --save URL` begins one, `--history FILE` names another"
        }
        _ => {
            return Error::failed(format!("the history {name} failed ({error}); try another file"));
        }
    };
    Error::failed(format!("the history {name} {what}"))
}
