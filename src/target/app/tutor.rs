//! The language tutor: a voice message that is uploaded, and the pages of a user.
//!
//! What a user has done follows from the user's name alone, so that nothing is stored and the same
//! question has the same answer.

use serde_json::{Value, json};

use super::call::Visit;
use super::form;
use super::reply::Reply;

/// An upload of `user_id` and a file.
pub(super) fn voice(visit: &Visit) -> Reply {
    let Some(parts) = form::parts(visit) else {
        return Reply::error(400, "the body must be multipart/form-data, and whole");
    };
    let user = parts.iter().find(|part| part.name == "user_id" && !part.content.is_empty());
    let (Some(user), Some(file)) = (user, parts.iter().find(|part| part.is_file)) else {
        return Reply::error(400, "a field user_id and a file are required");
    };
    let user = String::from_utf8_lossy(user.content);
    let text = WORDS[file.content.len() % WORDS.len()];
    Reply::json(200, json!({ "user_id": id(&user), "bytes": file.content.len(), "text": text }))
}

pub(super) fn stats(visit: &Visit) -> Reply {
    page(visit, |digest| json!({ "messages": digest % 500, "streak": digest % 30 }))
}

pub(super) fn profile(visit: &Visit) -> Reply {
    page(visit, |digest| {
        let level = ["A1", "A2", "B1", "B2", "C1", "C2"][(digest % 6) as usize];
        json!({ "language": "en", "level": level })
    })
}

pub(super) fn words(visit: &Visit) -> Reply {
    page(visit, |digest| {
        let from = (digest % WORDS.len() as u64) as usize;
        json!({ "words": WORDS.iter().cycle().skip(from).take(5).collect::<Vec<_>>() })
    })
}

pub(super) fn calendar(visit: &Visit) -> Reply {
    page(visit, |digest| {
        let days: Vec<u64> = (1..=28).filter(|day| digest >> day & 1 == 1).collect();
        json!({ "days": days })
    })
}

/// `?user_id=`, and what is shown of that user.
fn page(visit: &Visit, show: impl Fn(u64) -> Value) -> Reply {
    let Some(user) = form::pair(visit.query, "user_id").filter(|user| !user.is_empty()) else {
        return Reply::error(400, "a query user_id is required");
    };
    let mut shown = show(digest(&user));
    shown["user_id"] = id(&user);
    Reply::json(200, shown)
}

/// A number where it is one.
fn id(user: &str) -> Value {
    match user.parse::<u64>() {
        Ok(number) if number.to_string() == user => Value::from(number),
        _ => Value::from(user),
    }
}

/// FNV-1a (Fowler, Noll and Vo), the same in every run.
fn digest(user: &str) -> u64 {
    user.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const WORDS: [&str; 8] =
    ["harvest", "lantern", "meadow", "orchard", "pebble", "quarrel", "ribbon", "sparrow"];
