//! Any other program: one JSON object on its last line, with `requests`, and where it knows them
//! `per_s`, `seconds`, `mean_us`, `p50_us` and `p99_us`.

use super::super::said::{at, json, lacks};
use super::{Said, Tool};

/// Its name, program and words are the contender's own.
pub const OTHER: Tool = Tool {
    name: "other",
    program: "",
    install: "",
    version: &[],
    closed: None,
    open: None,
    read,
    biases: &[],
};

fn read(text: &str) -> Result<Said, String> {
    let result = json(text)?;
    let completed = at(&result, &["requests"]).ok_or(lacks("`requests`"))?;
    Ok(Said {
        completed: completed as u64,
        good: None,
        errors: at(&result, &["errors"]).unwrap_or(0.0) as u64,
        seconds: at(&result, &["seconds"]),
        rate_per_s: at(&result, &["per_s"]),
        mean_us: at(&result, &["mean_us"]),
        p50_us: at(&result, &["p50_us"]),
        p99_us: at(&result, &["p99_us"]),
    })
}
