//! What must hold for any bytes: of the response reader and of everything that a user types.
//!
//! Each property stands here once, and is tried by two: the mutator of `cargo test` and the targets
//! of `cargo fuzz`. They see the library from outside, as any program does that uses it.

mod flags;
mod imports;
mod plans;
mod reader;
mod stages;
mod templates;
mod thresholds;
mod url;

use blast::{Error, Exit};

/// A claim about all inputs, with what helps to find one that breaks it.
pub struct Property {
    pub name: &'static str,
    /// Panics where it does not hold.
    pub check: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: &'static [&'static [u8]],
    /// What the grammar turns on.
    pub words: &'static [&'static str],
}

pub const READER: Property =
    Property { name: "reader", check: reader::check, seeds: reader::SEEDS, words: reader::WORDS };
pub const URL: Property =
    Property { name: "url", check: url::check, seeds: url::SEEDS, words: url::WORDS };
pub const FLAGS: Property =
    Property { name: "flags", check: flags::check, seeds: flags::SEEDS, words: flags::WORDS };
pub const IMPORTS: Property = Property {
    name: "imports",
    check: imports::check,
    seeds: imports::SEEDS,
    words: imports::WORDS,
};
pub const PLANS: Property =
    Property { name: "plans", check: plans::check, seeds: plans::SEEDS, words: plans::WORDS };
pub const STAGES: Property =
    Property { name: "stages", check: stages::check, seeds: stages::SEEDS, words: stages::WORDS };
pub const THRESHOLDS: Property = Property {
    name: "thresholds",
    check: thresholds::check,
    seeds: thresholds::SEEDS,
    words: thresholds::WORDS,
};

pub const TEMPLATES: Property = Property {
    name: "templates",
    check: templates::check,
    seeds: templates::SEEDS,
    words: templates::WORDS,
};

/// A refusal is one sentence that fits a screen and a terminal: no line break, no control
/// character, nothing left empty.
#[track_caller]
fn is_one_sentence(error: &Error) {
    let message = &error.message;
    assert_eq!(error.exit, Exit::Usage, "{message:?}");
    assert!(message.contains(' ') && message.trim() == message, "{message:?}");
    assert!(!message.chars().any(char::is_control), "{message:?}");
    assert!(message.chars().count() < 900, "{message:?}");
}
