//! Transfers, conferences and consultation calls that come to nothing.

use crate::analysis::Seen;
use crate::protocol::{MessageType, types};
use crate::time::Timestamp;
use crate::triage::known::{self, CallKey};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, hints, requests, words};

/// CALL_CONFERENCED_MASK of CallMsgMask.
const CONFERENCED_MASK: u32 = 0x100;
/// CALL_TRANSFERRED_MASK.
const TRANSFERRED_MASK: u32 = 0x200;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Transfers::default())]
}

/// A confirmed request whose event is awaited.
#[derive(Debug)]
struct Confirmed {
    sighting: Sighting,
    since: Timestamp,
    session: u32,
    /// The calls it names.
    calls: Vec<CallKey>,
    event: MessageType,
}

/// Transfers and the like.
#[derive(Debug, Default)]
struct Transfers {
    /// By number of the request.
    confirmed: Waits<u64, Confirmed>,
    /// Calls joined a moment ago, with their caller: it must not leave at once.
    joined: Waits<CallKey, (Timestamp, Option<String>, Sighting)>,
    /// Events seen lately: they may come before the confirmation.
    events: Waits<(u32, CallKey), ()>,
    /// Calls named by requests, the active one first.
    named: Waits<u64, Vec<CallKey>>,
}

/// The event that shows that a request was carried out.
const fn event_of(request: MessageType) -> Option<(MessageType, u32)> {
    match request {
        types::TRANSFER_CALL_REQ => Some((types::CALL_TRANSFERRED_EVENT, TRANSFERRED_MASK)),
        types::CONFERENCE_CALL_REQ => Some((types::CALL_CONFERENCED_EVENT, CONFERENCED_MASK)),
        _ => None,
    }
}

impl Transfers {
    fn answered(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let Some(answer) = seen.info.answers else {
            return;
        };
        let request = answer.request;
        if !requests::joins_calls(request.number) {
            return;
        }
        let Some(ask) = around.known().asked.get(request.no) else {
            return;
        };
        let name = requests::name(request.number);
        let session = seen.info.peers.session;
        let states = ask.states().map_or_else(String::new, |s| format!("; {s}"));
        let sighting = |text: String, group: String| {
            let mut sighting =
                Sighting::of_part(Code::TransferFailed, session, &request, around, text)
                    .group(group);
            sighting.agent.clone_from(&ask.agent);
            sighting.call = ask.call;
            sighting
        };
        if let Some(failure) = answer.failure {
            let group = format!("{name} failed: {}", words::failure(&failure));
            let mut sighting = sighting(format!("{}{states}", ask.about()), group);
            sighting.hint = hints::failure(&failure);
            out.push(sighting);
            return;
        }
        let Some((event, mask)) = event_of(request.number) else {
            return;
        };
        let told = around.session(session).is_some_and(|f| f.hears_calls(mask));
        if !told {
            return;
        }
        let calls = self.named.take(&request.no).unwrap_or_default();
        // VRU peripherals tell of no transfers.
        let of_vru = calls.iter().any(|key| {
            let call = around.known().calls.call(*key);
            call.is_some_and(|c| known::VRUS.contains(&c.peripheral_type))
        });
        // A single call that is sent away: whoever it reaches may be out of sight.
        if of_vru
            || calls.len() < 2
            || calls
                .iter()
                .any(|call| self.events.get_mut(&(event.0, *call)).is_some())
        {
            return;
        }
        let event_name = crate::protocol::message(event).map_or("", |m| m.name);
        let text = format!("{}: confirmed, but no {event_name}{states}", ask.about());
        let sighting = sighting(text, format!("{name} confirmed, without effect"));
        self.confirmed.add(
            request.no,
            seen.info.time.after(around.thresholds().transfer_event),
            Confirmed {
                sighting,
                since: ask.time,
                session,
                calls,
                event,
            },
        );
    }

    fn joined(&mut self, seen: &Seen<'_>, around: &Context) {
        let calls = &around.known().calls;
        let Some(event) = calls.current() else {
            return;
        };
        let ids = [Some(event.key.id), seen.number("SecondaryCallID")];
        let keys: Vec<CallKey> = ids
            .into_iter()
            .flatten()
            .map(|id| CallKey { id, ..event.key })
            .collect();
        let until = seen.info.time.after(around.thresholds().transfer_event);
        for key in &keys {
            self.events.add((event.number.0, *key), until, ());
        }
        self.confirmed.take_all(|_, confirmed| {
            confirmed.event == event.number && confirmed.calls.iter().any(|c| keys.contains(c))
        });
        if event.number != types::CALL_TRANSFERRED_EVENT || event.copy {
            return;
        }
        // Whom no agent took over may be out of sight at once, as with transfers to the outside.
        let agents = &around.known().agents;
        let to_agent = seen
            .text("TransferredDeviceID")
            .is_some_and(|d| agents.at(Some(event.key.peripheral), &d).is_some());
        if !to_agent {
            return;
        }
        // The caller's side of the primary call: what leaves at once was lost in the transfer.
        let caller = calls.call(event.key).and_then(|c| c.caller.clone());
        let survivor = seen.number("ConnectedPartyCallID").unwrap_or(event.key.id);
        let key = CallKey {
            id: survivor,
            ..event.key
        };
        let mut sighting = Sighting::of(Code::TransferFailed, seen, format!("call {survivor}"))
            .group("callers lost in a transfer")
            .call(survivor);
        sighting.agent = seen
            .text("TransferringDeviceID")
            .and_then(|d| around.known().agents.at(Some(event.key.peripheral), &d))
            .map(str::to_owned);
        self.joined.add(
            key,
            seen.info.time.after(around.thresholds().transfer_lost),
            (seen.info.time, caller, sighting),
        );
    }
}

impl Detector for Transfers {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while let Some((_, confirmed, until)) = self.confirmed.due(around.now()) {
            if around.can_miss(confirmed.session, confirmed.since, until)
                && !around.recovering(confirmed.since)
            {
                out.push(confirmed.sighting);
            }
        }
        while self.joined.due(around.now()).is_some() {}
        while self.events.due(around.now()).is_some() {}
        while self.named.due(around.now()).is_some() {}
        if event_of(seen.info.number).is_some()
            && let Some(peripheral) = seen.number("PeripheralID")
        {
            let ids = ["ActiveConnectionCallID", "HeldConnectionCallID"];
            let calls = ids.iter().filter_map(|name| seen.number(name));
            let calls = calls.map(|id| CallKey { peripheral, id }).collect();
            let until = seen.info.time.after(around.thresholds().fold);
            self.named.add(seen.info.no, until, calls);
            return;
        }
        self.answered(seen, around, out);
        let Some(event) = around.known().calls.current() else {
            return;
        };
        match event.number {
            types::CALL_TRANSFERRED_EVENT | types::CALL_CONFERENCED_EVENT => {
                self.joined(seen, around);
            }
            types::CALL_CONNECTION_CLEARED_EVENT | types::CALL_CLEARED_EVENT => {
                let Some((time, caller, _)) = self.joined.get_mut(&event.key) else {
                    return;
                };
                let time = *time;
                let leaves = match event.number {
                    types::CALL_CLEARED_EVENT => true,
                    _ => caller.is_some() && *caller == event.connection,
                };
                if leaves && let Some((_, _, mut sighting)) = self.joined.take(&event.key) {
                    let span = words::span(seen.info.time.nanos_since(time));
                    sighting.text.push_str(&format!(
                        ": the caller's side was cleared {span} after the transfer"
                    ));

                    out.push(sighting);
                }
            }
            _ => {}
        }
    }
}
