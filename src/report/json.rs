//! The document as JSON: to a stream, or to a file.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;

use super::staged;
use crate::error::{Error, Result};

/// Writes a document, indented, with a newline at the end. A reader that has seen enough
/// (`--json | head -1`) is no error.
pub fn write(document: &impl Serialize, to: &mut dyn Write) -> Result<()> {
    let written = text(document).and_then(|text| {
        to.write_all(&text)?;
        to.flush()
    });
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::failed(format!(
            "could not write the JSON document: {error}; send it elsewhere"
        ))),
        _ => Ok(()),
    }
}

/// The same to a file, which is either the whole document or untouched.
pub fn save(document: &impl Serialize, path: &Path) -> Result<()> {
    let text = text(document).map_err(|error| staged::failed(path, &error))?;
    staged::save(path, &text)
}

fn text(document: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::report::Document;
    use crate::report::fixture;
    use crate::report::staged::tests::Folder;

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
}
