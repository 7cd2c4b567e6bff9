//! A file that is either whole or untouched: what is written goes beside it, and takes its place
//! in the end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};

/// A file in the making. Dropped before [`Staged::keep`], it leaves no trace.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    /// Where it is until then. `None`: what is no regular file (`/dev/stderr`, a pipe) is written
    /// to directly.
    beside: Option<PathBuf>,
    file: File,
}

impl Staged {
    pub fn create(path: &Path) -> io::Result<Staged> {
        let path = followed(path);
        if is_no_regular_file(&path) {
            let file = File::options().write(true).open(&path)?;
            return Ok(Staged { path, beside: None, file });
        }
        let beside = beside(&path)?;
        let file = File::create(&beside)?;
        Ok(Staged { path, beside: Some(beside), file })
    }

    /// Puts it in its place.
    pub fn keep(mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Some(beside) = &self.beside {
            fs::rename(beside, &self.path)?;
            self.beside = None;
        }
        Ok(())
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // There is an earlier error to tell, or none: nobody wants the file any more.
            let _ = fs::remove_file(beside);
        }
    }
}

/// Writes a whole file.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = Staged::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.keep()
    });
    written.map_err(|error| failed(path, &error))
}

/// The sentence about a file that could not be written.
pub fn failed(path: &Path, error: &io::Error) -> Error {
    Error::failed(format!(
        "could not write the report to {}: {error}; choose another place with --output",
        path.display()
    ))
}

/// Whether a file could be written there, before there is anything to write. What is no regular
/// file is not tried: its reader would take that for the end.
pub fn probe(path: &Path) -> io::Result<()> {
    let path = followed(path);
    if is_no_regular_file(&path) { Ok(()) } else { Staged::create(&path).map(drop) }
}

/// Through links, so that the file they lead to is replaced and not they.
fn followed(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn is_no_regular_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

/// In the same folder, since a rename cannot leave its file system. Another name each time, since
/// the same file may be asked for twice.
fn beside(path: &Path) -> io::Result<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.{number}", std::process::id()));
    Ok(path.with_file_name(hidden))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A folder of its own, removed at the end.
    pub struct Folder(pub PathBuf);

    impl Folder {
        pub fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("blast-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        pub fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_not_kept_leaves_no_trace_and_the_older_one_as_it_was() {
        let folder = Folder::new("staged");
        let path = folder.0.join("out");
        fs::write(&path, "older").unwrap();
        let mut file = Staged::create(&path).unwrap();
        file.write_all(b"half of").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
        probe(&path).unwrap();
        assert_eq!(folder.names(), ["out"]);
        save(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(folder.names(), ["out"]);
    }

    #[test]
    fn the_same_file_twice_does_not_mix() {
        let folder = Folder::new("twice");
        let path = folder.0.join("out");
        let mut both = [Staged::create(&path).unwrap(), Staged::create(&path).unwrap()];
        both[0].write_all(b"the first, which is longer").unwrap();
        both[1].write_all(b"the second").unwrap();
        both.into_iter().for_each(|file| file.keep().unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "the second");
        assert_eq!(folder.names(), ["out"]);
    }

    #[test]
    fn a_link_is_followed_and_kept() {
        let folder = Folder::new("link");
        let (file, link) = (folder.0.join("file"), folder.0.join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        save(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }

    #[test]
    fn what_is_no_regular_file_is_written_to_and_not_replaced() {
        save(Path::new("/dev/null"), b"new").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_folder_that_is_not_there_is_one_sentence() {
        let error = save(Path::new("/nowhere/at/all/out.json"), b"").unwrap_err();
        assert_eq!(error.exit, crate::Exit::Failed);
        assert!(error.message.contains("/nowhere/at/all/out.json"), "{error}");
    }
}
