//! From words to a plan, in tables.
