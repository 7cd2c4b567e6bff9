//! multipart/form-data as it is written (RFC 7578), whoever asks for it.

use std::path::Path;

use memchr::memmem;

/// What stands in front of a part's content: its boundary, its name, an empty line.
pub fn head(
    boundary: &str,
    name: &str,
    filename: Option<&str>,
    content_type: Option<&str>,
) -> String {
    let mut head =
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(name));
    if let Some(filename) = filename {
        head += &format!("; filename=\"{}\"", quoted(filename));
    }
    if let Some(content_type) = content_type {
        head += &format!("\r\nContent-Type: {content_type}");
    }
    head + "\r\n\r\n"
}

/// Behind the last part.
pub fn end(boundary: &str) -> String {
    format!("--{boundary}--\r\n")
}

/// The body's type.
pub fn content_type(boundary: &str) -> String {
    format!("multipart/form-data; boundary={boundary}")
}

/// The first of a row that occurs in no part: the same for the same parts.
pub fn boundary(contents: &[&[u8]]) -> String {
    let mut number = 0u64;
    loop {
        let boundary = format!("------------------------{number:016x}");
        let occurs = |content: &&[u8]| memmem::find(content, boundary.as_bytes()).is_some();
        if !contents.iter().any(occurs) {
            return boundary;
        }
        number += 1;
    }
}

pub fn base_name(path: &str) -> String {
    let name = Path::new(path).file_name();
    name.map_or_else(|| path.to_string(), |name| name.to_string_lossy().into_owned())
}

/// By the ending of its name, those that curl knows.
pub fn type_of(path: &str) -> &'static str {
    const TYPES: [(&str, &str); 10] = [
        (".gif", "image/gif"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
        (".png", "image/png"),
        (".svg", "image/svg+xml"),
        (".txt", "text/plain"),
        (".htm", "text/html"),
        (".html", "text/html"),
        (".pdf", "application/pdf"),
        (".xml", "application/xml"),
    ];
    let lower = path.to_ascii_lowercase();
    let known = TYPES.iter().find(|(ending, _)| lower.ends_with(ending));
    known.map_or("application/octet-stream", |(_, content_type)| content_type)
}

/// As browsers and curl write names since WHATWG decided it.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
