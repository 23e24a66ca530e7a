//! Tests of the whole room: segments in, events out. One test for each case, named after it.

mod beginnings;
mod data;
mod ends;
mod gaps;
mod interest;
mod limits;
mod properties;

use super::Side;
use super::testing::Event;

fn data(from: Side, bytes: &[u8]) -> Event {
    Event::Data(1, from, bytes.to_vec())
}
