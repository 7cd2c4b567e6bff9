//! Placeholders on the command line: where the URL, a header or a body that was typed holds some,
//! the run is a mix of one request, made anew for each send.
//!
//! What was read from a file, or came with a curl command, is sent byte for byte.

use std::collections::BTreeMap;

use super::low::LoadArgs;
use super::values::Header;
use crate::error::Result;
use crate::http::Request;
use crate::plan::mask::mask_query;
use crate::plan::scenario::{BODY_LIMIT, Entry, Exchange, Mix, Model, Part};
use crate::plan::template::{Message, Piece, Scope, literal, occurs_in};
use crate::plan::{Expected, Scenario};

/// Of the random numbers of a run, unless it is said.
pub const SEED: u64 = 1;

/// What the request is to be made from. `None`: it never varies. `pieces`: of its body.
pub fn scenario(
    args: &LoadArgs,
    request: &Request,
    pieces: &[Piece],
    expected: &Expected,
) -> Result<Option<Scenario>> {
    // Without one the URL is the curl command's.
    let url = args.words.first().is_some_and(|word| occurs_in(word));
    let headers = args.request.headers.iter().any(|header| match header {
        Header::Send(_, value) => occurs_in(value),
        _ => false,
    });
    let body = pieces.iter().any(|piece| matches!(piece, Piece::Text(text, _) if occurs_in(text)));
    if !(url || headers || body) {
        return Ok(None);
    }
    let scope = Scope {
        tables: &[],
        captures: &[],
        vars: &BTreeMap::new(),
        env: &|name| std::env::var(name).ok(),
        has_users: false,
        has_cookies: false,
    };
    let message = Message::compile(&template(args, request), pieces, &scope)?;
    let name = format!("{} {}", request.method, mask_query(&request.target));
    let exchange = Exchange {
        name: name.clone(),
        request: without_body(request),
        message,
        expected: expected.clone(),
        checks: Vec::new(),
        captures: Vec::new(),
    };
    Ok(Some(Scenario {
        requests: vec![exchange],
        entries: vec![Entry { name, request: 0, part: Part::Main, weight: 1 }],
        model: Model::Mix(Mix { entries: vec![(0, 1)], random: false }),
        run_setup: Vec::new(),
        run_teardown: Vec::new(),
        tables: Vec::new(),
        captures: Vec::new(),
        checks: Vec::new(),
        seed: args.shape.seed.unwrap_or(SEED),
        has_cookies: false,
        body_limit: BODY_LIMIT,
    }))
}

/// The request with braces that nobody typed as placeholders made to stand for themselves.
fn template(args: &LoadArgs, request: &Request) -> Request {
    let mut template = request.clone();
    if args.words.is_empty() {
        template.target = literal(&template.target);
    }
    let typed = |name: &str, value: &str| {
        let typed = Header::Send(name.to_string(), value.to_string());
        args.request.headers.contains(&typed)
    };
    for (name, value) in &mut template.headers {
        if !typed(name, value) {
            *value = literal(value);
        }
    }
    template
}

/// As it was written, for those who tell of it. The length of the body as it was written says
/// nothing.
fn without_body(request: &Request) -> Request {
    let mut head = request.clone();
    let length = head.body.len().to_string();
    head.headers.retain(|(n, v)| !(n.eq_ignore_ascii_case("content-length") && *v == length));
    head.body = bytes::Bytes::new();
    head
}
