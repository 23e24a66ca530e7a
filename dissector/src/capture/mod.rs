//! From capture files to TCP segments: reading, merging, peeling link layers, tunnels and IP, and telling copies.
//!
//! [`Capture`] reads any number of [`Input`]s as one capture in order of time; [`Layers`] takes each packet down to its
//! [`Segment`], through whatever tunnels, and drops packets that were captured twice; [`Segments`] does both, if wanted in
//! a thread of its own. A damaged capture is no error: what is readable is delivered, and a [`Note`] says what is not.
//! Nothing here knows about files by path, about the order of TCP data, or about the protocol inside.

mod buffer;
mod bytes;
mod copies;
mod decompress;
mod disguise;
mod duplicates;
mod error;
mod exported;
mod feed;
mod fragments;
mod input;
mod ip;
mod layers;
mod link;
mod log;
mod merge;
mod note;
mod packet;
mod packet_set;
mod pcap;
mod pcapng;
mod pool;
mod reader;
mod record;
#[cfg(test)]
mod samples;
mod save;
mod segment;
mod segments;
mod tcp;
mod tunnel;

pub use decompress::{Compression, decompressed};
pub use disguise::{Disguise, Disguiser};
pub use error::{Content, Error};
pub use input::Input;
pub use layers::{LayerCounts, Layers, Peeled};
pub use merge::{Capture, Progress, Span};
pub use note::{Note, NoteKind};
pub use packet::{Packet, PacketId};
pub(crate) use packet_set::PacketSet;
pub use reader::recognise;
pub use save::{SaveCompression, SaveError, SaveFormat, Saver};
pub use segment::{Flags, Segment};
pub use segments::{Rest, Segments, Step};
pub use tunnel::Tunnel;

/// A length field as a size in memory; saturates where the machine is too small for it.
fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// A size in memory as a length; saturates.
fn length(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// A size in memory as a file offset; saturates.
fn offset(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}
