//! What each call event does to a call and its parties.

use super::book::{Book, Place};
use super::call::{CallId, Feature};
use super::desks::Desks;
use super::open::Open;
use super::party::{ConnectionState, PartyKind, StateChange};
use super::story::{Sighting, Step, StepKind, Teller};
use super::variables::{self, Said};
use crate::analysis::Seen;
use crate::decode::FieldValue;
use crate::protocol::types;
use crate::time::Timestamp;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// PeripheralType of a voice unit.
const VRU: u32 = 8;
/// CEC_REMAINS_IN_Q.
const REMAINS_IN_QUEUE: u32 = 42;
/// Longest name of a device that is kept (bytes); the protocol allows half of it.
const LONGEST_NAME: usize = 128;
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

/// A text of a message as a device's name.
pub(super) fn device_name(seen: &Seen<'_>, field: &str) -> Option<String> {
    let text = seen.text(field)?;
    let text = text.split(';').next().unwrap_or_default();
    let mut end = text.len().min(LONGEST_NAME);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end)
        .filter(|t| !t.is_empty())
        .map(ToOwned::to_owned)
}

/// EventCause, unless CEC_NONE.
pub(super) fn cause(seen: &Seen<'_>) -> Option<u32> {
    seen.number("EventCause")
}

impl At<'_, '_> {
    /// The party with a device; it is added to the call if need be.
    pub fn party(&mut self, device: &str, device_type: Option<u32>) -> Option<usize> {
        let index = self.open.parties.with(device, device_type, self.now)?;
        let peripheral = self.seen.number("PeripheralID");
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
            if self.open.skill_groups.len() < MAX_GROUPS {
                self.open.skill_groups.insert(group);
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
        (self.open.ended_by, self.open.cause) = (None, None);
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
        (self.open.ended_by, self.open.cause) = (None, None);
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
        if taken_away && was == Some(ConnectionState::Alerting) && self.is_person(party) {
            self.open.features.insert(Feature::Redirected);
        }
        let people = self.open.people();
        self.set(party, ConnectionState::Cleared);
        // Whoever leaves the last but one alone has hung up; a phone that only rang, or from which the call was taken, has not.
        let took_part = is_caller || was != Some(ConnectionState::Alerting);
        if people <= 2 && took_part && !taken_away && self.open.ended_by.is_none() {
            let tracked = party.and_then(|i| self.open.parties.get(i));
            self.open.ended_by = tracked.map(|t| t.party.device.clone());
        }
        self.open.cause = cause.or(self.open.cause);
        self.from = party;
    }

    fn cleared(&mut self) {
        self.from = self.local(false);
        let changes = self.open.parties.clear(self.leg, self.now);
        self.changes.extend(changes);
        self.open.cause = cause(self.seen).or(self.open.cause);
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
        if self.on_leg(party) == Some(ConnectionState::Alerting) && self.is_person(party) {
            self.open.features.insert(Feature::Redirected);
        }
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
        self.open.features.insert(Feature::Queued);
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
pub(super) const fn is_redirection(cause: u32) -> bool {
    matches!(cause, 6..=11 | 26 | 28 | 54 | 1010 | 1019)
}

/// Fields by which copies of an event are told from other events of the same type; the rest may differ from session to session.
const TELLING: [&str; 16] = [
    "AlertingDeviceID",
    "CallingDeviceID",
    "CalledDeviceID",
    "AnsweringDeviceID",
    "HoldingDeviceID",
    "RetrievingDeviceID",
    "ReleasingDeviceID",
    "FailingDeviceID",
    "DivertingDeviceID",
    "QueueDeviceID",
    "TransferringDeviceID",
    "TransferredDeviceID",
    "ControllerDeviceID",
    "AddedPartyDeviceID",
    "AgentInstrument",
    "ClientAddress",
];
const TELLING_NUMBERS: [&str; 7] = [
    "EventCause",
    "NewConnectionCallID",
    "SecondaryCallID",
    "Direction",
    "ClientPort",
    "NumQueued",
    "EventCode",
];

/// A hash of what an event says, the same for all its copies.
pub(super) fn fingerprint(seen: &Seen<'_>, leg: u64, said: &[Said]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let number = seen.info.message.map_or(0, |m| m.number.0);
    (number, leg).hash(&mut hasher);
    for field in TELLING {
        seen.text(field).hash(&mut hasher);
    }
    for field in TELLING_NUMBERS {
        seen.number(field).hash(&mut hasher);
    }
    if matches!(
        seen.info.message.map(|m| m.number),
        Some(types::BEGIN_CALL_EVENT | types::END_CALL_EVENT)
    ) {
        seen.text("ConnectionDeviceID").hash(&mut hasher);
    } else {
        for said in said {
            (&said.name, &said.value).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Who tells an event.
pub(super) fn teller(seen: &Seen<'_>) -> Teller {
    let mut hasher = DefaultHasher::new();
    seen.text("ConnectionDeviceID").hash(&mut hasher);
    Teller {
        session: seen.info.peers.session,
        monitor: seen.number("MonitorID"),
        connection: hasher.finish(),
    }
}

/// A message as a step names it.
pub(super) fn sighting(seen: &Seen<'_>) -> Sighting {
    Sighting {
        no: seen.info.no,
        time: seen.info.time,
        session: seen.info.peers.session,
        direction: seen.info.direction,
        packets: seen.info.packets.clone(),
    }
}

/// A step of a message, with nothing found out about it so far.
pub(super) fn step(seen: &Seen<'_>, kind: StepKind, id: Option<CallId>) -> Step {
    let findings = seen.info.findings.iter().chain(seen.view.findings());
    Step {
        time: seen.info.time,
        kind,
        name: seen.name(),
        number: seen.info.number,
        sightings: vec![sighting(seen)],
        id,
        from: None,
        to: None,
        cause: cause(seen),
        changes: Vec::new(),
        agent: None,
        settings: Vec::new(),
        details: details(seen),
        answered: None,
        findings: findings.map(|f| f.code).collect(),
        notes: Vec::new(),
    }
}

/// Fields that say what a message is about beside parties, call data and state.
const DETAILS: [&str; 12] = [
    "CallType",
    "ConsultType",
    "SupervisoryAction",
    "CallMannerType",
    "CallPlacementType",
    "NumQueued",
    "Direction",
    "EventCode",
    "PeripheralErrorCode",
    "DTMFString",
    "FacilityCode",
    "CalledPartyDisposition",
];

fn details(seen: &Seen<'_>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for name in DETAILS {
        let value = seen
            .value_name(name)
            .map(ToOwned::to_owned)
            .or_else(|| seen.number(name).map(|n| n.to_string()))
            .or_else(|| device_name(seen, name));
        // Zero says nothing in these: unspecified, no error, no disposition.
        if let Some(value) = value
            && (name == "Direction" || name == "NumQueued" || seen.raw(name).is_none_or(|n| n != 0))
        {
            found.push((name, value));
        }
    }
    found
}

impl Book {
    /// An event that names a call.
    pub fn event(&mut self, seen: &Seen<'_>) {
        let Some(message) = seen.info.message else {
            return;
        };
        let peripheral = seen.number("PeripheralID");
        let id = |name: &str| seen.number(name).map(|id| CallId { peripheral, id });
        let Some(id) = id("ConnectionCallID").or_else(|| id("PrimaryCallID")) else {
            return;
        };
        let mut notes = Vec::new();
        let found = match message.number {
            types::BEGIN_CALL_EVENT => self.begin(id, seen).map(|(place, again)| {
                if again {
                    self.recovered(place.call);
                    notes.push("the same call, told again".to_owned());
                }
                place
            }),
            types::CALL_CONFERENCED_EVENT | types::CALL_TRANSFERRED_EVENT => {
                self.merged(id, seen, &mut notes)
            }
            _ => self.find_or_begin(id, seen),
        };
        let Some(mut place) = found else {
            return;
        };
        let (call, joined) = self.join_by_keys(place.call, seen);
        if joined {
            notes.push("the same contact, by the router's key".to_owned());
        }
        place.call = call;
        place = self.linked(place, id, seen, &mut notes);
        let id = self.id_of(place).unwrap_or(id);
        self.tell_event(place, id, seen, notes);
    }

    /// Applies an event to its call and tells it as a step, or adds it to the step that tells it already.
    fn tell_event(&mut self, place: Place, id: CallId, seen: &Seen<'_>, mut notes: Vec<String>) {
        let Some(message) = seen.info.message else {
            return;
        };
        let said = variables::said(seen);
        let Some(open) = self.calls.get_mut(&place.call) else {
            return;
        };
        let key = fingerprint(seen, place.leg, &said);
        let now = seen.info.time;
        let first = open.recent.copy_of(key, teller(seen), now, seen.info.no);
        if message.number == types::END_CALL_EVENT {
            let offline = id.peripheral.is_some_and(|p| self.offline.contains(&p));
            if ended(open, place.leg, seen.info.peers.session, offline) {
                notes.push("the peripheral is offline; the call may go on".to_owned());
            }
        }
        let mut step = step(seen, StepKind::Event, Some(id));
        if first.is_none_or(|copy| !copy.other_session) {
            let mut at = At {
                seen,
                desks: &self.desks,
                open: &mut *open,
                leg: place.leg,
                now,
                from: None,
                to: None,
                changes: Vec::new(),
            };
            match message.number {
                types::CALL_CONFERENCED_EVENT | types::CALL_TRANSFERRED_EVENT => {
                    at.merge(message.number, first.is_none());
                }
                number => at.apply(number),
            }
            (step.from, step.to, step.changes) = (at.from, at.to, at.changes);
            if first.is_none() {
                step.settings = data(open, seen, &said);
            }
        }
        over(open, place.leg, now, &self.lost, &mut step.changes);
        step.notes = notes;
        let there = |t: &&super::party::Tracked| t.state() != Some(ConnectionState::Cleared);
        let devices: Vec<String> = [step.from, step.to]
            .into_iter()
            .flatten()
            .filter_map(|i| open.parties.get(i))
            .filter(there)
            .map(|t| t.party.device.clone())
            .collect();
        match first.and_then(|copy| open.step_of(copy.no)) {
            Some(told) => {
                told.changes.append(&mut step.changes);
                told.sightings.append(&mut step.sightings);
            }
            None if first.is_some() => {}
            None => self.add_step(place.call, step),
        }
        for device in devices {
            self.device_on(&device, place.call);
        }
        self.touch(place.call, seen);
    }
}

/// END_CALL_EVENT of a session. Tells whether it says nothing of the call, because its peripheral is offline.
fn ended(open: &mut Open, leg: u64, session: u32, offline: bool) -> bool {
    let Some(leg) = open.leg(leg) else {
        return false;
    };
    leg.ended_by(session);
    let cut_off = offline && !leg.cleared;
    leg.cut_off |= cut_off;
    cut_off
}

/// When a leg is over, so are all connections on it, whether events said so or not.
fn over(
    open: &mut Open,
    leg: u64,
    now: Timestamp,
    lost: &std::collections::BTreeSet<u32>,
    changes: &mut Vec<StateChange>,
) {
    let is_over = open
        .legs
        .iter()
        .any(|l| l.number == leg && !l.superseded && l.is_over(lost));
    if is_over {
        changes.extend(open.parties.clear(leg, now));
        if open.legs.iter().all(|l| l.is_over(lost)) {
            open.queueing = false;
        }
    }
}

/// Takes over the call data of an event; tells what that changes.
fn data(open: &mut Open, seen: &Seen<'_>, said: &[Said]) -> Vec<super::story::Setting> {
    let update = seen.is(types::CALL_DATA_UPDATE_EVENT);
    let settings = open
        .variables
        .apply(said, update, seen.number("PeripheralType"));
    if update {
        for setting in &settings {
            open.changed.insert(setting.name.clone());
        }
    }
    first_data(open, seen);
    settings
}

/// What the row of a call shows of its data: the first that is told.
pub(super) fn first_data(open: &mut Open, seen: &Seen<'_>) {
    let first = |slot: &mut Option<String>, name: &str| {
        if slot.is_none() {
            *slot = device_name(seen, name);
        }
    };
    first(&mut open.ani, "ANI");
    first(&mut open.dnis, "DNIS");
    first(&mut open.dialed, "DialedNumber");
    open.call_type = open.call_type.or_else(|| seen.number("CallType"));
}
