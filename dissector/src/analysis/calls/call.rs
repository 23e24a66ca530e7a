//! What is told of a call: its row in a list, and, where asked for, its story.

use super::party::Party;
use super::story::Step;
use crate::correlate::{FailureCode, OutcomeKind};
use crate::finding::Code;
use crate::protocol::{self, Value};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// ConnectionCallID, and the peripheral that gave it out: each peripheral counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// PeripheralID; `None` where no message tells.
    pub peripheral: Option<u32>,
    /// ConnectionCallID.
    pub id: u32,
}

/// RouterCallKeyDay and RouterCallKeyCallID: what the router calls a contact, whatever peripherals it goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterKey {
    /// RouterCallKeyDay.
    pub day: u32,
    /// RouterCallKeyCallID; counts anew each day.
    pub call: u32,
}

impl fmt::Display for RouterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.day, self.call)
    }
}

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$of:meta])* $variant:ident $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$of])* $variant,)*
        }

        impl $type {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name used in output.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}
pub(super) use names;

names! {
    /// How a call went, in a word.
    Outcome {
        /// Somebody answered it, and it is over.
        Answered "answered",
        /// Nobody answered, and the caller gave up: in a queue, while it rang, or on the way.
        Abandoned "abandoned",
        /// It rang, nobody answered, and it went or was taken away.
        Unanswered "unanswered",
        /// CALL_FAILED_EVENT: busy, wrong number, no way through.
        Failed "failed",
        /// It was announced to an agent (AGENT_PRE_CALL_EVENT) and never came.
        Undelivered "undelivered",
        /// Only a voice unit, a port or a route point answered, and it neither queued nor rang at anyone's phone.
        SelfService "self_service",
        /// It was not over when it was last seen, answered or not.
        Open "open",
        /// The capture does not tell.
        Unknown "unknown",
    }
}

names! {
    /// What happened to a call on its way, beside its outcome.
    Feature {
        /// It was queued.
        Queued "queued",
        /// It rang at somebody who did not answer, and was taken away from there.
        Redirected "redirected",
        /// It was put on hold.
        Held "held",
        /// It was consulted about in a call of its own.
        Consulted "consulted",
        /// It was transferred.
        Transferred "transferred",
        /// It was made a conference.
        Conferenced "conferenced",
        /// A supervisor listened, barged in or took over.
        Supervised "supervised",
        /// A request about it failed or was not answered.
        FailedRequest "failed_request",
        /// It was seen again by a session after one that was lost, or after its peripheral was offline.
        Recovered "recovered",
        /// Its beginning is not in the capture.
        BeganBefore "began_before",
        /// Its end is not in the capture.
        EndUnseen "end_unseen",
    }
}

/// How long a call was in what state (nanoseconds). States exclude each other: what stands first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// At least two people could talk to each other. Consultation while the caller waits is not in it.
    pub talk: i64,
    /// Somebody held it and nobody talked on it.
    pub hold: i64,
    /// It waited in a queue.
    pub queue: i64,
    /// It rang at somebody's phone.
    pub ring: i64,
}

impl Times {
    /// Another call's times count as well.
    const fn add(&mut self, other: &Self) {
        self.talk = self.talk.saturating_add(other.talk);
        self.hold = self.hold.saturating_add(other.hold);
        self.queue = self.queue.saturating_add(other.queue);
        self.ring = self.ring.saturating_add(other.ring);
    }
}

/// Failed requests of a call that are listed.
const LISTED_FAILURES: usize = 16;

/// A request about a call that failed or was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRequest {
    /// Number of the request's message.
    pub no: u64,
    /// Its name.
    pub name: &'static str,
    /// What became of it.
    pub kind: OutcomeKind,
    /// What the failure message says, if that is what became of it.
    pub failure: Option<FailureCode>,
}

impl FailedRequest {
    /// What went wrong, in a word: the failure code by name, else the kind of outcome.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.failure {
            Some(failure) => failure
                .name()
                .map_or_else(|| failure.code.to_string(), ToOwned::to_owned),
            None => self.kind.name().to_owned(),
        }
    }
}

/// A call: all that its call IDs, joined by consultation, transfer, conference and the router's key, went through.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its number among all calls of the capture, from 1. Calls are numbered as they are told, which is in order of their beginning as long
    /// as not too many wait for an older one to end.
    pub no: u64,
    /// Time of its first message.
    pub first: Timestamp,
    /// Time of its last message.
    pub last: Timestamp,
    /// Until when it is known to have lasted: its last message, or, when it goes on, the end of the capture or of the last session that told
    /// of it.
    pub until: Timestamp,
    /// Number of its first message.
    pub first_message: u64,
    /// Number of its last message.
    pub last_message: u64,
    /// How many messages were about it; each session's copy counts.
    pub messages: u64,
    /// One of its messages passed the selection.
    pub selected: bool,
    /// Its call IDs, in order of appearance. Empty when it was announced and never came.
    pub ids: Vec<CallId>,
    /// Keys of the router, in order of appearance.
    pub router_keys: Vec<RouterKey>,
    /// CallReferenceIDs in hexadecimal, in order of appearance.
    pub references: Vec<String>,
    /// Sessions that saw it.
    pub sessions: BTreeSet<u32>,
    /// ANI, the first one told.
    pub ani: Option<String>,
    /// DNIS, the first one told.
    pub dnis: Option<String>,
    /// DialedNumber, the first one told.
    pub dialed: Option<String>,
    /// CallType, the first one told.
    pub call_type: Option<u32>,
    /// Devices in order of appearance; the steps of the story name them by their index.
    pub parties: Vec<Party>,
    /// Skill groups by their number that it queued for or was given to.
    pub skill_groups: BTreeSet<u32>,
    /// How long it was in what state.
    pub times: Times,
    /// Nanoseconds from its first message to the first answer by somebody.
    pub answered_after: Option<i64>,
    /// How it went.
    pub outcome: Outcome,
    /// What happened on its way.
    pub features: BTreeSet<Feature>,
    /// How often it was transferred.
    pub transfers: u32,
    /// How often it was made a conference.
    pub conferences: u32,
    /// EventCause of how it ended; `None` for CEC_NONE.
    pub cause: Option<u32>,
    /// Who hung up, as index into the parties.
    pub ended_by: Option<usize>,
    /// Names of call variables and other call data that CALL_DATA_UPDATE_EVENT changed.
    pub changed: BTreeSet<String>,
    /// Call variables and other call data as they were last; only with stories.
    pub variables: BTreeMap<String, String>,
    /// Requests that failed, the first ones.
    pub failed_requests: Vec<FailedRequest>,
    /// How many requests failed.
    pub failed_request_count: u64,
    /// What its messages have as findings, and how often.
    pub findings: BTreeMap<Code, u64>,
    /// Its story, in order; only with stories.
    pub steps: Vec<Step>,
    /// Steps that were left out because there are too many.
    pub steps_left_out: u64,
}

impl Call {
    /// A call of which nothing is known but its first message.
    pub(super) const fn begun(now: Timestamp, message: u64) -> Self {
        Self {
            no: 0,
            first: now,
            last: now,
            until: now,
            first_message: message,
            last_message: message,
            messages: 0,
            selected: false,
            ids: Vec::new(),
            router_keys: Vec::new(),
            references: Vec::new(),
            sessions: BTreeSet::new(),
            ani: None,
            dnis: None,
            dialed: None,
            call_type: None,
            parties: Vec::new(),
            skill_groups: BTreeSet::new(),
            times: Times {
                talk: 0,
                hold: 0,
                queue: 0,
                ring: 0,
            },
            answered_after: None,
            outcome: Outcome::Unknown,
            features: BTreeSet::new(),
            transfers: 0,
            conferences: 0,
            cause: None,
            ended_by: None,
            changed: BTreeSet::new(),
            variables: BTreeMap::new(),
            failed_requests: Vec::new(),
            failed_request_count: 0,
            findings: BTreeMap::new(),
            steps: Vec::new(),
            steps_left_out: 0,
        }
    }

    /// Takes over what is told of another call, which began later and turns out to be the same.
    pub(super) fn absorb(&mut self, other: Self) {
        if other.first >= self.last || self.first >= other.last {
            // One after the other, as through a voice unit first.
            self.times.add(&other.times);
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.first_message = self.first_message.min(other.first_message);
        self.last_message = self.last_message.max(other.last_message);
        self.messages += other.messages;
        self.selected |= other.selected;
        for key in other.router_keys {
            if !self.router_keys.contains(&key) {
                self.router_keys.push(key);
            }
        }
        self.sessions.extend(other.sessions);
        self.ani = self.ani.take().or(other.ani);
        self.dnis = self.dnis.take().or(other.dnis);
        self.dialed = self.dialed.take().or(other.dialed);
        self.call_type = self.call_type.or(other.call_type);
        self.skill_groups.extend(other.skill_groups);
        self.features.extend(other.features);
        self.transfers += other.transfers;
        self.conferences += other.conferences;
        self.cause = self.cause.or(other.cause);
        self.changed.extend(other.changed);
        self.failed_request_count += other.failed_request_count;
        let room = LISTED_FAILURES.saturating_sub(self.failed_requests.len());
        let failures = other.failed_requests.into_iter();
        self.failed_requests.extend(failures.take(room));
        for (code, count) in other.findings {
            *self.findings.entry(code).or_default() += count;
        }
        self.steps.extend(other.steps);
        self.steps_left_out += other.steps_left_out;
    }

    /// A request about it failed.
    pub(super) fn note_failure(&mut self, failure: FailedRequest) {
        self.failed_request_count += 1;
        self.features.insert(Feature::FailedRequest);
        if self.failed_requests.len() < LISTED_FAILURES {
            self.failed_requests.push(failure);
        }
    }

    /// The EventCause of its end by its name in the protocol's table, else as a number.
    #[must_use]
    pub fn cause_name(&self) -> Option<String> {
        self.cause.map(cause_name)
    }

    /// Its CallType by the short name in the protocol's table, else as a number.
    #[must_use]
    pub fn call_type_name(&self) -> Option<String> {
        let number = self.call_type?;
        let value = table_value("CallType", number);
        Some(value.map_or_else(|| number.to_string(), |v| v.short.to_owned()))
    }

    /// AgentIDs of all agents that took part, in order of appearance.
    #[must_use]
    pub fn agents(&self) -> Vec<&str> {
        let mut agents: Vec<&str> = Vec::new();
        for agent in self.parties.iter().filter_map(|p| p.agent.as_deref()) {
            if !agents.contains(&agent) {
                agents.push(agent);
            }
        }
        agents
    }

    /// Nanoseconds from its first message until when it is known to have lasted.
    #[must_use]
    pub fn duration(&self) -> i64 {
        self.until.nanos_since(self.first).max(0)
    }

    /// Whether it goes by this name: a call ID (decimal or 0x hexadecimal), an ANI, a RouterCallKey (`day/call`) or a CallReferenceID in
    /// hexadecimal.
    #[must_use]
    pub fn goes_by(&self, name: &str) -> bool {
        let hex = name.strip_prefix("0x").or_else(|| name.strip_prefix("0X"));
        let number = match hex {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => name.parse().ok(),
        };
        number.is_some_and(|n| self.ids.iter().any(|id| id.id == n))
            || self.ani.as_deref() == Some(name)
            || self.router_keys.iter().any(|key| key.to_string() == name)
            || self.references.iter().any(|r| r.eq_ignore_ascii_case(name))
    }
}

/// An EventCause by name, else as a number.
#[must_use]
pub fn cause_name(cause: u32) -> String {
    let value = table_value("EventCause", cause);
    value.map_or_else(|| cause.to_string(), |v| v.text.to_owned())
}

/// A value of a table by the table's name.
pub(super) fn table_value(table: &str, number: u32) -> Option<&'static Value> {
    protocol::value_table(table)?.get(number)
}
