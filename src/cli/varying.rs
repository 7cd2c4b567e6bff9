//! Placeholders on the command line: where the URL, a header or a body that was typed holds some,
//! the run is a mix of one request, made anew for each send.
//!
//! What was read from a file, or came with a curl command, is sent byte for byte.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::groups::LoadArgs;
use super::values::Header;
use crate::dice::Dice;
use crate::error::Result;
use crate::http::Request;
use crate::plan::mask::mask_query;
use crate::plan::scenario::{BODY_LIMIT, Entry, Exchange, Mix, Model, Part};
use crate::plan::template::{Message, Piece, Scope, literal, occurs_in};
use crate::plan::{Expected, RequestId, Scenario};

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
    let request_id = request_id(args);
    if !(url || headers || body || request_id.is_some()) {
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
    let (mut template, mut request) = (template(args, request), without_body(request));
    for dressed in [&mut template, &mut request] {
        request_id.iter().try_for_each(|id| id.put(dressed))?;
    }
    let message = Message::compile(&template, pieces, &scope)?;
    let name = format!("{} {}", request.method, mask_query(&request.target));
    let exchange = Exchange {
        name: name.clone(),
        request,
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
        request_id,
    }))
}

/// The ids of this run, where requests are to have some.
pub fn request_id(args: &LoadArgs) -> Option<RequestId> {
    let header = args.request.request_id.as_ref()?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut dice = Dice::of(
        args.shape.seed.unwrap_or(SEED),
        since.as_nanos() as u64,
        std::process::id().into(),
    );
    Some(RequestId::new(header, dice.next()))
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
