//! The calls of agents, as the book of calls has them: what `calls` tells of an agent's part in a call is what counts for the agent.

use super::Agents;
use super::model::{AgentCall, CallOutcome, cut};
use crate::analysis::Seen;
use crate::analysis::calls::{Call, Party};
use crate::protocol::{MessageType, types};
use crate::time::Timestamp;
use smallvec::SmallVec;

/// Calls of an agent that go on, or ended just now; the oldest are no longer looked at beyond.
const MAX_PRESENT: usize = 32;

/// Whether a message tells of a call at phones, so that it counts for the agents who are on the call.
pub(super) fn concerns(number: MessageType) -> bool {
    matches!(
        number,
        types::CALL_DELIVERED_EVENT
            | types::CALL_ESTABLISHED_EVENT
            | types::CALL_SERVICE_INITIATED_EVENT
            | types::CALL_ORIGINATED_EVENT
            | types::CALL_HELD_EVENT
            | types::CALL_RETRIEVED_EVENT
            | types::CALL_CONNECTION_CLEARED_EVENT
            | types::CALL_DIVERTED_EVENT
            | types::CALL_CLEARED_EVENT
            | types::END_CALL_EVENT
            | types::CALL_DATA_UPDATE_EVENT
            | types::CALL_TRANSFERRED_EVENT
            | types::CALL_CONFERENCED_EVENT
    )
}

/// What an agent has to do with calls at present.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AtPhone {
    /// Some call is there.
    pub busy: bool,
    /// A call is certainly connected: its ID, and since when.
    pub talks: Option<(u32, Timestamp)>,
    /// A call was not answered just now.
    pub missed: bool,
}

impl Agents {
    /// An event of a call: the agents on it have to do with it.
    pub(super) fn call(&mut self, seen: &Seen<'_>) {
        let Some(call) = self.book.take_touched() else {
            return;
        };
        let now = seen.info.time;
        let mut concerned: SmallVec<[usize; 4]> = SmallVec::new();
        for presence in self.book.agents_on(call, now) {
            // Whoever left the call before has nothing to do with what comes now.
            if presence.there || presence.left == Some(now) {
                concerned.extend(self.find(presence.peripheral, presence.agent));
            }
        }
        concerned.sort_unstable();
        concerned.dedup();
        for at in &concerned {
            self.touch(*at, seen);
            self.take_part(*at, call);
            self.reconsider(*at, now);
        }
        if !concerned.is_empty() {
            self.tell_calls.insert(seen.info.peers.session);
        }
    }

    /// An agent may take part in a call of the book.
    pub(super) fn take_part(&mut self, at: usize, call: u64) {
        if let Some(known) = self.known.get_mut(at)
            && !known.calls.contains(&call)
        {
            if known.calls.len() >= MAX_PRESENT {
                known.calls.remove(0);
            }
            known.calls.push(call);
        }
    }

    /// What an agent has to do with calls now.
    pub(super) fn at_phone(&mut self, at: usize, now: Timestamp) -> AtPhone {
        let mut found = AtPhone::default();
        let (Some(known), book) = (self.known.get_mut(at), &self.book) else {
            return found;
        };
        known.calls.retain(|call| {
            let there = book.follows(*call);
            *call = there.unwrap_or(*call);
            there.is_some()
        });
        for presence in known.calls.iter().flat_map(|c| book.agents_on(*c, now)) {
            let key = &known.agent.key;
            let elsewhere = presence
                .peripheral
                .zip(key.peripheral)
                .is_some_and(|(a, b)| a != b);
            if presence.agent != key.id || elsewhere {
                continue;
            }
            found.busy |= presence.there;
            found.talks = found.talks.or(presence.talks);
            found.missed |= presence.missed;
            known.last_end = known.last_end.max(presence.left);
        }
        found
    }

    /// Takes the calls that the book tells.
    pub(super) fn take_told(&mut self) {
        for call in std::mem::take(&mut self.book.ready) {
            for party in &call.parties {
                self.take(&call, party);
            }
        }
    }

    fn take(&mut self, call: &Call, party: &Party) {
        let (Some(id), Some(began)) = (party.agent.as_deref(), party.began) else {
            return;
        };
        let Some(at) = self.of_id(party.peripheral, cut(id), party.first) else {
            return;
        };
        let room = self.room();
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let agent = &mut known.agent;
        if agent.messages == 0 {
            // No message but those of the call told of the agent.
            agent.last = agent.last.max(party.until);
            agent.selected |= call.selected;
            agent.sessions.extend(&call.sessions);
        }
        let calls = &mut agent.calls;
        let answered = u64::from(party.answered.is_some());
        if party.caller {
            calls.outgoing = calls.outgoing.saturating_add(1);
        } else {
            calls.delivered = calls.delivered.saturating_add(1);
            calls.answered = calls.answered.saturating_add(answered);
        }
        calls.ring_no_answer = calls.ring_no_answer.saturating_add(party.missed.into());
        calls.ring = calls.ring.saturating_add(party.ring);
        calls.talk = calls.talk.saturating_add(party.talk);
        calls.consult = calls.consult.saturating_add(party.consult);
        calls.hold = calls.hold.saturating_add(party.hold);
        let there = party.state.is_some_and(|state| state.is_there());
        let outcome = match party.answered {
            _ if there => CallOutcome::Open,
            Some(_) => CallOutcome::Answered,
            None if party.caller => CallOutcome::NotConnected,
            None if party.missed > 0 => CallOutcome::RingNoAnswer,
            None => CallOutcome::NotAnswered,
        };
        let told = AgentCall {
            ids: call.ids.iter().map(|id| id.id).collect(),
            outgoing: party.caller,
            from: began,
            answered: party.answered,
            to: party.until,
            ring: party.ring,
            talk: party.talk,
            consult: party.consult,
            hold: party.hold,
            holds: party.holds,
            outcome,
            message: party.message,
            session: party.session,
        };
        let grew = calls.list.push(told, room);
        self.kept = self.kept.saturating_add(usize::from(grew));
    }
}
