//! The fields of a head, byte by byte: for heads that come in pieces, and for trailers.
//!
//! A head that stands whole in one read is read by httparse alone. One that comes in pieces is
//! scanned as the bytes arrive, so that garbage is refused at its first byte and nothing is read
//! twice, and given to httparse once, when its end has been seen. The grammar here is the one that
//! httparse accepts with our options, no more and no less; `property.rs` holds the two together.

use super::{MAX_FIELDS, is_text, is_token};
use crate::failure::Kind;

/// How far a head (or a trailer section) has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    at: At,
    /// Complete fields; at most [`MAX_FIELDS`].
    fields: u16,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum At {
    /// `HTTP/1.`, of which so many bytes have been read.
    Protocol(u8),
    MinorVersion,
    VersionEnd,
    /// The spaces before the status, or its first digit.
    Hundreds,
    Tens,
    Ones,
    StatusEnd,
    Reason,
    ReasonLf,
    /// The line after the status line: no fold can stand here.
    FirstLine,
    FieldName,
    /// Spaces between a name and its colon.
    Colon,
    Value,
    ValueLf,
    /// The line after a field: another field, a fold or the end.
    NextLine,
    LastLf,
}

const PROTOCOL: &[u8] = b"HTTP/1.";

impl Scan {
    pub(super) fn head() -> Scan {
        Scan { at: At::Protocol(0), fields: 0 }
    }

    pub(super) fn trailers() -> Scan {
        Scan { at: At::FirstLine, fields: 0 }
    }

    /// Reads on. `Some(n)`: the last line ended with the n-th byte of `input`.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<Option<usize>, Kind> {
        for (i, &byte) in input.iter().enumerate() {
            match self.next(byte)? {
                Some(at) => self.at = at,
                None => return Ok(Some(i + 1)),
            }
        }
        Ok(None)
    }

    /// RFC 9112, 4 and 5, with what is accepted beyond: LF for CRLF (2.2), several spaces in the
    /// status line, no reason, folds (5.2), spaces before the colon (5.1; `framing` refuses them
    /// where they could hide a length). `None`: this byte is the last.
    fn next(&mut self, byte: u8) -> Result<Option<At>, Kind> {
        if matches!(self.at, At::NextLine) && !matches!(byte, b' ' | b'\t') {
            self.count_field()?;
        }
        Ok(Some(match (self.at, byte) {
            (At::Protocol(n), b) if b == PROTOCOL[n as usize] => match n + 1 {
                7 => At::MinorVersion,
                n => At::Protocol(n),
            },
            (At::MinorVersion, b'0' | b'1') => At::VersionEnd,
            (At::VersionEnd | At::Hundreds, b' ') => At::Hundreds,
            (At::Hundreds, b'0'..=b'9') => At::Tens,
            (At::Tens, b'0'..=b'9') => At::Ones,
            (At::Ones, b'0'..=b'9') => At::StatusEnd,
            (At::StatusEnd, b' ') => At::Reason,
            (At::Reason, b) if is_text(b) => At::Reason,
            (At::StatusEnd | At::Reason, b'\r') => At::ReasonLf,
            (At::StatusEnd | At::Reason | At::ReasonLf, b'\n') => At::FirstLine,

            (At::FirstLine | At::NextLine | At::FieldName, b) if is_token(b) => At::FieldName,
            (At::FieldName | At::Colon, b' ' | b'\t') => At::Colon,
            (At::FieldName | At::Colon, b':') => At::Value,
            (At::Value, b) if is_text(b) => At::Value,
            (At::Value, b'\r') => At::ValueLf,
            (At::Value | At::ValueLf, b'\n') => At::NextLine,
            (At::NextLine, b' ' | b'\t') => At::Value,

            (At::FirstLine | At::NextLine, b'\r') => At::LastLf,
            (At::FirstLine | At::NextLine | At::LastLf, b'\n') => return Ok(None),
            _ => return Err(Kind::Malformed),
        }))
    }

    /// Only when the next line is seen to be no fold: that is where httparse counts.
    fn count_field(&mut self) -> Result<(), Kind> {
        self.fields += 1;
        if usize::from(self.fields) > MAX_FIELDS {
            return Err(Kind::HeadTooLarge);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_at_its_first_empty_line() {
        let heads: [&[u8]; 5] = [
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.0 200\n\n",
            b"HTTP/1.1  404  \r\nA: b\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\r\n \r\n\t\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA:\r\n\n",
        ];
        for head in heads {
            for end in 0..head.len() {
                assert_eq!(Scan::head().read(&head[..end]), Ok(None), "{}", head.escape_ascii());
            }
            let found = Scan::head().read(&[head, b"\r\n\r\n"].concat());
            assert_eq!(found, Ok(Some(head.len())), "{}", head.escape_ascii());
        }
    }

    #[test]
    fn garbage_is_refused_at_its_first_byte() {
        let table: [&[u8]; 9] = [
            b"\r",
            b"\n",
            b"HTTP/2",
            b"HTTP/1.2",
            b"HTTP/1.1\t",
            b"HTTP/1.1 2x",
            b"HTTP/1.1 2000",
            b"HTTP/1.1 200 OK\r\n ",
            b"HTTP/1.1 200 OK\r\nA: b\0",
        ];
        for bytes in table {
            let (last, rest) = bytes.split_last().unwrap();
            let mut scan = Scan::head();
            assert_eq!(scan.read(rest), Ok(None), "{}", bytes.escape_ascii());
            assert_eq!(scan.read(&[*last]), Err(Kind::Malformed), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn fields_are_counted_once_each_and_folds_not() {
        let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
        head.extend_from_slice(&b"A: b\r\n c\r\n".repeat(MAX_FIELDS));
        let mut scan = Scan::head();
        assert_eq!(scan.read(&head), Ok(None));
        assert_eq!(scan.read(b"\r\n"), Ok(Some(2)));

        let mut scan = Scan::head();
        assert_eq!(scan.read(&[&head[..], b"One: more\r\n"].concat()), Ok(None));
        assert_eq!(scan.read(b"\r"), Err(Kind::HeadTooLarge));
    }

    #[test]
    fn trailers_are_fields_without_a_status_line() {
        assert_eq!(Scan::trailers().read(b"\r\n"), Ok(Some(2)));
        assert_eq!(Scan::trailers().read(b"Digest: x\r\n\r\nHTTP"), Ok(Some(13)));
        assert_eq!(Scan::trailers().read(b" fold\r\n\r\n"), Err(Kind::Malformed));
    }
}
