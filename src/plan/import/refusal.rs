//! Why a file cannot be read, in one sentence that may stand behind its name.

use std::fmt;

use crate::units::quote;

/// One sentence, and where in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// From 1.
    pub line: Option<usize>,
    pub message: String,
}

impl Refusal {
    pub fn at(line: usize, message: impl Into<String>) -> Refusal {
        Refusal { line: Some(line), message: message.into() }
    }

    /// About the file as a whole.
    pub fn whole(message: impl Into<String>) -> Refusal {
        Refusal { line: None, message: message.into() }
    }

    /// What serde_json says of a document that should be `expected`. `first` is the line that the
    /// document begins at.
    pub fn of_json(error: &serde_json::Error, first: usize, expected: &str) -> Refusal {
        let line = first + error.line().saturating_sub(1);
        let text = error.to_string();
        // The place stands in front already; a value that is repeated may be a credential.
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        let reason = match error.classify() {
            serde_json::error::Category::Eof => "the file ends in the middle of it".to_string(),
            serde_json::error::Category::Syntax => format!("it is no valid JSON here ({text})"),
            _ => without_values(text),
        };
        Refusal::at(
            line,
            format!(
                "expected {expected}, and {reason}; export it again, or say what it is with --from"
            ),
        )
    }
}

/// `invalid type: string "secret", expected ...` without the value.
fn without_values(text: &str) -> String {
    match (text.strip_prefix("invalid "), text.split_once(", expected ")) {
        (Some(_), Some((found, expected))) => {
            let kind = found.split_once(": ").map_or(found, |(_, kind)| kind);
            let kind = kind.split(['"', '`']).next().unwrap_or_default().trim();
            format!("found {} where {expected} is due", quote(kind))
        }
        _ => format!("there is a {text}"),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
