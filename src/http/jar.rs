//! The cookies of one user (RFC 6265).
//!
//! A name has one value. Path, Domain, Secure and SameSite are not looked at: a run has one
//! target, so that a cookie goes back with every request of its user. Max-Age and Expires are:
//! what has expired is gone with the next answer that is taken. A cookie that is not UTF-8 is
//! passed over, and so is one that alone is larger than a jar.

use cookie::{Cookie, Expiration};

use super::fields;

/// The most cookies of a user, and the most bytes of a Cookie field's value; the oldest go.
const MOST: usize = 50;
const LARGEST: usize = 4_096;

const SEPARATOR: &[u8] = b"; ";

/// Bounded in number and size; an empty one takes no memory beyond itself.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    /// As it is sent: `a=b; c=d`, in the order in which the names came.
    text: Vec<u8>,
    kept: Vec<Kept>,
}

/// One cookie of the text.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// Bytes of the name, and of `name=value`.
    name: u16,
    length: u16,
    /// In seconds since 1970; from then on it is not sent.
    expires: u32,
}

/// Expires with the user.
const NEVER: u32 = u32::MAX;

impl Jar {
    /// What a response's head sets. `now`: seconds since 1970.
    pub fn take(&mut self, head: &[u8], now: u64) {
        self.forget_expired(now);
        for (name, value, attributes) in set_cookies(head) {
            let expires = expires(attributes, now);
            if std::str::from_utf8(name).is_ok() && std::str::from_utf8(value).is_ok() {
                self.set(name, value, expires, now);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Appends `a=b; c=d`.
    pub fn write(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.text);
    }

    /// The bytes that it keeps.
    pub fn memory(&self) -> usize {
        self.text.capacity() + self.kept.capacity() * size_of::<Kept>()
    }

    fn set(&mut self, name: &[u8], value: &[u8], expires: u32, now: u64) {
        let length = name.len() + 1 + value.len();
        let place = self.place(name);
        if u64::from(expires) <= now || length > LARGEST {
            place.into_iter().for_each(|(index, at)| self.remove(index, at));
            return;
        }
        if let Some((index, at)) = place {
            // 5.3, 11: it keeps its age, and so its place.
            let kept = &mut self.kept[index];
            let old = at + usize::from(kept.name) + 1..at + usize::from(kept.length);
            (kept.length, kept.expires) = (length as u16, expires);
            self.text.splice(old, value.iter().copied());
        } else {
            if !self.text.is_empty() {
                self.text.extend_from_slice(SEPARATOR);
            }
            self.text.extend_from_slice(name);
            self.text.push(b'=');
            self.text.extend_from_slice(value);
            self.kept.push(Kept { name: name.len() as u16, length: length as u16, expires });
        }
        while self.kept.len() > MOST || self.text.len() > LARGEST {
            // Never the one that was just set: alone it fits.
            let is_other = |at: usize, kept: &Kept| !self.is_named(at, kept, name);
            let Some((index, at)) = self.find(is_other) else { return };
            self.remove(index, at);
        }
    }

    /// Takes out a cookie with the separator behind it, or of the last one that before it.
    fn remove(&mut self, index: usize, at: usize) {
        let end = at + usize::from(self.kept.remove(index).length);
        let with_separator = match end == self.text.len() {
            true => at.saturating_sub(SEPARATOR.len())..end,
            false => at..end + SEPARATOR.len(),
        };
        self.text.drain(with_separator);
    }

    fn forget_expired(&mut self, now: u64) {
        while let Some((index, at)) = self.find(|_, kept| u64::from(kept.expires) <= now) {
            self.remove(index, at);
        }
    }

    /// The cookie of this name.
    fn place(&self, name: &[u8]) -> Option<(usize, usize)> {
        self.find(|at, kept| self.is_named(at, kept, name))
    }

    fn is_named(&self, at: usize, kept: &Kept, name: &[u8]) -> bool {
        self.text[at..][..usize::from(kept.name)] == *name
    }

    /// Which cookie it is, and where it begins.
    fn find(&self, is_it: impl Fn(usize, &Kept) -> bool) -> Option<(usize, usize)> {
        let mut at = 0;
        for (index, kept) in self.kept.iter().enumerate() {
            if is_it(at, kept) {
                return Some((index, at));
            }
            at += usize::from(kept.length) + SEPARATOR.len();
        }
        None
    }
}

/// What a head sets: name, value and what stands behind them. What has no name is passed over
/// (RFC 6265, 5.2).
pub fn set_cookies(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8], &[u8])> {
    let fields = fields(head).filter(|(name, _)| name.eq_ignore_ascii_case(b"Set-Cookie"));
    fields.filter_map(|(_, line)| {
        let end = memchr::memchr(b';', line).unwrap_or(line.len());
        let equals = memchr::memchr(b'=', &line[..end])?;
        let (name, value) = (line[..equals].trim_ascii(), line[equals + 1..end].trim_ascii());
        (!name.is_empty()).then_some((name, value, &line[end..]))
    })
}

/// When a cookie with these attributes expires. Max-Age wins over Expires (RFC 6265, 5.3).
fn expires(attributes: &[u8], now: u64) -> u32 {
    let is_term = |name: &[u8]| {
        name.eq_ignore_ascii_case(b"Max-Age") || name.eq_ignore_ascii_case(b"Expires")
    };
    let mut names = attributes.split(|byte| *byte == b';').map(|attribute| {
        attribute.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
    });
    if !names.any(is_term) {
        return NEVER;
    }
    // The library reads attributes of a whole cookie only.
    let Ok(attributes) = std::str::from_utf8(attributes) else { return NEVER };
    let Ok(cookie) = Cookie::parse(format!("a=b{attributes}")) else { return NEVER };
    let at = match (cookie.max_age(), cookie.expires()) {
        (Some(age), _) => (now as i64).saturating_add(age.whole_seconds()),
        (None, Some(Expiration::DateTime(at))) => at.unix_timestamp(),
        (None, _) => return NEVER,
    };
    at.clamp(0, i64::from(NEVER)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn text(jar: &Jar) -> String {
        let mut bytes = Vec::new();
        jar.write(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    fn head(fields: &[&str]) -> Vec<u8> {
        let fields: String =
            fields.iter().map(|value| format!("Set-Cookie: {value}\r\n")).collect();
        format!("HTTP/1.1 200 OK\r\nServer: x\r\n{fields}\r\n").into_bytes()
    }

    fn take(jar: &mut Jar, fields: &[&str], now: u64) -> String {
        jar.take(&head(fields), now);
        assert_eq!(jar.is_empty(), text(jar).is_empty());
        text(jar)
    }

    /// RFC 6265, 3.1.
    #[test]
    fn the_examples_of_rfc_6265_are_kept_and_sent_back() {
        let mut jar = Jar::default();
        assert_eq!(take(&mut jar, &["SID=31d4d96e407aad42"], NOW), "SID=31d4d96e407aad42");
        let fields = ["SID=31d4d96e407aad42; Path=/; Secure; HttpOnly", "lang=en-US; Path=/"];
        let both = "SID=31d4d96e407aad42; lang=en-US";
        assert_eq!(take(&mut jar, &fields, NOW), both);
        let until = "lang=en-US; Expires=Wed, 09 Jun 2121 10:18:14 GMT";
        assert_eq!(take(&mut jar, &[until], NOW), both);
        let past = "lang=; Expires=Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(take(&mut jar, &[past], NOW), "SID=31d4d96e407aad42");
        let past = "SID=x; Expires=Sunday, 06-Nov-94 08:49:37 GMT";
        assert_eq!(take(&mut jar, &[past], NOW), "");
    }

    #[test]
    fn a_cookie_is_read_as_the_rfc_reads_it() {
        for (field, expected) in [
            ("a=b", "a=b"),
            ("  a = b c ; x", "a=b c"),
            ("a=b=c", "a=b=c"),
            ("a=\"b\"", "a=\"b\""),
            ("a=", "a="),
            ("=b", ""),
            ("a", ""),
            ("a; b=c", ""),
            ("", ""),
            ("a=b;", "a=b"),
            ("a=b; Max-Age=60", "a=b"),
            ("a=b; max-age=0", ""),
            ("a=b; MAX-AGE=-1", ""),
            ("a=b; Max-Age=soon", "a=b"),
            ("a=b; Max-Age=99999999999999", "a=b"),
            ("a=b; Expires=whenever", "a=b"),
            ("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", "a=b"),
            ("a=b; Max-Age=0; Expires=Wed, 09 Jun 2121 10:18:14 GMT", ""),
            ("a=b; Domain=other.example; Path=/deep; Secure; SameSite=Strict", "a=b"),
        ] {
            assert_eq!(take(&mut Jar::default(), &[field], NOW), expected, "{field}");
        }
    }

    #[test]
    fn a_name_has_one_value_and_keeps_its_place() {
        let mut jar = Jar::default();
        take(&mut jar, &["a=1", "b=2", "c=3"], NOW);
        assert_eq!(take(&mut jar, &["b=twenty"], NOW), "a=1; b=twenty; c=3");
        assert_eq!(take(&mut jar, &["b=", "A=x"], NOW), "a=1; b=; c=3; A=x");
        assert_eq!(take(&mut jar, &["b=; Max-Age=0"], NOW), "a=1; c=3; A=x");
        assert_eq!(take(&mut jar, &["a=; Max-Age=0", "A=; Max-Age=0"], NOW), "c=3");
    }

    #[test]
    fn what_has_expired_goes_with_the_next_answer() {
        let mut jar = Jar::default();
        take(&mut jar, &["a=1; Max-Age=10", "b=2", "c=3; Max-Age=20"], NOW);
        assert_eq!(take(&mut jar, &[], NOW + 9), "a=1; b=2; c=3");
        assert_eq!(take(&mut jar, &[], NOW + 10), "b=2; c=3");
        assert_eq!(take(&mut jar, &["c=4"], NOW + 30), "b=2; c=4");
        assert_eq!(take(&mut jar, &[], NOW + 1_000_000_000), "b=2; c=4");
    }

    #[test]
    fn a_jar_is_bounded_and_the_oldest_go() {
        let mut jar = Jar::default();
        for number in 0..1_000 {
            jar.take(&head(&[&format!("name{number}={}", "v".repeat(number))]), NOW);
            assert!(text(&jar).len() <= LARGEST && jar.kept.len() <= MOST);
        }
        assert!(text(&jar).ends_with(&"v".repeat(999)) && !text(&jar).contains("name900="));
        assert!(jar.memory() <= 4 * LARGEST, "{}", jar.memory());
        let before = text(&jar);
        let large = format!("large={}", "v".repeat(LARGEST));
        assert_eq!(take(&mut jar, &[&large], NOW), before);
        let grown = format!("name999={}", "v".repeat(LARGEST - 8));
        assert_eq!(take(&mut jar, &[&grown], NOW), grown);
        let mut jar = Jar::default();
        take(&mut jar, &["session=1", "other=2", "last=3"], NOW);
        let renewed = format!("session={}", "v".repeat(LARGEST - 16));
        assert_eq!(take(&mut jar, &[&renewed], NOW), format!("{renewed}; last=3"));
        let mut many = Jar::default();
        (0..60).for_each(|number| many.take(&head(&[&format!("n{number}=v")]), NOW));
        assert!(text(&many).starts_with("n10=v; n11=v; ") && many.kept.len() == MOST);
    }

    #[test]
    fn a_user_without_cookies_takes_no_memory_for_them() {
        let mut jar = Jar::default();
        jar.take(&head(&[]), NOW);
        assert_eq!(jar.memory(), 0);
        assert!(size_of::<Jar>() <= 48);
        jar.take(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=\xff\r\nSet-Cookie: b=1\r\n\r\n", NOW);
        assert_eq!(text(&jar), "b=1");
    }
}
