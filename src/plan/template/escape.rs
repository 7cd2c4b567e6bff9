//! Values made fit for what surrounds them, in the buffer that they were written to.
//!
//! What a value can never do: end the field, the line, the string or the pair that it stands in.

/// What a value is made fit for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Nothing: it is sent as it is.
    Raw,
    /// Path or query: what is not unreserved is percent-encoded.
    Url,
    /// The beginning of a target: a value that is a path, or a whole URL of which the path and query
    /// are meant (a `Location`), is one already; any other stands behind a slash as in [`Escape::Url`].
    Link,
    /// application/x-www-form-urlencoded.
    Form,
    /// A field's value: line breaks and NUL are dropped.
    Header,
    /// The inside of a JSON string.
    Json,
}

/// A byte as it stands in the surroundings: none, itself, or more than one.
#[derive(Clone, Copy)]
struct Written {
    bytes: [u8; 6],
    length: usize,
}

/// The bytes from `from` on, escaped where they stand. Nothing is allocated but for the room that
/// the escapes need.
pub fn in_place(buffer: &mut Vec<u8>, from: usize, escape: Escape) {
    let end = buffer.len();
    let length: usize = match escape {
        Escape::Raw => return,
        Escape::Header => return drop_line_ends(buffer, from),
        Escape::Link => return link(buffer, from),
        _ => buffer[from..].iter().map(|byte| written(*byte, escape).length).sum(),
    };
    if length == end - from {
        return replace_single(buffer, from, escape);
    }
    // Each is at least as long as before, so from the end on none is overwritten unread.
    buffer.resize(from + length, 0);
    let mut to = buffer.len();
    for at in (from..end).rev() {
        let Written { bytes, length } = written(buffer[at], escape);
        to -= length;
        buffer[to..to + length].copy_from_slice(&bytes[..length]);
    }
}

/// The same of a text.
pub fn text(text: &str, escape: Escape) -> String {
    String::from_utf8(bytes(text.as_bytes(), escape)).expect("escapes are ASCII, and none is cut")
}

/// The same of bytes.
pub fn bytes(bytes: &[u8], escape: Escape) -> Vec<u8> {
    let mut escaped = bytes.to_vec();
    in_place(&mut escaped, 0, escape);
    escaped
}

/// How many times as long a value commonly is at most.
pub fn growth(escape: Escape) -> usize {
    match escape {
        Escape::Raw | Escape::Header => 1,
        // Of control characters six times; quotes and backslashes are what texts have.
        Escape::Json => 2,
        Escape::Url | Escape::Link | Escape::Form => 3,
    }
}

/// A blank in a form is another byte, and no longer.
fn replace_single(buffer: &mut [u8], from: usize, escape: Escape) {
    if escape == Escape::Form {
        buffer[from..].iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b'+');
    }
}

fn drop_line_ends(buffer: &mut Vec<u8>, from: usize) {
    let mut to = from;
    for at in from..buffer.len() {
        if !matches!(buffer[at], b'\r' | b'\n' | 0) {
            buffer[to] = buffer[at];
            to += 1;
        }
    }
    buffer.truncate(to);
}

/// What is a path is kept as it is, but for bytes that no target may hold (RFC 3986, 2) and what
/// follows a `#`.
fn link(buffer: &mut Vec<u8>, from: usize) {
    let Some(path) = path_of(&buffer[from..]) else {
        buffer.insert(from, b'/');
        return in_place(buffer, from + 1, Escape::Url);
    };
    buffer.drain(from..from + path);
    if let Some(fragment) = memchr::memchr(b'#', &buffer[from..]) {
        buffer.truncate(from + fragment);
    }
    if buffer.get(from) != Some(&b'/') {
        buffer.insert(from, b'/');
    }
    let mut at = from;
    while at < buffer.len() {
        let byte = buffer[at];
        if !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte) {
            buffer.splice(at..at + 1, percent(byte));
            at += 2;
        }
        at += 1;
    }
}

/// Where the path of a link begins; `None` if the value is none.
fn path_of(value: &[u8]) -> Option<usize> {
    let of_authority = match value {
        [b'/', b'/', ..] => 2,
        [b'/', ..] => return Some(0),
        _ if value.starts_with(b"http://") => 7,
        _ if value.starts_with(b"https://") => 8,
        _ => return None,
    };
    let ends = |byte: &u8| b"/?#".contains(byte);
    let authority = value[of_authority..].iter().position(ends);
    Some(authority.map_or(value.len(), |length| of_authority + length))
}

#[inline]
fn written(byte: u8, escape: Escape) -> Written {
    let stays = match escape {
        Escape::Raw | Escape::Header | Escape::Link => true,
        // RFC 3986, 2.3.
        Escape::Url => byte.is_ascii_alphanumeric() || b"-._~".contains(&byte),
        // WHATWG, URL, 1.3.
        Escape::Form => byte.is_ascii_alphanumeric() || b"*-._".contains(&byte),
        // RFC 8259, 7.
        Escape::Json => byte >= b' ' && byte != b'"' && byte != b'\\',
    };
    match escape {
        _ if stays => one(byte),
        Escape::Form if byte == b' ' => one(b'+'),
        Escape::Json => of_json(byte),
        _ => {
            let [percent, high, low] = percent(byte);
            Written { bytes: [percent, high, low, 0, 0, 0], length: 3 }
        }
    }
}

fn percent(byte: u8) -> [u8; 3] {
    [b'%', hex(byte >> 4), hex(byte & 15)]
}

fn one(byte: u8) -> Written {
    Written { bytes: [byte, 0, 0, 0, 0, 0], length: 1 }
}

fn of_json(byte: u8) -> Written {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => {
            let [high, low] = [hex(byte >> 4), hex(byte & 15)];
            return Written { bytes: [b'\\', b'u', b'0', b'0', high, low], length: 6 };
        }
    };
    Written { bytes: [b'\\', short, 0, 0, 0, 0], length: 2 }
}

fn hex(digit: u8) -> u8 {
    b"0123456789ABCDEF"[usize::from(digit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_nothing_that_it_stands_in() {
        for (escape, value, expected) in [
            (Escape::Raw, "a\r\n\"&", "a\r\n\"&"),
            (Escape::Header, "a\r\nX-B: c\0", "aX-B: c"),
            (Escape::Header, "ä \"", "ä \""),
            (Escape::Url, "a b/c?d=e&f#g%~ä", "a%20b%2Fc%3Fd%3De%26f%23g%25~%C3%A4"),
            (Escape::Form, "a b", "a+b"),
            (Escape::Form, "a b&c=d+~*", "a+b%26c%3Dd%2B%7E*"),
            (Escape::Json, "a\"b\\c\n\r\t\u{8}\u{c}\u{1}ä/", r#"a\"b\\c\n\r\t\b\f\u0001ä/"#),
            (Escape::Json, "plain", "plain"),
            (Escape::Url, "", ""),
            (Escape::Link, "/a/b?c=d%20e&f", "/a/b?c=d%20e&f"),
            (Escape::Link, "/ä b\r\n#c", "/%C3%A4%20b%0D%0A"),
            (Escape::Link, "https://h:8/a?b", "/a?b"),
            (Escape::Link, "http://h?b#c", "/?b"),
            (Escape::Link, "http://h", "/"),
            (Escape::Link, "//h/a", "/a"),
            (Escape::Link, "a/b?c", "/a%2Fb%3Fc"),
            (Escape::Link, "", "/"),
        ] {
            assert_eq!(text(value, escape), expected, "{escape:?}");
            let mut buffer = b"\"& before".to_vec();
            buffer.extend_from_slice(value.as_bytes());
            in_place(&mut buffer, 9, escape);
            assert_eq!(buffer, [b"\"& before", expected.as_bytes()].concat(), "{escape:?}");
        }
    }

    #[test]
    fn what_is_escaped_is_read_back_as_it_was() {
        let every: String = (0..0x250).filter_map(char::from_u32).collect();
        let json = format!("\"{}\"", text(&every, Escape::Json));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), every);
        let pair = format!("v={}", text(&every, Escape::Form));
        let read: Vec<_> = url::form_urlencoded::parse(pair.as_bytes()).collect();
        assert_eq!(read, [("v".into(), every.as_str().into())]);
        assert!(text(&every, Escape::Url).bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
