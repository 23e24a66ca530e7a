//! From records to output. Formats only: nothing here parses, prints or reads the environment.

pub mod json;
pub mod parallel;
mod plain;
pub mod statistics;
pub mod svg;
pub mod table;
pub mod text;
