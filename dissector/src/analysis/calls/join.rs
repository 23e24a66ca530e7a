//! Where several call IDs become one story: consultation, conference, transfer, renaming, supervision.

use super::book::{Book, Place};
use super::call::{CallId, Feature};
use super::effects::At;
use super::party::ConnectionState;
use crate::analysis::Seen;
use crate::decode::FieldValue;
use crate::protocol::{MessageType, types};

/// CALLTYPE_CONSULT.
const CONSULT: u32 = 12;
/// CALLTYPE_SUPERVISOR_MONITOR to CALLTYPE_SUPERVISOR_INTERCEPT.
const SUPERVISED: std::ops::RangeInclusive<u32> = 21..=24;

/// Call IDs of ConnectedPartyCallID, each once.
fn party_ids(seen: &Seen<'_>, peripheral: Option<u32>) -> Vec<CallId> {
    let mut ids: Vec<CallId> = Vec::new();
    for field in seen.floating("ConnectedPartyCallID") {
        if let FieldValue::Number(n) = field.value()
            && field.special(n).is_none()
            && !ids.iter().any(|id| id.id == n.bits)
        {
            ids.push(CallId {
                peripheral,
                id: n.bits,
            });
        }
    }
    ids
}

impl Book {
    /// The call behind several IDs of one event, and among them the ID that survives: the one that the parties have, else the primary one.
    pub(super) fn merged(
        &mut self,
        primary: CallId,
        seen: &Seen<'_>,
        notes: &mut Vec<String>,
    ) -> Option<Place> {
        let peripheral = primary.peripheral;
        let parties = party_ids(seen, peripheral);
        let surviving = parties.first().copied().unwrap_or(primary);
        let secondary = seen.number("SecondaryCallID");
        let others = [Some(primary), secondary.map(|id| CallId { peripheral, id })];
        let mut place = self.find_or_begin(surviving, seen)?;
        for other in others.into_iter().flatten().chain(parties) {
            if other != surviving {
                place = self.tie(place, other, seen, notes);
            }
        }
        let survivor = self.find(surviving)?;
        let open = self.calls.get_mut(&survivor.call)?;
        for leg in &mut open.legs {
            let named = others.contains(&Some(leg.id));
            if leg.number == survivor.leg {
                (leg.superseded, leg.consult) = (false, false);
            } else if named {
                leg.superseded = true;
            }
        }
        Some(survivor)
    }

    /// Another call ID belongs to the same story.
    pub(super) fn tie(
        &mut self,
        place: Place,
        other: CallId,
        seen: &Seen<'_>,
        notes: &mut Vec<String>,
    ) -> Place {
        let now = seen.info.time;
        let call = match self.find(other) {
            Some(found) => self.join(place.call, found.call, now),
            None => self.add_leg(place.call, other, now).map(|p| p.call),
        };
        if let Some(leg) = self
            .find(other)
            .and_then(|p| self.calls.get_mut(&p.call)?.leg(p.leg))
        {
            leg.followed_by(seen.info.peers.session, now);
        }
        if call.is_some() {
            notes.push(format!("joined with call {}", other.id));
        }
        Place {
            call: call.unwrap_or(place.call),
            leg: place.leg,
        }
    }

    /// What else an event says of other calls: that it was made for one, goes on as one, or consults about one.
    pub(super) fn linked(
        &mut self,
        place: Place,
        id: CallId,
        seen: &Seen<'_>,
        notes: &mut Vec<String>,
    ) -> Place {
        let peripheral = id.peripheral;
        let mut place = place;
        for field in ["COCConnectionCallID", "SecondaryConnectionCallID"] {
            if let Some(other) = seen.number(field)
                && other != id.id
            {
                let other = CallId {
                    peripheral,
                    id: other,
                };
                place = self.tie(place, other, seen, notes);
                self.consults(place);
            }
        }
        if let Some(new) = seen.number("NewConnectionCallID")
            && seen.is(types::CALL_DATA_UPDATE_EVENT)
            && new != id.id
        {
            let new = CallId {
                peripheral,
                id: new,
            };
            place = self.renamed(place, new, seen, notes);
        }
        if seen.is(types::BEGIN_CALL_EVENT) {
            match seen.number("CallType") {
                Some(CONSULT) => place = self.consulting(place, seen, notes),
                Some(kind) if SUPERVISED.contains(&kind) => {
                    if let Some(open) = self.calls.get_mut(&place.call) {
                        open.told.features.insert(Feature::Supervised);
                    }
                }
                _ => {}
            }
        }
        place
    }

    /// Marks a leg as a consultation about the rest of its story.
    pub(super) fn consults(&mut self, place: Place) {
        let Some(open) = self.calls.get_mut(&place.call) else {
            return;
        };
        let several = open.legs.len() > 1;
        if let Some(leg) = open.leg(place.leg)
            && !leg.superseded
        {
            leg.consult = true;
        }
        if several {
            open.told.features.insert(Feature::Consulted);
        }
    }

    /// CALL_DATA_UPDATE_EVENT with another call ID: the connection that it names goes on under that one, and all others with it if nothing
    /// else is known of the new ID.
    fn renamed(
        &mut self,
        place: Place,
        new: CallId,
        seen: &Seen<'_>,
        notes: &mut Vec<String>,
    ) -> Place {
        let now = seen.info.time;
        let was_known = self.find(new).is_some();
        let place = self.tie(place, new, seen, notes);
        let Some(there) = self.find(new).filter(|p| p.call == place.call) else {
            return place;
        };
        let Some(open) = self.calls.get_mut(&place.call) else {
            return place;
        };
        let named = seen.text("ConnectionDeviceID");
        for index in 0..open.parties.list.len() {
            let moves = open
                .parties
                .get(index)
                .is_some_and(|t| !was_known || named.as_deref() == Some(t.party.device.as_str()));
            if moves {
                open.parties.rename(index, place.leg, there.leg, now);
            }
        }
        if !was_known {
            let consult = open.leg(place.leg).is_some_and(|l| l.consult);
            let begun = open.leg(place.leg).is_some_and(|l| l.begun);
            if let Some(leg) = open.leg(place.leg) {
                leg.superseded = true;
            }
            if let Some(leg) = open.leg(there.leg) {
                (leg.consult, leg.begun) = (consult, begun);
            }
        }
        notes.push(format!("goes on as call {}", new.id));
        place
    }

    /// A consult call begins: it is about the call that the same device holds, if there is one.
    fn consulting(&mut self, place: Place, seen: &Seen<'_>, notes: &mut Vec<String>) -> Place {
        let mut place = place;
        let device = seen
            .text("ConnectionDeviceID")
            .or_else(|| seen.text("ANI"))
            .map(|d| d.into_owned());
        let about = device.and_then(|device| {
            let call = self.call_at(&device)?;
            let open = self.calls.get(&call)?;
            let tracked = open.parties.get(open.parties.find(&device)?)?;
            (tracked.state() == Some(ConnectionState::Held)).then_some(call)
        });
        if let Some(about) = about.filter(|call| *call != place.call)
            && let Some(call) = self.join(about, place.call, seen.info.time)
        {
            place.call = call;
            notes.push("consults about the call that its device holds".to_owned());
        }
        self.consults(place);
        place
    }
}

impl At<'_, '_> {
    /// CALL_CONFERENCED_EVENT and CALL_TRANSFERRED_EVENT: all connections go on under the surviving ID.
    pub fn merge(&mut self, number: MessageType, count: bool) {
        let dead: Vec<u64> = {
            let legs = self.open.legs.iter();
            let dead = legs.filter(|l| l.superseded && l.number != self.leg);
            dead.map(|l| l.number).collect()
        };
        let transferred = number == types::CALL_TRANSFERRED_EVENT;
        let (by, to) = if transferred {
            (self.named("Transferring"), self.named("Transferred"))
        } else {
            (self.named("Controller"), self.named("AddedParty"))
        };
        for index in 0..self.open.parties.list.len() {
            let before = self.open.parties.get(index).and_then(|t| t.state());
            for leg in &dead {
                self.open.parties.rename(index, *leg, self.leg, self.now);
            }
            let state = self.open.parties.get(index).and_then(|t| t.on(self.leg));
            let held = state == Some(ConnectionState::Held);
            // Whoever held one of the calls takes part in what they have become.
            if held && Some(index) != by.filter(|_| transferred) {
                self.set(Some(index), ConnectionState::Connected);
            } else if before != state
                && let Some(to) = state
            {
                self.changes.push(super::party::StateChange {
                    party: index,
                    from: before,
                    to,
                    held_nanos: 0,
                });
            }
        }
        self.listed(by.filter(|_| transferred));
        if transferred {
            self.set(by, ConnectionState::Cleared);
        }
        if count {
            if transferred {
                self.open.told.transfers += 1;
                self.open.told.features.insert(Feature::Transferred);
            } else {
                self.open.told.conferences += 1;
                self.open.told.features.insert(Feature::Conferenced);
            }
            /// CEC_SUPERVISOR_BARGE_IN and CEC_SUPERVISOR_INTERCEPT.
            const BY_SUPERVISOR: [u32; 2] = [48, 49];
            if super::telling::cause(self.seen).is_some_and(|c| BY_SUPERVISOR.contains(&c)) {
                self.open.told.features.insert(Feature::Supervised);
            }
        }
        self.open.ended_by = None;
        (self.from, self.to) = (by, to.filter(|to| Some(*to) != by));
    }

    /// Parties that the event lists take part, unless they still ring or the call is transferred from them.
    fn listed(&mut self, leaving: Option<usize>) {
        let names: Vec<String> = self
            .seen
            .texts("ConnectedPartyDeviceID")
            .map(|t| t.into_owned())
            .collect();
        for name in names {
            // The names are opaque; only those that are known say who is meant.
            let learned = self.open.connections.iter();
            let device = learned
                .filter(|((_, connection), _)| *connection == name)
                .map(|(_, device)| device.clone())
                .next()
                .unwrap_or(name);
            let known = self.open.parties.find(&device);
            let peripheral = self.seen.number("PeripheralID");
            let party = if known.is_none() && self.desks.at(&device, peripheral).is_some() {
                self.party(&device, None)
            } else {
                known
            };
            let Some(index) = party.filter(|p| Some(*p) != leaving) else {
                continue;
            };
            let state = self.open.parties.get(index).and_then(|t| t.on(self.leg));
            if state != Some(ConnectionState::Alerting) {
                self.set(Some(index), ConnectionState::Connected);
            }
        }
    }
}
