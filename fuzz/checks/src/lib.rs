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

pub mod capture;
pub mod decode;
mod input;
pub mod layers;
mod memory;
mod message;
pub mod program;
pub mod reassembly;
pub mod scenario;
pub mod seeds;

pub use input::Random;

/// A target's check.
pub type Check = fn(&[u8]);

/// All targets, by the name of their folders in `seeds` and `regressions`.
pub const TARGETS: [(&str, Check); 6] = [
    ("capture", capture::check),
    ("layers", layers::check),
    ("reassembly", reassembly::check),
    ("decode", decode::check),
    ("scenario", scenario::check),
    ("program", program::check),
];
