//! Parts, written for one request.

use super::context::Context;
use super::escape::{self, Escape};
use super::part::Part;

/// What stands for a secret.
const MASK: &[u8] = b"***";

/// Appends the parts; how many bytes more they would be if nothing were hidden.
#[inline]
pub(super) fn parts(parts: &[Part], context: &mut Context, into: &mut Vec<u8>) -> isize {
    let mut hidden = 0;
    for part in parts {
        match part {
            Part::Fixed(bytes) => into.extend_from_slice(bytes),
            Part::Slot(slot, escape) => slot.write(*escape, context, into),
            Part::Cookies => cookies(b"Cookie: ", b"\r\n", context, into),
            Part::MoreCookies => cookies(b"; ", b"", context, into),
            Part::Hidden(inside) => {
                let from = into.len();
                hidden += self::parts(inside, context, into);
                // What is empty is no secret.
                if into.len() > from {
                    hidden += (into.len() - from) as isize - MASK.len() as isize;
                    into.truncate(from);
                    into.extend_from_slice(MASK);
                }
            }
        }
    }
    hidden
}

fn cookies(before: &[u8], behind: &[u8], context: &Context, into: &mut Vec<u8>) {
    let Some(jar) = context.jar.filter(|jar| !jar.is_empty()) else { return };
    into.extend_from_slice(before);
    let from = into.len();
    jar.write(into);
    // They came from a server.
    escape::in_place(into, from, Escape::Header);
    into.extend_from_slice(behind);
}

/// Bytes of their longest values.
pub(super) fn most(parts: &[Part]) -> usize {
    const COOKIES: usize = 256;
    let each = parts.iter().map(|part| match part {
        Part::Fixed(bytes) => bytes.len(),
        Part::Slot(slot, escape) => slot.most(*escape),
        Part::Cookies | Part::MoreCookies => COOKIES,
        Part::Hidden(inside) => most(inside).max(MASK.len()),
    });
    each.sum()
}
