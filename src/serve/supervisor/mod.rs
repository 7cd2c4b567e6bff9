//! Runs as children of the panel.
