//! The chunked coding (RFC 9112, 7.1): bytes counted, framing checked, nothing kept.
//!
//! Stricter than heads are: a chunk line ends in CRLF, since a lone LF there is read differently
//! by different programs and so has no safe meaning.

use super::look::Look;
use super::scan::Scan;
use super::{MAX_HEAD, is_text};
use crate::failure::Kind;

/// How far a chunked body has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunked {
    /// In a size line: the size so far. In data: the bytes still to come.
    left: u64,
    /// Bytes of the size line or of the trailers so far.
    line: u32,
    at: At,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum At {
    FirstDigit,
    Digits,
    /// White space after the size.
    Padding,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers(Scan),
}

/// The longest size line, its extensions included.
const MAX_SIZE_LINE: u32 = 4096;

impl Chunked {
    pub(super) fn new() -> Chunked {
        Chunked { left: 0, line: 0, at: At::FirstDigit }
    }

    /// Reads on, adding the bytes of data to `body_bytes` and showing them to `look`. Returns the
    /// bytes used, and whether the body has ended.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        body_bytes: &mut u64,
        look: &mut impl Look,
    ) -> Result<(usize, bool), Kind> {
        let mut used = 0;
        while let Some(&byte) = input.get(used) {
            match self.at {
                At::Data => {
                    let n = self.left.min((input.len() - used) as u64);
                    self.left -= n;
                    *body_bytes += n;
                    look.body(&input[used..used + n as usize]);
                    used += n as usize;
                    if self.left == 0 {
                        self.at = At::DataCr;
                    }
                }
                At::Trailers(scan) => {
                    let (n, ended) = self.trailers(scan, &input[used..])?;
                    return Ok((used + n, ended));
                }
                _ => {
                    self.at = self.next(byte)?;
                    used += 1;
                }
            }
        }
        Ok((used, false))
    }

    /// The rest of the chunk, while its data comes.
    pub(super) fn data_left(&self) -> u64 {
        if matches!(self.at, At::Data) { self.left } else { 0 }
    }

    /// So much of the chunk's data came, unread.
    pub(super) fn skip(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
        if self.left == 0 {
            self.at = At::DataCr;
        }
    }

    fn next(&mut self, byte: u8) -> Result<At, Kind> {
        self.line += 1;
        if self.line > MAX_SIZE_LINE {
            return Err(Kind::Malformed);
        }
        Ok(match (self.at, byte) {
            (At::FirstDigit | At::Digits, b) if b.is_ascii_hexdigit() => self.digit(b)?,
            (At::Digits | At::Padding, b' ' | b'\t') => At::Padding,
            (At::Digits | At::Padding, b';') => At::Extension,
            (At::Extension, b) if is_text(b) => At::Extension,
            (At::Digits | At::Padding | At::Extension, b'\r') => At::SizeLf,
            (At::SizeLf, b'\n') => {
                self.line = 0;
                if self.left == 0 { At::Trailers(Scan::trailers()) } else { At::Data }
            }
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => {
                self.line = 0;
                At::FirstDigit
            }
            _ => return Err(Kind::Malformed),
        })
    }

    fn digit(&mut self, byte: u8) -> Result<At, Kind> {
        let digit = char::from(byte).to_digit(16).ok_or(Kind::Malformed)?;
        let sixteenfold = self.left.checked_mul(16).ok_or(Kind::Malformed)?;
        self.left = sixteenfold | u64::from(digit);
        Ok(At::Digits)
    }

    /// Trailers are fields as in a head, with the limits of a head.
    fn trailers(&mut self, mut scan: Scan, input: &[u8]) -> Result<(usize, bool), Kind> {
        let room = MAX_HEAD - self.line as usize;
        let input = &input[..input.len().min(room)];
        if let Some(end) = scan.read(input)? {
            return Ok((end, true));
        }
        if input.len() == room {
            return Err(Kind::HeadTooLarge);
        }
        self.line += input.len() as u32;
        self.at = At::Trailers(scan);
        Ok((input.len(), false))
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::Unseen;
    use super::*;

    /// The bytes used and the size of the body, if it ends in `input`.
    fn read(input: &[u8]) -> Result<Option<(usize, u64)>, Kind> {
        let mut body_bytes = 0;
        let (used, ended) = Chunked::new().read(input, &mut body_bytes, &mut Unseen)?;
        Ok(ended.then_some((used, body_bytes)))
    }

    #[test]
    fn chunks_are_counted_and_the_end_is_found() {
        let table: [(&[u8], u64); 9] = [
            (b"0\r\n\r\n", 0),
            (b"5\r\nhello\r\n0\r\n\r\n", 5),
            (b"5\r\nhello\r\n006\r\n world\r\n000\r\n\r\n", 11),
            (b"A\r\n0123456789\r\n0\r\n\r\n", 10),
            (b"a\r\n0123456789\r\n0\r\n\r\n", 10),
            (b"1;a=b;c=\"d e\"\r\nx\r\n0;last\r\n\r\n", 1),
            (b"1 \t ; a\r\nx\r\n0  \r\n\r\n", 1),
            (b"1\r\n\n\r\n0\r\n\r\n", 1),
            (b"0\r\nDigest: x\r\nA: b\r\n c\r\n\r\n", 0),
        ];
        for (body, body_bytes) in table {
            let end = Some((body.len(), body_bytes));
            assert_eq!(read(body), Ok(end), "{}", body.escape_ascii());
            assert_eq!(read(&[body, b"HTTP/1.1"].concat()), Ok(end), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn a_body_without_its_last_line_goes_on() {
        let whole = b"5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn bad_chunks_are_malformed() {
        let table: [&[u8]; 21] = [
            b"\r\n",
            b"x\r\n",
            b" 5\r\n",
            b"0x5\r\n",
            b"+5\r\n",
            b"-5\r\n",
            b"5 5\r\n",
            b"5_0\r\n",
            b"5\n",
            b"5\rX",
            b"5;a\n",
            b"5;a\rb",
            b"5;a\0",
            b";a\r\n",
            b"10000000000000000\r\n",
            b"fffffffffffffffff\r\n",
            b"5\r\nhello0",
            b"5\r\nhello\n0",
            b"5\r\nhello\rX",
            b"0\r\n\rX",
            b"0\r\nno colon\r\n\r\n",
        ];
        for input in table {
            assert_eq!(read(input), Err(Kind::Malformed), "{}", input.escape_ascii());
        }
        assert_eq!(read(b"ffffffffffffffff\r\nx"), Ok(None), "the largest 64-bit size");
    }

    #[test]
    fn extensions_and_leading_zeros_are_bounded() {
        let most = MAX_SIZE_LINE as usize;
        let extension = |n| [b"1;", &b"x".repeat(n - 4)[..], b"\r\nx\r\n0\r\n\r\n"].concat();
        assert_eq!(read(&extension(most)), Ok(Some((most + 8, 1))));
        assert_eq!(read(&extension(most + 1)), Err(Kind::Malformed));
        assert_eq!(read(&b"0".repeat(most + 1)), Err(Kind::Malformed));
        assert_eq!(read(&[b"1;", &b"x".repeat(1 << 20)[..]].concat()), Err(Kind::Malformed));
    }

    #[test]
    fn the_bound_is_on_a_line_and_not_on_the_body() {
        let mut input = b"1;extension\r\nx\r\n".repeat(10_000);
        input.extend_from_slice(b"0\r\n\r\n");
        assert_eq!(read(&input), Ok(Some((input.len(), 10_000))));
    }

    #[test]
    fn trailers_have_the_limits_of_a_head() {
        let trailers = |n: usize| [b"0\r\nA: ", &b"b".repeat(n - 7)[..], b"\r\n\r\n"].concat();
        assert_eq!(read(&trailers(MAX_HEAD)), Ok(Some((MAX_HEAD + 3, 0))));
        assert_eq!(read(&trailers(MAX_HEAD + 1)), Err(Kind::HeadTooLarge));
        let many = [&b"0\r\n"[..], &b"A: b\r\n".repeat(257), b"\r\n"].concat();
        assert_eq!(read(&many), Err(Kind::HeadTooLarge));
    }
}
