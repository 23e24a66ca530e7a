//! A segment whose sequence number lies far outside the window, held until another one agrees with it.

use super::seq::{SeqNum, believable_missing, payload_len, payload_start};
use crate::Timestamp;
use crate::capture::{Flags, PacketId, Segment};
use crate::limits::{MAX_WINDOW, PIECE_OVERHEAD, SUSPECT_PATIENCE};
use std::net::SocketAddr;

/// The held segment, its payload copied.
#[derive(Debug)]
pub(super) struct Suspect {
    source: SocketAddr,
    destination: SocketAddr,
    pub(super) packet: PacketId,
    pub(super) time: Timestamp,
    start: SeqNum,
    end: SeqNum,
    acknowledgment: u32,
    flags: Flags,
    window: u16,
    payload: Box<[u8]>,
    missing: u32,
}

impl Suspect {
    pub(super) fn new(segment: &Segment<'_>) -> Self {
        let start = payload_start(segment);
        Self {
            source: segment.source,
            destination: segment.destination,
            packet: segment.packet,
            time: segment.time,
            start,
            end: start.plus(payload_len(segment)),
            acknowledgment: segment.acknowledgment,
            flags: Flags {
                syn: false,
                ..segment.flags
            },
            window: segment.window,
            payload: segment.payload.into(),
            missing: believable_missing(segment),
        }
    }

    /// Number of its first payload byte.
    pub(super) const fn start(&self) -> SeqNum {
        self.start
    }

    /// Bytes it counts for.
    pub(super) fn cost(&self) -> usize {
        self.payload.len().saturating_add(PIECE_OVERHEAD)
    }

    /// When it will be given up.
    pub(super) fn deadline(&self) -> Timestamp {
        self.time.after(SUSPECT_PATIENCE)
    }

    /// Another segment carries on where this one ends, or not far after. A copy of this one confirms nothing.
    pub(super) fn is_confirmed_by(&self, segment: &Segment<'_>) -> bool {
        let distance = payload_start(segment).distance_from(self.end);
        (0..=i64::from(MAX_WINDOW)).contains(&distance)
    }

    /// The segment as it was captured.
    pub(super) fn segment(&self) -> Segment<'_> {
        Segment {
            packet: self.packet,
            time: self.time,
            source: self.source,
            destination: self.destination,
            sequence: self.start.raw(),
            acknowledgment: self.acknowledgment,
            flags: self.flags,
            window: self.window,
            payload: &self.payload,
            missing: self.missing,
        }
    }
}
