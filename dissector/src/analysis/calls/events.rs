//! Call events: finds the call of each, applies it and tells it as a step.

use super::book::{Book, Place};
use super::call::CallId;
use super::effects::At;
use super::leg::Lost;
use super::open::Open;
use super::parties::Tracked;
use super::party::{ConnectionState, StateChange};
use super::story::{Setting, StepKind};
use super::telling::{device_name, fingerprint, step, teller};
use super::variables::{self, Said};
use crate::analysis::Seen;
use crate::protocol::types;
use crate::time::Timestamp;

impl Book {
    /// An event that names a call.
    pub(super) fn event(&mut self, seen: &Seen<'_>) {
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
            if ended(open, place.leg, seen, offline) {
                notes.push("the peripheral is offline; the call may go on".to_owned());
            }
        }
        let mut step = step(seen, StepKind::Event, Some(id), self.options.stories);
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
        let there = |t: &&Tracked| t.state() != Some(ConnectionState::Cleared);
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
fn ended(open: &mut Open, leg: u64, seen: &Seen<'_>, offline: bool) -> bool {
    let Some(leg) = open.leg(leg) else {
        return false;
    };
    leg.ended_by(seen.info.peers.session, seen.info.time);
    let cut_off = offline && !leg.cleared;
    leg.cut_off |= cut_off;
    cut_off
}

/// When a leg is over, so are all connections on it, whether events said so or not.
fn over(open: &mut Open, leg: u64, now: Timestamp, lost: &Lost, changes: &mut Vec<StateChange>) {
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
fn data(open: &mut Open, seen: &Seen<'_>, said: &[Said]) -> Vec<Setting> {
    let update = seen.is(types::CALL_DATA_UPDATE_EVENT);
    let settings = open
        .variables
        .apply(said, update, seen.number("PeripheralType"));
    if update {
        for setting in &settings {
            open.told.changed.insert(setting.name.clone());
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
    first(&mut open.told.ani, "ANI");
    first(&mut open.told.dnis, "DNIS");
    first(&mut open.told.dialed, "DialedNumber");
    open.told.call_type = open.told.call_type.or_else(|| seen.number("CallType"));
}
