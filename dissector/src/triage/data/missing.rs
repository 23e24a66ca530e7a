//! Routed calls that come without any data.

use super::MAX_CALLS;
use crate::analysis::Seen;
use crate::finding::Severity;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known::CallKey;
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings};
use std::collections::BTreeMap;

/// A call that came without data.
#[derive(Debug)]
struct Bare {
    sighting: Sighting,
    serial: u64,
    caller: Option<String>,
}

/// Routed calls that come without any data.
#[derive(Debug, Default)]
pub(super) struct Missing {
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
        if !settled || around.is_rebuilt(event.key.peripheral, seen.info.time) {
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
