//! What is known of a session.

use crate::analysis::Seen;
use crate::reassembly::End;
use crate::record::{Direction, Peers};
use crate::session::Content;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::net::IpAddr;

/// Side of a duplex pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PairSide {
    /// Ports from 42027.
    A,
    /// Ports from 43027.
    B,
}

impl PairSide {
    /// The side whose conventional ports (port tables of Unified CCE) hold this port.
    #[must_use]
    pub const fn of_port(port: u16) -> Option<Self> {
        match port {
            42027..=42990 => Some(Self::A),
            43027..=43990 => Some(Self::B),
            _ => None,
        }
    }

    /// Its letter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }
}

/// What an OPEN_REQ asked for.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// Number of the message.
    pub no: u64,
    /// When.
    pub time: Timestamp,
    /// VersionNumber.
    pub version: Option<u32>,
    /// ServicesRequested (CTIServiceMask).
    pub services: u32,
    /// CallMsgMask.
    pub call_mask: Option<u32>,
    /// AgentStateMask.
    pub agent_mask: Option<u32>,
    /// ConfigMsgMask.
    pub config_mask: Option<u32>,
    /// UniqueInstanceID.
    pub unique_instance: Option<String>,
    /// IdleTimeout in seconds; `None`: no heartbeats are used, or not known.
    pub idle_timeout: Option<u32>,
    /// PeripheralID.
    pub peripheral: Option<u32>,
    /// ClientID.
    pub client_id: Option<String>,
    /// AgentID.
    pub agent: Option<String>,
    /// AgentExtension.
    pub extension: Option<String>,
    /// AgentInstrument.
    pub instrument: Option<String>,
}

/// What an OPEN_CONF granted.
#[derive(Debug, Clone, Default)]
pub struct Granted {
    /// Number of the message.
    pub no: u64,
    /// When.
    pub time: Timestamp,
    /// ServicesGranted (CTIServiceMask).
    pub services: u32,
    /// PGStatus (PGStatusCode mask).
    pub pg_status: Option<u32>,
    /// PeripheralOnline.
    pub peripheral_online: Option<u32>,
    /// SessionType: 1 active, 2 standby.
    pub session_type: Option<u32>,
}

/// What is known of a session so far.
#[derive(Debug, Clone)]
pub struct SessionFacts {
    /// Its ends.
    pub peers: Peers,
    /// What it carries.
    pub content: Content,
    /// Time of its first message.
    pub first: Timestamp,
    /// Its last OPEN_REQ.
    pub opened: Option<Opened>,
    /// Its last OPEN_CONF.
    pub granted: Option<Granted>,
    /// Last message of the client, of the server.
    pub last_client: Option<Timestamp>,
    /// Last message of the server.
    pub last_server: Option<Timestamp>,
    /// Times at which bytes were found missing, the latest ones.
    pub breaks: VecDeque<Timestamp>,
    /// When it ended; `None` while it goes on.
    pub ended: Option<Timestamp>,
    /// How its connection ended.
    pub end: Option<End>,
    /// Who ended the connection first.
    pub ended_by: Option<Direction>,
    /// Status of its last CLOSE_REQ, and when that came.
    pub close: Option<(u32, Timestamp)>,
    /// Status of the last FAILURE_EVENT, and when that came.
    pub failure_event: Option<(u32, Timestamp)>,
    /// When the client said that it stops asking this side (planned move).
    pub stopping: Option<Timestamp>,
    /// Time of its last message or packet.
    pub last: Timestamp,
    /// Number of its last message.
    pub last_no: Option<u64>,
    /// A message of it passed the selection.
    pub selected: bool,
}

impl SessionFacts {
    /// Whether the session's beginning was captured.
    #[must_use]
    pub const fn from_its_beginning(&self) -> bool {
        self.opened.is_some()
    }

    /// Whether the client is told of calls by all events of a mask (CallMsgMask): the service is granted, the mask asks for them, and the
    /// server is not on standby. Without its beginning nothing is known of a session.
    #[must_use]
    pub fn hears_calls(&self, mask: u32) -> bool {
        let asked = self.opened.as_ref().and_then(|o| o.call_mask);
        self.is_told() && asked.is_some_and(|asked| asked & mask == mask)
    }

    /// The same for agents, by AgentStateMask.
    #[must_use]
    pub fn hears_agents(&self, mask: u32) -> bool {
        let asked = self.opened.as_ref().and_then(|o| o.agent_mask);
        self.is_told() && asked.is_some_and(|asked| asked & mask == mask)
    }

    fn is_told(&self) -> bool {
        self.granted
            .as_ref()
            .is_some_and(|g| g.services & EVENTS != 0 && g.session_type != Some(STANDBY))
    }

    /// The side of its server.
    #[must_use]
    pub const fn side(&self) -> Option<PairSide> {
        PairSide::of_port(self.peers.server.port())
    }

    /// The host its client runs on.
    #[must_use]
    pub const fn client_host(&self) -> IpAddr {
        self.peers.client.ip()
    }

    /// What the client calls itself in OPEN_REQ.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        let opened = self.opened.as_ref()?;
        let names = [&opened.client_id, &opened.agent, &opened.extension];
        names.into_iter().flatten().next().map(String::as_str)
    }

    /// Words that name the client for a person, whatever its port: "Finesse (10.0.1.10)".
    #[must_use]
    pub fn client_name(&self) -> String {
        self.client_id().map_or_else(
            || format!("client {}", self.client_host()),
            |name| format!("{name} ({})", self.client_host()),
        )
    }

    /// Words that name the server: "side A (10.0.0.5)".
    #[must_use]
    pub fn server_name(&self) -> String {
        super::pair::server_name(self.peers.server)
    }

    /// Whether two sessions are of the same client, as far as is known: the same host, and nothing in OPEN_REQ that tells them apart.
    #[must_use]
    pub fn same_client(&self, other: &Self) -> bool {
        if self.client_host() != other.client_host() {
            return false;
        }
        let (Some(one), Some(two)) = (&self.opened, &other.opened) else {
            return true;
        };
        let who = |o: &Opened| (o.client_id.clone(), o.agent.clone(), o.extension.clone());
        who(one) == who(two)
    }

    /// Whether its client was accepted and it has not ended.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.ended.is_none() && (self.granted.is_some() || self.opened.is_none())
    }

    /// Words that name it for a person: "S1 (Finesse, 10.0.1.10:50412 to side A)".
    #[must_use]
    pub fn label(&self) -> String {
        let name = self.opened.as_ref().and_then(|o| {
            let names = [&o.client_id, &o.agent, &o.extension];
            names.into_iter().flatten().next().cloned()
        });
        let name = name.map(|n| format!("{n}, ")).unwrap_or_default();
        let server = self.side().map_or_else(
            || self.peers.server.to_string(),
            |s| format!("side {}", s.name()),
        );
        format!(
            "S{} ({name}{} to {server})",
            self.peers.session, self.peers.client
        )
    }
}

/// CTI_SERVICE_CLIENT_EVENTS and CTI_SERVICE_ALL_EVENTS of CTIServiceMask.
const EVENTS: u32 = 0x11;

/// SessionType of a server on standby.
const STANDBY: u32 = 2;

pub(super) fn opened(seen: &Seen<'_>) -> Opened {
    let text = |name| seen.text(name).map(std::borrow::Cow::into_owned);
    Opened {
        no: seen.info.no,
        time: seen.info.time,
        version: seen.raw("VersionNumber"),
        services: seen.raw("ServicesRequested").unwrap_or_default(),
        call_mask: seen.raw("CallMsgMask"),
        agent_mask: seen.raw("AgentStateMask"),
        config_mask: seen.raw("ConfigMsgMask"),
        unique_instance: text("UniqueInstanceID"),
        idle_timeout: seen.raw("IdleTimeout").filter(|t| *t != u32::MAX),
        peripheral: seen.number("PeripheralID"),
        client_id: text("ClientID"),
        agent: text("AgentID").or_else(|| text("AgentIDLong")),
        extension: text("AgentExtension"),
        instrument: text("AgentInstrument"),
    }
}

pub(super) fn granted(seen: &Seen<'_>) -> Granted {
    Granted {
        no: seen.info.no,
        time: seen.info.time,
        services: seen.raw("ServicesGranted").unwrap_or_default(),
        pg_status: seen.raw("PGStatus"),
        peripheral_online: seen.number("PeripheralOnline"),
        session_type: seen.number("SessionType"),
    }
}
