//! Which server a plan goes to: the URL typed, `--host`, one of its `[targets]`, or its `url`.

use crate::cli::low::AimArgs;
use crate::error::{Error, Result};
use crate::plan::Url;
use crate::plan::file::{Place, Written};
use crate::units::nearest;

/// The base of all requests, and whether it is one to be careful with.
#[derive(Clone, Debug)]
pub struct Target {
    pub base: String,
    /// The name of the protected target that this is, whichever way it was named.
    pub protected: Option<String>,
    /// Where it stands in the file.
    place: Option<Place>,
}

impl Target {
    pub fn choose(written: &Written, typed: &AimArgs, url: Option<&str>) -> Result<Target> {
        let (base, place) = base(written, typed, url)?;
        let protected = protected(written, &base);
        Ok(Target { base, protected, place })
    }

    /// An error without a place is of the base, if that stands in the file.
    pub fn blame(&self, written: &Written, error: Error) -> Error {
        match (&self.place, Url::parse(&self.base)) {
            (Some(place), Err(of_base)) if of_base == error => written.error(place, error.message),
            _ => error,
        }
    }
}

fn base(written: &Written, typed: &AimArgs, url: Option<&str>) -> Result<(String, Option<Place>)> {
    let sheet = &written.sheet;
    match (url, typed.host.as_deref(), typed.target.as_deref()) {
        (Some(url), None, None) | (None, Some(url), None) => Ok((url.to_string(), None)),
        (None, None, Some(name)) => named(written, name),
        (None, None, None) => match (&sheet.url, &sheet.targets.0[..]) {
            (Some(url), _) => Ok((url.clone(), Some(Place::top("url")))),
            (None, [(name, only)]) => {
                let place = Place::top("targets").then(&**name).then("url");
                Ok((only.url.clone(), Some(place)))
            }
            (None, []) => Err(Error::usage(format!(
                "{} has no url; add `url = \"http://localhost:8080\"` to it, or write \
                 `--host http://localhost:8080`",
                written.name
            ))),
            (None, _) => Err(Error::usage(format!(
                "{} has several targets; choose one with `--target {}`",
                written.name,
                sheet.targets.names().collect::<Vec<_>>().join("` or `--target ")
            ))),
        },
        _ => {
            Err(Error::usage("a URL, --host and --target each name the server; write one of them"))
        }
    }
}

fn named(written: &Written, name: &str) -> Result<(String, Option<Place>)> {
    let targets = &written.sheet.targets;
    if let Some(target) = targets.get(name) {
        let place = Place::top("targets").then(name).then("url");
        return Ok((target.url.clone(), Some(place)));
    }
    let known: Vec<&str> = targets.names().collect();
    let hint = match (nearest(name, known.iter().copied()), &known[..]) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "it has no [targets]; use `--host URL`".to_string(),
        (None, known) => format!("it has {}", known.join(", ")),
    };
    Err(Error::usage(format!("--target: {} has no target of this name; {hint}", written.name)))
}

/// The protected target whose server this is.
fn protected(written: &Written, base: &str) -> Option<String> {
    let server = |text: &str| Url::parse(text).ok().map(|url| (url.host, url.port));
    let ours = server(base)?;
    let mut targets = written.sheet.targets.iter().filter(|(_, target)| target.protected);
    let found = targets.find(|(_, target)| server(&target.url).as_ref() == Some(&ours));
    found.map(|(name, _)| name.to_string())
}
