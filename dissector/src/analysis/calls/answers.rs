//! Answers to requests about calls, and requests that nothing answered.

use super::book::{Book, Place};
use super::call::{CallId, FailedRequest};
use super::parties::Mention;
use super::party::ConnectionState;
use super::requests::Pending;
use super::story::{Answered, StepKind, failed};
use super::telling::step;
use super::variables;
use crate::analysis::Seen;
use crate::correlate::{Exchange, OutcomeKind};
use crate::decode::FieldValue;
use crate::protocol::types;

/// A connection that a snapshot lists.
#[derive(Debug, Default, Clone)]
struct Listed {
    id: Option<u32>,
    device: Option<String>,
    device_type: Option<u32>,
    state: Option<ConnectionState>,
}

/// The connections that SNAPSHOT_CALL_CONF or SNAPSHOT_DEVICE_CONF lists.
fn listed(seen: &Seen<'_>) -> Vec<Listed> {
    let mut list: Vec<Listed> = Vec::new();
    for field in seen.view.floating() {
        let number = match field.value() {
            FieldValue::Number(n) if field.special(n).is_none() => Some(n.bits),
            _ => None,
        };
        if field.name() == Some("CallConnectionCallID") {
            list.push(Listed {
                id: number,
                ..Listed::default()
            });
        }
        let Some(last) = list.last_mut() else {
            continue;
        };
        match (field.name(), field.value()) {
            (Some("CallDeviceID" | "CallConnectionDeviceID"), FieldValue::Text(text))
                if !text.is_empty()
                    && (last.device.is_none() || field.name() == Some("CallDeviceID")) =>
            {
                last.device = Some(String::from_utf8_lossy(text).into_owned());
            }
            (Some("CallDeviceType"), _) => last.device_type = number,
            (Some("CallDeviceConnectionState" | "CallState"), _) => {
                last.state = number.and_then(ConnectionState::from_local);
            }
            _ => {}
        }
    }
    list
}

impl Book {
    /// The answer to a request that may have been about a call.
    pub(super) fn answer(&mut self, seen: &Seen<'_>) {
        let Some(answer) = seen.info.answers else {
            return;
        };
        let no = answer.request.no;
        let went_well = !failed(answer.kind);
        let snapshot = seen.is(types::SNAPSHOT_DEVICE_CONF);
        if snapshot {
            self.snapshot_of_device(seen);
        }
        let Some(pending) = self.requests.get(no) else {
            return;
        };
        let (peripheral, call) = (pending.peripheral, pending.call);
        let ids = pending.ids.clone();
        let mut notes = Vec::new();
        let mut place = call.and_then(|call| self.resolve(call)).and_then(|call| {
            let leg = self.calls.get(&call)?.legs.first()?.number;
            let mut named = ids.iter().filter_map(|id| self.find(*id));
            let named = named.find(|p| p.call == call);
            Some(named.unwrap_or(Place { call, leg }))
        });
        if went_well {
            // The call that a confirmed request names is there, whether events told of it or not.
            let new = ["NewConnectionCallID", "ConnectionCallID"];
            let new = new.iter().find_map(|name| seen.number(name));
            let new = new.map(|id| CallId { peripheral, id });
            let all: Vec<CallId> = ids.iter().copied().chain(new).collect();
            for id in all {
                place = match place {
                    None => self.find_or_begin(id, seen),
                    Some(place) if self.find(id).is_some_and(|p| p.call == place.call) => {
                        Some(place)
                    }
                    Some(place) => Some(self.tie(place, id, seen, &mut notes)),
                };
            }
            if seen.is(types::CONSULTATION_CALL_CONF)
                && let Some(there) = new.and_then(|new| self.find(new))
            {
                self.consults(there);
            }
        }
        let Some(mut place) = place else {
            return;
        };
        if went_well {
            let (call, joined) = self.join_by_keys(place.call, seen);
            place.call = call;
            if joined {
                notes.push("the same contact, by the router's key".to_owned());
            }
        }
        self.attach(no, place, seen);
        self.tell_answer(place, seen, notes);
    }

    /// Adds a request to the call that its answer showed it to be about.
    fn attach(&mut self, no: u64, place: Place, seen: &Seen<'_>) {
        let Some(pending) = self.requests.get(no) else {
            return;
        };
        pending.call = Some(place.call);
        let Some(step) = pending.step.take() else {
            return;
        };
        let mut step = *step;
        let Pending {
            time,
            selected,
            device,
            ..
        } = pending;
        let (time, selected, device) = (*time, *selected, device.clone());
        step.from = self.party_for(place, device.as_deref(), seen);
        if let Some(open) = self.calls.get_mut(&place.call) {
            open.told.first = open.told.first.min(time);
            open.told.first_message = open.told.first_message.min(no);
            open.told.messages += 1;
            open.told.selected |= selected;
            for code in &step.findings {
                *open.told.findings.entry(*code).or_default() += 1;
            }
        }
        self.add_step(place.call, step);
    }

    fn tell_answer(&mut self, place: Place, seen: &Seen<'_>, notes: Vec<String>) {
        let Some(answer) = seen.info.answers else {
            return;
        };
        let no = answer.request.no;
        let device = self.requests.get(no).and_then(|p| p.device.clone());
        let name = self.requests.get(no).map_or("", |p| p.name);
        let answered = Answered {
            no: Some(seen.info.no),
            latency: Some(answer.latency),
            kind: answer.kind,
            failure: answer.failure,
        };
        let mut step = step(seen, StepKind::Answer, None, self.options.stories);
        step.to = self.party_for(place, device.as_deref(), seen);
        step.notes = notes;
        let said = variables::said(seen);
        let snapshot = seen.is(types::SNAPSHOT_CALL_CONF);
        if snapshot {
            self.snapshot(place, seen, &mut step.changes);
        }
        if let Some(open) = self.calls.get_mut(&place.call) {
            if snapshot {
                step.settings = open.variables.apply(&said, false, None);
                super::events::first_data(open, seen);
            }
            if answered.failed() {
                open.told.note_failure(FailedRequest {
                    no,
                    name,
                    kind: answer.kind,
                    failure: answer.failure,
                });
            }
            if let Some(request) = open.step_of(no) {
                request.answered = Some(answered.clone());
            }
        }
        step.answered = Some(answered);
        self.add_step(place.call, step);
        self.touch(place.call, seen);
    }

    /// SNAPSHOT_CALL_CONF: who takes part, and in which state.
    fn snapshot(
        &mut self,
        place: Place,
        seen: &Seen<'_>,
        changes: &mut Vec<super::party::StateChange>,
    ) {
        for listed in listed(seen) {
            let Some(device) = listed.device else {
                continue;
            };
            let Some(index) = self.party_for(place, Some(&device), seen) else {
                continue;
            };
            let Some(open) = self.calls.get_mut(&place.call) else {
                return;
            };
            open.parties
                .with(&device, listed.device_type, Mention::new(seen));
            if let Some(state) = listed.state {
                changes.extend(open.parties.set(index, place.leg, state, seen.info.time));
                if state == ConnectionState::Held {
                    open.answered.get_or_insert(seen.info.time);
                }
            }
            if open.told.ani.is_none() || open.told.ani.as_deref() == Some(device.as_str()) {
                // The caller is whoever has the number that the call shows.
                let shown = seen.text("ANI").is_some_and(|ani| *ani == *device);
                let none_yet = !open.parties.list.iter().any(|t| t.party.caller);
                if let Some(tracked) = open.parties.list.get_mut(index) {
                    tracked.party.caller |= shown && none_yet;
                }
            }
        }
    }

    /// SNAPSHOT_DEVICE_CONF: the calls at a device, some of which may have begun before the capture.
    fn snapshot_of_device(&mut self, seen: &Seen<'_>) {
        let peripheral = seen
            .info
            .answers
            .and_then(|a| self.requests.get(a.request.no))
            .and_then(|p| p.peripheral);
        for listed in listed(seen) {
            let Some(id) = listed.id else { continue };
            let id = CallId { peripheral, id };
            let known = self.find(id).is_some();
            let Some(place) = self.find_or_begin(id, seen) else {
                continue;
            };
            let mut step = step(seen, StepKind::Answer, Some(id), self.options.stories);
            step.to = self.party_for(place, listed.device.as_deref(), seen);
            if let (Some(party), Some(state), Some(open)) =
                (step.to, listed.state, self.calls.get_mut(&place.call))
            {
                let change = open.parties.set(party, place.leg, state, seen.info.time);
                step.changes.extend(change);
                let talks = matches!(state, ConnectionState::Connected | ConnectionState::Held);
                if talks && !known {
                    open.answered.get_or_insert(seen.info.time);
                }
            }
            self.add_step(place.call, step);
            self.touch(place.call, seen);
        }
    }

    /// What became of a request is certain.
    pub(super) fn exchange(&mut self, exchange: &Exchange) {
        let Some(request) = exchange.request else {
            return;
        };
        let Some(pending) = self.requests.take(request.no) else {
            return;
        };
        let kind = exchange.outcome.kind;
        // Failures that came as messages have been told.
        if exchange.outcome.answer.is_some()
            || !matches!(kind, OutcomeKind::Unanswered | OutcomeKind::SessionEnded)
        {
            return;
        }
        let call = pending.call.and_then(|call| self.resolve(call));
        let Some(open) = call.and_then(|call| self.calls.get_mut(&call)) else {
            return;
        };
        open.told.note_failure(FailedRequest {
            no: request.no,
            name: pending.name,
            kind,
            failure: None,
        });
        if let Some(step) = open.step_of(request.no) {
            step.answered = Some(Answered {
                no: None,
                latency: None,
                kind,
                failure: None,
            });
        }
    }
}
