//! Credentials of a recording: taken out, and asked for in the environment instead.
//!
//! A plan file is shared and committed; what a browser recorded is somebody's session. Each value
//! becomes `{{env NAME}}`, with a name made of the field's own.

use std::collections::HashMap;

use super::call::{Body, Call};
use super::placeholder::{OPENING, is_literal};
use crate::plan::mask::sounds_secret;

/// Header fields that hold credentials, whatever they sound like.
const CREDENTIALS: [&str; 3] = ["Authorization", "Proxy-Authorization", "Cookie"];

pub struct Secrets {
    kept: bool,
    /// Names in the environment, as they were found.
    names: Vec<String>,
    /// The name that stands for a value of a field.
    by_value: HashMap<(String, String), String>,
    /// How many values a field had.
    values: HashMap<String, usize>,
}

impl Secrets {
    pub fn new(kept: bool) -> Secrets {
        Secrets { kept, names: Vec::new(), by_value: HashMap::new(), values: HashMap::new() }
    }

    pub fn are_kept(&self) -> bool {
        self.kept
    }

    /// Puts placeholders in the place of what is secret in a request.
    pub fn take_out_of(&mut self, call: &mut Call) {
        if self.kept {
            return;
        }
        for (name, value) in &mut call.headers {
            let is_secret = CREDENTIALS.iter().any(|known| name.eq_ignore_ascii_case(known))
                || sounds_secret(name);
            if is_secret && !value.is_empty() && is_literal(value) {
                *value = self.placeholder(name, value);
            }
        }
        call.path = self.without_query(&call.path);
        match &mut call.body {
            Some(Body::Form(fields)) => fields.iter_mut().for_each(|(name, value)| {
                *value = self.without(name, value);
            }),
            Some(Body::Multipart(parts)) => parts.iter_mut().for_each(|part| {
                part.value = self.without(&part.name, &part.value);
            }),
            Some(Body::Json(text)) => *text = self.without_json(text),
            _ => {}
        }
    }

    /// The names that were given, in the order that they were found in.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A name that stands for a credential that the file does not hold.
    pub fn asked_for(&mut self, field: &str) -> String {
        self.placeholder(field, "")
    }

    /// What to set, in sentences, of the names that are in use.
    pub fn hints(&self, used: &[String]) -> Vec<String> {
        let mut hints = Vec::new();
        let cookies = self.values.get(COOKIE).copied().unwrap_or_default();
        if cookies > 1 {
            hints.push(format!("the Cookie field had {cookies} values, and the plan sends one"));
        }
        if let Some(first) = used.first() {
            hints.push(format!(
                "no credential is written to the plan: set {} before the run, as in `export \
                 {first}=...` (--keep-secrets keeps those of the file)",
                listed(used)
            ));
        }
        hints
    }

    fn without(&mut self, name: &str, value: &str) -> String {
        match sounds_secret(name) && !value.is_empty() && is_literal(value) {
            true => self.placeholder(name, value),
            false => value.to_string(),
        }
    }

    fn without_query(&mut self, path: &str) -> String {
        let Some((path, query)) = path.split_once('?') else { return path.to_string() };
        let fields = query.split('&').map(|field| match field.split_once('=') {
            Some((name, value)) => format!("{name}={}", self.without(name, value)),
            None => field.to_string(),
        });
        format!("{path}?{}", fields.collect::<Vec<_>>().join("&"))
    }

    /// The text with the values of members that sound secret replaced, and nothing else touched.
    fn without_json(&mut self, text: &str) -> String {
        let mut without = String::with_capacity(text.len());
        let mut rest = text;
        let mut member = None;
        while let Some((before, inside, behind)) = next_string(rest) {
            // Between a name and its value stands a colon, and blanks.
            let name = member.take().filter(|_| before.trim() == ":");
            let is_name = behind.trim_start().starts_with(':');
            without.push_str(before);
            match name {
                Some(name) if !is_name => {
                    without.push_str(&format!("\"{}\"", self.without(name, inside)));
                }
                _ => without.push_str(&format!("\"{inside}\"")),
            }
            member = is_name.then_some(inside);
            rest = behind;
        }
        without + rest
    }

    /// The same for the same value; for another a number follows. Cookies change all the time,
    /// and one variable stands for them.
    fn placeholder(&mut self, field: &str, value: &str) -> String {
        let base = environment_name(field);
        let key = (base.clone(), value.to_string());
        if let Some(name) = self.by_value.get(&key) {
            return format!("{{{{env {name}}}}}");
        }
        let count = self.values.entry(base.clone()).or_default();
        *count += 1;
        let name = match *count {
            count if count == 1 || base == COOKIE => base,
            count => format!("{base}_{count}"),
        };
        self.by_value.insert(key, name.clone());
        if !self.names.contains(&name) {
            self.names.push(name.clone());
        }
        format!("{{{{env {name}}}}}")
    }
}

const COOKIE: &str = "COOKIE";

/// What stands before the next JSON string, its inside as written, and what follows it.
fn next_string(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('"')?;
    let mut end = start + 1;
    loop {
        let rest = &text[end..];
        if rest.starts_with(OPENING) {
            end += OPENING.len();
            continue;
        }
        match rest.as_bytes().first()? {
            b'"' => return Some((&text[..start], &text[start + 1..end], &text[end + 1..])),
            b'\\' => end += 1 + rest[1..].chars().next()?.len_utf8(),
            _ => end += rest.chars().next()?.len_utf8(),
        }
    }
}

/// `X-Api-Key` as `X_API_KEY`.
pub fn environment_name(field: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = field.chars().map(clean).collect();
    match name.chars().next() {
        Some(first) if !first.is_ascii_digit() => name,
        _ => format!("_{name}"),
    }
}

/// `A`, `A and B`, `A, B and C`.
fn listed(names: &[String]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secret_members_of_a_json_text_are_replaced() {
        let mut secrets = Secrets::new(false);
        let text = r#"{ "user": "ada", "password" : "a\"b", "list": ["token", "x"], "token": 7 }"#;
        assert_eq!(
            secrets.without_json(text),
            r#"{ "user": "ada", "password" : "{{env PASSWORD}}", "list": ["token", "x"], "token": 7 }"#
        );
        assert_eq!(secrets.names(), ["PASSWORD"]);
    }

    #[test]
    fn another_value_of_the_same_field_has_a_name_of_its_own() {
        let mut secrets = Secrets::new(false);
        assert_eq!(secrets.without("api_key", "a"), "{{env API_KEY}}");
        assert_eq!(secrets.without("api_key", "b"), "{{env API_KEY_2}}");
        assert_eq!(secrets.without("api_key", "a"), "{{env API_KEY}}");
        assert_eq!(secrets.without("page", "a"), "a");
    }

    #[test]
    fn a_name_fits_the_environment() {
        assert_eq!(environment_name("X-Api-Key"), "X_API_KEY");
        assert_eq!(environment_name("2nd token"), "_2ND_TOKEN");
    }
}
