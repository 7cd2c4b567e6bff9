//! What is looked at in answers: what is expected, checks, captures.

use super::Builder;
use crate::error::Result;
use crate::http::Pattern;
use crate::plan::answer::{Capture, Check, Field, Source, Test};
use crate::plan::file::{CaptureSheet, CheckSheet, ExpectSheet, Place};
use crate::plan::{Expected, Sizes, Statuses};
use std::sync::Arc;

/// What a check may be, in the order of the keys.
const KINDS: &str = "`json`, `header`, `contains`, `regex`, `status`, `size` and `latency`";

impl Builder<'_> {
    /// What flags ask, or else the request, or else the defaults.
    pub(super) fn expected(&self, request: usize) -> Result<Expected> {
        let typed = self.around.expected.clone();
        let sheet = &self.written.sheet;
        let of_request = Place::top("requests").then(request).then("expect");
        let of_all = Place::top("defaults").then("expect");
        let own = self.expect(sheet.requests[request].expect.as_ref(), &of_request)?;
        let all = self.expect(sheet.defaults.expect.as_ref(), &of_all)?;
        Ok(Expected {
            statuses: typed.statuses.or(own.statuses).or(all.statuses),
            size: typed.size.or(own.size).or(all.size),
            body: typed.body.or(own.body).or(all.body),
        })
    }

    fn expect(&self, expect: Option<&ExpectSheet>, place: &Place) -> Result<Expected> {
        let Some(expect) = expect else { return Ok(Expected::default()) };
        let at = |key: &str| {
            let place = place.then(key);
            move |error: crate::error::Error| self.error(&place, error.message)
        };
        let status = expect.status.as_ref().map(|text| Statuses::parse(&text.0));
        let size = expect.size.as_ref().map(|text| Sizes::parse(&text.0));
        let body = expect.body.as_ref().map(|text| Pattern::parse(text).map(Arc::new));
        Ok(Expected {
            statuses: status.transpose().map_err(at("status"))?,
            size: size.transpose().map_err(at("size"))?,
            body: body.transpose().map_err(at("body"))?,
        })
    }

    /// `all`: names of the checks so far, to which these are added. The same name in two requests
    /// is one row of the results.
    pub(super) fn checks(&self, request: usize, all: &mut Vec<String>) -> Result<Vec<Check>> {
        let checks = &self.written.sheet.requests[request].checks;
        let places = Place::top("requests").then(request).then("checks");
        let mut made: Vec<Check> = Vec::new();
        for (index, check) in checks.iter().enumerate() {
            let place = places.then(index);
            if check.name.trim().is_empty() || check.name.chars().any(char::is_control) {
                return Err(
                    self.error(&place.then("name"), "a check has a name; write a line of text")
                );
            }
            if made.iter().any(|other| other.name == check.name) {
                let message =
                    format!("two checks of the request are named \"{}\"; rename one", check.name);
                return Err(self.error(&place.then("name"), message));
            }
            let test = self.test(check, &place)?;
            made.push(Check::new(check.name.clone(), position(all, &check.name), test));
        }
        Ok(made)
    }

    fn test(&self, check: &CheckSheet, place: &Place) -> Result<Test> {
        let CheckSheet { json, header, equals, contains, regex, status, size, latency, .. } = check;
        let given = [
            json.is_some(),
            header.is_some(),
            contains.is_some() && header.is_none(),
            regex.is_some(),
            status.is_some(),
            size.is_some(),
            latency.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(self.error(place, format!("a check has one of {KINDS}; write one of them")));
        }
        if equals.is_some() && json.is_none() && header.is_none() {
            let message = "`equals` goes with `json` or `header`; drop it, or name one of them";
            return Err(self.error(&place.then("equals"), message));
        }
        let (key, test) = if let Some(pointer) = json {
            ("json", Test::json(pointer, equals.as_ref().map(json_of)))
        } else if let Some(name) = header {
            ("header", Test::header(name, self.field(equals.as_ref(), contains.as_deref(), place)?))
        } else if let Some(text) = contains {
            ("contains", Test::contains(text))
        } else if let Some(text) = regex {
            ("regex", Test::regex(text))
        } else if let Some(text) = status {
            ("status", Test::status(&text.0))
        } else if let Some(text) = size {
            ("size", Test::size(&text.0))
        } else {
            ("latency", Test::latency(latency.as_ref().map_or("", |text| &text.0)))
        };
        test.map_err(|error| self.error(&place.then(key), error.message))
    }

    fn field(
        &self,
        equals: Option<&toml::Value>,
        contains: Option<&str>,
        place: &Place,
    ) -> Result<Field> {
        match (equals, contains) {
            (Some(_), Some(_)) => {
                Err(self.error(place, "a field is `equals` or it `contains`; write one of them"))
            }
            (Some(toml::Value::String(text)), None) => Ok(Field::Equals(text.clone())),
            (Some(value @ (toml::Value::Integer(_) | toml::Value::Float(_))), None) => {
                Ok(Field::Equals(value.to_string()))
            }
            (Some(_), None) => Err(self.error(
                &place.then("equals"),
                "the value of a field is a text; write it in quotes",
            )),
            (None, Some(text)) => Ok(Field::Contains(text.to_string())),
            (None, None) => Ok(Field::Exists),
        }
    }

    /// That there is something to capture is a check of its own, named `capture NAME`.
    pub(super) fn captures(
        &self,
        request: usize,
        all: &[String],
        checks: &mut Vec<String>,
    ) -> Result<Vec<Capture>> {
        let captures = &self.written.sheet.requests[request].capture;
        let places = Place::top("requests").then(request).then("capture");
        let capture = |(name, sheet): (&str, &CaptureSheet)| {
            let index = all.iter().position(|known| known == name).unwrap_or(0);
            let from = self.source(sheet, &places.then(name))?;
            let check = position(checks, &format!("capture {name}"));
            Ok(Capture { name: name.to_string(), index, check, from })
        };
        captures.iter().map(capture).collect()
    }

    fn source(&self, sheet: &CaptureSheet, place: &Place) -> Result<Source> {
        let (key, source) = match (&sheet.json, &sheet.header, &sheet.cookie, &sheet.regex) {
            (Some(pointer), None, None, None) => ("json", Source::json(pointer)),
            (None, Some(name), None, None) => ("header", Source::header(name)),
            (None, None, Some(name), None) => ("cookie", Source::cookie(name)),
            (None, None, None, Some(text)) => ("regex", Source::regex(text)),
            _ => {
                let message =
                    "a capture is one of `json`, `header`, `cookie` and `regex`; write one";
                return Err(self.error(place, message));
            }
        };
        source.map_err(|error| self.error(&place.then(key), error.message))
    }
}

/// The place of a name in a list, to which it is added if it is new.
fn position(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_string());
        names.len() - 1
    })
}

/// TOML's values as JSON's: dates become texts.
pub(super) fn json_of(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(is_true) => (*is_true).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.iter().map(json_of).collect(),
        toml::Value::Table(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), json_of(value)));
            serde_json::Value::Object(fields.collect())
        }
    }
}
