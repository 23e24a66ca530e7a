//! What dissecting a capture yields, in order: messages, exchanges, sessions, breaks and findings.

use crate::capture::PacketId;
use crate::correlate::{Answer, Exchange, Outcome};
use crate::finding::{Code, Finding};
use crate::framing::Break;
use crate::protocol::{Message, MessageType, ProtocolVersion};
use crate::session::{Session, VersionSource};
use crate::time::Timestamp;
use smallvec::SmallVec;
use std::net::SocketAddr;
use std::ops::Deref;

/// Which way bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the client to the CTI Server.
    ClientToServer,
    /// From the CTI Server to the client.
    ServerToClient,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::ClientToServer => Self::ServerToClient,
            Self::ServerToClient => Self::ClientToServer,
        }
    }

    /// The name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientToServer => "client-to-server",
            Self::ServerToClient => "server-to-client",
        }
    }

    /// The sender.
    #[must_use]
    pub const fn sender(self) -> &'static str {
        match self {
            Self::ClientToServer => "client",
            Self::ServerToClient => "server",
        }
    }
}

/// The two ends of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peers {
    /// Number of the session, from 1, in order of first message.
    pub session: u32,
    /// The client's address.
    pub client: SocketAddr,
    /// The server's address.
    pub server: SocketAddr,
}

impl Peers {
    /// Sender and receiver in one direction.
    #[must_use]
    pub const fn ends(&self, direction: Direction) -> (SocketAddr, SocketAddr) {
        match direction {
            Direction::ClientToServer => (self.client, self.server),
            Direction::ServerToClient => (self.server, self.client),
        }
    }
}

/// The packets that carried a message, in order. One or two, as most messages have, take no memory of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packets {
    ids: SmallVec<[PacketId; 2]>,
    sequence: u32,
}

impl Packets {
    /// Packets that carried a message whose first byte has this TCP sequence number.
    #[must_use]
    pub fn new(ids: &[PacketId], sequence: u32) -> Self {
        Self {
            ids: SmallVec::from_slice(ids),
            sequence,
        }
    }

    /// TCP sequence number of the message's first byte; all its bytes that were captured follow each other.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }
}

impl Deref for Packets {
    type Target = [PacketId];

    fn deref(&self) -> &[PacketId] {
        &self.ids
    }
}

impl From<&[PacketId]> for Packets {
    fn from(packets: &[PacketId]) -> Self {
        Self::new(packets, 0)
    }
}

/// A message and its place in the conversation.
#[derive(Debug, Clone)]
pub struct MessageInfo {
    /// Number of the message, from 1, in capture order.
    pub no: u64,
    /// When its last byte could be read.
    pub time: Timestamp,
    /// Its session.
    pub peers: Peers,
    /// Which way it went.
    pub direction: Direction,
    /// The packets that carried it.
    pub packets: Packets,
    /// The version to decode it by.
    pub version: ProtocolVersion,
    /// How that version is known.
    pub version_source: VersionSource,
    /// MessageType of its header.
    pub number: MessageType,
    /// What it is: usually the message of that number, but some servers number some messages differently.
    pub message: Option<&'static Message>,
    /// The request that it answers.
    pub answers: Option<Answer>,
    /// What became of it, for a request; `None` while that is open or not asked for.
    pub outcome: Option<Outcome>,
    /// What the conversation says about it; findings about its bytes come from decoding.
    pub findings: Vec<Finding>,
    /// It is the first one of its session.
    pub first_of_session: bool,
}

#[cfg(test)]
impl MessageInfo {
    /// Message 1 of a number, sent by the server in session 1 of version 24.
    pub(crate) fn sample(number: MessageType) -> Self {
        let end = |ip, port| std::net::SocketAddr::from((ip, port));
        Self {
            no: 1,
            time: Timestamp::from_seconds(0),
            peers: Peers {
                session: 1,
                client: end([10, 0, 1, 10], 50_412),
                server: end([10, 0, 0, 5], 42_027),
            },
            direction: Direction::ServerToClient,
            packets: Packets::default(),
            version: ProtocolVersion(24),
            version_source: VersionSource::Stated,
            number,
            message: crate::protocol::message(number),
            answers: None,
            outcome: None,
            findings: Vec::new(),
            first_of_session: false,
        }
    }
}

/// Bytes of a session that are missing or could not be assigned to a message.
#[derive(Debug, Clone)]
pub struct BreakRecord {
    /// The session.
    pub peers: Peers,
    /// Which way the bytes went.
    pub direction: Direction,
    /// What is missing.
    pub details: Break,
}

/// A finding about a session or the capture, not about one message.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What it is about.
    pub code: Code,
    /// What was seen.
    pub text: String,
    /// When.
    pub time: Option<Timestamp>,
    /// The session it is about.
    pub session: Option<u32>,
}

/// One step of the story that a capture tells. Borrowed: copy what must stay.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Record<'a> {
    /// A message: its place in the conversation and its bytes, header included.
    Message(&'a MessageInfo, &'a [u8]),
    /// A request and what became of it.
    Exchange(&'a Exchange),
    /// A session began.
    SessionBegan(&'a Session),
    /// A session ended; all its counts are final.
    SessionEnded(&'a Session),
    /// Bytes are missing or were skipped.
    Break(&'a BreakRecord),
    /// Something is worth telling.
    Notice(&'a Notice),
}

/// Takes records in order.
pub trait Sink {
    /// The next record.
    fn record(&mut self, record: Record<'_>);
}

impl<F: FnMut(Record<'_>)> Sink for F {
    fn record(&mut self, record: Record<'_>) {
        self(record);
    }
}
