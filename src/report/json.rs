//! The document as JSON: to a stream, or to a file.
//!
//! Indented for people, but for lists without an object in them, which stay on one line: a number a
//! line would make the document of an hour three times as long.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

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

/// The same as a value.
pub fn bytes(document: &impl Serialize) -> Result<Vec<u8>> {
    text(document).map_err(|error| {
        Error::failed(format!("the document cannot be written as JSON ({error}); report this"))
    })
}

/// The same as bytes.
pub fn text(document: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    document.serialize(&mut Serializer::with_formatter(&mut text, Layout::default()))?;
    text.push(b'\n');
    Ok(text)
}

/// Two spaces a level; an object in a list begins a line of its own.
#[derive(Default)]
struct Layout {
    /// What is open: of each, whether a line ended in it.
    open: Vec<bool>,
    /// An element of a list comes next.
    element: bool,
}

impl Layout {
    fn line(&mut self, to: &mut (impl Write + ?Sized)) -> io::Result<()> {
        if let Some(broken) = self.open.last_mut() {
            *broken = true;
        }
        to.write_all(b"\n")?;
        (0..self.open.len()).try_for_each(|_| to.write_all(b"  "))
    }

    fn close(&mut self, to: &mut (impl Write + ?Sized), mark: &[u8]) -> io::Result<()> {
        self.element = false;
        if self.open.pop() == Some(true) {
            to.write_all(b"\n")?;
            (0..self.open.len()).try_for_each(|_| to.write_all(b"  "))?;
        }
        to.write_all(mark)
    }
}

impl Formatter for Layout {
    fn begin_array<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.element = false;
        self.open.push(false);
        to.write_all(b"[")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.element = true;
        if first { Ok(()) } else { to.write_all(b",") }
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.element = false;
        Ok(())
    }

    fn end_array<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.close(to, b"]")
    }

    fn begin_object<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        if std::mem::take(&mut self.element) {
            self.line(to)?;
        }
        self.open.push(false);
        to.write_all(b"{")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        if !first {
            to.write_all(b",")?;
        }
        self.line(to)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }

    fn end_object<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.close(to, b"}")
    }
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

    #[test]
    fn objects_are_indented_and_lists_of_figures_stay_on_a_line() {
        let value = serde_json::json!({
            "a": [[1, 2], [3, 4]], "b": [], "c": {}, "d": [{"e": 1}, {"e": [null, "x"]}], "f": 1.5
        });
        let expected = r#"{
  "a": [[1,2],[3,4]],
  "b": [],
  "c": {},
  "d": [
    {
      "e": 1
    },
    {
      "e": [null,"x"]
    }
  ],
  "f": 1.5
}
"#;
        assert_eq!(String::from_utf8(text(&value).unwrap()).unwrap(), expected);
    }
}
