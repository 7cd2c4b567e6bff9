//! What stands in the place of a URL's host and is no host to the URL standard: the zone of an IPv6
//! address (RFC 6874), and the name of a Unix socket.

use std::borrow::Cow;

/// The parts of `http+unix://` as they were typed.
#[derive(Debug, PartialEq, Eq)]
pub struct Unix<'a> {
    /// With its `@`, or empty.
    pub userinfo: &'a str,
    /// Percent-encoded.
    pub host: &'a str,
    /// Path, query and fragment.
    pub rest: &'a str,
}

const UNIX: &str = "http+unix://";

/// `None`: it is no such URL.
pub fn of_unix_socket(text: &str) -> Option<Unix<'_>> {
    let scheme = text.get(..UNIX.len())?;
    if !scheme.eq_ignore_ascii_case(UNIX) {
        return None;
    }
    let text = &text[UNIX.len()..];
    let (authority, rest) = text.split_at(end_of_authority(text));
    let (userinfo, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    // An abstract name begins with an `@` of its own.
    match userinfo {
        "@" => Some(Unix { userinfo: "", host: authority, rest }),
        _ => Some(Unix { userinfo, host, rest }),
    }
}

/// A socket's name as a host: what is not plain text is percent-encoded.
pub fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let each = name.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    each.collect()
}

/// The text of a URL, or of a host alone, without the zone of the IPv6 address in it; and that
/// zone. Both `%25eth0` (RFC 6874) and `%eth0` (as people type it) are read, as in curl. `None`: it
/// is no interface's name.
pub fn without_zone(text: &str) -> Option<(Cow<'_, str>, Option<String>)> {
    let Some((from, to)) = zone(text) else { return Some((text.into(), None)) };
    let inside = &text[from + 1..to];
    let name = inside.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(inside);
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let fits = !name.is_empty() && name.len() < libc::IF_NAMESIZE && name.bytes().all(is_part);
    fits.then(|| (format!("{}{}", &text[..from], &text[to..]).into(), Some(name.to_string())))
}

/// From the `%` to the bracket that ends the address.
fn zone(text: &str) -> Option<(usize, usize)> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = start + end_of_authority(&text[start..]);
    let host = start + text[start..end].rfind('@').map_or(0, |at| at + 1);
    let inside = text[host..end].strip_prefix('[')?;
    let length = inside.find(']')?;
    let percent = inside[..length].find('%')?;
    Some((host + 1 + percent, host + 1 + length))
}

fn end_of_authority(text: &str) -> usize {
    text.find(['/', '?', '#', '\\']).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_taken_out_of_the_address_it_belongs_to() {
        for (text, without, zone) in [
            ("http://[fe80::1%25eth0]:80/", "http://[fe80::1]:80/", Some("eth0")),
            ("http://[fe80::1%eth0]/", "http://[fe80::1]/", Some("eth0")),
            ("u:p@[fe80::1%25br-a.5_~]", "u:p@[fe80::1]", Some("br-a.5_~")),
            ("[fe80::1%25]", "[fe80::1]", Some("25")),
            ("[fe80::1%2]", "[fe80::1]", Some("2")),
            ("http://h/[a%25b]", "http://h/[a%25b]", None),
            ("http://h/?q=[%25]", "http://h/?q=[%25]", None),
            ("http://[::1]/%25", "http://[::1]/%25", None),
        ] {
            let (left, found) = without_zone(text).expect(text);
            assert_eq!((&*left, found.as_deref()), (without, zone), "{text}");
        }
        for text in ["[fe80::1%]", "[::1%a/b]x", "[::1%25a name]", "[::1%25abcdefghijklmnop]"] {
            assert!(without_zone(text).is_none_or(|(_, zone)| zone.is_none()), "{text}");
        }
    }

    #[test]
    fn a_socket_stands_where_a_host_would() {
        for (text, userinfo, host, rest) in [
            ("http+unix://%2Frun%2Fa.sock/p?q#f", "", "%2Frun%2Fa.sock", "/p?q#f"),
            ("HTTP+UNIX://a.sock", "", "a.sock", ""),
            ("http+unix://u:p@a.sock/", "u:p@", "a.sock", "/"),
            ("http+unix://@name/", "", "@name", "/"),
            ("http+unix://u:p@%40name/", "u:p@", "%40name", "/"),
        ] {
            assert_eq!(of_unix_socket(text), Some(Unix { userinfo, host, rest }), "{text}");
        }
        for text in ["http://a/", "a", "", "http+unix:/", "é+unix://a/"] {
            assert_eq!(of_unix_socket(text), None, "{text}");
        }
        assert_eq!(encoded("/run/ä.sock"), "%2Frun%2F%C3%A4.sock");
    }
}
