//! The integration tests: one binary, a module a subject.

mod addresses;
mod bodies;
mod calibrate;
mod ceiling;
mod cli;
mod compare;
mod connections;
mod consumers;
mod doctor;
mod elsewhere;
mod ending;
mod experiments;
mod failures;
mod faults;
mod files;
mod fuzz;
mod groups;
#[cfg(feature = "history")]
mod history;
mod imports;
mod interrupts;
mod latency;
mod limits;
mod load;
mod metrics;
mod monitor;
mod once;
mod outputs;
mod packaging;
#[cfg(feature = "serve")]
mod panel;
mod plan_files;
mod plans;
mod profile;
mod ratings;
mod reading;
mod refusal;
mod requests;
mod scenarios;
mod shapes;
mod slowest;
mod soak;
mod suite;
#[cfg(feature = "serve")]
mod supervisor;
mod support;
mod target;
mod thresholds;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "history")]
mod trend;
#[cfg(feature = "tui")]
mod tui;
mod verdicts;
mod versus;
mod views;
#[cfg(feature = "serve")]
mod walk;
