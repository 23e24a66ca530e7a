//! A call while it is followed.

use super::call::{Call, FailedRequest, Feature, Outcome, RouterKey, Times};
use super::leg::Leg;
use super::party::{ConnectionState, Parties, StateChange};
use super::story::{Recent, Step};
use super::variables::Variables;
use crate::finding::Code;
use crate::limits;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

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
    pub first: Timestamp,
    pub last: Timestamp,
    pub first_message: u64,
    pub last_message: u64,
    pub messages: u64,
    pub selected: bool,
    pub legs: Vec<Leg>,
    pub keys: Vec<RouterKey>,
    pub references: Vec<Box<[u8]>>,
    pub sessions: BTreeSet<u32>,
    pub ani: Option<String>,
    pub dnis: Option<String>,
    pub dialed: Option<String>,
    pub call_type: Option<u32>,
    pub parties: Parties,
    pub skill_groups: BTreeSet<u32>,
    pub variables: Variables,
    pub changed: BTreeSet<String>,
    pub recent: Recent,
    pub features: BTreeSet<Feature>,
    pub transfers: u32,
    pub conferences: u32,
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
    /// AGENT_PRE_CALL_ABORT_EVENT.
    pub aborted: bool,
    /// The last cause of a clearing.
    pub cause: Option<u32>,
    /// The device that hung up.
    pub ended_by: Option<String>,
    pub failed_requests: Vec<FailedRequest>,
    pub failed_request_count: u64,
    pub findings: BTreeMap<Code, u64>,
    pub steps: Vec<Step>,
    pub step_bytes: usize,
    pub steps_left_out: u64,
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
    times: Times,
    phase: Option<Phase>,
    since: Timestamp,
}

impl Open {
    pub fn new(no: u64, now: Timestamp, message: u64) -> Self {
        Self {
            no,
            first: now,
            last: now,
            first_message: message,
            last_message: message,
            messages: 0,
            selected: false,
            legs: Vec::new(),
            keys: Vec::new(),
            references: Vec::new(),
            sessions: BTreeSet::new(),
            ani: None,
            dnis: None,
            dialed: None,
            call_type: None,
            parties: Parties::default(),
            skill_groups: BTreeSet::new(),
            variables: Variables::default(),
            changed: BTreeSet::new(),
            recent: Recent::default(),
            features: BTreeSet::new(),
            transfers: 0,
            conferences: 0,
            queueing: false,
            answered: None,
            served: false,
            rang: false,
            failed: None,
            reached_network: false,
            aborted: false,
            cause: None,
            ended_by: None,
            failed_requests: Vec::new(),
            failed_request_count: 0,
            findings: BTreeMap::new(),
            steps: Vec::new(),
            step_bytes: 0,
            steps_left_out: 0,
            absorbed: Vec::new(),
            pending_changes: Vec::new(),
            connections: BTreeMap::new(),
            due: now,
            until: now,
            times: Times::default(),
            phase: None,
            since: now,
        }
    }

    pub fn leg(&mut self, number: u64) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.number == number)
    }

    /// Whether nothing more is to come of it, as far as is known.
    pub fn is_over(&self, lost: &BTreeSet<u32>) -> bool {
        self.legs.iter().all(|leg| leg.is_over(lost))
    }

    /// Whether it goes on before the eyes of some session.
    pub fn goes_on(&self, lost: &BTreeSet<u32>) -> bool {
        let mut legs = self.legs.iter();
        legs.any(|leg| !leg.is_over(lost) && !leg.is_lost(lost))
    }

    /// Counts the time up to now, and looks what the call is doing from now on.
    pub fn tick(&mut self, now: Timestamp) {
        let nanos = now.nanos_since(self.since).max(0);
        let total = match self.phase {
            Some(Phase::Talking) => Some(&mut self.times.talk),
            Some(Phase::Holding) => Some(&mut self.times.hold),
            Some(Phase::Queueing) => Some(&mut self.times.queue),
            Some(Phase::Ringing) => Some(&mut self.times.ring),
            None => None,
        };
        if let Some(total) = total {
            *total = total.saturating_add(nanos);
        }
        self.since = now;
        self.phase = self.phase_now();
        if self.phase == Some(Phase::Holding) && self.answered.is_some() {
            self.features.insert(Feature::Held);
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

    pub fn note_failure(&mut self, failure: FailedRequest) {
        const LISTED: usize = 16;
        self.failed_request_count += 1;
        self.features.insert(Feature::FailedRequest);
        if self.failed_requests.len() < LISTED {
            self.failed_requests.push(failure);
        }
    }

    /// The step that a message told first, from the end.
    pub fn step_of(&mut self, no: u64) -> Option<&mut Step> {
        let told = |step: &&mut Step| step.sightings.iter().any(|s| s.no == no);
        self.steps.iter_mut().rev().find(told)
    }

    /// Whether the call can take up another: joined calls are bounded.
    pub fn has_room_for(&self, other: &Self) -> bool {
        self.legs.len() + other.legs.len() <= limits::MAX_CALL_LEGS
            && self.keys.len() + other.keys.len() <= limits::MAX_CALL_LEGS
            && self.references.len() + other.references.len() <= limits::MAX_CALL_LEGS
            && self.absorbed.len() + other.absorbed.len() < 2 * limits::MAX_CALL_LEGS
    }

    /// Takes over all of another call, which began later.
    pub fn absorb(&mut self, mut other: Self, now: Timestamp) {
        self.tick(now);
        other.tick(now);
        let apart = other.first >= self.last || self.first >= other.last;
        if apart {
            // One after the other, as through a voice unit first.
            self.times.talk = self.times.talk.saturating_add(other.times.talk);
            self.times.hold = self.times.hold.saturating_add(other.times.hold);
            self.times.ring = self.times.ring.saturating_add(other.times.ring);
            self.times.queue = self.times.queue.saturating_add(other.times.queue);
        }
        let (places, changes) = self.parties.absorb(other.parties, now);
        self.pending_changes = changes;
        for mut step in other.steps {
            step.move_parties(&places);
            self.steps.push(step);
        }
        self.steps_left_out += other.steps_left_out;
        self.step_bytes += other.step_bytes;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.first_message = self.first_message.min(other.first_message);
        self.last_message = self.last_message.max(other.last_message);
        self.messages += other.messages;
        self.selected |= other.selected;
        self.legs.extend(other.legs);
        for key in other.keys {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
        for reference in other.references {
            if !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
        self.sessions.extend(other.sessions);
        self.ani = self.ani.take().or(other.ani);
        self.dnis = self.dnis.take().or(other.dnis);
        self.dialed = self.dialed.take().or(other.dialed);
        self.call_type = self.call_type.or(other.call_type);
        self.skill_groups.extend(other.skill_groups);
        self.variables.absorb(other.variables);
        self.changed.extend(other.changed);
        self.recent.absorb(other.recent);
        self.features.extend(other.features);
        self.transfers += other.transfers;
        self.conferences += other.conferences;
        self.queueing |= other.queueing;
        self.answered = match (self.answered, other.answered) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.served |= other.served;
        self.rang |= other.rang;
        self.failed = self.failed.or(other.failed);
        self.reached_network |= other.reached_network;
        self.cause = self.cause.or(other.cause);
        self.ended_by = self.ended_by.take().or(other.ended_by);
        for failure in other.failed_requests {
            self.note_failure(failure);
            self.failed_request_count -= 1;
        }
        self.failed_request_count += other.failed_request_count;
        for (code, count) in other.findings {
            *self.findings.entry(code).or_default() += count;
        }
        self.connections.extend(other.connections);
        self.absorbed.push(other.no);
        self.absorbed.extend(other.absorbed);
        self.since = now;
        self.phase = self.phase_now();
    }

    /// What is told of it.
    pub fn finish(mut self, lost: &BTreeSet<u32>, stories: bool) -> Call {
        let until = self.last.max(self.until);
        self.tick(until);
        let over = self.is_over(lost);
        if !over || self.legs.iter().any(|leg| leg.end_missed) {
            self.features.insert(Feature::EndUnseen);
        }
        if self.legs.iter().any(|leg| !leg.begun) && !self.legs.iter().any(|leg| leg.begun) {
            self.features.insert(Feature::BeganBefore);
        }
        let outcome = self.outcome(over);
        self.steps
            .sort_by_key(|step| step.sightings.first().map_or(0, |s| s.no));
        self.caller_first();
        let ended_by = self.ended_by.as_deref();
        let ended_by = ended_by.and_then(|device| self.parties.find(device));
        Call {
            no: 0,
            first: self.first,
            last: self.last,
            first_message: self.first_message,
            last_message: self.last_message,
            messages: self.messages,
            selected: self.selected,
            ids: unique(self.legs.iter().map(|leg| leg.id)),
            router_keys: self.keys,
            references: self.references.iter().map(|r| hex(r)).collect(),
            sessions: self.sessions,
            ani: self.ani,
            dnis: self.dnis,
            dialed: self.dialed,
            call_type: self.call_type,
            parties: self.parties.finish(until),
            skill_groups: self.skill_groups,
            times: self.times,
            answered_after: self.answered.map(|at| at.nanos_since(self.first).max(0)),
            outcome,
            features: self.features,
            transfers: self.transfers,
            conferences: self.conferences,
            cause: self.failed.flatten().or(self.cause),
            ended_by: ended_by.filter(|_| over),
            changed: self.changed,
            variables: if stories {
                self.variables.into_values()
            } else {
                BTreeMap::new()
            },
            failed_requests: self.failed_requests,
            failed_request_count: self.failed_request_count,
            findings: self.findings,
            steps: self.steps,
            steps_left_out: self.steps_left_out,
        }
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
        for step in &mut self.steps {
            step.move_parties(&places);
        }
    }

    fn outcome(&self, over: bool) -> Outcome {
        let caller = self.parties.list.iter().find(|t| t.party.caller);
        let caller_hung_up =
            caller.is_some_and(|t| self.ended_by.as_ref() == Some(&t.party.device));
        let queued = self.features.contains(&Feature::Queued);
        if self.answered.is_some() {
            Outcome::Answered
        } else if self.failed.is_some() {
            Outcome::Failed
        } else if self.legs.is_empty() {
            // Announced only. Whoever gave up on the way cannot be told from a call that was lost there.
            Outcome::Undelivered
        } else if !over {
            Outcome::Open
        } else if self.cause.is_some_and(is_abandonment)
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
            && !self.features.contains(&Feature::BeganBefore)
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
