//! A set of one's own, in TOML: a table a measure, a key a grade.
//!
//! ```text
//! [p95]
//! excellent = "200ms"
//! good = "500ms"
//! acceptable = "1s"
//!
//! [service.p99.9]
//! good = "<1s"
//! ```
//!
//! A point in a measure's name makes a table in a table, to TOML; what is read is the path of
//! keys, so that quotes are needed only around the name of a request.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Grade, Limit, Measure, Set};
use crate::error::{Error, Result};
use crate::plan::file::Place;
use crate::plan::file::read::{explain, located, unknown_key};

pub fn read(name: &str, text: &str) -> Result<Set> {
    let table = DeTable::parse(text).map_err(|error| explain(name, text, &error))?;
    let mut reader = Reader { name, text, measures: Vec::new() };
    reader.table(&[], table.get_ref())?;
    if reader.measures.is_empty() {
        let message = "no measure stands there; write a table for each, such as `[p95]`, with \
                       `excellent`, `good`, `acceptable` or `poor`";
        return Err(reader.error(0, message));
    }
    Ok(Set { name: name.to_string(), measures: reader.measures })
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    measures: Vec<Measure>,
}

impl Reader<'_> {
    /// A table's own keys are limits; tables in it are measures of longer names.
    fn table(&mut self, path: &[&str], table: &DeTable) -> Result<()> {
        let is_table = |value: &Spanned<DeValue>| value.get_ref().is_table();
        if table.values().any(|value| !is_table(value)) || table.is_empty() && !path.is_empty() {
            let measure = self.measure(path, table)?;
            self.measures.push(measure);
        }
        for (key, value) in table {
            if let Some(inner) = value.get_ref().as_table() {
                let path = [path, &[key.get_ref().as_ref()]].concat();
                self.table(&path, inner)?;
            }
        }
        Ok(())
    }

    fn measure(&self, path: &[&str], table: &DeTable) -> Result<Measure> {
        let name = path.join(".");
        let mut limits: Vec<(usize, Limit)> = Vec::new();
        for (key, value) in table.iter().filter(|(_, value)| !value.get_ref().is_table()) {
            let grade = self.grade(path, key)?;
            let at = value.span().start;
            let text = value_of(value).ok_or_else(|| {
                self.error(at, "a limit is a text or a number; write one such as \"500ms\"")
            })?;
            let limit = Limit::parse(&name, grade, &text);
            limits.push((at, limit.map_err(|flaw| self.error(at, &flaw))?));
        }
        limits.sort_by_key(|(_, limit)| limit.grade);
        self.check(&limits)?;
        if limits.is_empty() {
            let at = Place(path.iter().map(|key| (*key).into()).collect()).find(self.text).start;
            let message = "the measure has no limits; give `excellent`, `good`, `acceptable` or \
                           `poor`";
            return Err(self.error(at, message));
        }
        Ok(Measure { name, limits: limits.into_iter().map(|(_, limit)| limit).collect() })
    }

    fn grade(&self, path: &[&str], key: &Spanned<std::borrow::Cow<str>>) -> Result<Grade> {
        let name = key.get_ref();
        Grade::LIMITED.into_iter().find(|grade| grade.name() == name).ok_or_else(|| {
            let table = Place(path.iter().map(|key| (*key).into()).collect());
            let message = unknown_key(name, &table, &Grade::LIMITED.map(Grade::name));
            self.error(key.span().start, &message)
        })
    }

    /// A worse grade asks for less, of the same figure.
    fn check(&self, limits: &[(usize, Limit)]) -> Result<()> {
        for pair in limits.windows(2) {
            let [(_, stricter), (at, limit)] = pair else { continue };
            let grades = (limit.grade.name(), stricter.grade.name());
            let message = match limit.is_wider_than(stricter) {
                Ok(true) => continue,
                Ok(false) => format!(
                    "\"{}\" asks for more than \"{}\" does; let each grade ask for less than the \
                     better one",
                    grades.0, grades.1
                ),
                Err(why) => format!("\"{}\" {why}", grades.0),
            };
            return Err(self.error(*at, &message));
        }
        Ok(())
    }

    fn error(&self, at: usize, message: &str) -> Error {
        located(self.name, self.text, at, message)
    }
}

/// As a limit is read: numbers may stand without quotes.
fn value_of(value: &Spanned<DeValue>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().to_string()),
        DeValue::Float(number) => Some(number.as_str().to_string()),
        _ => None,
    }
}
