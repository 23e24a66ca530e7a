//! What both file formats tell the reader about the bytes that come next.

use crate::time::Timestamp;

/// A packet record found at the start of the buffered bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// Capture time.
    pub time: Timestamp,
    /// Interface number.
    pub interface: u32,
    /// LINKTYPE_ number.
    pub link_type: u32,
    /// Length on the wire.
    pub original_len: u32,
    /// Where the packet's bytes start in the record.
    pub start: usize,
    /// How many bytes of the packet there are.
    pub captured: usize,
    /// Length of the whole record.
    pub len: usize,
}

/// What stands at the start of the buffered bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A packet.
    Packet(Record),
    /// That many bytes that hold no packet.
    Skip(u64),
    /// Not to be told before that many bytes are there.
    Need(usize),
    /// A record of that many bytes whose frame is sound, but not its content.
    Spoiled(u64),
    /// No record; where the next one starts has to be searched.
    Damaged,
}
