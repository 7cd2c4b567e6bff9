//! The document as JSON: to a stream, or to a file that is either the whole document or untouched.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::Document;
use crate::error::{Error, Result};

/// Writes the document, indented, with a newline at the end. A reader that has seen enough
/// (`--json | head -1`) is no error.
pub fn write(document: &Document, to: &mut dyn Write) -> Result<()> {
    match put(document, to) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::failed(format!(
            "could not write the JSON document: {error}; send it elsewhere"
        ))),
        _ => Ok(()),
    }
}

/// Whether [`save`] could write there, before there is anything to write. What is no regular file
/// is not tried: its reader would take that for the end.
pub fn probe(path: &Path) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        return Ok(());
    }
    let beside = beside(&path)?;
    File::create(&beside)?;
    fs::remove_file(&beside)
}

/// Writes the document to a file: beside it first, then renamed, so that no reader ever sees half
/// of one and an older one survives a full disk. What is no regular file (`/dev/stderr`, a pipe)
/// is written to directly.
pub fn save(document: &Document, path: &Path) -> Result<()> {
    save_io(document, path).map_err(|error| {
        Error::failed(format!(
            "could not write the report to {}: {error}; choose another place with --output",
            path.display()
        ))
    })
}

fn save_io(document: &Document, path: &Path) -> io::Result<()> {
    // Through links, so that the file they lead to is replaced and not they.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        return put(document, &mut File::options().write(true).open(&path)?);
    }
    let beside = beside(&path)?;
    let written = File::create(&beside)
        .and_then(|mut file| put(document, &mut file))
        .and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // What cannot be removed was not created either; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// In the same folder, since a rename cannot leave its file system.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn put(document: &Document, to: &mut dyn Write) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    to.write_all(&text)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// A folder of its own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("blast-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn names(&self) -> Vec<String> {
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
    fn a_saved_document_reads_back_the_same_and_leaves_nothing_beside_it() {
        let folder = Folder::new("save");
        let path = folder.0.join("out.json");
        fs::write(&path, "an older report").unwrap();
        let document = fixture::behind().document();
        save(&document, &path).unwrap();
        let read: Document = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(read, document);
        assert_eq!(folder.names(), ["out.json"]);
    }

    #[test]
    fn a_link_is_followed_and_kept() {
        let folder = Folder::new("link");
        let (file, link) = (folder.0.join("file.json"), folder.0.join("link.json"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        save(&fixture::held().document(), &link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::metadata(&file).unwrap().len() > 0);
    }

    #[test]
    fn what_is_no_regular_file_is_written_to_and_not_replaced() {
        save(&fixture::held().document(), Path::new("/dev/null")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_folder_that_is_not_there_is_one_sentence() {
        let path = Path::new("/nowhere/at/all/out.json");
        let error = save(&fixture::held().document(), path).unwrap_err();
        assert_eq!(error.exit, crate::Exit::Failed);
        assert!(error.message.contains("/nowhere/at/all/out.json"), "{error}");
    }
}
