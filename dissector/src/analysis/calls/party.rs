//! Who takes part in a call: devices, the agents at them, and what they did.

use super::call::names;
use crate::time::Timestamp;

names! {
    /// The state of a device's connection to a call.
    ConnectionState {
        /// It is dialling.
        Initiated "initiated",
        /// It rings.
        Alerting "ringing",
        /// It waits in a queue.
        Queued "queued",
        /// It takes part.
        Connected "connected",
        /// It holds the call.
        Held "held",
        /// It could not be reached, or could not dial.
        Failed "failed",
        /// It takes part no more.
        Cleared "cleared",
    }
}

impl ConnectionState {
    /// The state for a value of LocalConnectionState; `None` for LCS_NONE and values that no table knows.
    #[must_use]
    pub const fn from_local(value: u32) -> Option<Self> {
        Some(match value {
            0 => Self::Cleared,
            1 => Self::Initiated,
            2 => Self::Alerting,
            3 => Self::Connected,
            4 => Self::Held,
            5 => Self::Queued,
            6 => Self::Failed,
            _ => return None,
        })
    }

    /// Whether a device in this state has to do with the call.
    #[must_use]
    pub const fn is_there(self) -> bool {
        !matches!(self, Self::Cleared | Self::Failed)
    }

    /// Which state a device is in that has several connections: the highest.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Cleared => 0,
            Self::Failed => 1,
            Self::Initiated => 2,
            Self::Queued => 3,
            Self::Held => 4,
            Self::Alerting => 5,
            Self::Connected => 6,
        }
    }
}

names! {
    /// What kind of device it is, by the device types that messages give it.
    PartyKind {
        /// An agent's phone.
        Agent "agent",
        /// Somebody outside.
        External "external",
        /// A phone of no known agent, or a device of no known type.
        Device "device",
        /// A port of a voice unit.
        Port "port",
        /// A route point.
        RoutePoint "route_point",
        /// A queue.
        Queue "queue",
        /// A trunk or trunk group.
        Trunk "trunk",
    }
}

impl PartyKind {
    /// The kind for a value of DeviceIDType; `None` where that says nothing.
    #[must_use]
    pub const fn from_device_type(value: u32) -> Option<Self> {
        Some(match value {
            70 | 71 => Self::Trunk,
            73 => Self::Port,
            74 => Self::RoutePoint,
            75 => Self::External,
            76 => Self::Agent,
            77 => Self::Queue,
            _ => return None,
        })
    }

    /// Whether a person is at it, as far as one can tell.
    #[must_use]
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Agent | Self::External | Self::Device)
    }
}

/// A device that takes part in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// What messages call it: an extension, a number, a port.
    pub device: String,
    /// What kind of device it is.
    pub kind: PartyKind,
    /// AgentID of the agent who was at it then.
    pub agent: Option<String>,
    /// It began the call.
    pub caller: bool,
    /// When it was first named.
    pub first: Timestamp,
    /// By which message.
    pub message: u64,
    /// In which session.
    pub session: u32,
    /// PeripheralID of that message.
    pub peripheral: Option<u32>,
    /// When it first had a connection to the call; `None` when it never had one.
    pub began: Option<Timestamp>,
    /// When it was first connected; `None` when it never was.
    pub answered: Option<Timestamp>,
    /// When its last connection ended, or until when it is known to have had one.
    pub until: Timestamp,
    /// The state of its connection in the end; `None` when it never had one.
    pub state: Option<ConnectionState>,
    /// Nanoseconds in which it rang.
    pub ring: i64,
    /// Nanoseconds in which it was connected, consultation left out.
    pub talk: i64,
    /// Nanoseconds in which it was connected to somebody whom it consulted, or who consulted it.
    pub consult: i64,
    /// Nanoseconds in which it did nothing but hold.
    pub hold: i64,
    /// Times it put a connection on hold.
    pub holds: u32,
    /// Times it rang there and the call was taken away, because nobody answered.
    pub missed: u32,
}

impl Party {
    /// What to call it in one word or two: the device, and the agent where another name.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.agent {
            Some(agent) if *agent != self.device => format!("{} ({agent})", self.device),
            _ => self.device.clone(),
        }
    }

    /// Takes over what another, younger call says of the same device. Two connections at the same time: its time as a whole is no sum, but
    /// it talked where either says so.
    pub(super) fn unite(&mut self, other: Self) {
        let earlier = |a: Option<Timestamp>, b: Option<Timestamp>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let busy = other.talk.saturating_add(other.consult);
        self.ring = self.ring.saturating_add(other.ring);
        self.talk = self.talk.saturating_add(other.talk);
        self.consult = self.consult.saturating_add(other.consult);
        self.hold = (self.hold - busy.min(self.hold)).max(other.hold);
        self.holds = self.holds.saturating_add(other.holds);
        self.missed = self.missed.saturating_add(other.missed);
        if other.first < self.first {
            (self.first, self.message) = (other.first, other.message);
            (self.session, self.peripheral) = (other.session, other.peripheral);
        }
        self.began = earlier(self.began, other.began);
        self.answered = earlier(self.answered, other.answered);
        self.agent = self.agent.take().or(other.agent);
        if self.kind == PartyKind::Device {
            self.kind = other.kind;
        }
    }
}

/// A device's connection changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange {
    /// Index of the party.
    pub party: usize,
    /// Its state before, over all its connections to the call; `None` when it had none.
    pub from: Option<ConnectionState>,
    /// Its state now.
    pub to: ConnectionState,
    /// Nanoseconds in the state before; 0 without one.
    pub held_nanos: i64,
}
