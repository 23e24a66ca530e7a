//! From TCP segments to ordered streams of bytes. Knows nothing of CTI.
//!
//! [`Reassembler`] takes segments in order of capture and tells a [`Handler`] what follows from each. Data that is next in
//! order is handed on at once, borrowed from the packet, without waiting for acknowledgements. All bounds are in
//! [`crate::limits`]. The policies:
//!
//! - **Start.** A SYN, a SYN-ACK or data opens a connection; an ACK, FIN or RST alone does not. SYN and SYN-ACK fix where
//!   the streams start, in whichever order they were captured. A stream without SYN starts at the first data seen; data
//!   from before that is not delivered but counted (`bytes_before_start`). A FIN without data starts it where the other side
//!   said that it stands. A SYN captured shortly after its own first data is recognised.
//! - **Overlap.** The bytes captured first stay. Bytes that come again with another value are counted (`conflicting_bytes`) if
//!   the first ones are still held, or are among the bytes delivered last (`RECENT_BYTES`, `RECENT_RUNS`, `RECENT_LOOKS`); what
//!   is older is not compared, and nothing is said about it.
//! - **Keep-alive.** At most one byte, at the number before the next one: its byte means nothing and is not looked at. (The
//!   last byte of a stream sent again alone looks the same and is counted so.)
//! - **Holes.** Data beyond a hole is held. The hole becomes a gap when the other side has acknowledged all of it and a
//!   grace has passed in which a disordered capture could still fill it (`HOLE_GRACE`, `HOLE_GRACE_SEGMENTS`; up to twice
//!   that when the acknowledgement grows meanwhile); when nothing filled it for long (`HOLE_PATIENCE`, for captures of one
//!   direction); when a buffer is full; or at the end. Bytes cut by the snap length are a gap at once. Acknowledged bytes
//!   after all captured data are a gap only at the end, if they are more than the one number that a FIN would take:
//!   until then later data decides. Acknowledgements further than `MAX_WINDOW` beyond all data are not believed.
//! - **Times.** A run that a later packet made readable bears that packet's time; held data after a gap bears its own;
//!   neither is ever before an earlier run of its direction.
//! - **Jumps.** Data more than `MAX_JUMP` from where its stream is, forward or back, is not believed by itself: it is held
//!   until other data of that direction carries on where it ends, with no believable data in between. Then, if it is
//!   ahead and its acknowledgement fits the other direction, this was a long loss, reported as a gap. Else the endpoints
//!   have a new connection ([`End::Replaced`]), which gets what was held. Never confirmed, it is dropped and counted.
//! - **FIN.** Both streams complete up to their FIN end the connection. A FIN before data seen is not believed, data after
//!   a FIN is dropped.
//! - **RST.** Believed when near its sender's place (within `MAX_JUMP`) or, if that was never heard, when it acknowledges
//!   what the other side sent. It ends the connection at once; if data before it is still missing, after the grace. Its
//!   number is no proof of missing bytes.
//! - **After the end** a connection is remembered for a while (`ENDED_MEMORY`): its SYN again, and data near where its
//!   streams ended, open nothing; such data is counted ([`Reassembler::late`]). A SYN with another number, or data with
//!   unrelated numbers, opens a new connection. While it is open, a SYN with another number replaces it.
//! - **Memory.** Beyond the total for held data, the holes that would be given up soonest are given up. Beyond the number of
//!   connections the longest idle is dropped; half-open ones have a limit of their own. Idleness alone ends nothing.

mod ahead;
mod connection;
mod ended;
mod event;
mod queue;
mod recent;
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
