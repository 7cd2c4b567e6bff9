//! The properties of `fuzz/properties` under a seeded mutator: a few seconds of what `cargo fuzz`
//! does for hours, on a stable compiler.
//!
//! The inputs are the same at each run. `BLAST_FUZZ` makes it so many times as long and takes new
//! ones; a failure prints the `BLAST_SEED` that makes its input the first.

mod mutator;
mod properties;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mutator::Mutator;
use properties::Property;

use crate::support::{beside_others, seed};

/// Tries the seeds as they are and so many changed ones.
fn holds(property: &Property, inputs: u64) {
    for seed in property.seeds {
        holds_for(property, seed, "a seed as it is");
    }
    let is_set = |name| std::env::var(name).is_ok();
    let first = if is_set("BLAST_FUZZ") || is_set("BLAST_SEED") { seed() } else { 1 };
    let times = std::env::var("BLAST_FUZZ").map_or(1, |times| times.parse().unwrap());
    for number in 0..inputs * times {
        // A generator for each input: the failing one needs none before it.
        let seed = first.wrapping_add(number);
        let input = Mutator::new(seed, property).input();
        holds_for(property, &input, &format!("BLAST_SEED={seed}"));
    }
}

fn holds_for(property: &Property, input: &[u8], origin: &str) {
    let outcome = catch_unwind(AssertUnwindSafe(|| (property.check)(input)));
    outcome.unwrap_or_else(|reason| {
        let name = property.name;
        println!("{name} does not hold, {origin}, for b\"{}\"", input.escape_ascii());
        resume_unwind(reason)
    });
}

#[test]
fn no_split_of_any_stream_changes_what_the_reader_makes_of_it() {
    beside_others(|| holds(&properties::READER, 20_000));
}

#[test]
fn any_text_is_an_address_or_a_sentence_and_no_password_is_repeated() {
    beside_others(|| holds(&properties::URL, 10_000));
}

#[test]
fn any_words_are_a_plan_or_a_sentence_and_no_credential_is_repeated() {
    beside_others(|| holds(&properties::FLAGS, 500));
}

#[test]
fn any_file_is_a_plan_that_can_be_read_or_a_sentence() {
    beside_others(|| holds(&properties::IMPORTS, 4_000));
}

#[test]
fn any_text_is_a_plan_file_that_can_be_built_or_a_sentence_with_its_place() {
    beside_others(|| holds(&properties::PLANS, 6_000));
}

#[test]
fn any_shape_can_be_walked_through_or_is_refused_in_a_sentence() {
    beside_others(|| holds(&properties::STAGES, 20_000));
}

#[test]
fn any_text_is_a_rule_or_a_sentence() {
    beside_others(|| holds(&properties::THRESHOLDS, 40_000));
}

#[test]
fn any_text_is_a_template_of_one_request_or_a_sentence() {
    beside_others(|| holds(&properties::TEMPLATES, 5_000));
}
