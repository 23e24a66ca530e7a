//! What the tracker of TCP tells.

use super::tls::TlsEnd;
use crate::capture::PacketId;
use crate::time::Timestamp;
use std::net::SocketAddr;
use std::time::Duration;

/// Something that TCP did on a connection that is tracked.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// The packet to look at.
    pub packet: PacketId,
    /// The end that opened the connection, or that has no CTI port.
    pub client: SocketAddr,
    /// The other end.
    pub server: SocketAddr,
    /// What.
    pub kind: EventKind,
}

/// What TCP did.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// SYN was answered by SYN.
    Accepted,
    /// SYN was answered by RST.
    Refused,
    /// SYN was sent so often and never answered, though the capture went on.
    NoAnswer {
        /// How often.
        tries: u32,
    },
    /// The same bytes were sent again and again without being acknowledged.
    TimeOuts {
        /// The sender.
        from: SocketAddr,
        /// When they were sent first.
        since: Timestamp,
        /// How often they were sent again.
        again: u32,
        /// Payload bytes of the segment.
        bytes: u32,
        /// It is one of the largest segments of this sender, and smaller ones arrived.
        largest: bool,
        /// The receiver was heard meanwhile.
        heard: bool,
    },
    /// After a long silence the connection was dead.
    Dropped {
        /// The sender that found out.
        from: SocketAddr,
        /// How long nobody had sent anything.
        idle: Duration,
        /// The other end answered with RST; else it did not answer.
        reset: bool,
    },
    /// One direction had much to send again.
    Loss {
        /// The sender.
        from: SocketAddr,
        /// Beginning of the stretch.
        since: Timestamp,
        /// Segments with payload.
        sent: u32,
        /// Those that were sent again.
        again: u32,
    },
    /// A receiver's window was closed for so long.
    WindowClosed {
        /// The receiver.
        reader: SocketAddr,
        /// Since when.
        since: Timestamp,
    },
    /// The connection was aborted.
    Reset {
        /// Who did.
        from: SocketAddr,
        /// The other end had its window closed just before.
        reader_was_slow: bool,
    },
    /// A small segment was sent at once when the one before was acknowledged, late.
    Nagle {
        /// The sender.
        from: SocketAddr,
        /// How long it was held.
        held: Duration,
    },
    /// The snap length cut a packet; told once.
    Cut,
    /// TLS never got to application data.
    TlsFailed(TlsEnd),
    /// One end speaks TLS and the other one does not.
    TlsMixup {
        /// The client began with ClientHello; else with OPEN_REQ.
        client_secured: bool,
    },
}
