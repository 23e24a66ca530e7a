//! A call while it is followed.

use super::call::{Call, Feature, Outcome};
use super::leg::{Leg, Lost};
use super::parties::{Parties, Tracked};
use super::party::{ConnectionState, StateChange};
use super::story::{Recent, Step};
use super::variables::Variables;
use crate::limits;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What a call is doing, for the sake of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Talking,
    Holding,
    Queueing,
    Ringing,
}

/// A call while it is followed.
#[derive(Debug)]
pub(super) struct Open {
    /// Its number in order of beginning.
    pub no: u64,
    /// What is told of it, as far as it is known.
    pub told: Call,
    pub legs: Vec<Leg>,
    pub references: Vec<Box<[u8]>>,
    pub parties: Parties,
    pub variables: Variables,
    pub recent: Recent,
    /// It waits in a queue.
    pub queueing: bool,
    /// A person answered it, and when first.
    pub answered: Option<Timestamp>,
    /// A voice unit or such answered it.
    pub served: bool,
    /// It rang at a person's phone.
    pub rang: bool,
    /// CALL_FAILED_EVENT, with its cause.
    pub failed: Option<Option<u32>>,
    /// CALL_REACHED_NETWORK_EVENT: what happens there is not seen.
    pub reached_network: bool,
    /// It was announced and does not come: AGENT_PRE_CALL_ABORT_EVENT, or the agent is reserved no more.
    pub aborted: bool,
    /// The device that hung up.
    pub ended_by: Option<String>,
    pub step_bytes: usize,
    /// Numbers of calls that were joined to it.
    pub absorbed: Vec<u64>,
    /// Changes of state by the last join, for the step that tells of it.
    pub pending_changes: Vec<StateChange>,
    /// Devices by leg and ConnectionDeviceID, as far as messages showed which is which.
    pub connections: BTreeMap<(u64, String), String>,
    /// When it is to be told if nothing comes.
    pub due: Timestamp,
    /// Times count up to here, or to the last message.
    pub until: Timestamp,
    phase: Option<Phase>,
    since: Timestamp,
}

impl Open {
    pub fn new(no: u64, now: Timestamp, message: u64) -> Self {
        Self {
            no,
            told: Call::begun(now, message),
            legs: Vec::new(),
            references: Vec::new(),
            parties: Parties::default(),
            variables: Variables::default(),
            recent: Recent::default(),
            queueing: false,
            answered: None,
            served: false,
            rang: false,
            failed: None,
            reached_network: false,
            aborted: false,
            ended_by: None,
            step_bytes: 0,
            absorbed: Vec::new(),
            pending_changes: Vec::new(),
            connections: BTreeMap::new(),
            due: now,
            until: now,
            phase: None,
            since: now,
        }
    }

    pub fn leg(&mut self, number: u64) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.number == number)
    }

    /// Whether nothing more is to come of it, as far as is known.
    pub fn is_over(&self, lost: &Lost) -> bool {
        self.legs.iter().all(|leg| leg.is_over(lost))
    }

    /// Until when it is known to go on, at the end of the capture (`now`); `None` when it is over.
    pub fn watched_until(&self, now: Timestamp, lost: &Lost) -> Option<Timestamp> {
        let legs = self.legs.iter().filter(|leg| !leg.is_over(lost));
        let until = legs.filter_map(|leg| {
            if leg.is_lost(lost) {
                leg.watched_until(lost)
            } else {
                Some(now)
            }
        });
        until.max()
    }

    /// Counts the time up to now, and looks what the call is doing from now on.
    pub fn tick(&mut self, now: Timestamp) {
        let nanos = now.nanos_since(self.since).max(0);
        let total = match self.phase {
            Some(Phase::Talking) => Some(&mut self.told.times.talk),
            Some(Phase::Holding) => Some(&mut self.told.times.hold),
            Some(Phase::Queueing) => Some(&mut self.told.times.queue),
            Some(Phase::Ringing) => Some(&mut self.told.times.ring),
            None => None,
        };
        if let Some(total) = total {
            *total = total.saturating_add(nanos);
        }
        self.since = now;
        // A call that consults about nothing that is known is a call like others.
        let only = self.legs.iter().all(|leg| leg.consult);
        let consults = self.legs.iter().filter(|leg| leg.consult && !only);
        self.parties.consulting(consults.map(|leg| leg.number), now);
        self.phase = self.phase_now();
        if self.phase == Some(Phase::Holding) && self.answered.is_some() {
            self.told.features.insert(Feature::Held);
        }
    }

    fn phase_now(&self) -> Option<Phase> {
        let only_consults = self.legs.iter().all(|leg| leg.consult);
        let mut holding = false;
        let mut ringing = false;
        for leg in &self.legs {
            let (mut connected, mut others, mut held) = (0, 0, 0);
            for tracked in &self.parties.list {
                if !tracked.party.kind.is_person() {
                    continue;
                }
                match tracked.on(leg.number) {
                    Some(ConnectionState::Connected) => {
                        connected += 1;
                        others += u32::from(!tracked.party.caller);
                    }
                    Some(ConnectionState::Held) => held += 1,
                    Some(ConnectionState::Alerting) => ringing = true,
                    _ => {}
                }
            }
            let talking = connected >= 2 || (others >= 1 && held == 0);
            if talking && (only_consults || !leg.consult) {
                return Some(Phase::Talking);
            }
            holding |= held > 0 && !talking;
        }
        if holding {
            Some(Phase::Holding)
        } else if self.queueing {
            Some(Phase::Queueing)
        } else if ringing {
            Some(Phase::Ringing)
        } else {
            None
        }
    }

    /// It rang at a party that did not answer, and is taken away from there.
    pub fn missed(&mut self, party: Option<usize>) {
        self.told.features.insert(Feature::Redirected);
        if let Some(party) = party {
            self.parties.missed(party);
        }
    }

    /// How many people are in the call or could be back in it at once.
    pub fn people(&self) -> usize {
        let present = self.parties.list.iter().filter(|t| {
            t.party.kind.is_person()
                && matches!(
                    t.state(),
                    Some(ConnectionState::Connected | ConnectionState::Held)
                )
        });
        present.count()
    }

    /// The step that a message told first, from the end.
    pub fn step_of(&mut self, no: u64) -> Option<&mut Step> {
        let told = |step: &&mut Step| step.sightings.iter().any(|s| s.no == no);
        self.told.steps.iter_mut().rev().find(told)
    }

    /// Whether the call can take up another: joined calls are bounded.
    pub fn has_room_for(&self, other: &Self) -> bool {
        self.legs.len() + other.legs.len() <= limits::MAX_CALL_LEGS
            && self.told.router_keys.len() + other.told.router_keys.len() <= limits::MAX_CALL_LEGS
            && self.references.len() + other.references.len() <= limits::MAX_CALL_LEGS
            && self.absorbed.len() + other.absorbed.len() < 2 * limits::MAX_CALL_LEGS
    }

    /// Takes over all of another call, which began later.
    pub fn absorb(&mut self, mut other: Self, now: Timestamp) {
        self.tick(now);
        other.tick(now);
        let (places, changes) = self.parties.absorb(other.parties, now);
        self.pending_changes = changes;
        for step in &mut other.told.steps {
            step.move_parties(&places);
        }
        self.told.absorb(other.told);
        self.step_bytes += other.step_bytes;
        self.legs.extend(other.legs);
        for reference in other.references {
            if !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
        self.variables.absorb(other.variables);
        self.recent.absorb(other.recent);
        self.queueing |= other.queueing;
        self.answered = match (self.answered, other.answered) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.served |= other.served;
        self.rang |= other.rang;
        self.failed = self.failed.or(other.failed);
        self.reached_network |= other.reached_network;
        self.ended_by = self.ended_by.take().or(other.ended_by);
        self.connections.extend(other.connections);
        self.absorbed.push(other.no);
        self.absorbed.extend(other.absorbed);
        self.since = now;
        self.phase = self.phase_now();
    }

    /// Whether it is over for all that was seen. A call that was only announced is, when it is known not to come, or did not come in good
    /// time (`due`).
    fn has_ended(&self, lost: &Lost, due: bool) -> bool {
        if self.legs.is_empty() {
            let watched = self
                .told
                .sessions
                .iter()
                .any(|session| !lost.contains_key(session));
            return self.aborted || (due && watched);
        }
        // Masks may leave out what says that the call as a whole is over.
        let mut states = self.parties.list.iter().filter_map(Tracked::state);
        self.is_over(lost) || (self.ended_by.is_some() && !states.any(ConnectionState::is_there))
    }

    /// What is told of it, when its time has come (`due`) or before that.
    pub fn finish(mut self, lost: &Lost, due: bool, stories: bool) -> Call {
        let until = self.told.last.max(self.until);
        self.tick(until);
        let over = self.has_ended(lost, due);
        if !over || self.legs.iter().any(|leg| leg.end_missed) {
            self.told.features.insert(Feature::EndUnseen);
        }
        if self.legs.iter().any(|leg| !leg.begun) && !self.legs.iter().any(|leg| leg.begun) {
            self.told.features.insert(Feature::BeganBefore);
        }
        let outcome = self.outcome(over);
        self.told
            .steps
            .sort_by_key(|step| step.sightings.first().map_or(0, |s| s.no));
        self.caller_first();
        let ended_by = self.ended_by.as_deref();
        let ended_by = ended_by.and_then(|device| self.parties.find(device));
        let mut call = self.told;
        call.outcome = outcome;
        call.until = if over { call.last } else { until };
        call.ids = unique(self.legs.iter().map(|leg| leg.id));
        call.references = self.references.iter().map(|r| hex(r)).collect();
        // What began before was perhaps answered before, too.
        let began = !call.features.contains(&Feature::BeganBefore);
        let answered = self.answered.filter(|_| began);
        call.answered_after = answered.map(|at| at.nanos_since(call.first).max(0));
        call.cause = self.failed.flatten().or(call.cause);
        call.ended_by = ended_by.filter(|_| over);
        call.parties = self.parties.finish(until);
        if stories {
            call.variables = self.variables.into_values();
        }
        call
    }

    /// Whoever began the call comes first among the parties.
    fn caller_first(&mut self) {
        let Some(caller) = self.parties.list.iter().position(|t| t.party.caller) else {
            return;
        };
        let tracked = self.parties.list.remove(caller);
        self.parties.list.insert(0, tracked);
        let place = |index: usize| match index {
            i if i == caller => 0,
            i if i < caller => i + 1,
            i => i,
        };
        let places: Vec<Option<usize>> = (0..self.parties.list.len())
            .map(|index| Some(place(index)))
            .collect();
        for step in &mut self.told.steps {
            step.move_parties(&places);
        }
    }

    fn outcome(&self, over: bool) -> Outcome {
        let caller = self.parties.list.iter().find(|t| t.party.caller);
        let caller_hung_up =
            caller.is_some_and(|t| self.ended_by.as_ref() == Some(&t.party.device));
        let queued = self.told.features.contains(&Feature::Queued);
        if self.failed.is_some() && self.answered.is_none() {
            Outcome::Failed
        } else if !over {
            Outcome::Open
        } else if self.answered.is_some() {
            Outcome::Answered
        } else if self.legs.is_empty() {
            // Announced only. Whoever gave up on the way cannot be told from a call that was lost there.
            Outcome::Undelivered
        } else if self.told.cause.is_some_and(is_abandonment)
            || (caller_hung_up && (self.rang || queued))
        {
            Outcome::Abandoned
        } else if self.rang {
            Outcome::Unanswered
        } else if queued {
            Outcome::Abandoned
        } else if self.served {
            Outcome::SelfService
        } else if caller_hung_up
            && !self.reached_network
            && !self.told.features.contains(&Feature::BeganBefore)
        {
            Outcome::Abandoned
        } else {
            Outcome::Unknown
        }
    }
}

/// CEC_CALL_CANCELLED and CECX_ABAND_*.
const fn is_abandonment(cause: u32) -> bool {
    matches!(cause, 5 | 1001..=1006)
}

fn unique<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut list = Vec::new();
    for item in items {
        if !list.contains(&item) {
            list.push(item);
        }
    }
    list
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
