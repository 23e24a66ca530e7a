//! The steps of a call's story, and how one event that several sessions saw becomes one step.

use super::call::{CallId, names};
use super::party::StateChange;
use crate::correlate::{FailureCode, OutcomeKind};
use crate::finding::Code;
use crate::protocol::MessageType;
use crate::record::{Direction, Packets};
use crate::time::Timestamp;
use std::collections::VecDeque;

names! {
    /// What kind of step it is.
    StepKind {
        /// The server tells what happened to the call.
        Event "event",
        /// A client asks for something.
        Request "request",
        /// The answer to that.
        Answer "answer",
        /// The state of an agent on the call changed.
        Agent "agent",
    }
}

/// A message that tells of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Number of the message.
    pub no: u64,
    /// When it came.
    pub time: Timestamp,
    /// Its session.
    pub session: u32,
    /// Which way it went.
    pub direction: Direction,
    /// The packets that carried it.
    pub packets: Packets,
}

/// A piece of call data and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Name: CallVariable3, user.account, `user.steps[0]`, CallWrapupData and so on.
    pub name: String,
    /// Its value; `None` when it is gone.
    pub value: Option<String>,
    /// Its value before; `None` when it had none or that is not known.
    pub was: Option<String>,
}

/// The state of an agent changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentChange {
    /// AgentID.
    pub agent: String,
    /// AgentState before, by its short name; `None` when it was not known.
    pub from: Option<String>,
    /// AgentState now, by its short name.
    pub to: String,
    /// EventReasonCode, unless 0.
    pub reason: Option<u32>,
    /// Nanoseconds in the state before; 0 where that is not known.
    pub held_nanos: i64,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Number of the answer's message; `None` without an answer.
    pub no: Option<u64>,
    /// Nanoseconds from request to answer.
    pub latency: Option<i64>,
    /// What became of it.
    pub kind: OutcomeKind,
    /// For a failure: what it says.
    pub failure: Option<FailureCode>,
}

impl Answered {
    /// Whether the request came to nothing.
    #[must_use]
    pub const fn failed(&self) -> bool {
        failed(self.kind)
    }
}

/// Outcomes of requests that count as failures.
pub(super) const fn failed(kind: OutcomeKind) -> bool {
    matches!(
        kind,
        OutcomeKind::Failed
            | OutcomeKind::WrongAnswer
            | OutcomeKind::Unanswered
            | OutcomeKind::SessionEnded
    )
}

/// One step of a call's story.
#[derive(Debug, Clone)]
pub struct Step {
    /// When the first message of it came.
    pub time: Timestamp,
    /// What kind of step it is.
    pub kind: StepKind,
    /// Name of the message.
    pub name: &'static str,
    /// Its type.
    pub number: MessageType,
    /// The messages that tell of it: one for each session that saw it, the first one first.
    pub sightings: Vec<Sighting>,
    /// The call ID that it names.
    pub id: Option<CallId>,
    /// The party that does something, as index into the call's parties.
    pub from: Option<usize>,
    /// The party that it does something to or with, likewise.
    pub to: Option<usize>,
    /// EventCause, unless CEC_NONE.
    pub cause: Option<u32>,
    /// States of connections that it changes.
    pub changes: Vec<StateChange>,
    /// For an agent's step: the change.
    pub agent: Option<AgentChange>,
    /// Call data that it sets; in a request: that it asks to set.
    pub settings: Vec<Setting>,
    /// Other fields that matter, by name, such as DialedNumber.
    pub details: Vec<(&'static str, String)>,
    /// For a request: what became of it, once known. For an answer: what it says.
    pub answered: Option<Answered>,
    /// What its messages have as findings.
    pub findings: Vec<Code>,
    /// What it means for the call, such as that two calls became one.
    pub notes: Vec<String>,
}

impl Step {
    /// Moves party indices into those of the call that took over this one.
    pub(super) fn move_parties(&mut self, places: &[Option<usize>]) {
        let place = |index: Option<usize>| index.and_then(|i| places.get(i).copied().flatten());
        self.from = place(self.from);
        self.to = place(self.to);
        self.changes.retain_mut(|change| {
            let at = place(Some(change.party));
            change.party = at.unwrap_or(change.party);
            at.is_some()
        });
    }
}

/// How long after the first session another one may still tell of the same event.
const SAME_EVENT: i64 = 5_000_000_000;
/// How long after the first copy the same session may tell it for another party or monitor.
const SAME_SESSION: i64 = 1_000_000_000;
/// Events of a call that are remembered to recognise copies.
const REMEMBERED: usize = 24;

/// What tells copies of an event apart within a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Teller {
    pub session: u32,
    /// MonitorID.
    pub monitor: Option<u32>,
    /// Hash of ConnectionDeviceID.
    pub connection: u64,
}

/// The event of which a message is a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CopyOf {
    /// Number of the first message that told it.
    pub no: u64,
    /// Another session told it first.
    pub other_session: bool,
}

/// An event that may be told again.
#[derive(Debug, Clone)]
struct Told {
    /// Hash of what the event says.
    key: u64,
    time: Timestamp,
    /// Number of the first message that told it.
    no: u64,
    copies: Vec<Teller>,
}

/// The last events of a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent(VecDeque<Told>);

impl Recent {
    /// The first message that told the same event, if this is a copy of it. Else it is remembered.
    pub fn copy_of(&mut self, key: u64, copy: Teller, time: Timestamp, no: u64) -> Option<CopyOf> {
        let found = self.0.iter_mut().find(|told| {
            let age = time.nanos_since(told.time).abs();
            told.key == key
                && age <= SAME_EVENT
                && told.copies.iter().all(|other| {
                    other.session != copy.session || (*other != copy && age <= SAME_SESSION)
                })
        });
        if let Some(told) = found {
            // Few copies are ever expected; a flood of them is no copy any more.
            if told.copies.len() < 64 {
                told.copies.push(copy);
                let first = told.copies.first().map(|first| first.session);
                return Some(CopyOf {
                    no: told.no,
                    other_session: first != Some(copy.session),
                });
            }
        }
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(Told {
            key,
            time,
            no,
            copies: vec![copy],
        });
        None
    }

    /// What another call remembers.
    pub fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
        while self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }
}
