//! Plan files: TOML, format `blast.plan/1`.
//!
//! [`Sheet`] is the file as it is written; the same types read it, write it, and make its schema
//! (`plan.schema.json`). Nothing here reads a file: what others are named in it, the command line
//! hands in.

mod build;
mod load;
mod monitor;
mod place;
pub(in crate::plan) mod read;
mod request;
mod session;
mod sheet;
mod value;

#[cfg(test)]
mod tests;

pub use build::{Around, Built, build};
pub use load::LoadSheet;
pub use monitor::MonitorSheet;
pub use place::{Key, Place};
pub use read::Written;
pub use request::{CaptureSheet, CheckSheet, DefaultsSheet, ExpectSheet, PartSheet, RequestSheet};
pub use session::{OnceSheet, SessionModel, SessionSheet, StepOrder, StepSheet, StepTable};
pub use sheet::{
    Choice, DataSheet, LimitsSheet, MixSheet, RowOrder, Sheet, TargetSheet, VarSheet, VarTable,
    WhenExhausted,
};
pub use value::{Field, Listed, Pairs, Text, Word};

/// The JSON schema of the format.
pub const SCHEMA: &str = include_str!("plan.schema.json");

/// Reads what is a text in its short form and a table in its long one. (serde's own untagged enums
/// forget what was wrong, and where.)
macro_rules! either {
    ($type:ty, $short:expr, $long:expr, $expecting:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
                struct Either;
                impl<'de> serde::de::Visitor<'de> for Either {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        Ok($short(text.into()))
                    }

                    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<$type, E> {
                        Ok($short(number.to_string().into()))
                    }

                    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<$type, E> {
                        Ok($short(number.to_string().into()))
                    }

                    fn visit_bool<E: serde::de::Error>(self, is_true: bool) -> Result<$type, E> {
                        Ok($short(is_true.to_string().into()))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        map: A,
                    ) -> Result<$type, A::Error> {
                        let table = serde::de::value::MapAccessDeserializer::new(map);
                        serde::Deserialize::deserialize(table).map($long)
                    }
                }
                from.deserialize_any(Either)
            }
        }
    };
}
use either;
