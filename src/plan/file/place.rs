//! Where something stands in a plan file. A place is told as a path of keys and positions
//! (`requests`, 3, `weight`), and found by reading the text once more: only errors need it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Name(String),
    /// In a list, from 0.
    Index(usize),
}

impl From<&str> for Key {
    fn from(name: &str) -> Key {
        Key::Name(name.to_string())
    }
}

impl From<usize> for Key {
    fn from(index: usize) -> Key {
        Key::Index(index)
    }
}

/// A path of keys, from the top of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(pub Vec<Key>);

impl Place {
    pub fn top(key: &str) -> Place {
        Place::default().then(key)
    }

    /// One step further.
    pub fn then(&self, key: impl Into<Key>) -> Place {
        let mut keys = self.0.clone();
        keys.push(key.into());
        Place(keys)
    }

    /// The bytes of it, or of what is nearest: a key that is not there is looked for in its table.
    pub fn find(&self, text: &str) -> Range<usize> {
        let Ok(table) = DeTable::parse(text) else { return 0..0 };
        let mut found = 0..0;
        let mut here: Option<&Spanned<DeValue>> = None;
        for key in &self.0 {
            let table = match here.map(Spanned::get_ref) {
                None => Some(table.get_ref()),
                Some(value) => value.as_table(),
            };
            let next = match key {
                Key::Name(name) => table.and_then(|table| table.get_key_value(name.as_str())),
                Key::Index(index) => {
                    let list = here.and_then(|value| value.get_ref().as_array());
                    let Some(item) = list.and_then(|list| list.get(*index)) else { break };
                    found = item.span();
                    here = Some(item);
                    continue;
                }
            };
            let Some((name, value)) = next else { break };
            found = if is_scalar(value.get_ref()) { value.span() } else { name.span() };
            here = Some(value);
        }
        found
    }

    /// The table that a byte stands in, and the key there if it is one's or its value's.
    pub fn of(text: &str, at: usize) -> Option<Found> {
        let table = DeTable::parse(text).ok()?;
        let mut path = Vec::new();
        Some(match in_table(table.get_ref(), at, &mut path) {
            Some(kind) => Found { place: Place(path), kind: Some(kind) },
            None => Found { place: Place(path), kind: None },
        })
    }

    /// As a person names a table: `[[requests]]`, `[load]`, `checks of [[requests]]`.
    pub fn table_name(&self) -> String {
        let mut names = Vec::new();
        let mut keys = self.0.iter().peekable();
        while let Some(key) = keys.next() {
            let Key::Name(name) = key else { continue };
            let is_list = matches!(keys.peek(), Some(Key::Index(_)));
            names.push((name, is_list));
        }
        let Some(((first, is_list), rest)) = names.split_first() else {
            return "the file's first lines".to_string();
        };
        let groups = ["targets", "vars", "data"];
        match (is_list, rest) {
            (true, []) => format!("[[{first}]]"),
            (true, [.., (last, _)]) => format!("{last} of [[{first}]]"),
            (false, [(second, _)]) if groups.contains(&first.as_str()) => {
                format!("[{first}.{second}]")
            }
            (false, []) => format!("[{first}]"),
            (false, [.., (last, _)]) => format!("{last} of [{first}]"),
        }
    }
}

/// What stands at a byte.
#[derive(Debug)]
pub struct Found {
    /// Up to and with the key.
    pub place: Place,
    /// Of the value there.
    pub kind: Option<&'static str>,
}

fn in_table(table: &DeTable, at: usize, path: &mut Vec<Key>) -> Option<&'static str> {
    for (name, value) in table {
        path.push(Key::Name(name.get_ref().to_string()));
        if name.span().contains(&at) {
            return Some(kind(value.get_ref()));
        }
        if let Some(found) = in_value(value, at, path) {
            return Some(found);
        }
        path.pop();
    }
    None
}

fn in_value(value: &Spanned<DeValue>, at: usize, path: &mut Vec<Key>) -> Option<&'static str> {
    let inside = match value.get_ref() {
        DeValue::Table(table) => in_table(table, at, path),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            path.push(Key::Index(index));
            let found = in_value(item, at, path);
            if found.is_none() {
                path.pop();
            }
            found
        }),
        _ => None,
    };
    inside.or_else(|| value.span().contains(&at).then(|| kind(value.get_ref())))
}

fn is_scalar(value: &DeValue) -> bool {
    !value.is_table() && !value.is_array()
}

fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Line and column of a byte, from 1; columns are characters.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}
