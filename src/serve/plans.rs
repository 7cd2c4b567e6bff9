//! Plans by name: those that blast brings along, and those of a folder.
//!
//! ```text
//! allowed   what such a plan may say, and one that comes as text
//! ```

mod allowed;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::refusal::Refusal;
use crate::units::{nearest, quote};

pub use allowed::{check_file, check_text};

/// A plan that is there under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub name: String,
    pub text: String,
    /// `None`: it came with blast.
    pub file: Option<PathBuf>,
}

/// Where they are looked for.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    /// Files that end in `.toml`.
    pub folder: Option<PathBuf>,
}

/// Bytes of a plan.
const MOST: u64 = 1 << 20;

/// The most plans that a list shows.
const MOST_NAMES: usize = 1_000;

macro_rules! preset {
    ($name:literal) => {
        ($name, include_str!(concat!("../../scripts/plans/", $name, ".toml")))
    };
}

/// Plans that come with blast, and need nothing beside them.
pub const PRESETS: [(&str, &str); 15] = [
    preset!("telemetry-1"),
    preset!("telemetry-2"),
    preset!("telemetry-3"),
    preset!("telemetry-4"),
    preset!("ladder-light"),
    preset!("ladder-medium"),
    preset!("ladder-heavy"),
    preset!("ladder-extreme"),
    preset!("gateway-50"),
    preset!("gateway-100"),
    preset!("gateway-200"),
    preset!("gateway-1000"),
    preset!("gateway-5000"),
    preset!("hospital-quick"),
    preset!("hospital"),
];

impl Plans {
    /// Its name is one of the list: nothing in it leads elsewhere.
    pub fn named(&self, name: &str) -> Result<Plan, Refusal> {
        if let Some(path) = self.path(name) {
            let text = read(&path).map_err(|error| {
                Refusal::failed(format!("the plan {} cannot be read ({error})", quote(name)))
            })?;
            return Ok(Plan { name: name.to_string(), text, file: Some(path) });
        }
        let preset = PRESETS.iter().find(|(preset, _)| *preset == name);
        if let Some((name, text)) = preset {
            return Ok(Plan { name: name.to_string(), text: text.to_string(), file: None });
        }
        let names = self.names();
        let hint = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "choose one of the list".to_string(),
        };
        Err(Refusal::usage("plan", format!("there is no plan {}", quote(name)), hint))
    }

    /// All of them, those of the folder first.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.files();
        names.sort();
        names.truncate(MOST_NAMES);
        let others = PRESETS.iter().map(|(name, _)| name.to_string());
        let others: Vec<String> = others.filter(|name| !names.contains(name)).collect();
        names.extend(others);
        names
    }

    fn files(&self) -> Vec<String> {
        let entries = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
        let name =
            |file: std::ffi::OsString| Some(file.to_str()?.strip_suffix(".toml")?.to_string());
        names.filter_map(name).filter(|name| !name.starts_with('.')).collect()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let path = self.folder.as_ref()?.join(format!("{name}.toml"));
        path.is_file().then_some(path)
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    // One more, so that what is too long is seen to be.
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_plans_that_anybody_may_send() {
        for (name, text) in PRESETS {
            check_text(text).unwrap_or_else(|refusal| panic!("{name}: {}", refusal.message));
            let plan = Plans::default().named(name).unwrap();
            assert!(plan.text == text && plan.file.is_none());
        }
        assert_eq!(Plans::default().names().len(), PRESETS.len());
        let refusal = Plans::default().named("telemetry-5").unwrap_err();
        assert!(refusal.hint.is_some_and(|hint| hint.contains("telemetry")));
    }

    #[test]
    fn a_plan_of_the_folder_comes_before_the_preset_of_its_name() {
        let folder = std::env::temp_dir().join(format!("blast-plans-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("telemetry-1.toml"), "url = \"http://a/\"").unwrap();
        let plans = Plans { folder: Some(folder.clone()) };
        let plan = plans.named("telemetry-1").unwrap();
        assert_eq!((&*plan.text, plan.file.is_some()), ("url = \"http://a/\"", true));
        assert_eq!(plans.names().iter().filter(|name| *name == "telemetry-1").count(), 1);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
