//! From TCP segments to ordered streams of bytes. Knows nothing of CTI.

mod ahead;
mod connection;
mod ended;
mod event;
mod queue;
mod seq;
mod stream;
mod suspect;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use event::{
    Connection, ConnectionId, DataRun, DirectionStats, End, Gap, GapCause, Handler, Interest, Side,
};
pub use table::{Late, Reassembler};
