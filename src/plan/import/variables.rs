//! Variables of Postman, `{{name}}`, in the language of plan files. Those that a request uses
//! become `[vars]`; those that sound secret are asked for in the environment; those that Postman
//! makes up (`{{$guid}}`) are placeholders of their own.

use serde_json::Value;

use super::call;
use super::collection::{Variable, written};
use super::draft::Draft;
use super::placeholder::{Piece, literal, pieces};
use crate::plan::mask::sounds_secret;
use crate::units::quote;

/// How deep values of variables may hold variables.
const DEEPEST: usize = 8;

/// Bytes that values of variables may make of one text.
const LONGEST: usize = 64 * 1024;

pub struct Variables {
    known: Vec<Known>,
}

struct Known {
    name: String,
    value: Option<String>,
    help: String,
    is_secret: bool,
    is_used: bool,
}

impl Variables {
    pub fn of(variables: &[Variable]) -> Variables {
        let enabled = variables.iter().filter(|variable| !variable.disabled);
        let known = enabled.filter_map(|variable| {
            let name = variable.key.clone().or_else(|| variable.id.clone())?;
            let value = Some(written(&variable.value)).filter(|value| !value.is_empty());
            let help = match &variable.description {
                Value::String(text) => text.clone(),
                other => other.get("content").map(written).unwrap_or_default(),
            };
            let is_secret = variable.kind.as_deref() == Some("secret") || sounds_secret(&name);
            Some(Known { name, value, help, is_secret, is_used: false })
        });
        Variables { known: known.collect() }
    }

    /// A text of Postman as a text of plan files.
    pub fn text(&mut self, text: &str, draft: &mut Draft) -> String {
        let mut made = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Outside(text) => made.push_str(&literal(text)),
                Piece::Inside(name) => made.push_str(&self.placeholder(name, draft)),
            }
        }
        made
    }

    fn placeholder(&mut self, name: &str, draft: &mut Draft) -> String {
        if let Some(word) = name.strip_prefix('$') {
            return made_up(word).map(str::to_string).unwrap_or_else(|| {
                draft.note(format!(
                    "{} is not known here; it is 12 letters in the plan",
                    quote(name)
                ));
                "{{string 12}}".into()
            });
        }
        let at = self.known.iter().position(|known| known.name == name).unwrap_or_else(|| {
            let is_secret = sounds_secret(name);
            let (name, help) = (name.to_string(), String::new());
            self.known.push(Known { name, value: None, help, is_secret, is_used: false });
            self.known.len() - 1
        });
        let known = &mut self.known[at];
        if known.is_secret && !(draft.secrets.are_kept() && known.value.is_some()) {
            return draft.secrets.asked_for(&known.name);
        }
        known.is_used = true;
        format!("{{{{var.{}}}}}", key_of(&known.name))
    }

    /// The text with its variables' values, if all have one.
    pub fn resolved(&self, text: &str) -> Option<String> {
        let text = self.substituted(text);
        (!text.contains("{{")).then_some(text)
    }

    /// An address whose scheme and host may be variables: those have their values put in, as a plan
    /// has one base. The path keeps its variables.
    pub fn with_base(&self, raw: &str) -> String {
        let mut raw = raw.to_string();
        for _ in 0..DEEPEST {
            let start = authority_at(&raw);
            let end = raw[start..].find('/').map_or(raw.len(), |at| start + at);
            let base = self.once(&raw[..end]);
            if base == raw[..end] || raw.len() > LONGEST {
                break;
            }
            raw = join(&base, &raw[end..]);
        }
        raw
    }

    fn substituted(&self, text: &str) -> String {
        let mut text = text.to_string();
        for _ in 0..DEEPEST {
            let next = self.once(&text);
            if next == text || next.len() > LONGEST {
                break;
            }
            text = next;
        }
        text
    }

    fn once(&self, text: &str) -> String {
        let mut made = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Outside(text) => made.push_str(text),
                Piece::Inside(name) => match self.value(name) {
                    Some(value) => made.push_str(value),
                    None => made.push_str(&format!("{{{{{name}}}}}")),
                },
            }
        }
        made
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.known.iter().find(|known| known.name == name)?.value.as_deref()
    }

    /// As the plan is to have them.
    pub fn used(self) -> Vec<call::Variable> {
        let used = self.known.into_iter().filter(|known| known.is_used);
        let variable = |known: Known| call::Variable {
            name: key_of(&known.name),
            default: known.value,
            help: known.help,
        };
        let mut variables: Vec<call::Variable> = used.map(variable).collect();
        // Two names may be one when only letters, digits and `_` are left of them.
        let mut names: Vec<String> = Vec::new();
        variables.retain(|variable| {
            let is_new = !names.contains(&variable.name);
            names.push(variable.name.clone());
            is_new
        });
        variables
    }
}

/// Where the authority begins, behind the scheme if there is one.
pub fn authority_at(raw: &str) -> usize {
    let is_scheme = |at: &usize| !raw[..*at].contains(['/', '?', '#']);
    raw.find("://").filter(is_scheme).map_or(0, |at| at + 3)
}

/// A base that ends in `/` and a path that begins with it.
fn join(base: &str, rest: &str) -> String {
    match rest.starts_with('/') && base.ends_with('/') && !base.ends_with("://") {
        true => format!("{}{rest}", base.trim_end_matches('/')),
        false => format!("{base}{rest}"),
    }
}

fn key_of(name: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let key: String = name.chars().map(clean).collect();
    if key.is_empty() { "_".into() } else { key }
}

/// Postman's dynamic variables that have a placeholder.
fn made_up(word: &str) -> Option<&'static str> {
    Some(match word {
        "guid" | "randomUUID" => "{{uuid}}",
        "timestamp" => "{{now unix}}",
        "isoTimestamp" => "{{now rfc3339}}",
        "randomInt" => "{{int 0 1000}}",
        "randomPrice" => "{{float 0 1000 2}}",
        "randomBoolean" => "{{choice true false}}",
        "randomAlphaNumeric" => "{{string 1}}",
        "randomPassword" => "{{string 15}}",
        "randomEmail" | "randomExampleEmail" => "user-{{string 8}}@example.com",
        "randomFirstName" | "randomLastName" | "randomUserName" | "randomWord" => "{{string 8}}",
        _ => return None,
    })
}
