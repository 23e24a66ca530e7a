//! Named variables near their limit, and such that vanish.

use super::{MAX_CALLS, call_of, variables};
use crate::analysis::Seen;
use crate::protocol::types;
use crate::triage::known::{self, CallKey};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, thresholds};
use std::collections::BTreeMap;

/// Named variables near their limit, and such that vanish.
#[derive(Debug, Default)]
pub(super) struct Limits {
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
        if thresholds::reaches(bytes, thresholds.ecc_bytes) && self.told.get_mut(&key).is_none() {
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
