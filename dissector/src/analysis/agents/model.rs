//! What is told of an agent.

use super::history::History;
use crate::correlate::{FailureCode, OutcomeKind};
use crate::protocol::{self, Reason};
use crate::record::Packets;
use crate::time::Timestamp;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// Values of AgentState that mean something to the program itself.
pub mod state {
    /// Just logging in.
    pub const LOGIN: u32 = 0;
    /// Logged out.
    pub const LOGOUT: u32 = 1;
    /// Not ready for calls.
    pub const NOT_READY: u32 = 2;
    /// Ready for a call.
    pub const AVAILABLE: u32 = 3;
    /// On a call.
    pub const TALKING: u32 = 4;
    /// After-call work, not ready afterwards.
    pub const WORK_NOT_READY: u32 = 5;
    /// After-call work, ready afterwards.
    pub const WORK_READY: u32 = 6;
    /// Busy for another skill group.
    pub const BUSY_OTHER: u32 = 7;
    /// A call is about to come.
    pub const RESERVED: u32 = 8;
    /// Not known to the server.
    pub const UNKNOWN: u32 = 9;
    /// All calls on hold.
    pub const HOLD: u32 = 10;
    /// At work on a task that is no call, such as a chat.
    pub const ACTIVE: u32 = 11;
}

/// What tells an agent from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentKey {
    /// PeripheralID; `None` when no message told it.
    pub peripheral: Option<u32>,
    /// AgentID.
    pub id: String,
}

/// An agent and everything that was seen of it.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Who it is.
    pub key: AgentKey,
    /// PeripheralType.
    pub peripheral_type: Option<u32>,
    /// ICMAgentID.
    pub icm_id: Option<u32>,
    /// AgentExtension, with the time since when; the latest one last.
    pub extensions: Vec<Device>,
    /// AgentInstrument, likewise.
    pub instruments: Vec<Device>,
    /// Sessions in which something was said about the agent.
    pub sessions: BTreeSet<u32>,
    /// The first message about it.
    pub first: Timestamp,
    /// The last message about it.
    pub last: Timestamp,
    /// Messages about it.
    pub messages: u64,
    /// One of them passed the selection.
    pub selected: bool,
    /// Its states, for each media routing domain by MRDID; 0 where messages do not tell one.
    pub domains: BTreeMap<u32, Domain>,
    /// Calls at its phone.
    pub calls: Calls,
    /// Requests about it.
    pub requests: Requests,
    /// States that do not fit the events of calls.
    pub contradictions: History<Contradiction>,
}

/// An extension or an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// When it was first told.
    pub from: Timestamp,
}

/// States of an agent in one media routing domain.
#[derive(Debug, Clone, Default)]
pub struct Domain {
    /// The states in order of time.
    pub periods: History<Period>,
    /// Over all of them, by AgentState.
    pub totals: BTreeMap<u32, Total>,
    /// Changes of state that were seen.
    pub changes: u64,
    /// Of these, logins.
    pub logins: u64,
    /// Of these, logouts.
    pub logouts: u64,
}

/// How long and how often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Nanoseconds.
    pub nanos: i64,
    /// Times.
    pub count: u64,
}

/// A stretch of time in one state. The same change comes once for each skill group and session; here it is one.
#[derive(Debug, Clone)]
pub struct Period {
    /// AgentState.
    pub state: u32,
    /// EventReasonCode, unless 0; it counts in NOT_READY and LOGOUT only.
    pub reason: Option<u32>,
    /// When the first message told it.
    pub from: Timestamp,
    /// Its end, or until when it is known.
    pub to: Timestamp,
    /// How it ended.
    pub ending: Ending,
    /// The agent was seen entering it; otherwise it may have lasted for a while already.
    pub entered: bool,
    /// Seconds that it had lasted at `from`, as the server says (StateDuration).
    pub before: Option<u32>,
    /// NextAgentState.
    pub next: Option<u32>,
    /// Skill groups that are in this state: SkillGroupNumber.
    pub skill_groups: SmallVec<[u32; 2]>,
    /// Number of the first message that told it.
    pub message: u64,
    /// Packets of that message.
    pub packets: Packets,
    /// The sessions that told it.
    pub sessions: SmallVec<[u32; 2]>,
    /// Messages that told it.
    pub messages: u64,
    /// Who or what brought it about.
    pub cause: Cause,
    /// Bytes of a session that tells of the agent went missing meanwhile: there may have been other states.
    pub gap: bool,
}

impl Period {
    /// How long it lasted, as far as is known (nanoseconds).
    #[must_use]
    pub const fn nanos(&self) -> i64 {
        self.to.nanos_since(self.from)
    }
}

/// How a period ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// Another state followed.
    Changed,
    /// All sessions that told of the agent ended; what came then is not known.
    SessionsEnded,
    /// It lasted when the capture ended.
    CaptureEnded,
}

impl Ending {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::SessionsEnded => "sessions_ended",
            Self::CaptureEnded => "capture_ended",
        }
    }
}

/// Who or what brought a state about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A client asked for it.
    Requested {
        /// In this session.
        session: u32,
        /// By this message.
        message: u64,
    },
    /// The system did, as the reason code says.
    System(&'static Reason),
    /// It comes from a call, or from its end.
    Call,
    /// Nothing tells.
    Unknown,
}

impl Cause {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "request",
            Self::System(_) => "system",
            Self::Call => "call",
            Self::Unknown => "unknown",
        }
    }
}

/// Calls in which an agent took part: those of the book of calls ([`crate::analysis::calls`]), which decides what is one call.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    /// Calls that came to the agent.
    pub delivered: u64,
    /// Of these, answered.
    pub answered: u64,
    /// Times one rang there and was sent elsewhere because nobody answered.
    pub ring_no_answer: u64,
    /// Calls that the agent made.
    pub outgoing: u64,
    /// Nanoseconds in which they rang.
    pub ring: i64,
    /// Nanoseconds in which the agent was connected, consultation left out.
    pub talk: i64,
    /// Nanoseconds in which the agent was connected in consultation.
    pub consult: i64,
    /// Nanoseconds in which the agent did nothing but hold.
    pub hold: i64,
    /// The calls, in order of their beginning.
    pub list: History<AgentCall>,
}

/// A call in which an agent took part.
#[derive(Debug, Clone)]
pub struct AgentCall {
    /// Its call IDs, in order of appearance.
    pub ids: SmallVec<[u32; 2]>,
    /// The agent made it.
    pub outgoing: bool,
    /// When the phone first had a connection.
    pub from: Timestamp,
    /// When it was first connected; `None`: it was not, or that was not seen.
    pub answered: Option<Timestamp>,
    /// When its last connection ended, or until when it is known to have had one.
    pub to: Timestamp,
    /// Nanoseconds in which it rang there.
    pub ring: i64,
    /// Nanoseconds in which the agent was connected, consultation left out.
    pub talk: i64,
    /// Nanoseconds in which the agent was connected in consultation.
    pub consult: i64,
    /// Nanoseconds in which the agent did nothing but hold.
    pub hold: i64,
    /// Times the agent put a connection on hold.
    pub holds: u32,
    /// What became of it.
    pub outcome: CallOutcome,
    /// Number of the first message about it at this phone.
    pub message: u64,
    /// The session of that message.
    pub session: u32,
}

/// What became of a call at an agent's phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// Answered, and over.
    Answered,
    /// It rang, nobody answered, and it was sent elsewhere.
    RingNoAnswer,
    /// It rang, and ended before anybody answered.
    NotAnswered,
    /// An outgoing call that nobody answered.
    NotConnected,
    /// Not over when it was last heard of.
    Open,
}

impl CallOutcome {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::RingNoAnswer => "ring_no_answer",
            Self::NotAnswered => "not_answered",
            Self::NotConnected => "not_connected",
            Self::Open => "open",
        }
    }
}

/// Requests about an agent.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    /// How many.
    pub count: u64,
    /// Of these, refused.
    pub failed: u64,
    /// Of these, not answered in time, or before their session ended.
    pub unanswered: u64,
    /// The requests in order of time.
    pub list: History<AgentRequest>,
}

/// A request about an agent.
#[derive(Debug, Clone)]
pub struct AgentRequest {
    /// When.
    pub time: Timestamp,
    /// In which session.
    pub session: u32,
    /// Number of its message.
    pub message: u64,
    /// Its name; empty for a type that no table knows.
    pub name: &'static str,
    /// The AgentState asked for.
    pub state: Option<u32>,
    /// EventReasonCode, unless 0.
    pub reason: Option<u32>,
    /// What became of it; `None` while that is open.
    pub outcome: Option<OutcomeKind>,
    /// Number of the answer.
    pub answer: Option<u64>,
    /// Nanoseconds to the answer.
    pub latency: Option<i64>,
    /// For a failure: what it says.
    pub failure: Option<FailureCode>,
}

/// A state that does not fit the events of calls for longer than these take to settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Which.
    pub kind: ContradictionKind,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// AgentState.
    pub state: u32,
    /// The call, if it is about one.
    pub call: Option<u32>,
    /// Number of the message that told the state.
    pub message: u64,
}

/// How a state and the events of calls contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ContradictionKind {
    /// TALKING or HOLD, but the phone has no call.
    TalkingWithoutCall,
    /// AVAILABLE, but a call is established at the phone.
    AvailableOnCall,
    /// LOGOUT, but a call is established at the phone.
    LoggedOutOnCall,
}

impl ContradictionKind {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TalkingWithoutCall => "talking_without_call",
            Self::AvailableOnCall => "available_on_call",
            Self::LoggedOutOnCall => "logged_out_on_call",
        }
    }
}

/// What was found.
#[derive(Debug)]
pub struct AgentsReport {
    /// The agents, by peripheral and ID.
    pub agents: Vec<Agent>,
    /// Time of the first record.
    pub from: Timestamp,
    /// Time of the last record.
    pub to: Timestamp,
    /// Messages about agents beyond [`crate::limits::MAX_STUDIED_AGENTS`].
    pub left_out: u64,
}

impl Agent {
    /// Whether it goes by this name: AgentID, extension or instrument, as `--agent` takes them.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let devices = self.extensions.iter().chain(&self.instruments);
        self.key.id == name || devices.into_iter().any(|d| base(&d.name) == name)
    }

    /// The domain whose states are those of the phone: voice, or the only one there is.
    #[must_use]
    pub fn main_domain(&self) -> Option<(u32, &Domain)> {
        let voice = self.domains.iter().find(|(mrd, _)| **mrd <= VOICE);
        voice
            .or_else(|| self.domains.iter().next())
            .map(|(mrd, domain)| (*mrd, domain))
    }

    /// What the reason of a period means, if the system set it.
    #[must_use]
    pub fn reason(&self, period: &Period) -> Option<&'static Reason> {
        protocol::reason_on(self.peripheral_type, period.reason?, period.state)
    }
}

impl Domain {
    /// Nanoseconds in a state.
    #[must_use]
    pub fn nanos_in(&self, state: u32) -> i64 {
        self.totals.get(&state).map_or(0, |t| t.nanos)
    }

    /// Nanoseconds logged in, as far as is known.
    #[must_use]
    pub fn logged_in(&self) -> i64 {
        let states = self.totals.iter();
        let states = states.filter(|(s, _)| !matches!(**s, state::LOGOUT | state::UNKNOWN));
        states.map(|(_, t)| t.nanos).sum()
    }
}

/// MRDID of voice.
pub(super) const VOICE: u32 = 1;

/// Longest name of an agent or a phone that is kept (bytes); the protocol has at most 64.
const MAX_NAME: usize = 128;

/// A name, cut where it is longer than any may be.
pub(super) fn cut(name: &str) -> &str {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}

/// A mobile agent's instrument carries the phone number behind a semicolon.
pub(super) fn base(device: &str) -> &str {
    cut(device.split(';').next().unwrap_or(device))
}

/// Name of an AgentState, such as `NOT_READY`.
#[must_use]
pub fn state_name(state: u32) -> Option<&'static str> {
    let value = protocol::value_table("AgentState")?.get(state)?;
    Some(value.short)
}
