//! Command line of ctishark.
fn main() {}
