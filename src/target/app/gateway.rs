//! The gateway: a login that gives a token and a cookie, and what only those may see who have one.

use serde_json::{Value, json};

use super::Shared;
use super::call::Visit;
use super::form;
use super::reply::Reply;
use super::token::Seal;

/// Any user, with any password but the empty one and `wrong`.
pub(super) fn login(seal: &Seal, visit: &Visit) -> Reply {
    let object = form::object(visit).unwrap_or_default();
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("password").is_empty() {
        return Reply::error(400, "a user and a password are required");
    }
    let Some(token) = seal.token(text("user")) else {
        return Reply::error(400, "a user of 1 to 128 bytes is required");
    };
    if text("password") == "wrong" {
        return Reply::error(401, "the password is wrong");
    }
    let reply = Reply::json(200, json!({ "token": token, "user": text("user") }));
    reply.and_set(&format!("session={token}; Path=/; HttpOnly"))
}

/// For those with a token alone: the cookie is not looked at, lest it hide a token that is missing.
pub(super) fn items(seal: &Seal, visit: &Visit) -> Reply {
    match bearer(seal, visit) {
        None => Reply::error(401, "log in and send the token in Authorization"),
        Some(user) => {
            let item = |id: u32| json!({ "id": id, "name": format!("item {id}") });
            Reply::json(200, json!({ "user": user, "items": (1..=5).map(item).collect::<Value>() }))
        }
    }
}

pub(super) fn create(shared: &Shared, visit: &Visit) -> Reply {
    match (bearer(&shared.seal, visit), form::object(visit)) {
        (None, _) => Reply::error(401, "log in and send the token in Authorization"),
        (_, None) => Reply::error(400, "the body must be a JSON object or a form"),
        (Some(user), Some(_)) => Reply::json(201, json!({ "id": shared.next_id(), "user": user })),
    }
}

/// With the token or the cookie. The token stays good: none is stored that could be struck out.
pub(super) fn logout(seal: &Seal, visit: &Visit) -> Reply {
    let user = bearer(seal, visit).or_else(|| seal.user(visit.cookie("session")?));
    match user {
        None => Reply::error(401, "nobody is logged in"),
        Some(user) => {
            let reply = Reply::json(200, json!({ "ok": true, "user": user }));
            reply.and_set("session=; Path=/; Max-Age=0")
        }
    }
}

/// RFC 6750, 2.1.
fn bearer(seal: &Seal, visit: &Visit) -> Option<String> {
    let (scheme, token) = visit.field("Authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return None;
    }
    seal.user(token.trim())
}
