//! A Postman collection as it stands in its file.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Deserialize)]
pub struct File {
    /// As Postman's own interface wraps it.
    pub collection: Option<Collection>,
    #[serde(default)]
    pub item: Option<Vec<Item>>,
    #[serde(default, deserialize_with = "nullable")]
    pub variable: Vec<Variable>,
    pub auth: Option<Auth>,
}

#[derive(Deserialize)]
pub struct Collection {
    pub item: Vec<Item>,
    #[serde(default, deserialize_with = "nullable")]
    pub variable: Vec<Variable>,
    pub auth: Option<Auth>,
}

/// A request or a folder.
#[derive(Deserialize)]
pub struct Item {
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    pub item: Option<Vec<Item>>,
    pub request: Option<TextOr<Request>>,
    pub auth: Option<Auth>,
}

#[derive(Deserialize)]
pub struct Request {
    pub method: Option<String>,
    pub url: Option<TextOr<Address>>,
    pub header: Option<TextOr<Pair>>,
    pub body: Option<Content>,
    pub auth: Option<Auth>,
}

#[derive(Deserialize)]
pub struct Address {
    pub raw: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub variable: Vec<Variable>,
}

#[derive(Deserialize)]
pub struct Pair {
    #[serde(default, deserialize_with = "nullable")]
    pub key: String,
    #[serde(default)]
    pub value: Value,
    #[serde(default, deserialize_with = "nullable")]
    pub disabled: bool,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub src: Value,
    #[serde(rename = "contentType")]
    pub content_type: Option<String>,
}

#[derive(Deserialize)]
pub struct Variable {
    pub key: Option<String>,
    pub id: Option<String>,
    #[serde(default)]
    pub value: Value,
    #[serde(default, deserialize_with = "nullable")]
    pub disabled: bool,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub description: Value,
}

#[derive(Deserialize)]
pub struct Content {
    pub mode: Option<String>,
    pub raw: Option<String>,
    pub urlencoded: Option<TextOr<Pair>>,
    pub formdata: Option<TextOr<Pair>>,
    pub file: Option<TextOr<Source>>,
    pub graphql: Option<Value>,
    #[serde(default)]
    pub options: Value,
    #[serde(default, deserialize_with = "nullable")]
    pub disabled: bool,
}

#[derive(Deserialize)]
pub struct Source {
    pub src: Option<String>,
}

/// Its parameters stand under the name of its type: a list of pairs, or (v2.0) an object.
#[derive(Clone, Deserialize)]
pub struct Auth {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(flatten)]
    pub parameters: serde_json::Map<String, Value>,
}

/// A value as it stands in a text.
pub fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Postman writes many things as a text or as an object, or as a list of them. (serde's untagged
/// enums would forget where something is wrong.)
pub enum TextOr<T> {
    Text(String),
    One(T),
    List(Vec<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<TextOr<T>, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a text, an object or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextOr<T>, E> {
                Ok(TextOr::Text(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(TextOr::One)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<TextOr<T>, A::Error> {
                let list = de::value::SeqAccessDeserializer::new(list);
                Vec::deserialize(list).map(TextOr::List)
            }
        }
        from.deserialize_any(Either(PhantomData))
    }
}

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
