//! Updates of call data that are lost or cut on their way.

use super::{MAX_CALLS, MAX_VARIABLES, call_of, variables};
use crate::analysis::Seen;
use crate::correlate::{Exchange, OutcomeKind};
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known::{self, CallKey, carries_data};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings};
use std::collections::BTreeMap;
use std::hash::BuildHasher;

/// CALL_DATA_UPDATE_MASK of CallMsgMask.
const UPDATE_MASK: u32 = 0x8000;
/// Bytes of a value that are kept; named variables hold 210.
const LONGEST_VALUE: usize = 512;
/// Updates that wait at a time.
const MAX_UPDATES: usize = limits::MAX_TOUCHED;
/// Longest call variable, without its terminating zero (bytes).
const LONGEST_VARIABLE: usize = 40;

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
pub(super) struct Updates {
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
