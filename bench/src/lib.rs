//! Captures of any size for measurements: a busy contact centre, and traffic made to cost memory.

#![cfg_attr(test, allow(clippy::as_conversions))]

mod capture;
pub mod centre;
pub mod hostile;
pub mod repeated;

pub use capture::{Capture, Connection, Side};
