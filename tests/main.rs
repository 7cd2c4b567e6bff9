//! The integration tests: one binary, a module a subject.

mod cli;
mod connections;
mod ending;
mod failures;
mod latency;
mod load;
mod reading;
mod refusal;
mod support;
mod target;
