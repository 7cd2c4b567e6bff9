//! The integration tests: one binary, a module a subject.

mod cli;
mod refusal;
mod target;
