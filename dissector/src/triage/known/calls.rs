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

    /// The IDs of calls that a session, which has ended, left under way at a time.
    pub(in crate::triage) fn under_way_at(
        &self,
        session: u32,
        time: Timestamp,
    ) -> impl Iterator<Item = u32> {
        let shows = move |call: &Call| {
            let mut views = call.views.iter();
            views.any(|v| v.session == session && v.ended.is_none())
        };
        let goes_on =
            move |call: &Call| !call.joined && call.cleared.is_none_or(|cleared| cleared > time);
        let calls = self.calls.iter();
        calls
            .filter(move |(_, call)| shows(call) && goes_on(call))
            .map(|(key, _)| key.id)
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

#[cfg(test)]
mod tests {
    use super::super::bench::Bench;
    use super::*;
    use crate::encode::Value;

    fn event(bench: &mut Bench, session: u32, name: &str, call: u32, more: &[(&str, Value)]) {
        let mut fields = vec![
            ("PeripheralID", Value::Number(5000)),
            ("ConnectionCallID", Value::Number(call.into())),
            ("ConnectionDeviceID", "20101".into()),
        ];
        fields.extend(more.iter().cloned());
        bench.say(session, name, &fields);
    }

    #[test]
    fn connections_follow_the_events_and_copies_are_told() {
        let mut bench = Bench::default();
        let alerting = [
            ("LocalConnectionState", "ALERTING".into()),
            ("AlertingDeviceID", "20101".into()),
        ];
        event(
            &mut bench,
            1,
            "BEGIN_CALL_EVENT",
            7,
            &[("CallVariable1", "gold".into())],
        );
        for (session, copy) in [(1, false), (2, true), (1, false)] {
            event(&mut bench, session, "CALL_DELIVERED_EVENT", 7, &alerting);
            assert_eq!(bench.known.calls.current().unwrap().copy, copy);
        }
        let state = |bench: &Bench| {
            let call = bench.known.calls.last_at(5000, "20101").unwrap();
            call.leg("20101").unwrap().state
        };
        assert_eq!(state(&bench), super::super::ALERTING);
        event(
            &mut bench,
            1,
            "CALL_ESTABLISHED_EVENT",
            7,
            &[("AnsweringDeviceID", "20101".into())],
        );
        assert_eq!(state(&bench), CONNECTED);
        event(&mut bench, 1, "CALL_CLEARED_EVENT", 7, &[]);
        assert_eq!(state(&bench), super::super::CLEARED);
        let call = bench.known.calls.get(None, 7).unwrap();
        assert!(call.cleared.is_some() && call.has_data && !call.is_over());
        for session in [1, 2] {
            event(&mut bench, session, "END_CALL_EVENT", 7, &[]);
        }
        assert!(bench.known.calls.get(None, 7).unwrap().is_over());
        event(&mut bench, 1, "BEGIN_CALL_EVENT", 7, &[]);
        let call = bench.known.calls.get(Some(5000), 7).unwrap();
        assert!(call.legs.is_empty() && !call.has_data && call.serial == 2);
    }

    #[test]
    fn the_call_first_seen_is_forgotten_beyond_the_limit() {
        let mut bench = Bench::default();
        let calls = u32::try_from(limits::MAX_TRIAGE_CALLS).unwrap();
        for call in 0..=calls {
            event(&mut bench, 1, "BEGIN_CALL_EVENT", call, &[]);
        }
        assert_eq!(bench.known.calls.calls.len(), limits::MAX_TRIAGE_CALLS);
        assert!(bench.known.calls.get(Some(5000), 0).is_none());
        assert!(bench.known.calls.get(Some(5000), calls).is_some());
        // A number that is used again and again leaves no trail.
        for _ in 0..calls {
            for name in ["BEGIN_CALL_EVENT", "END_CALL_EVENT"] {
                event(&mut bench, 1, name, calls, &[]);
            }
        }
        assert!(bench.known.calls.order.len() <= 2 * limits::MAX_TRIAGE_CALLS);
    }
}
