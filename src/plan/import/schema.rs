//! Values that fit a schema of OpenAPI: an example where there is one, placeholders where there is
//! none. References are followed; depth and size are bounded, as schemas may hold themselves.

use serde_json::{Map, Value};

use super::placeholder::literal;
use crate::plan::template::body;

/// How deep a value goes, and how many references one name may go through.
const DEEPEST: usize = 8;

/// Members and items of one value.
const LARGEST: usize = 1_000;

/// Letters of a text whose length nothing says.
const LETTERS: u64 = 12;

/// A document, to look references up in.
#[derive(Clone, Copy)]
pub struct Document<'a>(pub &'a Value);

impl<'a> Document<'a> {
    /// What a `$ref` stands for, or the value itself. References into other files lead nowhere.
    pub fn resolve(&self, mut value: &'a Value) -> &'a Value {
        for _ in 0..DEEPEST {
            match value.get("$ref").and_then(Value::as_str) {
                Some(reference) => {
                    let found = reference.strip_prefix('#').and_then(|path| self.0.pointer(path));
                    value = found.unwrap_or(&Value::Null);
                }
                None => return value,
            }
        }
        &Value::Null
    }

    /// A value in the language of plan files; `None` where nothing is to be sent.
    pub fn sample(&self, schema: &'a Value) -> Option<Value> {
        self.of(schema, &mut Descent { open: Vec::new(), room: LARGEST })
    }

    /// The same as a text: of a path, a query, a field.
    pub fn text(&self, schema: &'a Value) -> String {
        let schema = self.resolve(schema);
        if let Some(value) = given(schema) {
            return literal(&written(value));
        }
        if let Some(choice) = choice(schema) {
            return choice;
        }
        match self.sample(schema) {
            Some(Value::Array(items)) => items.first().map(written).unwrap_or_default(),
            Some(Value::Bool(_)) => "{{choice true false}}".into(),
            Some(value @ (Value::String(_) | Value::Number(_))) => written(&value),
            _ => "{{string 8}}".into(),
        }
    }

    fn of(&self, schema: &'a Value, descent: &mut Descent<'a>) -> Option<Value> {
        let schema = self.resolve(schema);
        let holds_itself = descent.open.iter().any(|open| std::ptr::eq(*open, schema));
        if schema.is_null() || holds_itself || descent.open.len() > DEEPEST {
            return None;
        }
        descent.room = descent.room.checked_sub(1)?;
        descent.open.push(schema);
        let value = self.inside(schema, descent);
        descent.open.pop();
        value
    }

    fn inside(&self, schema: &'a Value, descent: &mut Descent<'a>) -> Option<Value> {
        if let Some(value) = given(schema) {
            return literals(value);
        }
        if let Some(first) = choice_of_value(schema) {
            return Some(first);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all(schema, parts, descent);
        }
        for name in ["oneOf", "anyOf"] {
            if let Some(first) =
                schema.get(name).and_then(Value::as_array).and_then(|of| of.first())
            {
                return self.of(first, descent);
            }
        }
        match kind(schema) {
            "integer" => Some(Value::String(integer(schema))),
            "number" => Some(Value::String(number(schema))),
            "boolean" => Some(Value::Bool(true)),
            "array" => {
                let item = schema.get("items").and_then(|item| self.of(item, descent));
                Some(Value::Array(item.into_iter().collect()))
            }
            "object" => Some(Value::Object(self.members(schema, descent))),
            "null" => None,
            _ => Some(Value::String(text(schema))),
        }
    }

    /// Members of all parts, and of the schema beside them.
    fn all(
        &self,
        schema: &'a Value,
        parts: &'a [Value],
        descent: &mut Descent<'a>,
    ) -> Option<Value> {
        let mut members = Map::new();
        let mut other = None;
        for part in parts {
            match self.of(part, descent) {
                Some(Value::Object(more)) => members.extend(more),
                Some(value) => other = Some(value),
                None => {}
            }
        }
        members.extend(self.members(schema, descent));
        if members.is_empty() && other.is_some() { other } else { Some(Value::Object(members)) }
    }

    fn members(&self, schema: &'a Value, descent: &mut Descent<'a>) -> Map<String, Value> {
        let mut members = Map::new();
        for (name, schema) in
            schema.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let resolved = self.resolve(schema);
            // What only the server says.
            if resolved.get("readOnly") == Some(&Value::Bool(true)) {
                continue;
            }
            if let Some(value) = self.of(schema, descent) {
                members.insert(literal(name), value);
            }
        }
        members
    }
}

/// The way down to a value.
struct Descent<'a> {
    /// Schemas that it goes through: what holds itself ends there.
    open: Vec<&'a Value>,
    /// Members and items that may still be made.
    room: usize,
}

/// A value as a text has it.
pub fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A value as JSON whose texts hold placeholders: those are not escaped.
pub fn json_text(value: &Value) -> String {
    let pieces = body::json(value);
    pieces.iter().map(|piece| String::from_utf8_lossy(piece.bytes())).collect()
}

/// All texts of a value made literal. `null` has no place in a plan file and is left out.
pub fn literals(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => Value::String(literal(text)),
        Value::Array(items) => Value::Array(items.iter().filter_map(literals).collect()),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| Some((literal(name), literals(value)?));
            Value::Object(members.iter().filter_map(member).collect())
        }
        other => other.clone(),
    })
}

/// What the schema itself gives as a value.
fn given(schema: &Value) -> Option<&Value> {
    let examples = || schema.get("examples").and_then(Value::as_array).and_then(|all| all.first());
    let has_choice = schema.get("enum").is_some();
    schema
        .get("example")
        .or_else(examples)
        .or_else(|| schema.get("const"))
        .or_else(|| schema.get("default").filter(|_| !has_choice))
        .filter(|value| !value.is_null())
}

/// One of several texts.
fn choice(schema: &Value) -> Option<String> {
    let values = schema.get("enum")?.as_array()?;
    let values: Vec<String> = values.iter().filter(|value| !value.is_null()).map(written).collect();
    let quoted = values.iter().map(|value| {
        let is_word =
            !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
        if is_word { value.clone() } else { format!("\"{value}\"") }
    });
    let quoted = quoted.collect::<Vec<_>>().join(" ");
    match values.as_slice() {
        [] => None,
        [only] => Some(literal(only)),
        // No way to write these in a placeholder.
        [first, ..] if values.iter().any(|value| value.contains(['"', '{', '}', '\\', '#'])) => {
            Some(literal(first))
        }
        _ => Some(format!("{{{{choice {quoted}}}}}")),
    }
}

/// The same for a value: what is no text is the first of them, as a choice is a text.
fn choice_of_value(schema: &Value) -> Option<Value> {
    let values = schema.get("enum")?.as_array()?;
    match values.first()? {
        Value::String(_) => choice(schema).map(Value::String),
        _ => values.iter().find_map(literals),
    }
}

/// In OpenAPI 3.1 there may be several, of which one is often `null`.
fn kind(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null")
        }
        _ => None,
    };
    let implied = || match schema {
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    };
    named.unwrap_or_else(implied)
}

fn integer(schema: &Value) -> String {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64).map(|bound| bound as i64);
    // Up to 3.0 a flag beside the bound, since then a bound of its own.
    let is_exclusive = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    let least = bound("minimum").map(|least| match is_exclusive("exclusiveMinimum") {
        true => least.saturating_add(1),
        false => least,
    });
    let least = least.or_else(|| bound("exclusiveMinimum").map(|least| least.saturating_add(1)));
    let most = bound("maximum").map(|most| match is_exclusive("exclusiveMaximum") {
        true => most.saturating_sub(1),
        false => most,
    });
    let most = most.or_else(|| bound("exclusiveMaximum").map(|most| most.saturating_sub(1)));
    let least = least.unwrap_or_else(|| most.map_or(1, |most| most.min(1)));
    let most = most.unwrap_or_else(|| least.saturating_add(999)).max(least);
    format!("{{{{int {least} {most}}}}}")
}

fn number(schema: &Value) -> String {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64).filter(|b| b.abs() < 1e15);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum")).unwrap_or(0.0);
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum")).unwrap_or(least + 1000.0);
    format!("{{{{float {least} {} 2}}}}", most.max(least))
}

fn text(schema: &Value) -> String {
    let length = |name: &str| schema.get(name).and_then(Value::as_u64);
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    match format {
        "uuid" => "{{uuid}}".into(),
        "date-time" => "{{now rfc3339}}".into(),
        "date" => "2024-01-31".into(),
        "time" => "12:00:00Z".into(),
        "email" | "idn-email" => "user-{{string 8}}@example.com".into(),
        "uri" | "url" | "iri" => "https://example.com/{{string 8}}".into(),
        "hostname" => "host-{{int 1 1000}}.example.com".into(),
        "ipv4" => "192.0.2.{{int 1 254}}".into(),
        "ipv6" => "2001:db8::{{hex 4}}".into(),
        _ => {
            let least = length("minLength").unwrap_or(1);
            let most = length("maxLength").unwrap_or(u64::MAX).max(least);
            format!("{{{{string {}}}}}", LETTERS.clamp(least, most).clamp(1, 1024))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_without_an_example_becomes_placeholders() {
        for (schema, expected) in [
            (json!({"type": "integer"}), json!("{{int 1 1000}}")),
            (json!({"type": "integer", "minimum": 5, "maximum": 9}), json!("{{int 5 9}}")),
            (
                json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true}),
                json!("{{int 1 1000}}"),
            ),
            (json!({"type": "integer", "maximum": -3}), json!("{{int -3 -3}}")),
            (json!({"type": "number", "maximum": 2.5}), json!("{{float 0 2.5 2}}")),
            (json!({"type": "string", "maxLength": 4}), json!("{{string 4}}")),
            (json!({"type": "string", "format": "uuid"}), json!("{{uuid}}")),
            (json!({"type": ["null", "boolean"]}), json!(true)),
            (json!({"enum": ["a", "b c"]}), json!("{{choice a \"b c\"}}")),
            (json!({"enum": [3, 4]}), json!(3)),
            (json!({"type": "string", "example": "{{x"}), json!("{{\"{{\"}}x")),
            (json!({"type": "array", "items": {"type": "integer"}}), json!(["{{int 1 1000}}"])),
        ] {
            assert_eq!(Document(&Value::Null).sample(&schema), Some(expected), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let document = json!({"a": {"properties": {
            "left": {"$ref": "#/a"}, "right": {"$ref": "#/a"}, "name": {"type": "string"},
        }}});
        let expected = json!({"name": "{{string 12}}"});
        assert_eq!(Document(&document).sample(&document["a"]), Some(expected));
        let round = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}});
        assert_eq!(Document(&round).sample(&round["a"]), None);
    }

    #[test]
    fn all_of_is_one_object() {
        let schema = json!({"allOf": [
            {"properties": {"a": {"type": "integer"}}},
            {"properties": {"b": {"type": "boolean"}, "c": {"readOnly": true}}},
        ]});
        let expected = json!({"a": "{{int 1 1000}}", "b": true});
        assert_eq!(Document(&Value::Null).sample(&schema), Some(expected));
    }
}
