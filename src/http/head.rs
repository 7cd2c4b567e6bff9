//! One whole head: httparse over its bytes, then the framing.

use std::mem::MaybeUninit;

use super::framing::{self, Framing};
use super::{MAX_FIELDS, MAX_HEAD};
use crate::failure::Kind;

/// Reads a head at the start of `input`: its length and its framing, or `None` when it has not
/// ended. `head`: the request was HEAD.
#[inline]
pub(super) fn parse(input: &[u8], head: bool) -> Result<Option<(usize, Framing)>, Kind> {
    // httparse would skip empty lines before the status line.
    if input.first().is_some_and(|&b| b != b'H') {
        return Err(Kind::Malformed);
    }
    let bytes = &input[..input.len().min(MAX_HEAD)];
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    match leniently().parse_response_with_uninit_headers(&mut response, bytes, &mut fields) {
        Ok(httparse::Status::Complete(len)) => {
            let framing = framing::of(bytes, &response, head)?;
            Ok(Some((len, framing)))
        }
        Ok(httparse::Status::Partial) if bytes.len() == MAX_HEAD => Err(Kind::HeadTooLarge),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(Kind::HeadTooLarge),
        Err(_) => Err(Kind::Malformed),
    }
}

/// What real servers send beyond the grammar. LF for CRLF and a missing reason are accepted by
/// httparse anyway; bare CR, NUL and other control characters never are.
#[inline]
fn leniently() -> httparse::ParserConfig {
    let mut config = httparse::ParserConfig::default();
    config
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true);
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(line: &str) -> Result<Option<u16>, Kind> {
        parse(format!("{line}\r\n\r\n").as_bytes(), false).map(|r| r.map(|(_, f)| f.status))
    }

    #[test]
    fn the_status_line_is_read_as_decided() {
        let table = [
            ("HTTP/1.1 200 OK", Ok(Some(200))),
            ("HTTP/1.0 404 Not Found", Ok(Some(404))),
            ("HTTP/1.1 200", Ok(Some(200))),
            ("HTTP/1.1 200 ", Ok(Some(200))),
            ("HTTP/1.1   200   OK", Ok(Some(200))),
            ("HTTP/1.1 200 caf\u{e9}", Ok(Some(200))),
            ("HTTP/1.1 000 Zero", Ok(Some(0))),
            ("HTTP/1.1 099 Low", Ok(Some(99))),
            ("HTTP/1.1 999 High", Ok(Some(999))),
            ("HTTP/1.1 20 Short", Err(Kind::Malformed)),
            ("HTTP/1.1 2000 Long", Err(Kind::Malformed)),
            ("HTTP/1.1 +20 Sign", Err(Kind::Malformed)),
            ("HTTP/1.1 OK", Err(Kind::Malformed)),
            ("HTTP/1.1\t200 OK", Err(Kind::Malformed)),
            ("HTTP/1.1200 OK", Err(Kind::Malformed)),
            ("HTTP/1.2 200 OK", Err(Kind::Malformed)),
            ("HTTP/2.0 200 OK", Err(Kind::Malformed)),
            ("HTTP/0.9 200 OK", Err(Kind::Malformed)),
            ("HTTP/1.10 200 OK", Err(Kind::Malformed)),
            ("http/1.1 200 OK", Err(Kind::Malformed)),
            (" HTTP/1.1 200 OK", Err(Kind::Malformed)),
            ("\r\nHTTP/1.1 200 OK", Err(Kind::Malformed)),
            ("\nHTTP/1.1 200 OK", Err(Kind::Malformed)),
            ("HTTP/1.1 200 O\rK", Err(Kind::Malformed)),
            ("HTTP/1.1 200 O\0K", Err(Kind::Malformed)),
            ("ICY 200 OK", Err(Kind::Malformed)),
        ];
        for (line, expected) in table {
            assert_eq!(status(line), expected, "{line:?}");
        }
    }

    #[test]
    fn fields_are_read_as_decided() {
        let table: [(&[u8], bool); 17] = [
            (b"A: b\r\n", true),
            (b"A:b\n", true),
            (b"A:\r\n", true),
            (b"A: b\n c\r\n\td\r\n", true),
            (b"A:\r\n b\r\n", true),
            (b"A : b\r\n", true),
            (b"A\t: b\r\n", true),
            (b"A: \xff\r\n", true),
            (b" A: b\r\n", false),
            (b"A: b\rc\r\n", false),
            (b"A\r: b\r\n", false),
            (b"A: b\0c\r\n", false),
            (b"A: b\x01\r\n", false),
            (b"A\0: b\r\n", false),
            (b": b\r\n", false),
            (b"A b: c\r\n", false),
            (b"no colon\r\n", false),
        ];
        for (field, accepted) in table {
            let bytes = [b"HTTP/1.1 200 OK\r\n", field, b"\r\n"].concat();
            let found = parse(&bytes, false).map(|r| r.map(|(len, _)| len));
            let expected = if accepted { Ok(Some(bytes.len())) } else { Err(Kind::Malformed) };
            assert_eq!(found, expected, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn the_limits_are_exact() {
        let with_fields =
            |n| [b"HTTP/1.1 200 OK\r\n", &b"A: b\r\n".repeat(n)[..], b"\r\n"].concat();
        assert!(matches!(parse(&with_fields(MAX_FIELDS), false), Ok(Some(_))));
        assert_eq!(parse(&with_fields(MAX_FIELDS + 1), false).err(), Some(Kind::HeadTooLarge));

        let of_length = |n: usize| {
            let start = b"HTTP/1.1 200 OK\r\nA: ";
            [&start[..], &b"b".repeat(n - start.len() - 4), b"\r\n\r\n"].concat()
        };
        assert!(matches!(parse(&of_length(MAX_HEAD), false), Ok(Some((MAX_HEAD, _)))));
        assert_eq!(parse(&of_length(MAX_HEAD + 1), false).err(), Some(Kind::HeadTooLarge));
        assert!(matches!(parse(&of_length(MAX_HEAD)[..MAX_HEAD - 1], false), Ok(None)));
    }

    #[test]
    fn a_head_that_has_not_ended_is_no_error() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        for end in 0..head.len() {
            assert!(matches!(parse(&head[..end], false), Ok(None)), "{end}");
        }
    }
}
