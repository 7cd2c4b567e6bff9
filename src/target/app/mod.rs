//! The demonstration application: what the ready plans load, answered as an application would,
//! with tokens, cookies and uploads, and nothing stored.
//!
//! A request for one of its paths is kept until its body is here, and answered by the endpoint.
//! When the answer leaves, and on which request the connection closes, are the [`Behaviour`]'s, as
//! for any other answer; and where that draws another status than 200, that is the answer. Paths
//! that are none of its own get what they get without it.
//!
//! ```text
//! call       a request with its body, bounded     hospital   a registry
//! form       queries, forms, uploads              telemetry  readings with a key
//! token      who has logged in                    tutor      uploads, pages of a user
//! reply      the answer as bytes                  gateway    login, items, logout
//! ```
//!
//! [`Behaviour`]: super::Behaviour

mod call;
mod form;
mod gateway;
mod hospital;
mod reply;
mod telemetry;
mod token;
mod tutor;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::request::Request;
use super::response::Response;
pub(super) use call::Call;
use call::{Fate, Method, Visit};
use reply::Reply;
use token::Seal;

/// What all threads of a target share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    seal: Seal,
    /// Things created so far: their numbers are their ids.
    created: AtomicU64,
}

impl Shared {
    fn next_id(&self) -> u64 {
        self.created.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// One thread's.
pub(super) struct App {
    shared: Arc<Shared>,
    /// Bytes of bodies that this thread keeps at present.
    kept: Rc<Cell<usize>>,
}

impl App {
    pub fn new(shared: Arc<Shared>) -> App {
        App { shared, kept: Rc::default() }
    }

    /// Takes a request for one of the application's paths. `last`: the connection ends with it.
    pub fn take(&self, request: &Request<'_>, last: bool) -> Option<Box<Call>> {
        let endpoint = Endpoint::of(path(request.target))?;
        Some(Box::new(Call::new(endpoint, request, last, &self.kept)))
    }

    /// Answers what was taken. Its body is here.
    pub fn answer(&self, call: &Call) -> Rc<Response> {
        let reply = match call.fate() {
            Fate::Kept => self.reply(call.endpoint, &call.visit()),
            Fate::TooLarge => Reply::error(413, "a body has 4 MB at most"),
            Fate::Crowded => Reply::error(503, "too many bodies at once; try again"),
        };
        Rc::new(Response::made(reply.status, reply.bytes(&call.shape)))
    }

    fn reply(&self, endpoint: Endpoint, visit: &Visit) -> Reply {
        use {Endpoint as E, Method as M};
        match (endpoint, visit.method) {
            (E::Root, M::Get) => hospital::root(),
            (E::Hospital, M::Get) => hospital::list(),
            (E::Hospital | E::Patient, M::Post) => hospital::create(&self.shared, visit),
            (E::Update, M::Post) => telemetry::update(&self.shared, visit),
            (E::Voice, M::Post) => tutor::voice(visit),
            (E::Stats, M::Get) => tutor::stats(visit),
            (E::Profile, M::Get) => tutor::profile(visit),
            (E::Words, M::Get) => tutor::words(visit),
            (E::Calendar, M::Get) => tutor::calendar(visit),
            (E::Login, M::Post) => gateway::login(&self.shared.seal, visit),
            (E::Items, M::Get) => gateway::items(&self.shared.seal, visit),
            (E::Items, M::Post) => gateway::create(&self.shared, visit),
            (E::Logout, M::Post) => gateway::logout(&self.shared.seal, visit),
            (endpoint, _) => Reply::not_allowed(endpoint.methods()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Root,
    Hospital,
    Patient,
    Update,
    Voice,
    Stats,
    Profile,
    Words,
    Calendar,
    Login,
    Items,
    Logout,
}

impl Endpoint {
    fn of(path: &[u8]) -> Option<Endpoint> {
        Some(match path {
            b"/" => Endpoint::Root,
            b"/hospital" => Endpoint::Hospital,
            b"/patient" => Endpoint::Patient,
            b"/update" => Endpoint::Update,
            b"/voice" => Endpoint::Voice,
            b"/stats" => Endpoint::Stats,
            b"/profile" => Endpoint::Profile,
            b"/words" => Endpoint::Words,
            b"/calendar" => Endpoint::Calendar,
            b"/login" => Endpoint::Login,
            b"/api/items" => Endpoint::Items,
            b"/logout" => Endpoint::Logout,
            _ => return None,
        })
    }

    /// As a field `Allow` has them.
    fn methods(self) -> &'static str {
        use Endpoint as E;
        match self {
            E::Root | E::Stats | E::Profile | E::Words | E::Calendar => "GET, HEAD",
            E::Hospital | E::Items => "GET, HEAD, POST",
            E::Patient | E::Update | E::Voice | E::Login | E::Logout => "POST",
        }
    }
}

/// What stands before the query.
fn path(target: &[u8]) -> &[u8] {
    target.split(|byte| *byte == b'?').next().unwrap_or(target)
}
