//! The fields of a head that was read already, for what looks at single ones of them.
//!
//! The head is a valid one: the [`super::Reader`] took it. So this only cuts lines, and whatever
//! else it is given it passes over.

/// Names and values in their order, without the white space around them. A value that was folded
/// over lines keeps its line breaks.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

/// `head`: the status line and the fields.
pub fn fields(head: &[u8]) -> Fields<'_> {
    Fields { rest: &head[line_end(head)..] }
}

/// The value of the first field of this name, however it is capitalised.
pub fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let is_named = |(found, _): &(&[u8], &[u8])| found.eq_ignore_ascii_case(name.as_bytes());
    fields(head).find(is_named).map(|(_, value)| value)
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut end = line_end(self.rest);
            if end == 0 {
                return None;
            }
            // RFC 9112, 5.2: a line that begins with white space continues the one before it.
            while matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                end += line_end(&self.rest[end..]);
            }
            let (line, rest) = self.rest.split_at(end);
            self.rest = rest;
            if let Some(colon) = memchr::memchr(b':', line) {
                return Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()));
            }
        }
    }
}

/// Behind the next line feed, or where the bytes end.
#[inline]
fn line_end(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK: fine\r\nSet-Cookie: a=b\r\nX-Long: one\r\n\ttwo\r\n\
        Empty:\r\nset-cookie : c=d\nLast:  spaced \t\r\n\r\n";

    #[test]
    fn fields_come_in_their_order_without_the_space_around_them() {
        let found: Vec<_> = fields(HEAD).map(|(name, value)| (text(name), text(value))).collect();
        assert_eq!(
            found,
            [
                ("Set-Cookie", "a=b"),
                ("X-Long", "one\r\n\ttwo"),
                ("Empty", ""),
                ("set-cookie", "c=d"),
                ("Last", "spaced"),
            ]
        );
    }

    #[test]
    fn a_field_is_found_however_it_is_capitalised() {
        assert_eq!(field(HEAD, "last"), Some(&b"spaced"[..]));
        assert_eq!(field(HEAD, "SET-COOKIE"), Some(&b"a=b"[..]));
        assert_eq!(field(HEAD, "HTTP/1.1 200 OK"), None);
        assert_eq!(field(HEAD, "Absent"), None);
    }

    #[test]
    fn whatever_it_is_given_it_ends() {
        for bytes in [&b""[..], b"\n", b"\r\n\r\n", b"no end", b"a\n b", b"a\n:\n::\n \n"] {
            for end in 0..=bytes.len() {
                assert!(fields(&bytes[..end]).count() <= 3);
            }
        }
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }
}
