//! From a plan file to what is sent: its requests compiled, its steps resolved, its tables opened.
//!
//! `[load]` is not looked at here: its keys are flags, and the command line reads them.

mod answers;
mod bodies;
mod captures;
mod exchange;
mod flow;
mod names;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::Written;
use super::place::Place;
use super::sheet::{Choice, RowOrder, WhenExhausted};
use crate::error::{Error, Result};
use crate::http::Request;
use crate::plan::data::{Exhausted, Order, Table};
use crate::plan::scenario::{BODY_LIMIT, Exchange, Mix, Model};
use crate::plan::{Expected, RequestId, Scenario, Url};
use crate::units::{nearest, parse_size};
use exchange::Draft;
use flow::Entries;

/// What a plan file needs that does not stand in it.
pub struct Around<'a> {
    /// What relative names of files begin at.
    pub folder: &'a Path,
    /// What paths are joined to, as it was written.
    pub base: &'a str,
    /// The bytes of a file.
    pub read: &'a dyn Fn(&Path) -> Result<Bytes>,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Typed values of variables.
    pub vars: &'a BTreeMap<String, String>,
    /// What flags do to each request: headers.
    pub dress: &'a dyn Fn(&mut Request) -> Result<()>,
    /// The id that is put on each request.
    pub request_id: Option<&'a RequestId>,
    /// What flags ask of each answer.
    pub expected: &'a Expected,
    /// Requests are due by a clock.
    pub has_rate: bool,
    /// A rule is about one request by its name.
    pub has_rule_by_name: bool,
    pub seed: u64,
    /// It is to be looked at by a person: secrets are `***`.
    pub is_shown: bool,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Built {
    pub url: Url,
    /// The only one, or the first.
    pub request: Request,
    /// Of the only one.
    pub expected: Expected,
    /// `None`: one request that never changes, and of whose answer nothing is kept.
    pub scenario: Option<Arc<Scenario>>,
}

/// Builds what the file describes.
pub fn build(written: &Written, around: &Around) -> Result<Built> {
    let builder = Builder::new(written, around)?;
    let drafts = builder.drafts()?;
    match &drafts[..] {
        [only] if builder.is_plain(only) => builder.plain(only),
        _ => builder.scenario(&drafts),
    }
}

pub(super) struct Builder<'a> {
    written: &'a Written,
    around: &'a Around<'a>,
    base: Url,
    /// Of the requests, in their order; unique.
    names: Vec<String>,
    vars: BTreeMap<String, String>,
    tables: Vec<Arc<Table>>,
}

impl<'a> Builder<'a> {
    fn new(written: &'a Written, around: &'a Around) -> Result<Builder<'a>> {
        let base = Url::parse(around.base)?;
        if around.base.contains(['?', '#']) {
            return Err(written.error(
                &Place::top("url"),
                "the base of the requests has a query; write it into their `query`",
            ));
        }
        let names = names::of_requests(written)?;
        let vars = vars(written, around.vars)?;
        let mut builder = Builder { written, around, base, names, vars, tables: Vec::new() };
        builder.tables = builder.tables()?;
        Ok(builder)
    }

    fn drafts(&self) -> Result<Vec<Draft>> {
        (0..self.written.sheet.requests.len()).map(|place| self.draft(place)).collect()
    }

    /// It is sent over and over as it is, and nobody looks at its answers but for what is
    /// expected of each, nor asks for it by its name.
    fn is_plain(&self, draft: &Draft) -> bool {
        let sheet = &self.written.sheet;
        let one = &sheet.requests[0];
        let is_alone = !self.around.is_shown
            && !self.around.has_rule_by_name
            && sheet.session.is_none()
            && sheet.setup.is_none()
            && sheet.teardown.is_none();
        is_alone && one.checks.is_empty() && one.capture.is_empty() && !draft.has_placeholders()
    }

    fn plain(&self, draft: &Draft) -> Result<Built> {
        let url = Url::parse(&draft.address)?;
        let request = draft.request.clone();
        Ok(Built { url, request, expected: draft.expected.clone(), scenario: None })
    }

    fn scenario(&self, drafts: &[Draft]) -> Result<Built> {
        let entries = self.entries()?;
        self.check_captures(&entries)?;
        let captures = self.capture_names();
        let mut checks = Vec::new();
        let requests: Result<Vec<Exchange>> = drafts
            .iter()
            .enumerate()
            .map(|(place, draft)| self.exchange(place, draft, &entries, &captures, &mut checks))
            .collect();
        let requests = requests?;
        let Entries { rows, model, run_setup, run_teardown } = entries;
        let session = self.written.sheet.session.as_ref();
        let first = drafts.first().map(|draft| draft.request.clone());
        let scenario = Scenario {
            requests,
            entries: rows,
            model,
            run_setup,
            run_teardown,
            tables: self.tables.clone(),
            captures,
            checks,
            seed: self.around.seed,
            has_cookies: session.is_some_and(|session| session.cookies.unwrap_or(true)),
            body_limit: self.body_limit()?,
            request_id: self.around.request_id.cloned(),
        };
        Ok(Built {
            url: self.base.clone(),
            request: first.unwrap_or_else(|| Request::new("GET", "/", &self.base.authority)),
            expected: Expected::default(),
            scenario: Some(Arc::new(scenario)),
        })
    }

    fn body_limit(&self) -> Result<usize> {
        let limits = self.written.sheet.limits.as_ref();
        let Some(text) = limits.and_then(|limits| limits.body.as_ref()) else {
            return Ok(BODY_LIMIT);
        };
        let place = Place::top("limits").then("body");
        match parse_size(&text.0) {
            Ok(0) => {
                Err(self.error(&place, "nothing of a body would be kept; give 1 byte or more"))
            }
            Ok(size) if size <= MOST_BODY => Ok(size as usize),
            Ok(_) => Err(self.error(&place, "more than 64M of each body is too much; give less")),
            Err(error) => Err(self.error(&place, error.message)),
        }
    }

    fn tables(&self) -> Result<Vec<Arc<Table>>> {
        let sheet = &self.written.sheet;
        let open = |(name, data): (&str, &super::DataSheet)| {
            let place = Place::top("data").then(name);
            let order = match data.order {
                RowOrder::Sequential => Order::Sequential,
                RowOrder::Random => Order::Random,
                RowOrder::Unique => Order::Unique,
                RowOrder::Sharded => Order::Sharded,
            };
            if order == Order::Unique && sheet.session.is_none() {
                return Err(self.error(
                    &place.then("order"),
                    "\"unique\" gives each user a row, and without [session] there are no users; \
                     add one, or take another order",
                ));
            }
            let exhausted = match data.when_exhausted {
                WhenExhausted::Wrap => Exhausted::Wrap,
                WhenExhausted::Stop => Exhausted::Stop,
            };
            let path = self.around.folder.join(&data.file);
            let table = Table::open(name, &path, order, exhausted);
            table.map(Arc::new).map_err(|error| self.error(&place.then("file"), error.message))
        };
        sheet.data.iter().map(open).collect()
    }

    /// The mix of all requests that are for nothing else.
    fn mix(&self, entries: &[(usize, u64)]) -> Result<Model> {
        let choice = self.written.sheet.mix.unwrap_or_default().choice;
        let mix = Mix { entries: entries.to_vec(), random: choice == Choice::Random };
        // The engine takes it that there is one.
        mix.table(self.around.seed).map_err(|error| {
            self.error(&Place::top("requests").then(0).then("weight"), error.message)
        })?;
        Ok(Model::Mix(mix))
    }

    fn error(&self, place: &Place, message: impl AsRef<str>) -> Error {
        self.written.error(place, message)
    }
}

/// The most of a body that may be kept: there is a buffer of it on each connection.
const MOST_BODY: u64 = 64 << 20;

/// Each variable's value: typed, or its default.
fn vars(written: &Written, typed: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let known: Vec<&str> = written.sheet.vars.names().collect();
    if let Some(name) = typed.keys().find(|name| !known.contains(&name.as_str())) {
        let hint = match (nearest(name, known.iter().copied()), &known[..]) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => "it has no [vars]; drop it".to_string(),
            (None, known) => format!("it has {}", known.join(", ")),
        };
        return Err(Error::usage(format!(
            "--var: {} has no variable of this name; {hint}",
            written.name
        )));
    }
    let value = |(name, var): (&str, &super::VarSheet)| {
        let value = typed.get(name).map(String::as_str).or(var.default_value());
        match value {
            Some(value) => Ok((name.to_string(), value.to_string())),
            None => Err(written.error(
                &Place::top("vars").then(name),
                format!("variable \"{name}\" has no default; give it with `--var {name}=VALUE`"),
            )),
        }
    };
    written.sheet.vars.iter().map(value).collect()
}
