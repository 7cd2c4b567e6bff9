//! The ledger: a line for each request, in a file, for who wants to know which requests came and
//! not only when.
//!
//! ```text
//! microseconds-since-the-start connection method target status bytes-of-its-body
//! ```
//!
//! A request is entered when its last byte was read, in the order of its connection; the lines of
//! different threads are mixed. The status is that of the answer, whether it was sent or not.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::time::Nanos;

/// Lines that one thread gathers before it writes.
const PAGE: usize = 64 * 1024;

/// One thread's pages of the ledger. What it holds is written when a page is full and at
/// [`Ledger::close`].
#[derive(Debug)]
pub(super) struct Ledger {
    file: Arc<File>,
    page: Vec<u8>,
    fault: Option<io::Error>,
}

impl Ledger {
    pub fn of(file: Arc<File>) -> Ledger {
        Ledger { file, page: Vec::with_capacity(PAGE + 1024), fault: None }
    }

    /// `line`: method and target.
    pub fn enter(&mut self, at: Nanos, connection: u64, line: &[u8], status: u16, bytes: u64) {
        let page = &mut self.page;
        // Writing into memory does not fail.
        let _ = write!(page, "{} {connection} ", at.0 / 1_000);
        page.extend_from_slice(line);
        let _ = writeln!(page, " {status} {bytes}");
        if page.len() >= PAGE {
            self.turn();
        }
    }

    /// Writes the page: whole lines, in one call, so that threads do not cut each other's.
    fn turn(&mut self) {
        if self.fault.is_none() {
            self.fault = (&*self.file).write_all(&self.page).err();
        }
        self.page.clear();
    }

    /// Writes what is left. An error here or before it is told now: the target serves on without
    /// its ledger.
    pub fn close(mut self) -> Result<()> {
        self.turn();
        match self.fault {
            None => Ok(()),
            Some(error) => Err(Error::failed(format!(
                "the log of requests cannot be written ({error}); give another `--log-requests`"
            ))),
        }
    }
}
