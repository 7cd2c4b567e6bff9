//! The plan file: what a draft came to, laid out for people to go on writing.

use serde_json::Value as Json;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::call::{Body, Call, Part, Variable};
use super::draft::{Finished, counted, find, take};
use super::placeholder::shown;
use super::schema::json_text;
use super::{Imported, Wishes};

/// Fields of a request that stand on one line.
const ON_ONE_LINE: usize = 2;

/// Letters of a name.
const LONGEST_NAME: usize = 100;

pub fn plan(finished: Finished, wishes: &Wishes, format: &str) -> Imported {
    let Finished { url, vars, mut calls, found, environment, notes } = finished;
    let mut document = DocumentMut::new();
    let comment = comment(&wishes.source, format, found, calls.len(), &environment);
    document["url"] = value(url);
    if let Some(mut key) = document.key_mut("url") {
        key.leaf_decor_mut().set_prefix(comment);
    }
    if !vars.is_empty() {
        document["vars"] = Item::Table(variables(vars));
    }
    let common = take_common(&mut calls);
    let accepts = find(&common, "Accept").is_some();
    if !common.is_empty() {
        let mut defaults = Table::new();
        defaults.set_implicit(true);
        defaults["headers"] = Item::Table(fields(common).into_table());
        document["defaults"] = Item::Table(defaults);
    }
    let divisor = calls.iter().map(|(_, count)| *count).fold(0, greatest_common_divisor).max(1);
    let mut names = Names::default();
    let mut files = Files { wishes, written: Vec::new() };
    let mut requests = ArrayOfTables::new();
    for (call, count) in calls {
        let name = names.of(&call);
        requests.push(request(name, count / divisor, call, accepts, &mut files));
    }
    document["requests"] = Item::ArrayOfTables(requests);
    Imported { plan: document.to_string(), files: files.written, notes }
}

fn comment(
    source: &str,
    format: &str,
    found: u64,
    different: usize,
    environment: &[String],
) -> String {
    let different = match different as u64 {
        different if different == found => String::new(),
        different => format!(", {different} different ones in the plan"),
    };
    let mut comment = format!(
        "# From {} ({format}): {}{different}.\n",
        one_line(source),
        counted(found, "request")
    );
    if !environment.is_empty() {
        comment += &format!("# To be set in the environment: {}.\n", environment.join(", "));
    }
    comment
        + "# How much of it: `blast run FILE -c 64 -d 30s`, or a table [load] with these keys.\n"
}

fn variables(vars: Vec<Variable>) -> Table {
    let mut table = Table::new();
    for Variable { name, default, help } in vars {
        let mut variable = InlineTable::new();
        if let Some(default) = default {
            variable.insert("default", default.into());
        }
        if !help.is_empty() || variable.is_empty() {
            let help = if help.is_empty() { "to be given with --var" } else { &help };
            variable.insert("help", one_line(help).into());
        }
        table[&name] = value(variable);
    }
    table
}

/// Takes out the fields that all requests have with the same value.
fn take_common(calls: &mut [(Call, u64)]) -> Vec<(String, String)> {
    let [(first, _), others @ ..] = &*calls else { return Vec::new() };
    if others.is_empty() {
        return Vec::new();
    }
    let is_common = |(name, value): &&(String, String)| {
        // The type belongs to a body.
        !name.eq_ignore_ascii_case("content-type")
            && others.iter().all(|(call, _)| find(&call.headers, name) == Some(value.as_str()))
    };
    let common: Vec<(String, String)> = first.headers.iter().filter(is_common).cloned().collect();
    for (call, _) in calls {
        call.headers.retain(|(name, _)| find(&common, name).is_none());
    }
    common
}

fn request(name: String, weight: u64, mut call: Call, accepts: bool, files: &mut Files) -> Table {
    let mut table = Table::new();
    let comment = one_line(&call.told.comment);
    if !comment.is_empty() {
        table.decor_mut().set_prefix(format!("\n# {comment}\n"));
    }
    table["name"] = value(name);
    if weight != 1 {
        table["weight"] = value(i64::try_from(weight).unwrap_or(i64::MAX));
    }
    let implied = if call.body.is_some() { "POST" } else { "GET" };
    if call.method != implied {
        table["method"] = value(&call.method);
    }
    table["path"] = value(&call.path);
    let mut is_untyped = false;
    if let Some(body) = call.body.take() {
        let has_type = find(&call.headers, "Content-Type").is_some();
        // Where a plan names no type it sends one, as curl does.
        is_untyped = !has_type && matches!(body, Body::Text(_) | Body::File(_) | Body::Bytes(_));
        let accepts = accepts || find(&call.headers, "Accept").is_some();
        put_body(body, accepts, &mut call.headers, &mut table, files);
    }
    if !call.headers.is_empty() || is_untyped {
        let is_short = call.headers.len() <= ON_ONE_LINE;
        let mut fields = fields(call.headers);
        if is_untyped {
            fields.insert("Content-Type", false.into());
        }
        let line: usize = fields.to_string().len();
        table["headers"] = match is_short && line < 80 {
            true => value(fields),
            false => Item::Table(fields.into_table()),
        };
    }
    table
}

/// The body and its type, where the kind of body does not say it. `accepts`: the request says what
/// it accepts; `json` would ask for JSON where it does not.
fn put_body(
    body: Body,
    accepts: bool,
    headers: &mut Vec<(String, String)>,
    table: &mut Table,
    files: &mut Files,
) {
    let body = match body {
        Body::Json(text) if !accepts => Body::Text(text),
        body => body,
    };
    let kind = take(headers, "Content-Type");
    let implied = match &body {
        Body::Json(_) | Body::Value(_) => Some("application/json"),
        Body::Form(_) => Some("application/x-www-form-urlencoded"),
        _ => None,
    };
    // Its type has a boundary, which is made anew.
    let is_multipart = matches!(body, Body::Multipart(_));
    match body {
        Body::Text(text) => table["body"] = value(text),
        Body::Json(text) => table["json"] = value(text),
        Body::Value(json) => match of_json(&json) {
            Some(json) => table["json"] = value(json),
            None => table["json"] = value(json_text(&json)),
        },
        Body::Form(pairs) => table["form"] = value(fields(pairs)),
        Body::Multipart(parts) => table["multipart"] = value(multipart(parts, files)),
        Body::File(file) => table["body_file"] = value(files.named(file)),
        Body::Bytes(bytes) => table["body_file"] = value(files.beside(bytes)),
    }
    if let Some(kind) = kind.filter(|kind| !is_multipart && Some(kind.as_str()) != implied) {
        table["content_type"] = value(kind);
    }
}

/// Files that the plan names.
struct Files<'a> {
    wishes: &'a Wishes,
    /// Those that are to be written beside it.
    written: Vec<(String, Vec<u8>)>,
}

impl Files<'_> {
    /// As the plan is to name a file.
    fn named(&self, file: String) -> String {
        match &self.wishes.folder {
            Some(folder) if !file.starts_with('/') => format!("{folder}/{file}"),
            _ => file,
        }
    }

    /// The name of a file that is to hold what is no text.
    fn beside(&mut self, bytes: Vec<u8>) -> String {
        if let Some((name, _)) = self.written.iter().find(|(_, known)| *known == bytes) {
            return name.clone();
        }
        let name = self.wishes.source.rsplit('/').next().unwrap_or_default();
        let stem = name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("import");
        let name = format!("{stem}-body-{}.bin", self.written.len() + 1);
        self.written.push((name.clone(), bytes));
        name
    }
}

fn fields(fields: Vec<(String, String)>) -> InlineTable {
    let mut table = InlineTable::new();
    fields.into_iter().for_each(|(name, value)| {
        table.insert(&name, value.into());
    });
    table
}

fn multipart(parts: Vec<Part>, files: &Files) -> Array {
    let mut array = Array::new();
    for Part { name, value, file, filename, content_type } in parts {
        let mut part = InlineTable::new();
        part.insert("name", name.into());
        match file {
            Some(file) => part.insert("file", files.named(file).into()),
            None => part.insert("value", value.into()),
        };
        for (key, text) in [("filename", filename), ("type", content_type)] {
            if let Some(text) = text {
                part.insert(key, text.into());
            }
        }
        let mut part = Value::InlineTable(part);
        part.decor_mut().set_prefix("\n  ");
        array.push_formatted(part);
    }
    array.set_trailing_comma(true);
    array.set_trailing("\n");
    array
}

/// A value of JSON as one of TOML, which has no `null` and no number above 2^63.
fn of_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(is_true) => (*is_true).into(),
        Json::Number(number) => match (number.as_i64(), number.is_f64()) {
            (Some(whole), _) => whole.into(),
            (None, true) => number.as_f64()?.into(),
            (None, false) => return None,
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => {
            let items: Option<Vec<Value>> = items.iter().map(of_json).collect();
            Value::Array(items?.into_iter().collect())
        }
        Json::Object(members) => {
            let mut table = InlineTable::new();
            for (name, member) in members {
                table.insert(name, of_json(member)?);
            }
            Value::InlineTable(table)
        }
    })
}

/// Names that no other request has.
#[derive(Default)]
struct Names(std::collections::HashMap<String, u64>);

impl Names {
    fn of(&mut self, call: &Call) -> String {
        let path = call.told.path.clone().unwrap_or_else(|| shown(&call.path));
        let name = format!("{} {path}", call.method);
        let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect::<String>();
        let name = name.trim_end().to_string();
        let mut number = self.0.get(&name).map_or(1, |number| number + 1);
        let mut unique = numbered(&name, number);
        while number > 1 && self.0.contains_key(&unique) {
            number += 1;
            unique = numbered(&name, number);
        }
        self.0.insert(name, number);
        self.0.entry(unique.clone()).or_insert(1);
        unique
    }
}

fn numbered(name: &str, number: u64) -> String {
    if number == 1 { name.to_string() } else { format!("{name} ({number})") }
}

/// As a comment may hold it.
fn one_line(text: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(blank).take(200).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
