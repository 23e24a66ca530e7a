//! From TCP segments to ordered streams of bytes. Knows nothing of CTI.

mod event;

pub use event::{
    Connection, ConnectionId, DataRun, DirectionStats, End, Gap, GapCause, Handler, Interest, Side,
};
