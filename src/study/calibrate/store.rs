//! The file of calibrations: one entry a host and a class of load. What cannot be read, or is of
//! another host, is as if it were not there.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, reason};
use crate::host::Fingerprint;
use crate::metrics::{Calibration, Mode};
use crate::plan::Class;
use crate::report::calibration::CalibrationDocument;
use crate::report::staged::Staged;

/// The name and version of the file's schema.
const SCHEMA_NAME: &str = "blast.calibrations/1";

/// What every version of it begins with.
const MARK: &str = "blast.calibrations/";

/// A file that is longer than this is no file of blast's.
const LONGEST: u64 = 4 << 20;

/// Entries that are kept, the newest: of several hosts that share a home, and of many loads.
const MOST: usize = 200;

/// Its owner alone reads it.
const MODE: u32 = 0o600;

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    schema: String,
    /// Oldest first.
    pub entries: Vec<CalibrationDocument>,
}

/// Where the file is.
#[derive(Clone, Debug, PartialEq)]
pub struct Shelf {
    pub path: PathBuf,
}

/// What is looked for.
pub struct Sought<'a> {
    pub host: &'a Fingerprint,
    pub class: &'a Class,
    pub mode: Mode,
    /// The plan's users set the pace: its rate is none of requests.
    pub has_pace_of_its_own: bool,
}

impl Shelf {
    /// Nothing where there is no file. Whatever is wrong with it is said in one sentence.
    pub fn read(&self) -> std::result::Result<Book, String> {
        let path = self.path.display();
        let text = match read_bounded(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Book::default()),
            Err(error) => return Err(format!("{path} cannot be read ({error})")),
            Ok(text) => text,
        };
        match serde_json::from_str::<Book>(&text) {
            Ok(book) if book.schema == SCHEMA_NAME => Ok(book),
            Ok(_) => Err(format!("{path} is of another version of blast")),
            Err(_) if text.contains(MARK) => Err(format!("{path} is damaged")),
            Err(_) => Err(format!("{path} is no file of calibrations")),
        }
    }

    /// Puts an entry in, in the place of the one of its host and class. A file that is damaged is
    /// begun anew; one that was never blast's is left alone.
    pub fn put(&self, entry: &CalibrationDocument) -> Result<()> {
        let path = self.path.display();
        let book = self.read().or_else(|_| match self.may_be_replaced() {
            true => Ok(Book::default()),
            false => Err(Error::failed(format!(
                "the calibration was not kept: {path} holds something else; name another file with \
                 BLAST_CALIBRATION"
            ))),
        });
        let book = book?.with(entry);
        self.write(&book).map_err(|error| {
            Error::failed(format!(
                "the calibration was not kept: {path} cannot be written ({}); name another file with \
                 BLAST_CALIBRATION",
                reason(&error)
            ))
        })
    }

    fn may_be_replaced(&self) -> bool {
        let text = read_bounded(&self.path);
        text.is_ok_and(|text| text.trim().is_empty() || text.contains(MARK))
    }

    fn write(&self, book: &Book) -> io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut text = serde_json::to_vec_pretty(book)?;
        text.push(b'\n');
        let mut file = Staged::create(&self.path)?;
        file.write_all(&text)?;
        file.keep()?;
        fs::set_permissions(&self.path, Permissions::from_mode(MODE))
    }
}

/// UTF-8 that is not too long.
fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // What is no regular file may never end, or wait.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is no regular file"));
    }
    fs::File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

impl Book {
    fn with(mut self, entry: &CalibrationDocument) -> Book {
        let is_same = |other: &CalibrationDocument| {
            other.host == entry.host && other.class.distance(&entry.class) == Some(0)
        };
        self.entries.retain(|other| !is_same(other));
        self.entries.push(entry.clone());
        let surplus = self.entries.len().saturating_sub(MOST);
        self.entries.drain(..surplus);
        Book { schema: SCHEMA_NAME.to_string(), ..self }
    }

    /// The nearest entry of this host, of those as near the newest.
    pub fn nearest(&self, host: &Fingerprint, class: &Class) -> Option<&CalibrationDocument> {
        let of_host = self.entries.iter().rev().filter(|entry| entry.host == *host);
        let near = of_host.filter_map(|entry| Some((entry.class.distance(class)?, entry)));
        near.min_by_key(|(distance, _)| *distance).map(|(_, entry)| entry)
    }

    /// What is known of such a load.
    pub fn find(&self, sought: &Sought) -> Option<Calibration> {
        let entry = self.nearest(sought.host, sought.class)?;
        let closed = entry.closed.as_ref()?;
        let is_open = sought.mode == Mode::Open && !sought.has_pace_of_its_own;
        // Where no rate was sent on time, nothing is known of an open loop.
        let (rate, is_lower_bound) = match is_open {
            true => entry.open.as_ref().map(|open| (open.rate_per_s, open.is_lower_bound))?,
            false => (closed.rate_per_s, closed.is_lower_bound),
        };
        (rate > 0.0).then(|| Calibration {
            per_worker_per_s: rate,
            is_lower_bound,
            cpu_us_per_request: closed.cpu_us_per_request,
            measured_at: entry.measured_at.clone(),
            apart: entry.class.apart_from(sought.class),
        })
    }
}
