//! Any text is a plan file that can be built, or one sentence that says where it is wrong; and
//! what was read is written and read again the same.

use std::collections::BTreeMap;
use std::path::Path;

use blast::plan::Expected;
use blast::plan::file::{Around, Sheet, Written, build};
use serde_json::Value;

use super::is_one_sentence;

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let written = match Written::read("p.toml", text) {
        Ok(written) => written,
        Err(error) => {
            is_one_sentence(&error);
            return assert!(has_a_place(&error.message), "{error}");
        }
    };
    if let Ok(again) = toml::to_string(&written.sheet) {
        let read: Sheet = toml::from_str(&again).unwrap_or_else(|error| panic!("{error}\n{again}"));
        assert_eq!(text_of(&read), text_of(&written.sheet), "{again}");
    }
    for has_rate in [false, true] {
        let around = Around {
            folder: Path::new("/nonexistent"),
            base: written.sheet.url.as_deref().unwrap_or("http://h"),
            read: &|_| Ok(bytes::Bytes::from_static(b"a file")),
            env: &|_| Some("value".to_string()),
            vars: &BTreeMap::new(),
            dress: &|_| Ok(()),
            request_id: None,
            expected: &Expected::default(),
            has_rate,
            has_rule_by_name: false,
            seed: 1,
            is_shown: has_rate,
        };
        match build(&written, &around) {
            Ok(built) => {
                let entries = built.scenario.iter().flat_map(|scenario| {
                    scenario.entries.iter().map(|entry| entry.request < scenario.requests.len())
                });
                assert!(entries.into_iter().all(|is_there| is_there));
            }
            Err(error) => is_one_sentence(&error),
        }
    }
}

/// Its values in order, each table's own before the tables within it, as TOML has to write them.
fn text_of(sheet: &Sheet) -> String {
    values_first(serde_json::to_value(sheet).unwrap()).to_string()
}

fn values_first(value: Value) -> Value {
    let table = match value {
        Value::Object(table) => table,
        Value::Array(values) => return values.into_iter().map(values_first).collect(),
        value => return value,
    };
    let has_tables = |value: &Value| match value {
        Value::Object(_) => true,
        Value::Array(values) => values.iter().any(Value::is_object),
        _ => false,
    };
    let (tables, values): (Vec<_>, Vec<_>) =
        table.into_iter().partition(|(_, value)| has_tables(value));
    let all = values.into_iter().chain(tables);
    Value::Object(all.map(|(key, value)| (key, values_first(value))).collect())
}

/// `p.toml:LINE:COLUMN: ...`
fn has_a_place(message: &str) -> bool {
    let mut parts = message.splitn(4, ':');
    let is_number = |part: Option<&str>| part.is_some_and(|part| part.parse::<u32>().is_ok());
    parts.next() == Some("p.toml") && is_number(parts.next()) && is_number(parts.next())
}

pub const SEEDS: &[&[u8]] = &[
    b"url = \"http://h\"\n[[requests]]\npath = \"/{{int 1 9}}\"\nweight = 3\n[[requests]]\n",
    b"[vars]\na = { default = 1, help = \"x\" }\n[[requests]]\nquery = { a = \"{{var.a}}\" }\n",
    b"[[requests]]\nname = \"a\"\ncapture = { t = { json = \"/t\" } }\nchecks = [ { name = \"c\", json = \"/a\", equals = 1 } ]\n\
      [[requests]]\nname = \"b\"\nheaders = { A = \"{{capture.t}}\", B = false }\n[session]\nthink = \"1s..3s\"\n\
      steps = [ \"a\", { request = \"b\", repeat = \"1..3\", probability = 0.5 }, { one_of = [ \"b\" ] } ]\n",
    b"[load]\nrps = 5\nstages = [[\"30s\", \"1k\"]]\n[defaults]\nexpect = { status = [200, \"3xx\"], size = \"1..2\" }\n[[requests]]\nform = { a = \"b\" }\n",
    b"[[requests]]\nmultipart = [ { name = \"a\", value = \"{{uuid}}\" }, { name = \"f\", file = \"x.ogg\" } ]\n[setup]\nsteps = [\"POST /\"]\n[[requests]]\npath = \"/x\"\n",
    b"[targets.a]\nurl = \"http://a\"\nprotected = true\n[mix]\nchoice = \"random\"\n[limits]\nbody = \"1k\"\n[[requests]]\njson = { a = [1, 2.5, true, \"{{seq}}\"], d = 1979-05-27 }\n",
];

pub const WORDS: &[&str] = &[
    "[[requests]]\n",
    "[session]\n",
    "[load]\n",
    "[vars]\n",
    "[data.users]\n",
    "[targets.a]\n",
    "[setup]\n",
    "[teardown]\n",
    "[mix]\n",
    "[limits]\n",
    "[defaults]\n",
    "\n",
    "\"",
    "{",
    "}",
    "[",
    "]",
    "{{",
    "}}",
    "=",
    ",",
    "#",
    "''",
    "\"\"\"",
    "name",
    "weight",
    "path",
    "query",
    "headers",
    "body",
    "body_file",
    "template",
    "json",
    "form",
    "multipart",
    "content_type",
    "expect",
    "checks",
    "capture",
    "steps",
    "one_of",
    "repeat",
    "probability",
    "think",
    "rounds",
    "model",
    "\"sessions\"",
    "\"weighted\"",
    "\"exp 2s\"",
    "\"1s..3s\"",
    "0",
    "-1",
    "1e999",
    "nan",
    "18446744073709551615",
    "true",
    "false",
    "1979-05-27T07:32:00Z",
    "\"/\"",
    "\"http://x\"",
    "{{int 1 9}}",
    "{{capture.t}}",
    "{{data.users.a}}",
    "{{var.a}}",
    "{{env A}}",
    "{{user.id}}",
    "\u{e9}",
    "\\u0000",
    "\0",
    "\u{2028}",
];
