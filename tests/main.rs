//! The integration tests: one binary, a module a subject.

mod cli;
mod load;
mod support;
mod target;
