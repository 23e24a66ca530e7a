//! What must hold whatever the input, in one place for the fuzz targets and for the tests that replay their inputs.
//!
//! Each target is a module with a function `check`: it takes any bytes, decodes them into what its part of the dissector
//! takes, and panics when something does not hold. A new target is such a module, a line in [`TARGETS`], and a file of
//! three lines in `fuzz/fuzz_targets`.

// Assertions are what this package is for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

pub mod analyses;
pub mod capture;
pub mod decode;
pub mod diff;
pub mod filter;
mod input;
pub mod layers;
mod memory;
mod message;
pub mod mutate;
pub mod pack;
pub mod program;
pub mod reassembly;
pub mod redact;
pub mod scenario;
pub mod seeds;

pub use input::Random;

use seeds::Seed;
use std::fs;
use std::path::{Path, PathBuf};

/// A target's check.
pub type Check = fn(&[u8]);

/// All targets, by the name of their folders in `seeds` and `regressions`.
pub const TARGETS: [(&str, Check); 10] = [
    ("capture", capture::check),
    ("layers", layers::check),
    ("reassembly", reassembly::check),
    ("decode", decode::check),
    ("scenario", scenario::check),
    ("program", program::check),
    ("filter", filter::check),
    ("analyses", analyses::check),
    ("diff", diff::check),
    ("redact", redact::check),
];

/// A folder beside this package: `found` or `regressions`.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// What fuzzing found to reach something new, as far as it is kept.
#[must_use]
pub fn found(target: &str) -> Vec<Seed> {
    let packed = fs::read(folder("found").join(target)).unwrap_or_default();
    let inputs = pack::unpack(&packed).into_iter().enumerate();
    inputs
        .map(|(number, input)| (format!("found-{number}"), input))
        .collect()
}

/// Inputs that once broke something.
#[must_use]
pub fn regressions(target: &str) -> Vec<Seed> {
    let Ok(entries) = fs::read_dir(folder("regressions").join(target)) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.expect("a readable folder"))
        .map(|entry| {
            let bytes = fs::read(entry.path()).expect("a readable input");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect()
}
