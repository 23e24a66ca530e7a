//! What a capture file holds: packets, each with its place in the file.

use crate::time::Timestamp;

/// Where a packet stands: which input, and which packet of it, as other capture tools number them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId {
    /// Index of the input in the order given, from 0.
    pub input: u32,
    /// Number of the packet within that input, from 1.
    pub number: u64,
}

/// One capture record, borrowed from the reader until the next one is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// Its place in the inputs.
    pub id: PacketId,
    /// When it was captured.
    pub time: Timestamp,
    /// Interface number within its file (0 where the format has no interfaces).
    pub interface: u32,
    /// Link type as the file states it (a LINKTYPE_ number of the pcap registry).
    pub link_type: u32,
    /// The captured bytes, from the link header on.
    pub data: &'a [u8],
    /// Length on the wire; more than `data.len()` when the snap length cut the packet.
    pub original_len: u32,
}
