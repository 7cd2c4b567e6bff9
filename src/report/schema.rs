//! The JSON schemas of the documents, as `blast report --schema NAME` prints them.
//!
//! Those of a run, of the monitor and of the doctor are written by hand; those of the studies are
//! made from their types (`BLAST_GOLDEN=write cargo test --lib golden` writes them anew).

use super::{
    ab, calibration, ceiling, checkup, comparison, document, ladder, monitored, suite, trend,
    versus,
};

/// Each document by the verb that writes it, and its schema.
const ALL: [(&str, &str); 11] = [
    ("result", document::SCHEMA),
    ("ceiling", ceiling::SCHEMA),
    ("ladder", ladder::SCHEMA),
    ("compare", comparison::SCHEMA),
    ("ab", ab::SCHEMA),
    ("versus", versus::SCHEMA),
    ("suite", suite::SCHEMA),
    ("calibration", calibration::SCHEMA),
    ("trend", trend::SCHEMA),
    ("monitor", monitored::SCHEMA),
    ("doctor", checkup::SCHEMA),
];

pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

pub fn named(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(found, _)| *found == name).map(|(_, schema)| *schema)
}

#[cfg(test)]
pub mod tests {
    use std::fs;
    use std::path::Path;

    use schemars::generate::SchemaSettings;
    use schemars::transform::RecursiveTransform;
    use schemars::{JsonSchema, Schema};
    use serde_json::{Value, json};

    use super::*;
    use crate::report::fixture;

    /// The document of this schema, and every object within it, has these fields and no other.
    pub fn assert_valid(name: &str, document: &Value) {
        let schema: Value = serde_json::from_str(named(name).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        for at in objects(document, "") {
            let mut longer = document.clone();
            longer.pointer_mut(&at).unwrap()["unheard_of"] = json!(1);
            assert!(!validator.is_valid(&longer), "{name}: {at} takes a field of no name");
            let object = document.pointer(&at).unwrap().as_object().unwrap();
            // Names of what is told apart are no fields.
            let one_more = object.values().next().cloned().unwrap_or_default();
            longer.pointer_mut(&at).unwrap()["unheard_of"] = one_more;
            if validator.is_valid(&longer) {
                continue;
            }
            for field in object.keys() {
                let mut shorter = document.clone();
                shorter.pointer_mut(&at).unwrap().as_object_mut().unwrap().remove(field);
                assert!(!validator.is_valid(&shorter), "{name}: {at}/{field} is not required");
            }
        }
    }

    /// The JSON pointers of all objects within; of an array, of its first element's.
    fn objects(value: &Value, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(fields) = value.as_object() {
            found.push(at.to_string());
            let within =
                fields.iter().flat_map(|(name, field)| objects(field, &format!("{at}/{name}")));
            found.extend(within);
        }
        let first = value.as_array().and_then(|array| array.first());
        found.extend(first.iter().flat_map(|first| objects(first, &format!("{at}/0"))));
        found
    }

    /// As it is written: nothing may be missing, and nothing else may be there.
    fn generated<T: JsonSchema>(name: &'static str) -> String {
        let strict = |schema: &mut Schema| {
            if schema.get("properties").is_some() {
                schema.insert("additionalProperties".to_string(), json!(false));
            }
        };
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let settings = settings.with_transform(RecursiveTransform(strict));
        let mut schema = settings.into_generator().into_root_schema_for::<T>();
        schema.insert("$id".to_string(), json!(name));
        schema.insert("title".to_string(), json!(name));
        schema.insert(
            "description".to_string(),
            json!("A field is never redefined and never removed."),
        );
        *schema.pointer_mut("/properties/schema").unwrap() = json!({ "const": name });
        serde_json::to_string_pretty(&schema).unwrap() + "\n"
    }

    #[test]
    fn the_golden_schemas_of_the_studies_are_those_of_their_types() {
        for (file, shipped, generated) in [
            (
                "ceiling",
                ceiling::SCHEMA,
                generated::<ceiling::CeilingDocument>(ceiling::SCHEMA_NAME),
            ),
            (
                "compare",
                comparison::SCHEMA,
                generated::<comparison::Comparison>(comparison::SCHEMA_NAME),
            ),
            ("ladder", ladder::SCHEMA, generated::<ladder::LadderDocument>(ladder::SCHEMA_NAME)),
            ("versus", versus::SCHEMA, generated::<versus::VersusDocument>(versus::SCHEMA_NAME)),
            (
                "calibration",
                calibration::SCHEMA,
                generated::<calibration::CalibrationDocument>(calibration::SCHEMA_NAME),
            ),
            ("suite", suite::SCHEMA, generated::<suite::SuiteDocument>(suite::SCHEMA_NAME)),
            ("ab", ab::SCHEMA, generated::<ab::AbDocument>(ab::SCHEMA_NAME)),
            ("trend", trend::SCHEMA, generated::<trend::TrendDocument>(trend::SCHEMA_NAME)),
        ] {
            let path = format!("src/report/{file}.schema.json");
            if std::env::var_os("BLAST_GOLDEN").is_some() {
                fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), generated).unwrap();
                continue;
            }
            assert!(generated == shipped, "{path}: `BLAST_GOLDEN=write cargo test --lib golden`");
        }
    }

    #[test]
    fn every_schema_is_one() {
        for name in names() {
            let schema: Value = serde_json::from_str(named(name).unwrap()).unwrap();
            jsonschema::meta::validate(&schema).unwrap();
        }
    }

    /// As the first build wrote it: what came later has a default.
    #[test]
    fn the_document_of_a_ceiling_is_valid_and_an_older_one_is_still_read() {
        let older = json!({
            "schema": "blast.ceiling/1", "blast_version": "0.1.0", "complete": true,
            "started_at": "2026-03-01T12:00:00.250Z", "duration_s": 41.5,
            "url": "http://127.0.0.1:8080/", "method": "GET", "engine": "ring", "threads": 2,
            "thresholds": ["p99<10ms"], "budget_s": 60.0,
            "ceiling": {
                "rate_per_s": 1500.0, "low_per_s": 1500.0, "high_per_s": 1520.0,
                "stopped_by": "threshold p99<10ms", "why": "p99 was 31.2 ms",
                "confirmed": true, "confirmed_s": 8.0, "connections": 64,
                "more_connections_help": null, "burst_per_s": 1512.0, "recovered": true,
                "hurried": false,
                "need": {"rate_per_s": 10000.0, "load": 0.7, "instances": 10},
                "curve": [{
                    "rate_per_s": 1500.0, "length_s": 8.0, "connections": 64,
                    "good_per_s": 1499.9, "error_share": 0.0, "p50_us": 700.0, "p99_us": 8100.0,
                    "p99_9_us": null, "outcome": "holds", "by": null, "why": null
                }]
            }
        });
        let document: ceiling::CeilingDocument = serde_json::from_value(older).unwrap();
        assert_valid("ceiling", &serde_json::to_value(document).unwrap());
        assert_valid("ceiling", &serde_json::to_value(fixture::ceiling()).unwrap());
        assert_valid("ladder", &serde_json::to_value(fixture::ladder()).unwrap());
        assert_valid("trend", &serde_json::to_value(fixture::trend()).unwrap());
    }
}
