//! A list of URLs: one a line, `METHOD URL` where the method is not GET, comments behind `#`. A
//! path alone is of whichever host the others name, so that paths of an access log will do.

use super::Refusal;
use super::call::{Call, Told};
use super::draft::Draft;
use super::placeholder::{encoded, literal};
use crate::units::quote;

pub fn read(bytes: &[u8], draft: &mut Draft) -> Result<(), Refusal> {
    for (number, line) in lines(bytes) {
        let line = line?;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let (method, url) = match (words.next(), words.next(), words.next()) {
            (Some(url), None, _) => ("GET", url),
            (Some(method), Some(url), None) if is_method(method) => (method, url),
            // As people mark a line that needs a word.
            (Some(url), Some(comment), _) if comment.starts_with('#') => ("GET", url),
            (Some(method), Some(url), Some(comment))
                if is_method(method) && comment.starts_with('#') =>
            {
                (method, url)
            }
            _ => {
                return Err(Refusal::at(
                    number,
                    format!(
                        "expected `URL` or `METHOD URL`, and found {}; percent-encode spaces, and \
                         begin comments with `#`",
                        quote(&crate::plan::url::masked(line))
                    ),
                ));
            }
        };
        add(method, url, draft).map_err(|error| Refusal::at(number, error.message))?;
    }
    Ok(())
}

fn add(method: &str, url: &str, draft: &mut Draft) -> crate::Result<()> {
    if !url.starts_with('/') || url.starts_with("//") {
        return draft.add_url(method, url.trim_start_matches('/'), Vec::new(), None);
    }
    draft.add(Call {
        method: method.into(),
        origin: String::new(),
        path: encoded(&literal(url.split('#').next().unwrap_or_default())),
        headers: Vec::new(),
        body: None,
        told: Told::default(),
    });
    Ok(())
}

pub fn is_method(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Lines with their numbers, trimmed.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, Result<&str, Refusal>)> {
    bytes.split(|byte| *byte == b'\n').zip(1..).map(|(line, number)| {
        let line = std::str::from_utf8(line).map(str::trim);
        let refuse = |_| Refusal::at(number, "expected text in UTF-8, and the line is none");
        (number, line.map_err(refuse))
    })
}
