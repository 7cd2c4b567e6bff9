//! Requests as they are read, merged and counted, until a plan file is made of them.
//!
//! All texts in a [`Call`] are in the language of plan files already: readers make what they found
//! literal (`placeholder`) where it means nothing else.

use std::collections::HashMap;

use super::call::{Body, Call, Told, Variable};
use super::placeholder;
use super::secrets::Secrets;
use crate::error::{Error, Result};
use crate::plan::Url;

/// Different requests that are kept.
pub const MOST: usize = 1_000;

/// Hosts that are left out by name; the others by their number.
const NAMED: usize = 10;

/// Where requests go that no host is known of.
const NOWHERE: &str = "http://localhost:8080";

pub struct Draft {
    places: HashMap<Call, usize>,
    counts: Vec<u64>,
    /// Lines that are no request to an HTTP server, by what they are.
    passed_over: Vec<(String, u64)>,
    fields_dropped: u64,
    pub secrets: Secrets,
    pub vars: Vec<Variable>,
    pub notes: Vec<String>,
}

/// What the plan file is made of.
pub struct Finished {
    pub url: String,
    pub vars: Vec<Variable>,
    /// By their counts' order of appearance.
    pub calls: Vec<(Call, u64)>,
    /// All requests that were found, over all hosts.
    pub found: u64,
    /// Names in the environment that hold credentials.
    pub environment: Vec<String>,
    pub notes: Vec<String>,
}

impl Draft {
    pub fn new(keep_secrets: bool) -> Draft {
        Draft {
            places: HashMap::new(),
            counts: Vec::new(),
            passed_over: Vec::new(),
            fields_dropped: 0,
            secrets: Secrets::new(keep_secrets),
            vars: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes in a request to a URL of its own, which is literal.
    pub fn add_url(
        &mut self,
        method: &str,
        url: &str,
        headers: Vec<(String, String)>,
        body: Option<Body>,
    ) -> Result<()> {
        let (scheme, _) = url.split_once("://").unwrap_or(("http", ""));
        if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        {
            self.pass_over(format!("of the scheme `{scheme}` (blast sends http and https)"));
            return Ok(());
        }
        let parsed = Url::parse(url)?;
        let mut headers = headers;
        if let Some(authorization) = &parsed.authorization
            && find(&headers, "Authorization").is_none()
        {
            headers.push(("Authorization".into(), authorization.clone()));
        }
        // A virtual host's name is no more than the address says, unless it says otherwise.
        headers.retain(|(name, value)| {
            !name.eq_ignore_ascii_case("host") || !value.eq_ignore_ascii_case(&parsed.authority)
        });
        self.add(Call {
            method: method.into(),
            origin: origin(&parsed)?,
            // What looks like a placeholder was left as it was typed.
            path: placeholder::encoded(&placeholder::literal(&parsed.target)),
            headers,
            body,
            told: Told::default(),
        });
        Ok(())
    }

    /// Takes in a request: cleans it, takes its credentials out, and counts it.
    pub fn add(&mut self, mut call: Call) {
        // CONNECT asks for a tunnel.
        if !is_token(&call.method) || call.method == "CONNECT" {
            self.pass_over("with a method that carries no load".into());
            return;
        }
        if call.path.starts_with("//") {
            self.pass_over("whose path begins with `//`, which a plan takes for a host".into());
            return;
        }
        self.clean(&mut call);
        self.secrets.take_out_of(&mut call);
        let place = *self.places.entry(call).or_insert(self.counts.len());
        match self.counts.get_mut(place) {
            Some(count) => *count += 1,
            None => self.counts.push(1),
        }
    }

    /// Counts what is no request that can be sent.
    pub fn pass_over(&mut self, what: String) {
        match self.passed_over.iter_mut().find(|(known, _)| *known == what) {
            Some((_, count)) => *count += 1,
            None => self.passed_over.push((what, 1)),
        }
    }

    /// A sentence for the user, once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn why_empty(&self) -> Option<&'static str> {
        let skipped = !self.passed_over.is_empty();
        skipped.then_some("what it holds cannot be sent by blast")
    }

    /// Fields that are made anew for each request, or belong to one connection (RFC 9110, 7.6.1).
    fn clean(&mut self, call: &mut Call) {
        let connection = find(&call.headers, "Connection").unwrap_or_default().to_string();
        let hops: Vec<&str> = connection.split(',').map(str::trim).collect();
        call.headers.retain(|(name, _)| {
            !DROPPED.iter().chain(&hops).any(|dropped| name.eq_ignore_ascii_case(dropped))
                && !name.starts_with(':')
        });
        let named = call.headers.len();
        call.headers.retain(|(name, value)| {
            is_token(name) && !value.chars().any(|c| c.is_control() && c != '\t')
        });
        self.fields_dropped += (named - call.headers.len()) as u64;
        call.headers.iter_mut().for_each(|(_, value)| *value = value.trim().to_string());
        call.headers = joined(std::mem::take(&mut call.headers));
        call.body = call.body.take().filter(|body| !body.is_empty());
    }

    pub fn finished(mut self) -> Finished {
        let found = self.counts.iter().sum();
        let mut calls: Vec<(Call, u64)> =
            self.places.drain().map(|(call, place)| (call, place as u64)).collect();
        calls.sort_by_key(|(_, place)| *place);
        let counts = std::mem::take(&mut self.counts);
        calls.iter_mut().zip(counts).for_each(|((_, place), count)| *place = count);
        let url = self.leave_one_host(&mut calls);
        self.leave_the_most_frequent(&mut calls);
        self.tell_what_is_missing();
        let environment = self.environment(&calls);
        self.notes.extend(self.secrets.hints(&environment));
        Finished { url, vars: self.vars, calls, found, environment, notes: self.notes }
    }

    /// Names of credentials that requests of the plan still ask for.
    fn environment(&self, calls: &[(Call, u64)]) -> Vec<String> {
        let names = self.secrets.names().iter();
        let is_used = |name: &&String| {
            let placeholder = format!("{{{{env {name}}}}}");
            calls.iter().any(|(call, _)| call.holds(&placeholder))
        };
        names.filter(is_used).cloned().collect()
    }

    /// One run has one target: the host that most requests go to.
    fn leave_one_host(&mut self, calls: &mut Vec<(Call, u64)>) -> String {
        let mut origins: Vec<(String, u64)> = Vec::new();
        for (call, count) in calls.iter().filter(|(call, _)| !call.origin.is_empty()) {
            match origins.iter_mut().find(|(origin, _)| *origin == call.origin) {
                Some((_, sum)) => *sum += count,
                None => origins.push((call.origin.clone(), *count)),
            }
        }
        // The first of those that are equally frequent stays.
        origins.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut origins = origins.into_iter();
        let Some((kept, _)) = origins.next() else {
            self.note(format!("no host is named; the plan's `url` is {NOWHERE}, write your own"));
            return NOWHERE.into();
        };
        calls.retain(|(call, _)| call.origin.is_empty() || call.origin == kept);
        for (origin, count) in origins.by_ref().take(NAMED) {
            self.notes.push(format!(
                "left out: {} to {origin} (a run has one target, and most go to {kept})",
                counted(count, "request")
            ));
        }
        let others: Vec<(String, u64)> = origins.collect();
        if !others.is_empty() {
            let requests = others.iter().map(|(_, count)| count).sum();
            let hosts = others.len();
            let requests = counted(requests, "request");
            self.notes.push(format!("left out: {requests} to {hosts} further hosts"));
        }
        kept
    }

    fn leave_the_most_frequent(&mut self, calls: &mut Vec<(Call, u64)>) {
        let different = calls.len();
        if different <= MOST {
            return;
        }
        let mut counts: Vec<u64> = calls.iter().map(|(_, count)| *count).collect();
        counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        let least = counts[MOST - 1];
        let mut room = MOST - counts.iter().take(MOST).filter(|count| **count > least).count();
        calls.retain(|(_, count)| {
            let stays = *count > least || (*count == least && room > 0);
            room -= usize::from(stays && *count == least);
            stays
        });
        self.notes.push(format!(
            "of {different} different requests the {MOST} most frequent are in the plan: a plan \
             from a file holds no more"
        ));
    }

    fn tell_what_is_missing(&mut self) {
        for (what, count) in std::mem::take(&mut self.passed_over) {
            self.notes.push(format!("left out: {} {what}", counted(count, "request")));
        }
        if self.fields_dropped > 0 {
            self.notes.push(format!(
                "left out: {} whose name or value cannot be sent",
                counted(self.fields_dropped, "header field")
            ));
        }
    }
}

/// What a plan has as its `url`.
pub fn origin(url: &Url) -> Result<String> {
    let scheme = if url.is_https { "https" } else { "http" };
    match url.authority.contains(['{', '}']) {
        true => Err(Error::usage(
            "a variable stands where the host is due; write the host that it stands for",
        )),
        false => Ok(format!("{scheme}://{}", url.authority)),
    }
}

/// A field's value by its name in any case.
pub fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let field = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    field.map(|(_, value)| value.as_str())
}

/// Takes a field out.
pub fn take(headers: &mut Vec<(String, String)>, name: &str) -> Option<String> {
    let at = headers.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(headers.remove(at).1)
}

/// Several fields of one name as one (RFC 9110, 5.3; cookies: RFC 6265, 5.4).
fn joined(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        match fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((_, values)) => {
                values.push_str(if name.eq_ignore_ascii_case("cookie") { "; " } else { ", " });
                values.push_str(&value);
            }
            None => fields.push((name, value)),
        }
    }
    fields
}

/// RFC 9110, 5.6.2.
pub fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

pub fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Content-Length and Host are blast's; the others are of one connection.
const DROPPED: [&str; 10] = [
    "Content-Length",
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "HTTP2-Settings",
    "Expect",
];
