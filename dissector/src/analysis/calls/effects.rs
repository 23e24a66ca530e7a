//! What each call event does to a call and its parties.

use super::call::Feature;
use super::desks::Desks;
use super::open::Open;
use super::parties::Mention;
use super::party::{ConnectionState, PartyKind, StateChange};
use super::telling::{cause, device_name};
use crate::analysis::Seen;
use crate::decode::FieldValue;
use crate::protocol::types;
use crate::time::Timestamp;

/// PeripheralType of a voice unit.
const VRU: u32 = 8;
/// CEC_REMAINS_IN_Q.
const REMAINS_IN_QUEUE: u32 = 42;
/// Skill groups that are listed for a call.
const MAX_GROUPS: usize = 32;

/// A call event at work: what it changes is collected for its step.
pub(super) struct At<'a, 'b> {
    pub seen: &'a Seen<'b>,
    pub desks: &'a Desks,
    pub open: &'a mut Open,
    pub leg: u64,
    pub now: Timestamp,
    pub from: Option<usize>,
    pub to: Option<usize>,
    pub changes: Vec<StateChange>,
}

impl At<'_, '_> {
    /// The party with a device; it is added to the call if need be.
    pub fn party(&mut self, device: &str, device_type: Option<u32>) -> Option<usize> {
        let mention = Mention::new(self.seen);
        let peripheral = mention.peripheral;
        let index = self.open.parties.with(device, device_type, mention)?;
        let is_unit = self.seen.number("PeripheralType") == Some(VRU);
        let party = &mut self.open.parties.list.get_mut(index)?.party;
        if party.agent.is_none()
            && party.kind != PartyKind::External
            && let Some(desk) = self.desks.at(device, peripheral)
        {
            party.agent = Some(desk.agent.clone());
        }
        if party.kind == PartyKind::Device {
            if party.agent.is_some() {
                party.kind = PartyKind::Agent;
            } else if is_unit && device_type.is_none_or(|t| t == 0) {
                party.kind = PartyKind::Port;
            }
        }
        Some(index)
    }

    /// The party in a pair of device fields: `Calling` stands for CallingDeviceID and CallingDeviceType.
    pub fn named(&mut self, role: &str) -> Option<usize> {
        let device = device_name(self.seen, &format!("{role}DeviceID"))?;
        let device_type = self.seen.number(&format!("{role}DeviceType"));
        self.party(&device, device_type)
    }

    /// The party that ConnectionDeviceID stands for, as far as messages showed. It is opaque: it makes no party unless the event is about
    /// nobody else.
    pub fn local(&mut self, make: bool) -> Option<usize> {
        let connection = device_name(self.seen, "ConnectionDeviceID")?;
        let learned = self.open.connections.get(&(self.leg, connection.clone()));
        if let Some(device) = learned {
            return self.open.parties.find(device);
        }
        let peripheral = self.seen.number("PeripheralID");
        if self.open.parties.find(&connection).is_some()
            || self.desks.at(&connection, peripheral).is_some()
            || make
        {
            return self.party(&connection, None);
        }
        None
    }

    /// Learns that ConnectionDeviceID stands for a party.
    fn learn(&mut self, party: Option<usize>) {
        const MOST: usize = 64;
        let device = party.and_then(|index| self.open.parties.get(index));
        if let (Some(tracked), Some(connection)) =
            (device, device_name(self.seen, "ConnectionDeviceID"))
            && tracked.party.device != connection
            && self.open.connections.len() < MOST
        {
            let device = tracked.party.device.clone();
            self.open.connections.insert((self.leg, connection), device);
        }
    }

    /// A party's connection on the event's leg has this state now.
    pub fn set(&mut self, party: Option<usize>, state: ConnectionState) {
        if let Some(party) = party {
            let change = self.open.parties.set(party, self.leg, state, self.now);
            self.changes.extend(change);
        }
    }

    fn on_leg(&self, party: Option<usize>) -> Option<ConnectionState> {
        self.open.parties.get(party?)?.on(self.leg)
    }

    fn is_person(&self, party: Option<usize>) -> bool {
        let tracked = party.and_then(|index| self.open.parties.get(index));
        tracked.is_none_or(|t| t.party.kind.is_person())
    }

    /// Who began the call is known by the first event that names a calling device.
    fn calls(&mut self, party: Option<usize>) {
        let Some(party) = party else { return };
        let consult = self
            .open
            .legs
            .iter()
            .any(|l| l.number == self.leg && l.consult);
        let none_yet = !self.open.parties.list.iter().any(|t| t.party.caller);
        let alone = self.open.legs.len() == 1;
        if none_yet
            && (alone || !consult)
            && let Some(tracked) = self.open.parties.list.get_mut(party)
        {
            tracked.party.caller = true;
        }
        if self.on_leg(Some(party)).is_none() {
            self.set(Some(party), ConnectionState::Initiated);
        }
    }

    /// A call that rings at a person's phone is taken away from there.
    fn missed(&mut self, party: Option<usize>) {
        if self.on_leg(party) == Some(ConnectionState::Alerting) && self.is_person(party) {
            self.open.missed(party);
        }
    }

    fn groups(&mut self) {
        let fixed = self.seen.number("SkillGroupNumber");
        let listed = self
            .seen
            .floating("SkillGroupNumber")
            .filter_map(|f| match f.value() {
                FieldValue::Number(n) if f.special(n).is_none() => Some(n.bits),
                _ => None,
            });
        for group in fixed.into_iter().chain(listed) {
            if self.open.told.skill_groups.len() < MAX_GROUPS {
                self.open.told.skill_groups.insert(group);
            }
        }
    }

    fn dialling(&mut self) {
        let calling = self.named("Calling").or_else(|| self.local(true));
        self.learn(calling);
        self.calls(calling);
        let called = self.named("Called");
        (self.from, self.to) = (calling, called);
    }

    fn delivered(&mut self) {
        let alerting = self
            .named("Alerting")
            .or_else(|| self.named("Called"))
            .or_else(|| self.local(true));
        let calling = self.named("Calling");
        let state = self.seen.number("LocalConnectionState");
        match state.and_then(ConnectionState::from_local) {
            Some(ConnectionState::Alerting) => self.learn(alerting),
            Some(ConnectionState::Initiated) if calling.is_some() => self.learn(calling),
            _ => {}
        }
        self.calls(calling.filter(|c| Some(*c) != alerting));
        if !matches!(
            self.on_leg(alerting),
            Some(ConnectionState::Connected | ConnectionState::Held)
        ) {
            self.set(alerting, ConnectionState::Alerting);
            self.open.rang |= self.is_person(alerting);
        }
        self.groups();
        (self.open.ended_by, self.open.told.cause) = (None, None);
        (self.from, self.to) = (calling, alerting);
    }

    fn established(&mut self) {
        let calling = self.named("Calling");
        let ringing = |at: &Self| {
            let mut all = 0..at.open.parties.list.len();
            all.find(|i| at.on_leg(Some(*i)) == Some(ConnectionState::Alerting))
        };
        let answering = self
            .named("Answering")
            .or_else(|| ringing(self))
            .or_else(|| self.local(true));
        self.calls(calling);
        self.set(answering, ConnectionState::Connected);
        if self.on_leg(calling) != Some(ConnectionState::Held) {
            self.set(calling, ConnectionState::Connected);
        }
        // A route point has passed the call on.
        for index in 0..self.open.parties.list.len() {
            let index = Some(index);
            if self.on_leg(index) == Some(ConnectionState::Alerting) && !self.is_person(index) {
                self.set(index, ConnectionState::Cleared);
            }
        }
        let consult = self
            .open
            .legs
            .iter()
            .any(|l| l.number == self.leg && l.consult);
        if !self.is_person(answering) {
            self.open.served = true;
        } else if !consult || self.open.legs.len() == 1 {
            self.open.answered.get_or_insert(self.now);
            self.open.queueing = false;
        }
        self.groups();
        (self.open.ended_by, self.open.told.cause) = (None, None);
        (self.from, self.to) = (answering, calling);
    }

    fn subject(&mut self, role: &str, state: ConnectionState) {
        let party = self.named(role).or_else(|| self.local(true));
        self.learn(party);
        self.set(party, state);
        self.from = party;
    }

    fn connection_cleared(&mut self) {
        let party = self.named("Releasing").or_else(|| self.local(true));
        let was = self.on_leg(party);
        let is_caller = party
            .and_then(|i| self.open.parties.get(i))
            .is_some_and(|t| t.party.caller);
        let cause = cause(self.seen);
        let taken_away = cause.is_some_and(is_redirection);
        if taken_away {
            self.missed(party);
        }
        let people = self.open.people();
        self.set(party, ConnectionState::Cleared);
        // Whoever leaves the last but one alone has hung up; a phone that only rang, or from which the call was taken, has not.
        let took_part = is_caller || was != Some(ConnectionState::Alerting);
        if people <= 2 && took_part && !taken_away && self.open.ended_by.is_none() {
            let tracked = party.and_then(|i| self.open.parties.get(i));
            self.open.ended_by = tracked.map(|t| t.party.device.clone());
        }
        self.open.told.cause = cause.or(self.open.told.cause);
        self.from = party;
    }

    fn cleared(&mut self) {
        self.from = self.local(false);
        let changes = self.open.parties.clear(self.leg, self.now);
        self.changes.extend(changes);
        self.open.told.cause = cause(self.seen).or(self.open.told.cause);
        self.open.queueing = false;
        if let Some(leg) = self.open.leg(self.leg) {
            leg.cleared = true;
        }
    }

    fn failed(&mut self) {
        let failing = self.named("Failing").or_else(|| self.named("Called"));
        let local = self.local(failing.is_none());
        let party = failing.or(local);
        self.set(party, ConnectionState::Failed);
        self.open.failed = Some(cause(self.seen));
        (self.from, self.to) = if local == party {
            (party, None)
        } else {
            (local, party)
        };
    }

    fn diverted(&mut self) {
        let party = self.named("Diverting").or_else(|| self.local(false));
        self.missed(party);
        self.set(party, ConnectionState::Cleared);
        self.to = self.named("Called").filter(|to| Some(*to) != party);
        self.from = party;
    }

    fn queued(&mut self) {
        let calling = self.named("Calling");
        self.calls(calling);
        let queue = self.named("Queue");
        self.set(queue, ConnectionState::Queued);
        self.open.queueing = true;
        self.open.told.features.insert(Feature::Queued);
        self.groups();
        (self.from, self.to) = (calling, queue.or_else(|| self.local(false)));
    }

    fn dequeued(&mut self) {
        if cause(self.seen) != Some(REMAINS_IN_QUEUE) {
            self.open.queueing = false;
            let queued = (0..self.open.parties.list.len())
                .filter(|i| self.on_leg(Some(*i)) == Some(ConnectionState::Queued))
                .collect::<Vec<_>>();
            for queue in queued {
                self.set(Some(queue), ConnectionState::Cleared);
            }
        }
        self.from = self.local(false);
    }

    fn reached_network(&mut self) {
        let called = self.named("Called");
        self.from = self.local(true);
        self.set(called, ConnectionState::Alerting);
        self.open.reached_network = true;
        self.to = called;
    }

    /// Applies the event.
    pub fn apply(&mut self, number: crate::protocol::MessageType) {
        match number {
            types::CALL_SERVICE_INITIATED_EVENT | types::CALL_ORIGINATED_EVENT => self.dialling(),
            types::CALL_DELIVERED_EVENT => self.delivered(),
            types::CALL_ESTABLISHED_EVENT => self.established(),
            types::CALL_HELD_EVENT => self.subject("Holding", ConnectionState::Held),
            types::CALL_RETRIEVED_EVENT => self.subject("Retrieving", ConnectionState::Connected),
            types::CALL_CONNECTION_CLEARED_EVENT => self.connection_cleared(),
            types::CALL_CLEARED_EVENT => self.cleared(),
            types::CALL_FAILED_EVENT => self.failed(),
            types::CALL_DIVERTED_EVENT => self.diverted(),
            types::CALL_QUEUED_EVENT => self.queued(),
            types::CALL_DEQUEUED_EVENT => self.dequeued(),
            types::CALL_REACHED_NETWORK_EVENT => self.reached_network(),
            _ => {
                let agent = ["AgentInstrument", "AgentExtension"];
                let device = agent.iter().find_map(|f| device_name(self.seen, f));
                self.from = match device {
                    Some(device) => self.party(&device, None),
                    None => self.local(false),
                };
            }
        }
    }
}

/// Causes for which a call is taken away from a phone to go elsewhere.
const fn is_redirection(cause: u32) -> bool {
    matches!(cause, 6..=11 | 26 | 28 | 54 | 1010 | 1019)
}
