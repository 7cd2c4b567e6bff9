//! The panel: runs started with a button, watched by many, kept in the history.
//!
//! ```text
//! job         what is asked for
//! plans       plans by name or as text, and what they may say
//! aim         where a load may go
//! desk        what a job means, as the command line says it
//! supervisor  runs as children of the panel
//! refusal     why something is not done
//! page        the pages, their style and their script
//! ```

pub mod aim;
pub mod desk;
pub mod job;
pub mod page;
pub mod plans;
pub mod refusal;
pub mod supervisor;
