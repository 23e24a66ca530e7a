//! All calls, as light as detectors need them: who rings, talks or holds, what began and ended, what came of it.

use super::call::{CONNECTED, Call, Place, View};
use crate::analysis::Seen;
use crate::limits;
use crate::protocol::{MessageType, types};
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// A call: its peripheral and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::triage) struct CallKey {
    /// PeripheralID.
    pub peripheral: u32,
    /// ConnectionCallID.
    pub id: u32,
}

/// What the message at hand says of a call.
#[derive(Debug, Clone)]
pub(in crate::triage) struct CallEvent {
    /// The call.
    pub key: CallKey,
    /// Which event.
    pub number: MessageType,
    /// MonitorID.
    pub monitor: u32,
    /// Another session or monitor told it before.
    pub copy: bool,
    /// The phone that the event is about, else the connection.
    pub phone: Option<String>,
    /// ConnectionDeviceID.
    pub connection: Option<String>,
    /// The call as this session and monitor showed it before.
    pub before: Option<View>,
    /// A new call under the number of an old one.
    pub renewed: bool,
}

/// All calls, up to [`limits::MAX_TRIAGE_CALLS`].
#[derive(Debug, Default)]
pub(in crate::triage) struct Calls {
    calls: BTreeMap<CallKey, Call>,
    order: VecDeque<(CallKey, u64)>,
    /// The last call that rang or was answered at each phone.
    phones: BTreeMap<(u32, String), CallKey>,
    event: Option<CallEvent>,
    serial: u64,
}

impl Calls {
    /// What the message at hand says of a call.
    pub(in crate::triage) const fn current(&self) -> Option<&CallEvent> {
        self.event.as_ref()
    }

    /// A call by its number; that of any peripheral when none is given.
    pub(in crate::triage) fn get(&self, peripheral: Option<u32>, id: u32) -> Option<&Call> {
        match peripheral {
            Some(peripheral) => self.calls.get(&CallKey { peripheral, id }),
            None => self.calls.iter().find(|(k, _)| k.id == id).map(|(_, c)| c),
        }
    }

    /// A call.
    pub(in crate::triage) fn call(&self, key: CallKey) -> Option<&Call> {
        self.calls.get(&key)
    }

    /// The last call that rang or was answered at a phone.
    pub(in crate::triage) fn last_at(&self, peripheral: u32, phone: &str) -> Option<&Call> {
        let key = self.phones.get(&(peripheral, phone.to_owned()))?;
        self.calls.get(key)
    }

    /// All calls.
    pub(in crate::triage) fn iter(&self) -> impl Iterator<Item = (&CallKey, &Call)> {
        self.calls.iter()
    }

    pub(super) fn clear_event(&mut self) {
        self.event = None;
    }

    /// An event from the server.
    pub(super) fn event(&mut self, seen: &Seen<'_>) {
        let number = seen.info.message.map_or(seen.info.number, |m| m.number);
        let joins = matches!(
            number,
            types::CALL_CONFERENCED_EVENT | types::CALL_TRANSFERRED_EVENT
        );
        let id = if joins {
            "PrimaryCallID"
        } else {
            "ConnectionCallID"
        };
        let (Some(peripheral), Some(id)) = (seen.number("PeripheralID"), seen.number(id)) else {
            return;
        };
        let key = CallKey { peripheral, id };
        let place = Place {
            session: seen.info.peers.session,
            monitor: seen.raw("MonitorID").unwrap_or_default(),
            time: seen.info.time,
            no: seen.info.no,
        };
        let begins = number == types::BEGIN_CALL_EVENT;
        let renewed = begins && self.calls.get(&key).is_some_and(Call::is_over);
        if renewed {
            self.calls.remove(&key);
        }
        self.ensure(key, place.time);
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        let before = call.view(place.session, place.monitor).cloned();
        let connection = super::text(
            seen,
            if joins {
                "PrimaryDeviceID"
            } else {
                "ConnectionDeviceID"
            },
        );
        let copy = call.is_copy(number, connection.as_deref(), seen, &place);
        call.note_view(number, connection.as_deref(), &place);
        call.last = call.last.max(place.time);
        if let Some(kind) = seen.number("PeripheralType") {
            call.peripheral_type = kind;
        }
        call.note_data(seen);
        let phone = call.apply(number, connection.as_deref(), seen);
        let arrives = matches!(
            number,
            types::CALL_DELIVERED_EVENT | types::CALL_ESTABLISHED_EVENT
        );
        if arrives && let Some(phone) = phone.as_ref().or(connection.as_ref()) {
            if self.phones.len() >= limits::MAX_TRIAGE_CALLS {
                self.phones.pop_first();
            }
            self.phones.insert((peripheral, phone.clone()), key);
        }
        if joins {
            self.join(key, seen, place.time);
        } else if number == types::CALL_DATA_UPDATE_EVENT {
            self.rename(key, seen, &place);
        }
        self.event = Some(CallEvent {
            key,
            number,
            monitor: place.monitor,
            copy,
            phone: phone.or_else(|| connection.clone()),
            connection,
            before,
            renewed,
        });
    }

    fn ensure(&mut self, key: CallKey, time: Timestamp) {
        if self.calls.contains_key(&key) {
            return;
        }
        while self.calls.len() >= limits::MAX_TRIAGE_CALLS {
            let Some((old, serial)) = self.order.pop_front() else {
                break;
            };
            if self.calls.get(&old).is_some_and(|c| c.serial == serial) {
                self.calls.remove(&old);
            }
        }
        // Numbers that were used again leave their old places behind.
        if self.order.len() >= 2 * limits::MAX_TRIAGE_CALLS {
            let calls = &self.calls;
            self.order
                .retain(|(key, serial)| calls.get(key).is_some_and(|c| c.serial == *serial));
        }
        self.serial += 1;
        self.order.push_back((key, self.serial));
        self.calls.insert(key, Call::new(self.serial, time));
    }

    /// Two calls become one: what the parties are on goes on.
    fn join(&mut self, key: CallKey, seen: &Seen<'_>, time: Timestamp) {
        let secondary = seen.number("SecondaryCallID");
        let survivors: Vec<u32> = seen
            .floating("ConnectedPartyCallID")
            .filter_map(|f| match f.value() {
                crate::decode::FieldValue::Number(number) => Some(number.bits),
                _ => None,
            })
            .collect();
        let ids = [Some(key.id), secondary];
        let has_data = ids.into_iter().flatten().any(|id| {
            let key = CallKey { id, ..key };
            self.calls.get(&key).is_some_and(|c| c.has_data)
        });
        for id in ids.into_iter().flatten() {
            let goes_on = survivors.contains(&id);
            if let Some(call) = self.calls.get_mut(&CallKey { id, ..key }) {
                call.joined |= !goes_on;
                call.has_data |= has_data;
            }
        }
        let devices = seen.texts("ConnectedPartyDeviceID").map(|d| super::cut(&d));
        for (id, device) in survivors.iter().zip(devices) {
            let key = CallKey { id: *id, ..key };
            self.ensure(key, time);
            if let Some(call) = self.calls.get_mut(&key) {
                call.cleared = None;
                call.has_data |= has_data;
                call.set(&device, None, CONNECTED, time);
            }
        }
    }

    /// The call, or a party of it, goes on under another number.
    fn rename(&mut self, key: CallKey, seen: &Seen<'_>, place: &Place) {
        let Some(id) = seen
            .number("NewConnectionCallID")
            .filter(|id| *id != key.id)
        else {
            return;
        };
        let Some(old) = self.calls.get_mut(&key) else {
            return;
        };
        old.joined = true;
        let (call_type, caller, router_key, has_data, kind) = (
            old.call_type,
            old.caller.clone(),
            old.router_key,
            old.has_data,
            old.peripheral_type,
        );
        let key = CallKey { id, ..key };
        self.ensure(key, place.time);
        if let Some(call) = self.calls.get_mut(&key) {
            call.call_type = call.call_type.or(call_type);
            call.caller = call.caller.take().or(caller);
            call.router_key = call.router_key.or(router_key);
            call.has_data |= has_data;
            call.peripheral_type = kind;
            call.cleared = None;
        }
    }
}
