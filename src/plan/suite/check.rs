//! What a suite file means, and what in it can be told wrong before anything is started.

use super::{Kind, RunSheet, Written};
use crate::error::Result;
use crate::plan::file::Place;
use crate::plan::mask::sounds_secret;
use crate::time::Nanos;
use crate::units::parse_duration;

/// How long a server has to answer at first, and how often it is asked.
const PATIENCE: Nanos = Nanos::from_secs(30);
const EVERY: Nanos = Nanos::from_millis(500);

/// How long a command may take.
const COMMAND: Nanos = Nanos::from_secs(60);

/// More is no suite but a mistake.
const MOST_SETTINGS: usize = 1_000;

/// The order of a suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    pub turns: Vec<Turn>,
    /// One for each value of the matrix; a single empty one without a matrix.
    pub settings: Vec<Setting>,
    pub ready_within: Nanos,
    pub ready_every: Nanos,
    pub command_limit: Nanos,
}

/// A run's place in the order.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub name: String,
    pub kind: Kind,
    /// After it.
    pub pause: Nanos,
    /// If it does not pass, those after it are not made.
    pub required: bool,
}

/// Names and values of a matrix, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting(pub Vec<(String, String)>);

impl Setting {
    /// `WORKERS=4 MODE=fast`.
    pub fn shown(&self) -> String {
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join(" ")
    }

    /// As a folder is called.
    pub fn folder(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| as_file(&self.shown().replace(' ', "_")))
    }
}

impl Turn {
    /// As its folder is called.
    pub fn folder(&self) -> String {
        as_file(&self.name)
    }
}

impl Suite {
    pub fn of(written: &Written) -> Result<Suite> {
        let sheet = &written.sheet;
        if sheet.runs.is_empty() {
            return Err(written.error(&Place::top("runs"), "there are no runs; add [[runs]]"));
        }
        let turns: Vec<Turn> = sheet
            .runs
            .iter()
            .enumerate()
            .map(|(at, run)| turn(written, at, run))
            .collect::<Result<_>>()?;
        refuse_twice(written, &turns)?;
        let [ready, server] = ["ready", "server"].map(Place::top);
        let time = |text, place: Place, usual| time(written, text, &place, usual);
        Ok(Suite {
            turns,
            settings: settings(written)?,
            ready_within: time(&sheet.ready.timeout, ready.then("timeout"), PATIENCE)?,
            ready_every: time(&sheet.ready.every, ready.then("every"), EVERY)?,
            command_limit: time(&sheet.server.timeout, server.then("timeout"), COMMAND)?,
        })
    }

    /// A setting of its own for each value, and not only the empty one.
    pub fn has_matrix(&self) -> bool {
        self.settings.iter().any(|setting| !setting.0.is_empty())
    }
}

fn turn(written: &Written, at: usize, run: &RunSheet) -> Result<Turn> {
    let place = Place::top("runs").then(at);
    if run.name.trim().is_empty() {
        return Err(written.error(&place.then("name"), "a run's name is empty; give it one"));
    }
    let is_ceiling = run.kind == Kind::Ceiling;
    let beside_plan = "the plan file says what is sent; drop it, or `plan`";
    let refused = [
        ("plan", is_ceiling && run.plan.is_some(), "a ceiling is looked for at a URL; drop `plan`"),
        ("abort_on", is_ceiling && !run.abort_on.is_empty(), "a ceiling goes on; drop `abort_on`"),
        (
            "budget",
            !is_ceiling && run.budget.is_some(),
            "it is a ceiling's; add kind = \"ceiling\"",
        ),
        ("method", run.plan.is_some() && run.method.is_some(), beside_plan),
        ("body", run.plan.is_some() && run.body.is_some(), beside_plan),
        ("target", run.plan.is_none() && run.target.is_some(), "it is a plan file's; add `plan`"),
        ("target", run.target.is_some() && run.url.is_some(), "`url` names the server; drop one"),
        ("vars", run.plan.is_none() && !run.vars.is_empty(), "they are a plan file's; add `plan`"),
    ];
    if let Some((key, _, message)) = refused.iter().find(|(_, applies, _)| *applies) {
        return Err(written.error(&place.then(*key), message));
    }
    Ok(Turn {
        name: run.name.clone(),
        kind: run.kind,
        pause: time(written, &run.pause, &place.then("pause"), Nanos::ZERO)?,
        required: run.required,
    })
}

/// Two runs in one folder would overwrite each other.
fn refuse_twice(written: &Written, turns: &[Turn]) -> Result<()> {
    for (at, turn) in turns.iter().enumerate() {
        if let Some(first) = turns[..at].iter().find(|first| first.folder() == turn.folder()) {
            let message = if first.name == turn.name {
                "another run has this name; give each its own".to_string()
            } else {
                "its folder would be another run's; change one of the names".to_string()
            };
            return Err(written.error(&Place::top("runs").then(at).then("name"), message));
        }
    }
    Ok(())
}

/// The product of all values: the last name changes first.
fn settings(written: &Written) -> Result<Vec<Setting>> {
    let mut settings = vec![Setting::default()];
    for (name, values) in written.sheet.matrix.iter() {
        let place = Place::top("matrix").then(name);
        let refuse = |message: &str| Err(written.error(&place, message));
        if !is_variable(name) {
            return refuse(
                "this is no name of a variable: letters, digits and `_`; such as WORKERS",
            );
        }
        if sounds_secret(name) {
            return refuse(
                "it sounds like a secret, and the values of a matrix stand in every output; give \
                 it to the server another way",
            );
        }
        if values.is_empty() {
            return refuse("there are no values; write such as WORKERS = [1, 2, 4]");
        }
        if values.iter().any(|value| value.0.contains('\0')) {
            return refuse("a value holds a NUL, which no variable can; drop it");
        }
        let with = |setting: &Setting, value: &str| {
            let mut pairs = setting.0.clone();
            pairs.push((name.to_string(), value.to_string()));
            Setting(pairs)
        };
        let each = |setting: &Setting| {
            values.iter().map(|value| with(setting, &value.0)).collect::<Vec<_>>()
        };
        settings = settings.iter().flat_map(each).collect();
        if settings.len() > MOST_SETTINGS {
            return refuse("the matrix has more than 1,000 combinations; drop some values");
        }
    }
    for (at, setting) in settings.iter().enumerate() {
        if settings[..at].iter().any(|first| first.folder() == setting.folder()) {
            let message = "two of its values are alike; drop one, or change it";
            return Err(written.error(&Place::top("matrix"), message));
        }
    }
    if settings.len() > 1 && written.sheet.server.before.is_none() {
        let message = "nothing would differ from one value to the next: no command takes it; add \
                       `before` to [server], which finds it in its environment";
        return Err(written.error(&Place::top("matrix"), message));
    }
    Ok(settings)
}

fn is_variable(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn time(
    written: &Written,
    text: &Option<crate::plan::file::Text>,
    place: &Place,
    usual: Nanos,
) -> Result<Nanos> {
    match text {
        None => Ok(usual),
        Some(text) => parse_duration(&text.0).map_err(|error| written.error(place, error.message)),
    }
}

/// What is no letter, digit, `.`, `_`, `=` or `-` in a name becomes a `-`; no name is hidden.
fn as_file(name: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "._=-".contains(letter);
    let plain: String =
        name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    match plain.strip_prefix('.') {
        Some(rest) => format!("-{rest}"),
        None => plain,
    }
}
