//! Tests of the whole room: segments in, events out.

mod cases;
mod limits;
mod properties;
