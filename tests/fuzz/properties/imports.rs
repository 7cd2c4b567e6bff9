//! Any bytes are a plan file that its own parser reads and that can be built, or one sentence;
//! in whatever format they are said to be, or look like.

use std::collections::BTreeMap;
use std::path::Path;

use blast::plan::Expected;
use blast::plan::file::{Around, Written, build};
use blast::plan::import::{Format, Imported, Wishes, import};
use blast::{Error, Exit};

use super::is_one_sentence;

pub fn check(data: &[u8]) {
    for format in Format::ALL.into_iter().map(Some).chain([None]) {
        let wishes = Wishes { format, source: "a\n\u{1}b".into(), ..Wishes::default() };
        match import(data, &wishes) {
            Ok(imported) => is_a_plan(&imported),
            Err(refusal) => {
                assert_ne!(refusal.line, Some(0), "{refusal}");
                is_one_sentence(&Error { exit: Exit::Usage, message: refusal.to_string() });
            }
        }
    }
}

fn is_a_plan(imported: &Imported) {
    let written = Written::read("plan.toml", imported.plan.clone());
    let written = written.unwrap_or_else(|error| panic!("{error}\n{}", imported.plan));
    assert!(!written.sheet.requests.is_empty());
    let vars = written.sheet.vars.iter();
    let vars: BTreeMap<String, String> =
        vars.map(|(name, _)| (name.to_string(), "1".to_string())).collect();
    let around = Around {
        folder: Path::new("."),
        base: written.sheet.url.as_deref().expect("every import names one"),
        read: &|_| Ok(bytes::Bytes::from_static(b"x")),
        env: &|_| Some("value".to_string()),
        vars: &vars,
        dress: &|_| Ok(()),
        request_id: None,
        expected: &Expected::default(),
        has_rate: false,
        has_rule_by_name: false,
        seed: 1,
        is_shown: false,
    };
    build(&written, &around).unwrap_or_else(|error| panic!("{error}\n{}", imported.plan));
}

pub const SEEDS: &[&[u8]] = &[
    include_bytes!("../../imports/shop.har"),
    include_bytes!("../../imports/vegeta.txt"),
    include_bytes!("../../imports/vegeta.jsonl"),
    include_bytes!("../../imports/urls.txt"),
    include_bytes!("../../imports/clinic.postman_collection.json"),
    include_bytes!("../../imports/pets.yaml"),
    include_bytes!("../../imports/tasks.openapi.json"),
    b"GET /{{x}}\n/a?b={{\n",
    b"{\"openapi\":\"3.0.0\",\"paths\":{\"/{a}\":{\"get\":{}}}}",
];

pub const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\n",
    "\\",
    "\\u0000",
    "#",
    "@",
    "&a",
    "*a",
    "<<",
    "- ",
    "null",
    "true",
    "1e999",
    "-1",
    "$ref",
    "#/paths",
    "#/components/schemas/Pet",
    "enum",
    "type",
    "integer",
    "minimum",
    "maximum",
    "9223372036854775808",
    "http://",
    "https://",
    "{{baseUrl}}",
    "{{$guid}}",
    ":id",
    "GET ",
    "POST ",
    "Cookie: a",
    "Authorization",
    "token=",
    "Content-Type",
    "multipart/form-data",
    "application/json",
    "text",
    "params",
    "encoding",
    "base64",
    "raw",
    "\u{e9}",
    "\u{2028}",
    "\0",
    "%",
];
