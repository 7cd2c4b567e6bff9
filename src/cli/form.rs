//! multipart/form-data (RFC 7578), asked for and written as curl does.
//!
//! ```text
//! part      = name "=" ( value | "@" file | "<" file ) attribute*
//! attribute = ";type=" value ( ";" parameter )* | ";filename=" value
//! value     = text without ";" | '"' text with \" and \\ '"'
//! ```

use super::source::{Source, Sources};
use crate::error::{Error, Result};
use crate::http::multipart;
use crate::plan::template::{Escape, MultipartPart, Piece, body};

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    name: String,
    content: Source,
    filename: Option<String>,
    content_type: Option<String>,
}

/// Reads one `--form`. Nothing of it is repeated.
pub fn part(text: &str) -> Result<Part> {
    let (name, rest) = named(text)?;
    let (kind, rest) = match rest.as_bytes().first() {
        Some(b'@' | b'<') => rest.split_at(1),
        _ => ("", rest),
    };
    let (value, mut rest) = value(rest)?;
    let (mut filename, mut content_type) = (None, None);
    while let Some(attribute) = rest.strip_prefix(';') {
        let (key, after) = attribute.split_once('=').unwrap_or((attribute, ""));
        let (given, after) = self::value(after)?;
        match (key.trim(), &mut content_type) {
            ("type", _) => content_type = Some(given),
            ("filename", _) => filename = Some(given),
            // A media type has parameters of its own: `text/plain;charset=utf-8`.
            (_, Some(content_type)) if filename.is_none() => {
                *content_type += ";";
                *content_type += &attribute[..attribute.len() - after.len()];
            }
            _ => {
                return Err(Error::usage(
                    "what follows a `;` is neither `type=` nor `filename=`; put a value with `;` \
                     in double quotes",
                ));
            }
        }
        rest = after;
    }
    if kind.is_empty() {
        let content = Source::Typed(value.into_bytes());
        return checked(Part { name, content, filename, content_type });
    }
    if value.is_empty() {
        return Err(Error::usage(format!("`{kind}` names no file; write `name={kind}FILE`")));
    }
    if kind == "@" {
        content_type.get_or_insert_with(|| multipart::type_of(&value).to_string());
        filename.get_or_insert_with(|| multipart::base_name(&value));
    }
    checked(Part { name, content: Source::File(value), filename, content_type })
}

/// `name=value`, where nothing in the value means anything.
pub fn plain(text: &str) -> Result<Part> {
    let (name, value) = named(text)?;
    let content = Source::Typed(value.as_bytes().to_vec());
    Ok(Part { name, content, filename: None, content_type: None })
}

/// Whether a file of this machine is read for it.
impl Part {
    pub fn reads(&self) -> bool {
        matches!(self.content, Source::File(_))
    }
}

/// The body, and its type with the boundary. What was typed may hold placeholders; what is read
/// from a file does not.
pub fn multipart(parts: &[Part], sources: &mut Sources) -> Result<(Vec<Piece>, String)> {
    let parts = parts.iter().map(|part| {
        let content = match &part.content {
            Source::Typed(bytes) => {
                Piece::Text(String::from_utf8_lossy(bytes).into_owned(), Escape::Raw)
            }
            source @ Source::File(_) => Piece::Fixed(sources.bytes("--form", source)?),
        };
        let Part { name, filename, content_type, .. } = part.clone();
        Ok(MultipartPart { name, content, filename, content_type })
    });
    Ok(body::multipart(&parts.collect::<Result<Vec<_>>>()?))
}

fn named(text: &str) -> Result<(String, &str)> {
    match text.split_once('=') {
        Some((name, rest)) if !name.is_empty() => Ok((name.to_string(), rest)),
        _ => Err(Error::usage("a field has no name; write `name=value` or `name=@FILE`")),
    }
}

/// Up to the next `;`, or what stands in quotes; and the rest.
fn value(text: &str) -> Result<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Ok((text[..end].to_string(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            character => value.push(character),
        }
    }
    Err(Error::usage("a value begins with a double quote that does not end; close it"))
}

fn checked(part: Part) -> Result<Part> {
    let content_type = part.content_type.as_deref().unwrap_or("");
    match content_type.chars().any(char::is_control) {
        true => Err(Error::usage("a type holds a control character; write one such as `text/csv`")),
        false => Ok(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(texts: &[&str]) -> String {
        let parts: Vec<Part> = texts.iter().map(|text| part(text).unwrap()).collect();
        let (pieces, _) = multipart(&parts, &mut Sources::default()).unwrap();
        String::from_utf8(pieces.iter().map(Piece::bytes).collect::<Vec<_>>().concat()).unwrap()
    }

    #[test]
    fn fields_are_written_as_curl_writes_them() {
        let boundary = "--------------------------0000000000000000";
        let expected = [
            boundary,
            "Content-Disposition: form-data; name=\"a\"",
            "",
            "1",
            boundary,
            "Content-Disposition: form-data; name=\"b%22\"; filename=\"x.csv\"",
            "Content-Type: text/csv",
            "",
            "2; 3\"",
            &format!("{boundary}--"),
            "",
        ];
        let found = body(&["a=1", "b\"=\"2; 3\\\"\";type=text/csv;filename=x.csv"]);
        assert_eq!(found, expected.join("\r\n"));
    }

    #[test]
    fn parameters_belong_to_the_type_before_them() {
        for (text, expected) in [
            ("a=1;type=text/plain;charset=utf-8", "text/plain;charset=utf-8"),
            ("a=1;type=a/b;x=1;y=\"2\";filename=f", "a/b;x=1;y=\"2\""),
        ] {
            assert_eq!(part(text).unwrap().content_type.as_deref(), Some(expected), "{text}");
        }
        assert!(part("a=1;charset=utf-8").is_err());
    }

    #[test]
    fn a_file_has_a_name_and_a_type_unless_it_is_only_a_value() {
        let file = |text| {
            let Part { content, filename, content_type, .. } = part(text).unwrap();
            let Source::File(path) = content else { panic!("{text}: no file") };
            (path, filename, content_type)
        };
        let some = |text: &str| Some(text.to_string());
        for (text, path, filename, content_type) in [
            ("a=@/tmp/x.PNG", "/tmp/x.PNG", some("x.PNG"), some("image/png")),
            ("a=@x", "x", some("x"), some("application/octet-stream")),
            ("a=@x;filename=y;type=t/u", "x", some("y"), some("t/u")),
            ("a=@\"x;1\"; type=t/u", "x;1", some("x;1"), some("t/u")),
            ("a=<x", "x", None, None),
            ("a=@-", "-", some("-"), some("application/octet-stream")),
        ] {
            assert_eq!(file(text), (path.to_string(), filename, content_type), "{text}");
        }
    }

    #[test]
    fn the_boundary_occurs_in_no_part() {
        let first = format!("a=x------------------------{:016x}--", 0);
        let found = body(&[&first, &first.replace("000--", "001")]);
        assert!(found.starts_with("--------------------------0000000000000002\r\n"), "{found}");
    }

    #[test]
    fn a_wrong_field_is_one_sentence_that_does_not_repeat_it() {
        for (text, expected) in [
            ("s3", "a field has no name"),
            ("=s3", "a field has no name"),
            ("a=s3;s3", "in double quotes"),
            ("a=\"s3", "does not end"),
            ("a=@", "names no file"),
            ("a=s3;type=a\nb", "control character"),
        ] {
            let message = part(text).expect_err(text).message;
            assert!(message.contains(expected) && !message.contains("s3"), "{message}");
        }
        assert_eq!(plain("a=@x;y").unwrap().content, Source::Typed(b"@x;y".to_vec()));
    }
}
