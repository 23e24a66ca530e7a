//! One TCP segment, peeled out of its link, IP and TCP headers.

use super::PacketId;
use crate::time::Timestamp;
use std::net::SocketAddr;

/// TCP control flags that matter for following a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// Opens a connection; takes one sequence number.
    pub syn: bool,
    /// Ends the sender's data; takes one sequence number.
    pub fin: bool,
    /// Aborts the connection. CTI clients end normal sessions this way.
    pub rst: bool,
    /// Set when the acknowledgment number is valid.
    pub ack: bool,
}

/// A TCP segment as captured. `payload` is borrowed from the packet, or from the buffer in which its fragments were joined.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// The packet that carried it (the last one, where several fragments did).
    pub packet: PacketId,
    /// When that packet was captured.
    pub time: Timestamp,
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Sequence number of the first byte, or of SYN.
    pub sequence: u32,
    /// Next sequence number expected from the other side; meaningful with `flags.ack` only.
    pub acknowledgment: u32,
    /// Control flags.
    pub flags: Flags,
    /// Receive window as in the header, not scaled.
    pub window: u16,
    /// The payload bytes that were captured.
    pub payload: &'a [u8],
    /// Payload bytes that the segment had on the wire but the capture cut off (snap length); they follow `payload`.
    pub missing: u32,
}

impl Segment<'_> {
    /// All that is known of it but the payload, which lives as long as its packet.
    pub(super) fn without_payload(&self) -> Segment<'static> {
        Segment {
            packet: self.packet,
            time: self.time,
            source: self.source,
            destination: self.destination,
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: self.flags,
            window: self.window,
            payload: &[],
            missing: self.missing,
        }
    }
}
