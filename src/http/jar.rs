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
            self.remove(0, 0);
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
        self.find(|at, kept| self.text[at..][..usize::from(kept.name)] == *name)
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
