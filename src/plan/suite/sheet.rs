//! A suite file as it is written: one type a table, one field a key. What stands at the top holds
//! for all runs. The same types make the format's schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::file::{Field, Listed, LoadSheet, MonitorSheet, Pairs, Text};

/// A suite of blast: runs in order, against one server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteSheet {
    /// The server: where runs go that name no URL of their own; also the base of plan files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of each request; "" sends a field empty, false removes one.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub headers: Pairs<Field>,
    /// What has to hold in each run that has no thresholds of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<String>,
    /// As in a plan file, for each run without a plan file; what a run's own `load` says wins.
    #[serde(default, skip_serializing_if = "LoadSheet::is_empty")]
    pub load: LoadSheet,
    /// As in a plan file: what is read beside the runs, and from the first to the last.
    #[serde(default, skip_serializing_if = "MonitorSheet::is_empty")]
    pub monitor: MonitorSheet,
    /// How it is known that the server answers.
    #[serde(default)]
    pub ready: ReadySheet,
    /// How the server is started and stopped.
    #[serde(default)]
    pub server: ServerSheet,
    /// Names and their values: all runs are made for each value, in the order they are written.
    /// `before` and `after` find them in their environment.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub matrix: Pairs<Vec<Text>>,
    /// In order; one at least.
    #[serde(default)]
    pub runs: Vec<RunSheet>,
}

/// What is asked before the first run, again and again until it is answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadySheet {
    /// A URL, or a path of the server such as "/health"; the suite's `url` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Such as 200 or "200,3xx"; any answer if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Listed>,
    /// When it is given up, such as "30s", which it is if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Text>,
    /// From one try to the next; "500ms" if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Text>,
}

/// Commands of this host's shell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSheet {
    /// Starts the server; what it leaves in the background goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CommandSheet>,
    /// Stops it, also after Ctrl-C and where `before` failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<CommandSheet>,
    /// When either is killed; "60s" if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Text>,
}

/// A line of the shell, or a program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CommandSheet {
    Line(String),
    Words(Vec<String>),
}

impl<'de> Deserialize<'de> for CommandSheet {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<CommandSheet, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = CommandSheet;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str(
                    "a line of the shell in quotes, or a list of a program and its arguments",
                )
            }

            fn visit_str<E: serde::de::Error>(self, line: &str) -> Result<CommandSheet, E> {
                Ok(CommandSheet::Line(line.to_string()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<CommandSheet, A::Error> {
                let mut words = Vec::new();
                while let Some(Text(word)) = items.next_element()? {
                    words.push(word);
                }
                Ok(CommandSheet::Words(words))
            }
        }
        from.deserialize_any(Either)
    }
}

/// One run: a load of a URL, a plan file, or the search for a ceiling.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSheet {
    /// Its folder is called so as well.
    pub name: String,
    #[serde(default)]
    pub kind: Kind,
    /// A plan file, relative to the suite file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// A URL, or a path of the server such as "/items".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// GET if left out; POST with a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Beside those of the suite; the same name takes their place.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub headers: Pairs<Field>,
    /// A text with placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How much, as in a plan file.
    #[serde(default, skip_serializing_if = "LoadSheet::is_empty")]
    pub load: LoadSheet,
    /// What has to hold, in the place of the suite's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<String>>,
    /// Ends the run once it is true, such as "errors>50%".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abort_on: Vec<String>,
    /// Of a plan file: one of its targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Of a plan file: values of its variables.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub vars: Pairs<Text>,
    /// Of a ceiling: when its answer is due, such as "2m".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Text>,
    /// How long the server is left alone after it, such as "10s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Text>,
    /// If it does not pass, the runs after it are not made.
    #[serde(default)]
    pub required: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// As `blast URL` and `blast run PLAN`.
    #[default]
    Run,
    /// As `blast ceiling URL`.
    Ceiling,
}
