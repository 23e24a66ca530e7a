//! Call data: lost, cut, near its limits, or missing from the start.

use super::known::{self, CallKey, carries_data};
use super::waits::Waits;
use super::{Code, Context, Detector, Sighting, Sightings};
use crate::analysis::Seen;
use crate::correlate::{Exchange, OutcomeKind};
use crate::decode::FieldValue;
use crate::finding::Severity;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::hash::BuildHasher;

/// CALL_DATA_UPDATE_MASK of CallMsgMask.
const UPDATE_MASK: u32 = 0x8000;
/// Variables of a message that are looked at.
const MAX_VARIABLES: usize = 64;
/// Calls whose values are remembered.
const MAX_CALLS: usize = limits::MAX_TRIAGE_KEPT;
/// Bytes of a value that are kept; named variables hold 210.
const LONGEST_VALUE: usize = 512;
/// Updates that wait at a time.
const MAX_UPDATES: usize = limits::MAX_TOUCHED;
/// Longest call variable, without its terminating zero (bytes).
const LONGEST_VARIABLE: usize = 40;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Updates::default()),
        Box::new(Limits::default()),
        Box::new(Missing::default()),
    ]
}

/// A variable's name as a person reads it, and its value.
struct Variable<'a> {
    name: String,
    value: &'a [u8],
    named: bool,
}

fn variables<'a>(seen: &Seen<'a>) -> impl Iterator<Item = Variable<'a>> {
    let text = |bytes: &[u8]| known::cut(&String::from_utf8_lossy(bytes));
    let variables =
        seen.view
            .floating()
            .filter_map(move |field| match (field.value(), field.name()) {
                (FieldValue::NamedVariable { name, value }, _) => Some(Variable {
                    name: text(name),
                    value,
                    named: true,
                }),
                (FieldValue::NamedArray { index, name, value }, _) => Some(Variable {
                    name: format!("{}[{index}]", text(name)),
                    value,
                    named: true,
                }),
                (FieldValue::Text(value), Some(name))
                    if name.starts_with("CallVariable") || name == "CallWrapupData" =>
                {
                    Some(Variable {
                        name: name.to_owned(),
                        value,
                        named: false,
                    })
                }
                _ => None,
            });
    variables.take(MAX_VARIABLES)
}

/// The call that an event or a request is about.
fn call_of(seen: &Seen<'_>) -> Option<CallKey> {
    Some(CallKey {
        peripheral: seen.number("PeripheralID")?,
        id: seen.number("ConnectionCallID")?,
    })
}

/// A SET_CALL_DATA_REQ and what it set.
#[derive(Debug)]
struct Update {
    no: u64,
    session: u32,
    since: Timestamp,
    /// Names and values.
    values: Vec<(String, Vec<u8>, bool)>,
    /// Whether it sets anything that was not so before.
    changes: bool,
    confirmed: bool,
    /// Others came behind it, for the same call.
    overtaken: bool,
    sighting: Sighting,
}

/// Updates that are confirmed and never told, never answered at all, or told with less than was sent.
#[derive(Debug, Default)]
struct Updates {
    /// By call: the last one.
    open: Waits<CallKey, Update>,
    /// Values of the calls' variables, as hashes.
    values: BTreeMap<CallKey, BTreeMap<String, u64>>,
    hasher: foldhash::fast::FixedState,
}

impl Updates {
    fn note(&mut self, key: CallKey, seen: &Seen<'_>) {
        if !carries_data(seen) {
            return;
        }
        if self.values.len() >= MAX_CALLS && !self.values.contains_key(&key) {
            self.values.pop_first();
        }
        let values = self.values.entry(key).or_default();
        for variable in variables(seen) {
            let hash = self.hasher.hash_one(variable.value);
            if values.len() < MAX_VARIABLES || values.contains_key(&variable.name) {
                values.insert(variable.name, hash);
            }
        }
    }

    fn request(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let Some(key) = call_of(seen) else {
            return;
        };
        let session = seen.info.peers.session;
        let known = self.values.get(&key);
        let values: Vec<(String, Vec<u8>, bool)> = variables(seen)
            .map(|v| {
                let value = v.value.get(..LONGEST_VALUE).unwrap_or(v.value);
                (v.name, value.to_vec(), v.named)
            })
            .collect();
        let changes = values.iter().any(|(name, value, _)| {
            let before = known.and_then(|known| known.get(name));
            before != Some(&self.hasher.hash_one(value.as_slice()))
        });
        let names: Vec<&str> = values.iter().map(|(name, ..)| name.as_str()).collect();
        let sighting = Sighting::of(
            Code::DataUpdateLost,
            seen,
            format!("call {}: {}", key.id, names.join(", ")),
        )
        .call(key.id);
        let too_long = values.iter().find(|(name, value, _)| {
            name.starts_with("CallVariable") && value.len() > LONGEST_VARIABLE
        });
        if let Some((name, value, _)) = too_long {
            out.push(
                Sighting::of(
                    Code::DataTruncated,
                    seen,
                    format!("call {}: {name} of {} bytes", key.id, value.len()),
                )
                .group(format!("{name} sent with more than 40 bytes"))
                .call(key.id),
            );
        }
        let overtaken = self.open.take(&key).is_some();
        if self.open.len() >= MAX_UPDATES {
            return;
        }
        let until = seen.info.time.after(around.thresholds().data_update);
        self.open.add(
            key,
            until,
            Update {
                no: seen.info.no,
                session,
                since: seen.info.time,
                values,
                changes,
                confirmed: false,
                overtaken,
                sighting,
            },
        );
    }

    fn due(&mut self, around: &Context, out: &mut Sightings) {
        while let Some((key, update, until)) = self.open.due(around.now()) {
            let told = around
                .session(update.session)
                .is_some_and(|f| f.hears_calls(UPDATE_MASK));
            // A client that was never told of the call is not told of its data either.
            let views = around.known().calls.call(key);
            let sees = views.is_some_and(|c| {
                let mut views = c.views.iter();
                views.any(|v| v.session == update.session && v.ended.is_none())
            });
            if !update.confirmed || !update.changes || !told || !sees {
                continue;
            }
            if around.can_miss(update.session, update.since, until)
                && !around.recovering(update.since)
            {
                let group = "data set and confirmed, but no CALL_DATA_UPDATE_EVENT";
                out.push(update.sighting.group(group));
            }
        }
    }

    fn event(&mut self, key: CallKey, seen: &Seen<'_>, out: &mut Sightings) {
        let Some(update) = self.open.get_mut(&key) else {
            return;
        };
        if update.session != seen.info.peers.session {
            return;
        }
        let Some(update) = self.open.take(&key) else {
            return;
        };
        if update.overtaken {
            return;
        }
        for variable in variables(seen).filter(|v| v.named) {
            let mut sent = update.values.iter();
            let sent = sent.find(|(name, value, _)| {
                *name == variable.name
                    && value.len() > variable.value.len()
                    && value.starts_with(variable.value)
            });
            // An empty value may as well have been set to that on purpose.
            let Some((_, value, _)) = sent.filter(|_| !variable.value.is_empty()) else {
                continue;
            };
            out.push(
                Sighting::of(
                    Code::DataTruncated,
                    seen,
                    format!(
                        "call {}: {} of {} bytes sent in #{}, {} bytes came",
                        key.id,
                        variable.name,
                        value.len(),
                        update.no,
                        variable.value.len()
                    ),
                )
                .group(format!("{} cut by the server", variable.name))
                .call(key.id),
            );
        }
    }
}

impl Detector for Updates {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        self.due(around, out);
        if seen.is(types::SET_CALL_DATA_REQ) {
            self.request(seen, around, out);
            return;
        }
        if let Some(answer) = seen.info.answers {
            if answer.request.number == types::SET_CALL_DATA_REQ {
                let failed = answer.failure.is_some();
                let mut keys = self.open.take_all(|_, u| u.no == answer.request.no);
                if let Some((key, mut update)) = keys.pop()
                    && !failed
                {
                    update.confirmed = true;
                    let until = seen.info.time.after(around.thresholds().data_update);
                    self.open.add(key, until, update);
                }
            }
            return;
        }
        let Some(event) = around.known().calls.current() else {
            return;
        };
        match event.number {
            types::BEGIN_CALL_EVENT => {
                if event.renewed {
                    self.values.remove(&event.key);
                }
                self.note(event.key, seen);
            }
            types::CALL_DATA_UPDATE_EVENT => {
                self.event(event.key, seen, out);
                self.note(event.key, seen);
            }
            types::END_CALL_EVENT => {
                let over = around.known().calls.call(event.key);
                if over.is_none_or(known::Call::is_over) {
                    self.values.remove(&event.key);
                }
            }
            _ => {}
        }
    }

    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let (Some(request), OutcomeKind::Unanswered) = (&exchange.request, exchange.outcome.kind)
        else {
            return;
        };
        if request.number != types::SET_CALL_DATA_REQ {
            return;
        }
        let ask = around.known().asked.get(request.no);
        let about = ask.map(known::Ask::about).unwrap_or_default();
        let mut sighting = Sighting::of_part(
            Code::DataUpdateLost,
            exchange.session,
            request,
            around,
            about,
        )
        .group("SET_CALL_DATA_REQ not answered at all");
        if let Some(ask) = ask {
            sighting.agent.clone_from(&ask.agent);
            sighting.call = ask.call;
        }
        out.push(sighting);
    }
}

/// Named variables near their limit, and such that vanish.
#[derive(Debug, Default)]
struct Limits {
    /// Names of the named variables of each call, as its last message with such had them.
    names: BTreeMap<CallKey, Vec<String>>,
    /// Calls whose named variables a client just wrote.
    written: Waits<CallKey, u32>,
    /// Calls that were told.
    told: Waits<CallKey, ()>,
}

impl Detector for Limits {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while self.written.due(around.now()).is_some() {}
        while self.told.due(around.now()).is_some() {}
        let is_request = seen.is(types::SET_CALL_DATA_REQ);
        let event = around.known().calls.current();
        if !is_request && event.is_none_or(|e| e.copy) {
            return;
        }
        let Some(key) = call_of(seen) else {
            return;
        };
        let fields = seen
            .view
            .floating()
            .filter(|f| matches!(f.name(), Some("NamedVariable" | "NamedArray")));
        let bytes: usize = fields.map(|f| f.raw().len()).sum();
        if bytes == 0 {
            return;
        }
        let thresholds = around.thresholds();
        let until = seen.info.time.after(thresholds.fold);
        if super::thresholds::reaches(bytes, thresholds.ecc_bytes)
            && self.told.get_mut(&key).is_none()
        {
            self.told.add(key, until, ());
            out.push(
                Sighting::of(
                    Code::EccNearLimit,
                    seen,
                    format!("call {}: {bytes} of 2000 bytes in {}", key.id, seen.name()),
                )
                .group("named variables near the limit of 2000 bytes")
                .call(key.id),
            );
        }
        let names: Vec<String> = variables(seen)
            .filter(|v| v.named)
            .map(|v| v.name)
            .collect();
        if is_request {
            self.written.add(key, until, seen.info.peers.session);
            return;
        }
        let writer = self.written.take(&key);
        let updates = seen.is(types::CALL_DATA_UPDATE_EVENT);
        if let (Some(writer), Some(before), true) = (writer, self.names.get(&key), updates) {
            let gone: Vec<&str> = before
                .iter()
                .filter(|name| !names.contains(name))
                .map(String::as_str)
                .collect();
            // On other peripherals an update carries what changed only.
            let replaces = seen.number("PeripheralType") == Some(known::ENTERPRISE_AGENT);
            if !gone.is_empty() && replaces {
                out.push(
                    Sighting::of(
                        Code::EccNearLimit,
                        seen,
                        format!(
                            "call {}: {} no more, after S{writer} wrote",
                            key.id,
                            gone.join(", ")
                        ),
                    )
                    .group("named variables vanish with an update")
                    .call(key.id),
                );
            }
        }
        if self.names.len() >= MAX_CALLS && !self.names.contains_key(&key) {
            self.names.pop_first();
        }
        if seen.is(types::BEGIN_CALL_EVENT) || updates {
            self.names.insert(key, names);
        }
    }
}

/// A call that came without data.
#[derive(Debug)]
struct Bare {
    sighting: Sighting,
    serial: u64,
    caller: Option<String>,
}

/// Routed calls that come without any data.
#[derive(Debug, Default)]
struct Missing {
    bare: Waits<CallKey, Bare>,
    /// Callers of calls with data, and when such a call went on last.
    callers: BTreeMap<String, (CallKey, Timestamp)>,
}

impl Detector for Missing {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let known = around.known();
        while let Some((key, bare, _)) = self.bare.due(around.now()) {
            let call = known.calls.call(key).filter(|c| c.serial == bare.serial);
            let Some(call) = call else {
                continue;
            };
            if call.has_data || call.router_key.is_some() {
                continue;
            }
            let mut sighting = bare.sighting;
            let earlier = bare
                .caller
                .as_ref()
                .and_then(|caller| self.callers.get(caller))
                .filter(|(other, at)| {
                    *other != key && sighting.time <= at.after(around.thresholds().contact)
                });
            if let Some((other, _)) = earlier {
                sighting.severity = Severity::Warn;
                sighting.text.push_str(&format!(
                    ", while call {} of this caller had them",
                    other.id
                ));
                sighting.group = "calls lost their data on the way".to_owned();
            }
            out.push(sighting);
        }
        let Some(event) = known.calls.current() else {
            return;
        };
        let Some(call) = known.calls.call(event.key) else {
            return;
        };
        if (call.has_data || call.router_key.is_some())
            && let Some(caller) = &call.caller
        {
            if self.callers.len() >= MAX_CALLS && !self.callers.contains_key(caller) {
                self.callers.pop_first();
            }
            self.callers
                .insert(caller.clone(), (event.key, seen.info.time));
        }
        let routed = matches!(call.call_type, Some(1 | 2));
        let bare = routed && !call.has_data && call.router_key.is_none();
        if event.number != types::BEGIN_CALL_EVENT || event.copy || !bare {
            return;
        }
        // Calls that began before the session are told again without all they have.
        let facts = around.session(seen.info.peers.session);
        let opened = facts.and_then(|f| f.granted.as_ref()).map(|g| g.time);
        let settled =
            opened.is_some_and(|at| seen.info.time > at.after(around.thresholds().snapshot));
        if !settled || around.recovering(seen.info.time) {
            return;
        }
        let wait = around.thresholds().data_late;
        let sighting = Sighting::of(
            Code::DataMissing,
            seen,
            format!(
                "call {}: no call variables and no router call key",
                event.key.id
            ),
        )
        .severity(Severity::Info)
        .group("routed calls without data")
        .call(event.key.id);
        let bare = Bare {
            sighting,
            serial: call.serial,
            caller: call.caller.clone(),
        };
        self.bare.add(event.key, seen.info.time.after(wait), bare);
    }
}
