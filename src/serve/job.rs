//! What is asked for, as the API's body has it: checked for what can be told of it alone. What it
//! means is the command line's to say ([`super::desk::Desk`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusal::Refusal;
use crate::plan::mask::{MASK, mask_query, mask_text, sounds_secret};

/// Which of blast's verbs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    #[default]
    Run,
    /// The highest rate, or number of users, that meets the thresholds.
    Ceiling,
    /// Rates one after another, as `stages` names them: "100,200,500" or "2x5,5x10".
    Ladder,
    /// A run that is watched for drift.
    Soak,
    /// A suite of the panel's plans, by name.
    Suite,
}

impl Verb {
    pub fn name(self) -> &'static str {
        match self {
            Verb::Run => "run",
            Verb::Ceiling => "ceiling",
            Verb::Ladder => "ladder",
            Verb::Soak => "soak",
            Verb::Suite => "suite",
        }
    }
}

/// A test that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Job {
    pub verb: Verb,
    /// A name of the list, or a URL whose host is allowed.
    pub target: String,
    /// A plan by its name.
    pub plan: Option<String>,
    /// Or the plan itself, in TOML.
    pub plan_text: Option<String>,
    /// Values of the plan's variables.
    pub vars: BTreeMap<String, String>,
    /// The guide's workers.
    pub connections: Option<u32>,
    /// Requests per second; without it, in a run without a plan, a request follows each answer.
    pub rps: Option<f64>,
    pub duration_s: Option<f64>,
    /// As `--stages` takes it.
    pub stages: Option<String>,
    /// As `--arrivals` takes it.
    pub arrivals: Option<String>,
    /// As `--threshold` takes them.
    pub thresholds: Vec<String>,
    /// `api`, `web`, `stress`, `default` or `off`.
    pub rating: Option<String>,
    pub label: Option<String>,
    pub note: Option<String>,
    /// The name of a protected target, typed in.
    pub confirm: Option<String>,
}

/// Characters of a label, and of any other word.
const LONGEST_LABEL: usize = 200;
const LONGEST: usize = 4_096;

/// Thresholds, and variables.
const MOST: usize = 64;

/// Sets of limits that have a name of their own; any other would be a file.
const RATINGS: [&str; 5] = ["api", "web", "stress", "default", "off"];

impl Job {
    /// Refuses what could not be meant, or would name something of the panel's host.
    pub fn check(&self) -> Result<(), Refusal> {
        let refuse = |field: &'static str, message: &str, hint: &str| {
            Err(Refusal::usage(field, message, hint))
        };
        if self.plan.is_some() && self.plan_text.is_some() {
            return refuse("plan", "a plan has a name or a text", "give one of the two");
        }
        if self.plan.as_deref().is_some_and(|name| !is_name(name)) {
            return refuse(
                "plan",
                "a plan's name has letters, digits, `-`, `_` and `.`",
                "choose one of the list; files are not named here",
            );
        }
        if self.rating.as_deref().is_some_and(|name| !RATINGS.contains(&name)) {
            return refuse(
                "rating",
                "there is no set of limits of this name",
                "write api, web, stress, default or off",
            );
        }
        let numbers = [("rps", self.rps), ("duration_s", self.duration_s)];
        let bad = |value: &f64| !value.is_finite() || *value <= 0.0;
        if let Some((field, _)) = numbers.iter().find(|(_, n)| n.as_ref().is_some_and(bad)) {
            return Err(Refusal::usage(
                *field,
                format!("{field} is no number above 0"),
                "give one",
            ));
        }
        if self.connections == Some(0) {
            return refuse("connections", "nobody would send anything", "give 1 or more");
        }
        if self.thresholds.len() > MOST || self.vars.len() > MOST {
            return refuse("thresholds", "these are more than 64", "give fewer");
        }
        self.check_study()?;
        self.check_texts()
    }

    /// A search finds its rate, and a ladder's steps are rates.
    fn check_study(&self) -> Result<(), Refusal> {
        let refuse = |field: &'static str, message: &str, hint: &str| {
            Err(Refusal::usage(field, message, hint))
        };
        match self.verb {
            Verb::Ceiling if self.rps.is_some() => {
                refuse("rps", "a search finds its rate", "leave it away")
            }
            Verb::Ceiling if self.stages.is_some() => refuse(
                "stages",
                "a search chooses its rates",
                "leave them away, or ask for a ladder",
            ),
            Verb::Ladder if self.rps.is_some() => refuse(
                "rps",
                "the steps of a ladder are rates",
                "write them in stages: 100,200,500",
            ),
            Verb::Ladder if self.stages.as_deref().is_none_or(str::is_empty) => refuse(
                "stages",
                "a ladder has steps",
                "write rates such as 100,200,500, or workers with a rate each: 2x5,5x10",
            ),
            _ => Ok(()),
        }
    }

    /// They go to rows, to other people's screens, and to words of a command.
    fn check_texts(&self) -> Result<(), Refusal> {
        let optional = |field: &'static str, text: &'_ Option<String>, most: usize| {
            text.as_deref().map_or(Ok(()), |text| check_text(field, text, most))
        };
        check_text("target", &self.target, LONGEST)?;
        optional("label", &self.label, LONGEST_LABEL)?;
        optional("stages", &self.stages, LONGEST)?;
        optional("arrivals", &self.arrivals, LONGEST)?;
        optional("confirm", &self.confirm, LONGEST)?;
        self.thresholds.iter().try_for_each(|text| check_text("thresholds", text, LONGEST))?;
        let words = self.vars.iter().flat_map(|(name, value)| [name, value]);
        words.into_iter().try_for_each(|text| check_text("vars", text, LONGEST))
    }

    /// As it is stored, to fill the form again: without secrets.
    pub fn public(&self) -> Job {
        let value = |(name, value): (&String, &String)| {
            let shown = if sounds_secret(name) { MASK.to_string() } else { value.clone() };
            (name.clone(), shown)
        };
        Job {
            target: mask_query(&self.target),
            vars: self.vars.iter().map(value).collect(),
            plan_text: self.plan_text.as_deref().map(mask_text),
            confirm: None,
            ..self.clone()
        }
    }
}

/// That cannot leave the folder it is looked for in.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_LABEL
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.chars().count() > most {
        return Err(Refusal::usage(field, format!("{field} is too long"), "write less"));
    }
    match text.chars().any(char::is_control) {
        true => Err(Refusal::usage(field, format!("{field} has control characters"), "drop them")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job { target: "http://127.0.0.1/".to_string(), ..Job::default() }
    }

    #[test]
    fn what_names_files_or_makes_no_sense_is_refused_by_its_field() {
        let some = |text: &str| Some(text.to_string());
        for (field, job) in [
            ("plan", Job { plan: some("a"), plan_text: some("b"), ..job() }),
            ("plan", Job { plan: some("../a"), ..job() }),
            ("plan", Job { plan: some("/etc/passwd"), ..job() }),
            ("plan", Job { plan: some(".hidden"), ..job() }),
            ("plan", Job { plan: some("-"), ..job() }),
            ("plan", Job { plan: some(""), ..job() }),
            ("rating", Job { rating: some("/etc/limits.toml"), ..job() }),
            ("rps", Job { rps: Some(f64::NAN), ..job() }),
            ("rps", Job { rps: Some(0.0), ..job() }),
            ("duration_s", Job { duration_s: Some(-1.0), ..job() }),
            ("connections", Job { connections: Some(0), ..job() }),
            ("stages", Job { verb: Verb::Ladder, ..job() }),
            ("stages", Job { verb: Verb::Ladder, stages: some(""), ..job() }),
            ("label", Job { label: some("a\nb"), ..job() }),
            ("label", Job { label: some(&"x".repeat(201)), ..job() }),
            ("thresholds", Job { thresholds: vec!["p99<1ms".into(); 65], ..job() }),
            ("vars", Job { vars: [("a".into(), "b\0".into())].into(), ..job() }),
            ("rps", Job { verb: Verb::Ceiling, rps: Some(1.0), ..job() }),
            ("stages", Job { verb: Verb::Ceiling, stages: some("1"), ..job() }),
            ("rps", Job { verb: Verb::Ladder, stages: some("1"), rps: Some(1.0), ..job() }),
        ] {
            let refusal = job.check().expect_err(field);
            assert_eq!(refusal.field.as_deref(), Some(field), "{}", refusal.message);
        }
        assert!(Job { plan: some("telemetry-1"), rating: some("api"), ..job() }.check().is_ok());
    }

    #[test]
    fn unknown_fields_are_refused_and_all_but_the_target_may_be_left_out() {
        let read = |text: &str| serde_json::from_str::<Job>(text);
        assert_eq!(read("{\"target\":\"a\"}").unwrap().verb, Verb::Run);
        assert!(read("{\"target\":\"a\",\"profile\":\"perf\"}").is_err());
    }

    #[test]
    fn what_is_stored_of_it_has_no_secrets() {
        let job = Job {
            target: "http://127.0.0.1/?api_key=s3cret".to_string(),
            vars: [("token".to_string(), "s3cret".to_string())].into(),
            plan_text: Some("headers = { X-Api-Key = \"s3cret\" }\npassword = 's3cret'".into()),
            confirm: Some("prod".to_string()),
            ..Job::default()
        };
        let stored = serde_json::to_string(&job.public()).unwrap();
        assert!(!stored.contains("s3cret") && !stored.contains("prod"), "{stored}");
    }
}
