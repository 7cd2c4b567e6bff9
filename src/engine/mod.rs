//! The engine: carries out a plan.

mod connection;
mod core;
mod deadlines;
mod job;
mod mailbox;
mod pacer;
mod redial;
mod tally;
mod timeline;
mod wire;
