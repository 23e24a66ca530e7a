//! Follows calls at phones, as far as agents need it: which calls a phone has, whether they were answered, how they ended.

use super::model::base;
use super::phone::{Event, Phone};
use crate::analysis::Seen;
use crate::decode::FieldValue;
use crate::limits;
use crate::protocol::{MessageType, types};
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Peripherals in which a phone is looked for when a message names none.
const MAX_PERIPHERALS: usize = 64;
/// Device types of phones: an agent's, and any with a number.
const PHONES: [u32; 2] = [76, 0];
/// EventCause of a call that goes elsewhere because nobody answers.
const NO_ANSWER: [u32; 5] = [8, 10, 28, 1010, 1019];

/// All phones.
#[derive(Debug, Default)]
pub(super) struct Phones {
    all: Vec<Phone>,
    by_name: HashMap<(Option<u32>, String), usize, RandomState>,
    by_call: HashMap<(Option<u32>, u32), SmallVec<[usize; 2]>, RandomState>,
    by_session: BTreeMap<u32, BTreeSet<usize>>,
    /// Peripherals with phones, the first ones.
    peripherals: BTreeSet<Option<u32>>,
}

/// Whether a message tells of a call at phones.
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

impl Phones {
    /// The phone of this name; one that is not known yet is made, if there is room.
    pub(super) fn named(&mut self, peripheral: Option<u32>, name: &str) -> Option<usize> {
        let name = base(name);
        if name.is_empty() {
            return None;
        }
        let key = (peripheral, name.to_owned());
        if let Some(at) = self.by_name.get(&key) {
            return Some(*at);
        }
        if self.all.len() >= limits::MAX_PHONES {
            return None;
        }
        let at = self.all.len();
        self.all.push(Phone::new(peripheral));
        self.by_name.insert(key, at);
        if self.peripherals.len() < MAX_PERIPHERALS {
            self.peripherals.insert(peripheral);
        }
        Some(at)
    }

    /// The phone of this name, if it is known. Without a peripheral, that of any.
    pub(super) fn find(&self, peripheral: Option<u32>, name: &str) -> Option<usize> {
        if peripheral.is_some() {
            return self.known(peripheral, name);
        }
        let peripherals = self.peripherals.iter();
        let mut found = peripherals.filter_map(|p| self.known(*p, name));
        found.next()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Phone> {
        self.all.get(at)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Phone> {
        self.all.get_mut(at)
    }

    /// The phones that an event is about: those it names, and those that have its calls.
    pub(super) fn involved(&mut self, seen: &Seen<'_>) -> SmallVec<[usize; 4]> {
        let peripheral = seen.number("PeripheralID");
        let mut found: SmallVec<[usize; 4]> = SmallVec::new();
        for call in [
            "ConnectionCallID",
            "NewConnectionCallID",
            "PrimaryCallID",
            "SecondaryCallID",
        ] {
            let phones = seen
                .number(call)
                .and_then(|c| self.by_call.get(&(peripheral, c)));
            found.extend(phones.into_iter().flatten().copied());
        }
        for (device, kind) in [
            ("AlertingDeviceID", "AlertingDeviceType"),
            ("AnsweringDeviceID", "AnsweringDeviceType"),
            ("CallingDeviceID", "CallingDeviceType"),
        ] {
            found.extend(self.device(seen, device, kind));
        }
        for at in parties(seen).filter_map(|(_, name)| self.known(peripheral, &name)) {
            found.push(at);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn known(&self, peripheral: Option<u32>, name: &str) -> Option<usize> {
        self.by_name
            .get(&(peripheral, base(name).to_owned()))
            .copied()
    }

    /// The phone that a field names. What is no phone by its type is known only when it is an agent's.
    fn device(&mut self, seen: &Seen<'_>, field: &str, kind: &str) -> Option<usize> {
        let name = seen.text(field)?;
        let peripheral = seen.number("PeripheralID");
        let known = self.known(peripheral, &name);
        if known.is_none() && seen.raw(kind).is_some_and(|t| PHONES.contains(&t)) {
            return self.named(peripheral, &name);
        }
        known
    }

    /// Takes in an event of a call.
    pub(super) fn apply(&mut self, seen: &Seen<'_>) {
        let event = Event {
            time: seen.info.time,
            session: seen.info.peers.session,
            message: seen.info.no,
            peripheral: seen.number("PeripheralID"),
        };
        match seen.info.message.map(|m| m.number) {
            Some(types::CALL_TRANSFERRED_EVENT) => self.join(&event, seen, "TransferringDeviceID"),
            Some(types::CALL_CONFERENCED_EVENT) => self.join(&event, seen, ""),
            Some(number) => self.simple(&event, seen, number),
            None => {}
        }
    }

    fn simple(&mut self, event: &Event, seen: &Seen<'_>, number: MessageType) {
        let Some(call) = seen.number("ConnectionCallID") else {
            return;
        };
        let calling = self.device(seen, "CallingDeviceID", "CallingDeviceType");
        let own = |phones: &Self| {
            let name = seen.text("ConnectionDeviceID")?;
            phones.known(event.peripheral, &name)
        };
        match number {
            types::CALL_DELIVERED_EVENT => {
                let alerting = self.device(seen, "AlertingDeviceID", "AlertingDeviceType");
                self.with(event, call, alerting.filter(|a| Some(*a) != calling), |p| {
                    p.ensure(event, call, false);
                });
                self.with(event, call, calling.filter(|c| Some(*c) != alerting), |p| {
                    p.ensure(event, call, true);
                });
            }
            types::CALL_SERVICE_INITIATED_EVENT | types::CALL_ORIGINATED_EVENT => {
                self.with(event, call, calling, |p| {
                    p.ensure(event, call, true);
                });
            }
            types::CALL_ESTABLISHED_EVENT => {
                let answering = self.device(seen, "AnsweringDeviceID", "AnsweringDeviceType");
                let own = own(self).filter(|_| calling.is_none());
                self.with(event, call, answering.or(own), |p| {
                    p.answer(event, call, false)
                });
                self.with(
                    event,
                    call,
                    calling.filter(|c| Some(*c) != answering),
                    |p| {
                        p.answer(event, call, true);
                    },
                );
            }
            types::CALL_HELD_EVENT | types::CALL_RETRIEVED_EVENT => {
                let held = number == types::CALL_HELD_EVENT;
                let field = if held {
                    "HoldingDeviceID"
                } else {
                    "RetrievingDeviceID"
                };
                let named = seen
                    .text(field)
                    .and_then(|n| self.known(event.peripheral, &n));
                self.with(event, call, named.or_else(|| own(self)), |p| {
                    let Some(open) = p.call(call) else { return };
                    if !held {
                        p.held.remove(&call);
                        return;
                    }
                    open.answered = open.answered.or(Some(event.time));
                    if p.held.insert(call)
                        && let Some(open) = p.call(call)
                    {
                        open.holds = open.holds.saturating_add(1);
                    }
                });
            }
            types::CALL_CONNECTION_CLEARED_EVENT | types::CALL_DIVERTED_EVENT => {
                let diverted = number == types::CALL_DIVERTED_EVENT;
                let field = if diverted {
                    "DivertingDeviceID"
                } else {
                    "ReleasingDeviceID"
                };
                let cause = seen.number("EventCause");
                let sent_on = diverted || cause.is_some_and(|c| NO_ANSWER.contains(&c));
                let phone = match seen.text(field) {
                    Some(name) => self.known(event.peripheral, &name),
                    None => own(self),
                };
                self.with(event, call, phone, |p| p.end(event, call, sent_on));
            }
            types::CALL_CLEARED_EVENT | types::END_CALL_EVENT => {
                let having = self.having(event, call);
                let own =
                    own(self).filter(|o| number == types::END_CALL_EVENT && having.contains(o));
                for at in having.iter().filter(|at| own.is_none_or(|o| o == **at)) {
                    self.with(event, call, Some(*at), |p| p.end(event, call, false));
                }
            }
            types::CALL_DATA_UPDATE_EVENT => {
                if let Some(new) = seen
                    .number("NewConnectionCallID")
                    .filter(|new| *new != call)
                {
                    for at in self.having(event, call) {
                        self.rename(event, at, call, new);
                    }
                }
            }
            _ => {}
        }
    }

    /// Two calls become one: who has left has no call any more, the others have the one that the parties name.
    fn join(&mut self, event: &Event, seen: &Seen<'_>, leaving: &str) {
        let (Some(primary), Some(secondary)) =
            (seen.number("PrimaryCallID"), seen.number("SecondaryCallID"))
        else {
            return;
        };
        let left = seen
            .text(leaving)
            .and_then(|n| self.known(event.peripheral, &n));
        let parties: Vec<(u32, Option<usize>)> = parties(seen)
            .map(|(call, name)| (call, self.known(event.peripheral, &name)))
            .collect();
        let surviving = parties.first().map_or(primary, |(call, _)| *call);
        for call in [primary, secondary] {
            for at in self.having(event, call) {
                let party = parties.iter().find(|(_, phone)| *phone == Some(at));
                if Some(at) == left && party.is_none() {
                    self.with(event, call, Some(at), |p| p.end(event, call, false));
                } else {
                    let new = party.map_or(surviving, |(call, _)| *call);
                    self.rename(event, at, call, new);
                }
            }
        }
    }

    fn having(&self, event: &Event, call: u32) -> SmallVec<[usize; 2]> {
        let phones = self.by_call.get(&(event.peripheral, call));
        phones.cloned().unwrap_or_default()
    }

    fn rename(&mut self, event: &Event, at: usize, from: u32, to: u32) {
        if from == to {
            return;
        }
        self.with(event, from, Some(at), |p| p.rename(event, from, to));
        self.index(event.peripheral, at, to);
    }

    /// Does something with a phone, and keeps track of who has which call.
    fn with(&mut self, event: &Event, call: u32, at: Option<usize>, f: impl FnOnce(&mut Phone)) {
        let Some(at) = at else { return };
        let Some(phone) = self.all.get_mut(at) else {
            return;
        };
        f(phone);
        let given_up = phone.given_up.take();
        if phone.sessions.insert(event.session) {
            self.by_session.entry(event.session).or_default().insert(at);
        }
        self.index(event.peripheral, at, call);
        if let Some(call) = given_up {
            self.index(event.peripheral, at, call);
        }
    }

    fn index(&mut self, peripheral: Option<u32>, at: usize, call: u32) {
        let key = (peripheral, call);
        let has = |p: &Phone| p.open.iter().any(|c| c.call == call);
        if self.all.get(at).is_some_and(has) {
            let phones = self.by_call.entry(key).or_default();
            if !phones.contains(&at) {
                phones.push(at);
            }
        } else if let Some(phones) = self.by_call.get_mut(&key) {
            phones.retain(|p| *p != at);
            if phones.is_empty() {
                self.by_call.remove(&key);
            }
        }
    }

    /// A session ended, or bytes of it are missing: what only it told of calls is not known any more. Gives the phones concerned.
    pub(super) fn lose(&mut self, session: u32, time: Timestamp, ended: bool) -> Vec<usize> {
        let phones = if ended {
            self.by_session.remove(&session).unwrap_or_default()
        } else {
            self.by_session.get(&session).cloned().unwrap_or_default()
        };
        let mut lost = Vec::new();
        for at in phones {
            let Some(phone) = self.all.get_mut(at) else {
                continue;
            };
            if ended {
                phone.sessions.remove(&session);
            }
            if phone.sessions.iter().any(|s| *s != session) {
                continue;
            }
            if !ended {
                phone.blind = phone.blind.max(Some(time));
                continue;
            }
            let calls: SmallVec<[u32; 4]> = phone.open.iter().map(|c| c.call).collect();
            let peripheral = phone.peripheral;
            phone.lose(time);
            lost.push(at);
            for call in calls {
                self.index(peripheral, at, call);
            }
        }
        lost
    }
}

/// The parties of a joined call: its ID and the device.
fn parties<'a>(seen: &Seen<'a>) -> impl Iterator<Item = (u32, String)> + use<'a> {
    seen.view
        .floating()
        .filter(|f| {
            matches!(
                f.name(),
                Some("ConnectedPartyCallID" | "ConnectedPartyDeviceID")
            )
        })
        .scan(None, |call, field| {
            Some(match field.value() {
                FieldValue::Number(number) => {
                    *call = Some(number.bits);
                    None
                }
                FieldValue::Text(text) => call
                    .take()
                    .map(|c| (c, String::from_utf8_lossy(text).into_owned())),
                _ => None,
            })
        })
        .flatten()
}
