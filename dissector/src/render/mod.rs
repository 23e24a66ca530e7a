//! From records to output. Rendering is pure: no input or output, no clock, nothing of the environment.

pub mod text;
