#![no_main]

#[path = "../properties/mod.rs"]
#[allow(dead_code)] // each target tries one of them
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| (properties::TEMPLATES.check)(data));
