//! The integration tests: one binary, a module a subject.

mod addresses;
mod bodies;
mod cli;
mod connections;
mod doctor;
mod ending;
mod experiments;
mod failures;
mod faults;
mod files;
mod fuzz;
mod imports;
mod interrupts;
mod latency;
mod limits;
mod load;
mod once;
mod outputs;
mod packaging;
mod plan_files;
mod plans;
mod ratings;
mod reading;
mod refusal;
mod requests;
mod scenarios;
mod shapes;
mod support;
mod target;
mod thresholds;
#[cfg(feature = "tls")]
mod tls;
mod views;
