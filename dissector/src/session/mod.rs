//! A session: from OPEN_REQ to the end of its connection. It fixes the protocol version and knows who the client is.

mod version;

pub use version::VersionSource;
pub(crate) use version::{Evidence, WEIGHED_MESSAGES, resolve};

use crate::decode::{FieldValue, MessageView};
use crate::protocol::ProtocolVersion;
use crate::reassembly::End;
use crate::record::{Direction, Peers};
use crate::tally::Tally;
use crate::time::Timestamp;

/// How it is known which end is the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerBy {
    /// The other end sent OPEN_REQ.
    OpenReq,
    /// The other end opened the TCP connection.
    Syn,
    /// Its port is one of those on which CTI Servers listen.
    Port,
    /// It sent a message that only servers send (or received one that only clients send).
    Messages,
}

impl ServerBy {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenReq => "open_req",
            Self::Syn => "syn",
            Self::Port => "port",
            Self::Messages => "messages",
        }
    }
}

/// What a connection carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// CTI messages.
    Cti,
    /// TLS: CTI is expected inside, but cannot be read.
    Encrypted,
    /// Nothing that could be read, on a port where CTI is expected.
    Nothing,
}

impl Content {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cti => "cti",
            Self::Encrypted => "encrypted",
            Self::Nothing => "nothing",
        }
    }
}

/// Who the client says it is, from OPEN_REQ, and what the server granted, from OPEN_CONF.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// ClientID.
    pub client_id: Option<String>,
    /// ClientSignature.
    pub client_signature: Option<String>,
    /// AgentID, for a session about one agent.
    pub agent_id: Option<String>,
    /// AgentExtension.
    pub agent_extension: Option<String>,
    /// AgentInstrument.
    pub agent_instrument: Option<String>,
    /// PeripheralID, unless NULL_PERIPHERAL_ID.
    pub peripheral_id: Option<u32>,
    /// ServicesRequested (CTIServiceMask).
    pub services_requested: Option<u32>,
    /// ServicesGranted (CTIServiceMask).
    pub services_granted: Option<u32>,
    /// IdleTimeout in seconds; 0xFFFFFFFF: no heartbeats.
    pub idle_timeout: Option<u32>,
}

/// What was counted in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages of the client.
    pub from_client: u64,
    /// Messages of the server.
    pub from_server: u64,
    /// Bytes of all messages, headers included.
    pub bytes: u64,
    /// Requests, whoever asked.
    pub requests: Tally,
    /// Stretches where bytes are missing or were skipped.
    pub breaks: u64,
    /// Bytes missing from the capture.
    pub missing: u64,
    /// Captured bytes that could not be assigned to a message.
    pub skipped: u64,
}

/// A session and what is known of it so far.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its ends and its number.
    pub peers: Peers,
    /// Number of its TCP connection.
    pub connection: u32,
    /// How the server was recognised.
    pub server_by: ServerBy,
    /// What the connection carries.
    pub content: Content,
    /// The protocol version; `None` when there is nothing to decode.
    pub version: Option<ProtocolVersion>,
    /// How the version is known.
    pub version_source: VersionSource,
    /// Who the client is.
    pub identity: Identity,
    /// Time of its first message (of its first packet, where none could be read).
    pub first: Timestamp,
    /// Time of its last message or packet.
    pub last: Timestamp,
    /// Counts.
    pub counts: Counts,
    /// Status of CLOSE_REQ.
    pub close_status: Option<u32>,
    /// Status of the FAILURE_CONF that refused OPEN_REQ, if that was the last word on it.
    pub refused: Option<u32>,
    /// How the TCP connection ended; `None` while it is open.
    pub end: Option<End>,
    /// Whether `End::Finished` or `End::Reset` was the client's doing.
    pub ended_by: Option<Direction>,
}

impl Session {
    /// Takes over what an OPEN_REQ says.
    pub(crate) fn opened(&mut self, view: &MessageView<'_>) {
        let number = |name: &str| view.fixed_named(name).map(|f| f.number().bits);
        let identity = &mut self.identity;
        identity.services_requested = number("ServicesRequested");
        identity.idle_timeout = number("IdleTimeout");
        identity.peripheral_id = view
            .fixed_named("PeripheralID")
            .filter(|f| f.special().is_none())
            .map(|f| f.number().bits);
        identity.services_granted = None;
        self.refused = None;
        self.named(view);
    }

    /// Takes over what an OPEN_CONF says.
    pub(crate) fn granted(&mut self, view: &MessageView<'_>) {
        self.identity.services_granted =
            view.fixed_named("ServicesGranted").map(|f| f.number().bits);
        self.named(view);
    }

    fn named(&mut self, view: &MessageView<'_>) {
        let identity = &mut self.identity;
        for field in view.floating() {
            let FieldValue::Text(text) = field.value() else {
                continue;
            };
            if text.is_empty() {
                continue;
            }
            let slot = match field.name() {
                Some("ClientID") => &mut identity.client_id,
                Some("ClientSignature") => &mut identity.client_signature,
                Some("AgentID" | "AgentIDLong") => &mut identity.agent_id,
                Some("AgentExtension") => &mut identity.agent_extension,
                Some("AgentInstrument") => &mut identity.agent_instrument,
                _ => continue,
            };
            *slot = Some(String::from_utf8_lossy(text).into_owned());
        }
    }

    /// Whether the session was granted the service by which clients do without confirmations.
    pub(crate) fn ignores_confirmations(&self) -> bool {
        self.identity
            .services_granted
            .is_some_and(ignores_confirmations)
    }
}

/// Whether granted services (CTIServiceMask) have the one by which clients do without confirmations.
pub(crate) const fn ignores_confirmations(services: u32) -> bool {
    /// CTI_SERVICE_IGNORE_CONF of CTIServiceMask.
    const IGNORE_CONF: u32 = 0x0020_0000;
    services & IGNORE_CONF != 0
}
