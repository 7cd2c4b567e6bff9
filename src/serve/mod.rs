//! The panel: tests that are started with a button, watched live and kept.
//!
//! ```text
//! page   the pages, their style and their script
//! ```

pub mod page;
