//! What reassembly tells: connections, ordered bytes, gaps and ends.

use crate::capture::PacketId;
use crate::time::Timestamp;
use std::net::SocketAddr;

/// Number of a TCP connection, from 1, in order of first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The sender of the connection's first captured segment.
    First,
    /// The other end.
    Second,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// A TCP connection: one use of a pair of endpoints, from its first captured segment to its end.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its number.
    pub id: ConnectionId,
    /// Address of `Side::First`.
    pub first: SocketAddr,
    /// Address of `Side::Second`.
    pub second: SocketAddr,
    /// The end that opened the connection, known when a SYN or SYN-ACK was captured.
    pub initiator: Option<Side>,
    /// Time of the first captured segment.
    pub since: Timestamp,
}

impl Connection {
    /// The address of one end.
    #[must_use]
    pub const fn endpoint(&self, side: Side) -> SocketAddr {
        match side {
            Side::First => self.first,
            Side::Second => self.second,
        }
    }
}

/// Bytes that are next in a direction's order. Each run comes from one packet.
#[derive(Debug, Clone, Copy)]
pub struct DataRun<'a> {
    /// The sender.
    pub from: Side,
    /// When the receiver could read these bytes: the capture time of the packet, or of the later packet that filled a hole before it.
    pub time: Timestamp,
    /// The packet that carried them.
    pub packet: PacketId,
    /// The bytes; never empty.
    pub bytes: &'a [u8],
    /// Sequence number of the first of them.
    pub sequence: u32,
    /// The run begins where its segment begins: senders usually start a message there.
    pub segment_start: bool,
}

/// Bytes that the capture lacks: lost by the capture, cut by the snap length, or given up for want of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The sender of the missing bytes.
    pub from: Side,
    /// Capture time at which the gap was certain.
    pub time: Timestamp,
    /// How many bytes are missing, by sequence numbers.
    pub bytes: u64,
    /// Why they are missing.
    pub cause: GapCause,
}

/// Why bytes are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapCause {
    /// No captured packet holds these bytes: the other side acknowledged them, or nothing filled the hole for long.
    NotCaptured,
    /// The packet was captured, but not whole (snap length).
    CutBySnapLength,
    /// The buffer for data beyond the hole was full before the hole was filled.
    BufferFull,
    /// The connection or the capture ended before the hole was filled.
    Ended,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Both sides sent FIN; the side that sent it first.
    Finished(Side),
    /// RST, by this side.
    Reset(Side),
    /// The same endpoints opened a new connection.
    Replaced,
    /// Dropped by us to stay within a limit, the longest idle first.
    Evicted,
    /// The capture ended with the connection open.
    CaptureEnded,
}

/// What TCP had to do to carry one direction's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DirectionStats {
    /// Captured segments, with or without payload.
    pub segments: u64,
    /// Payload bytes delivered in order.
    pub bytes: u64,
    /// Segments whose payload had been delivered or buffered before, wholly or in part (keep-alives not counted).
    pub retransmitted: u64,
    /// Segments that came before one they follow (where that one came at all).
    pub out_of_order: u64,
    /// Keep-alive probes.
    pub keep_alives: u64,
    /// Bytes that came again with another value, as far as the first copies were still there to compare with.
    pub conflicting_bytes: u64,
    /// The packet that brought the first of these.
    pub first_conflict: Option<PacketId>,
    /// Gaps reported.
    pub gaps: u64,
    /// Bytes missing in those gaps.
    pub gap_bytes: u64,
    /// Segments that announced a receive window of zero (RST not counted).
    pub zero_windows: u64,
    /// Payload bytes from before the point where a stream without SYN began for us; they are not delivered.
    pub bytes_before_start: u64,
    /// Segments with data far outside any window that no other segment confirmed; they are not delivered.
    pub implausible: u64,
}

/// What the receiver of the data says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Go on.
    Keep,
    /// Not our protocol: stop buffering and reporting data of this connection (its end is still reported).
    Ignore,
}

/// Receives what reassembly finds, in order of capture time.
pub trait Handler {
    /// A connection's first segment was seen.
    fn opened(&mut self, connection: &Connection);
    /// The next bytes of one direction.
    fn data(&mut self, connection: &Connection, run: DataRun<'_>) -> Interest;
    /// Bytes of one direction are missing; the next data run follows the gap.
    fn gap(&mut self, connection: &Connection, gap: Gap);
    /// The connection is over; buffered data has been delivered. `stats` are those of `Side::First` and `Side::Second`.
    fn ended(
        &mut self,
        connection: &Connection,
        time: Timestamp,
        end: End,
        stats: [DirectionStats; 2],
    );
}
