//! A phone: the calls that it has and had.

use super::model::{AgentCall, CallOutcome, Calls};
use crate::time::Timestamp;
use std::collections::{BTreeSet, VecDeque};

/// Calls that a phone has at the same time; the oldest is given up beyond.
const MAX_OPEN: usize = 16;
/// Calls of a phone that ended last and are still known.
const MAX_ENDED: usize = 8;
/// Calls that are over at a phone which no agent has so far.
const MAX_UNTAKEN: usize = 16;
/// How far a session may be behind another one with what it says of calls.
const SESSION_LAG: i64 = 10_000_000_000;

/// What all events of calls have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub time: Timestamp,
    pub session: u32,
    pub message: u64,
    pub peripheral: Option<u32>,
}

/// A phone.
#[derive(Debug, Default)]
pub(super) struct Phone {
    /// What it has to do with now.
    pub open: Vec<AgentCall>,
    /// What nobody has taken yet.
    pub calls: Calls,
    /// When the last of its calls ended.
    pub last_end: Option<Timestamp>,
    /// Until when its calls were not known.
    pub blind: Option<Timestamp>,
    /// PeripheralID.
    pub peripheral: Option<u32>,
    /// A call given up for others, still to be taken out of the index.
    pub given_up: Option<u32>,
    /// Calls on hold.
    pub held: BTreeSet<u32>,
    ended: VecDeque<(u32, Timestamp, u32)>,
    /// Sessions that tell of its calls.
    pub sessions: BTreeSet<u32>,
}

impl Phone {
    /// A phone without calls.
    pub(super) fn new(peripheral: Option<u32>) -> Self {
        Self {
            peripheral,
            ..Self::default()
        }
    }

    /// The call on which somebody certainly talks: its end was not missed.
    pub(super) fn talks(&self) -> Option<&AgentCall> {
        let mut calls = self.open.iter();
        calls.find(|c| {
            c.answered.is_some() && c.answered > self.blind && !self.held.contains(&c.call)
        })
    }

    /// A call that rings.
    pub(super) fn rings(&mut self) -> Option<&mut AgentCall> {
        let mut calls = self.open.iter_mut();
        calls.find(|c| !c.outgoing && c.answered.is_none())
    }

    pub(super) fn call(&mut self, call: u32) -> Option<&mut AgentCall> {
        self.open.iter_mut().find(|c| c.call == call)
    }

    /// The phone has to do with a call; `None` when it is over.
    pub(super) fn ensure(
        &mut self,
        event: &Event,
        call: u32,
        outgoing: bool,
    ) -> Option<&mut AgentCall> {
        let late = self.ended.iter().any(|(id, at, session)| {
            *id == call && *session != event.session && event.time.nanos_since(*at) < SESSION_LAG
        });
        if late {
            return None;
        }
        if !self.open.iter().any(|c| c.call == call) {
            if self.open.len() >= MAX_OPEN {
                let oldest = self.open.remove(0);
                self.given_up = Some(oldest.call);
                self.calls.list.push(oldest, MAX_UNTAKEN);
            }
            if outgoing {
                self.calls.outgoing = self.calls.outgoing.saturating_add(1);
            } else {
                self.calls.delivered = self.calls.delivered.saturating_add(1);
            }
            self.open.push(AgentCall {
                call,
                outgoing,
                from: event.time,
                answered: None,
                to: event.time,
                holds: 0,
                outcome: CallOutcome::Open,
                message: event.message,
                session: event.session,
            });
        }
        self.call(call)
    }

    pub(super) fn answer(&mut self, event: &Event, call: u32, outgoing: bool) {
        let Some(open) = self.ensure(event, call, outgoing) else {
            return;
        };
        if open.answered.is_none() {
            open.answered = Some(event.time);
            if !open.outgoing {
                self.calls.answered = self.calls.answered.saturating_add(1);
            }
        }
    }

    pub(super) fn end(&mut self, event: &Event, call: u32, sent_on: bool) {
        let Some(at) = self.open.iter().position(|c| c.call == call) else {
            return;
        };
        let mut over = self.open.remove(at);
        over.to = event.time.max(over.from);
        over.outcome = match (over.answered, over.outgoing) {
            (Some(_), _) => CallOutcome::Answered,
            (None, true) => CallOutcome::NotConnected,
            (None, false) if sent_on || over.outcome == CallOutcome::RingNoAnswer => {
                self.calls.ring_no_answer = self.calls.ring_no_answer.saturating_add(1);
                CallOutcome::RingNoAnswer
            }
            (None, false) => CallOutcome::NotAnswered,
        };
        self.held.remove(&call);
        self.last_end = self.last_end.max(Some(event.time));
        if self.ended.len() >= MAX_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back((call, event.time, event.session));
        self.calls.list.push(over, MAX_UNTAKEN);
    }

    pub(super) fn rename(&mut self, event: &Event, from: u32, to: u32) {
        let held = self.held.remove(&from);
        if self.open.iter().any(|c| c.call == to) {
            // It has both: they are one from now on.
            let joined = self.call(from).and_then(|c| c.answered);
            let ended = self.last_end;
            self.end(event, from, false);
            self.last_end = ended;
            if let Some(call) = self.call(to) {
                call.answered = call.answered.or(joined);
            }
            self.held.remove(&to);
        } else if let Some(call) = self.call(from) {
            call.call = to;
            if held {
                self.held.insert(to);
            }
        }
    }

    /// Nothing more is heard of its calls.
    pub(super) fn lose(&mut self, time: Timestamp) {
        for mut call in self.open.drain(..) {
            call.to = time.max(call.from);
            self.calls.list.push(call, MAX_UNTAKEN);
        }
        self.held.clear();
        self.blind = self.blind.max(Some(time));
    }
}
