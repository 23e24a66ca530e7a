//! From capture files to TCP segments: reading, merging, and peeling link and IP layers.

mod packet;
mod segment;

pub use packet::{Packet, PacketId};
pub use segment::{Flags, Segment};
