//! The bytes of a data file: read where it is small, else mapped.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use memmap2::Mmap;

use crate::error;

/// From this size on a file is mapped.
const MAPPED: u64 = 1 << 20;

#[derive(Debug)]
pub enum Contents {
    Read(Vec<u8>),
    Mapped(Mmap),
}

impl Contents {
    pub fn open(path: &Path) -> io::Result<Contents> {
        let mut file = File::open(path)?;
        let status = file.metadata()?;
        if status.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if status.is_file() && status.len() >= MAPPED {
            // SAFETY: the mapping is private to this value and only read. Bytes that somebody
            // changes meanwhile are as good as others: nothing read from them is trusted to be
            // within bounds. That the file is not cut is asked of the user (`data`).
            return Ok(Contents::Mapped(unsafe { Mmap::map(&file) }?));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Contents::Read(bytes))
    }

    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Contents::Read(bytes) => bytes,
            Contents::Mapped(bytes) => bytes,
        }
    }
}

/// As it stands within a sentence.
pub fn reason(error: &io::Error) -> String {
    error::reason(error).to_ascii_lowercase()
}
