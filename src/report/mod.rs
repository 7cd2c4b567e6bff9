//! Views of a summary. All of them are transforms of one [`Document`]: the page, the JSON, and
//! whatever comes later say the same because they read the same.
//!
//! Nothing here measures, and no engine is known here.

pub mod document;
pub mod json;

#[cfg(test)]
mod fixture;

pub use document::Document;
