//! The framing: which body follows a head, and whether the connection may live.
//!
//! One pass over the fields, then one match in the order of RFC 9112, 6.3. Fields that lie about
//! a length (not a number, two numbers, a space before the colon) make any head malformed; a
//! transfer coding that cannot be read does so only where a body follows.

use crate::failure::Kind;

/// What a head means for the bytes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framing {
    pub status: u16,
    pub body: Body,
    /// The connection may carry another request once the body has been read.
    pub keep_alive: bool,
}

impl Framing {
    /// A response that another one follows, whose own it announces (RFC 9110, 15.2).
    #[inline]
    pub fn is_interim(&self) -> bool {
        (100..=199).contains(&self.status)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Counted(u64),
    Chunked,
    /// Until the server closes (RFC 9112, 6.3, rule 8).
    ToFin,
}

/// What the fields say about framing.
#[derive(Default)]
struct Seen {
    length: Option<u64>,
    /// There is a Transfer-Encoding.
    coded: bool,
    /// Its last coding is chunked.
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

/// The framing of a parsed head. `raw` is what `response` was parsed from; `head`: the request was
/// HEAD.
#[inline]
pub(super) fn of(
    raw: &[u8],
    response: &httparse::Response<'_, '_>,
    head: bool,
) -> Result<Framing, Kind> {
    let status = response.code.ok_or(Kind::Malformed)?;
    let http_1_0 = response.version == Some(0);
    let seen = Seen::over(raw, response.headers)?;

    let body = match seen {
        _ if head || matches!(status, 100..=199 | 204 | 304) => Body::None,
        Seen { chunked: true, .. } => Body::Chunked,
        Seen { coded: true, .. } if !http_1_0 => return Err(Kind::Malformed),
        Seen { length: Some(length), .. } => Body::Counted(length),
        _ => Body::ToFin,
    };
    // A Transfer-Encoding beside a Content-Length, or from HTTP/1.0, means that someone on the way
    // may see other message bounds than we do (RFC 9112, 6.1).
    let suspect = seen.coded && (http_1_0 || seen.length.is_some());
    let persistent = !seen.close && (seen.keep_alive || !http_1_0);
    Ok(Framing { status, body, keep_alive: persistent && !suspect && body != Body::ToFin })
}

impl Seen {
    /// By length first: hardly another field has one of these three.
    #[inline]
    fn over(raw: &[u8], fields: &[httparse::Header<'_>]) -> Result<Seen, Kind> {
        let mut seen = Seen::default();
        for field in fields {
            match field.name.len() {
                10 if field.name.eq_ignore_ascii_case("connection") => seen.connection(field.value),
                14 if field.name.eq_ignore_ascii_case("content-length") => {
                    no_space_before_colon(raw, field.name)?;
                    seen.content_length(field.value)?;
                }
                17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                    no_space_before_colon(raw, field.name)?;
                    seen.transfer_encoding(field.value);
                }
                _ => {}
            }
        }
        Ok(seen)
    }

    /// RFC 9112, 9.3.
    #[inline]
    fn connection(&mut self, value: &[u8]) {
        for option in elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// `5`, or equal numbers in a list or in further fields (RFC 9112, 6.3, rule 5).
    #[inline]
    fn content_length(&mut self, value: &[u8]) -> Result<(), Kind> {
        for element in elements(value) {
            let length = decimal(element).ok_or(Kind::Malformed)?;
            if self.length.is_some_and(|earlier| earlier != length) {
                return Err(Kind::Malformed);
            }
            self.length = Some(length);
        }
        Ok(())
    }

    /// Several fields are one list, and empty elements are none (RFC 9110, 5.3 and 5.6.1.2).
    fn transfer_encoding(&mut self, value: &[u8]) {
        self.coded = true;
        if let Some(last) = elements(value).rfind(|element| !element.is_empty()) {
            self.chunked = last.eq_ignore_ascii_case(b"chunked");
        }
    }
}

/// A space between name and colon has hidden lengths from proxies before (RFC 9112, 5.1). httparse
/// cuts it off the name, so the raw byte after the name tells.
#[inline]
fn no_space_before_colon(raw: &[u8], name: &str) -> Result<(), Kind> {
    let end = name.as_ptr() as usize - raw.as_ptr() as usize + name.len();
    if raw.get(end) == Some(&b':') { Ok(()) } else { Err(Kind::Malformed) }
}

/// The elements of a list, without the white space around them; folds count as white space.
#[inline]
fn elements(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(<[u8]>::trim_ascii)
}

/// Digits only, no sign, within 64 bits.
#[inline]
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, b| {
        let digit = b.is_ascii_digit().then(|| u64::from(b - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::super::head;
    use super::*;

    /// The body, and whether the connection lives.
    type Read = Result<(Body, bool), Kind>;

    /// Of `version status | field | field`.
    fn framing(text: &str, head_request: bool) -> Read {
        let raw = format!("HTTP/{}\r\n\r\n", text.replace(" | ", "\r\n"));
        let (_, framing) = head::parse(raw.as_bytes(), head_request)?.expect("a whole head");
        Ok((framing.body, framing.keep_alive))
    }

    fn check(table: &[(&str, Read)]) {
        for (text, expected) in table {
            assert_eq!(framing(text, false), *expected, "{text:?}");
        }
    }

    const BAD: Read = Err(Kind::Malformed);

    #[test]
    fn a_content_length_is_one_number() {
        check(&[
            ("1.1 200 OK | Content-Length: 5", Ok((Body::Counted(5), true))),
            ("1.1 200 OK | CONTENT-LENGTH:0", Ok((Body::Counted(0), true))),
            ("1.1 200 OK | Content-Length: 005", Ok((Body::Counted(5), true))),
            (
                "1.1 200 OK | Content-Length: 18446744073709551615",
                Ok((Body::Counted(u64::MAX), true)),
            ),
            ("1.1 200 OK | Content-Length: 18446744073709551616", BAD),
            ("1.1 200 OK | Content-Length: 5 | Content-Length: 5", Ok((Body::Counted(5), true))),
            ("1.1 200 OK | Content-Length: 5, 5", Ok((Body::Counted(5), true))),
            ("1.1 200 OK | Content-Length: 5,\r\n 05", Ok((Body::Counted(5), true))),
            ("1.1 200 OK | Content-Length: 5 | Content-Length: 6", BAD),
            ("1.1 200 OK | Content-Length: 5, 6", BAD),
            ("1.1 200 OK | Content-Length: 5,", BAD),
            ("1.1 200 OK | Content-Length:", BAD),
            ("1.1 200 OK | Content-Length: +5", BAD),
            ("1.1 200 OK | Content-Length: -5", BAD),
            ("1.1 200 OK | Content-Length: 0x5", BAD),
            ("1.1 200 OK | Content-Length: 5 5", BAD),
            ("1.1 200 OK | Content-Length: 5.0", BAD),
            ("1.1 200 OK | Content-Length : 5", BAD),
            ("1.1 200 OK | Content-Length\t: 5", BAD),
            ("1.1 200 OK | X-Length : 5 | Content-Length: 5", Ok((Body::Counted(5), true))),
            ("1.1 304 Not Modified | Content-Length: 5, 6", BAD),
        ]);
    }

    #[test]
    fn a_transfer_encoding_must_end_in_chunked() {
        check(&[
            ("1.1 200 OK | Transfer-Encoding: chunked", Ok((Body::Chunked, true))),
            ("1.1 200 OK | transfer-encoding: gzip , CHUNKED ,", Ok((Body::Chunked, true))),
            (
                "1.1 200 OK | Transfer-Encoding: gzip | Transfer-Encoding: chunked",
                Ok((Body::Chunked, true)),
            ),
            ("1.1 200 OK | Transfer-Encoding:\r\n chunked", Ok((Body::Chunked, true))),
            ("1.1 200 OK | Transfer-Encoding: chunked | Transfer-Encoding: gzip", BAD),
            ("1.1 200 OK | Transfer-Encoding: chunked, gzip", BAD),
            ("1.1 200 OK | Transfer-Encoding: identity", BAD),
            ("1.1 200 OK | Transfer-Encoding: xchunked", BAD),
            ("1.1 200 OK | Transfer-Encoding: chunked;a=b", BAD),
            ("1.1 200 OK | Transfer-Encoding:", BAD),
            ("1.1 200 OK | Transfer-Encoding : chunked", BAD),
            ("1.1 200 OK | Transfer-Encoding: gzip | Content-Length: 5", BAD),
        ]);
    }

    #[test]
    fn chunked_wins_over_a_length_and_costs_the_connection() {
        check(&[
            (
                "1.1 200 OK | Transfer-Encoding: chunked | Content-Length: 5",
                Ok((Body::Chunked, false)),
            ),
            (
                "1.1 200 OK | Content-Length: 5 | Transfer-Encoding: chunked",
                Ok((Body::Chunked, false)),
            ),
        ]);
    }

    #[test]
    fn http_1_0_ignores_codings_that_are_not_chunked_and_never_trusts_them() {
        let alive = "Connection: keep-alive";
        check(&[
            (&format!("1.0 200 OK | Transfer-Encoding: gzip | {alive}"), Ok((Body::ToFin, false))),
            (
                &format!("1.0 200 OK | Transfer-Encoding: gzip | Content-Length: 5 | {alive}"),
                Ok((Body::Counted(5), false)),
            ),
            (
                &format!("1.0 200 OK | Transfer-Encoding: chunked | {alive}"),
                Ok((Body::Chunked, false)),
            ),
        ]);
    }

    #[test]
    fn some_responses_have_no_body_whatever_their_fields_say() {
        check(&[
            ("1.1 204 No Content", Ok((Body::None, true))),
            ("1.1 204 No Content | Content-Length: 5", Ok((Body::None, true))),
            ("1.1 304 Not Modified | Content-Length: 5", Ok((Body::None, true))),
            ("1.1 304 Not Modified | Transfer-Encoding: gzip", Ok((Body::None, true))),
            ("1.1 100 Continue", Ok((Body::None, true))),
            ("1.1 205 Reset Content | Content-Length: 0", Ok((Body::Counted(0), true))),
        ]);
        for text in [
            "1.1 200 OK",
            "1.1 200 OK | Content-Length: 5",
            "1.1 404 No | Transfer-Encoding: chunked",
        ] {
            assert_eq!(framing(text, true), Ok((Body::None, true)), "{text:?}");
        }
    }

    #[test]
    fn without_length_and_coding_the_body_ends_with_the_connection() {
        check(&[
            ("1.1 200 OK", Ok((Body::ToFin, false))),
            ("1.1 200 OK | Connection: keep-alive", Ok((Body::ToFin, false))),
            ("1.0 200 OK", Ok((Body::ToFin, false))),
            ("1.1 999 Odd", Ok((Body::ToFin, false))),
        ]);
    }

    #[test]
    fn the_connection_lives_by_its_options_and_its_version() {
        let table = [
            ("1.1", "", true),
            ("1.1", " | Connection: keep-alive", true),
            ("1.1", " | Connection: close", false),
            ("1.1", " | Connection: CLOSE", false),
            ("1.1", " | connection: upgrade , close", false),
            ("1.1", " | Connection: keep-alive, close", false),
            ("1.1", " | Connection: keep-alive | Connection: close", false),
            ("1.1", " | Connection: closed", true),
            ("1.1", " | Connection:\r\n close", false),
            ("1.0", "", false),
            ("1.0", " | Connection: Keep-Alive", true),
            ("1.0", " | Connection: keep-alive, close", false),
            ("1.0", " | Keep-Alive: timeout=5", false),
        ];
        for (version, fields, alive) in table {
            let text = format!("{version} 200 OK | Content-Length: 1{fields}");
            assert_eq!(framing(&text, false), Ok((Body::Counted(1), alive)), "{text:?}");
        }
    }
}
