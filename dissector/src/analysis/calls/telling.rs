//! What a message about a call says: the step that tells it, and what its copies have in common.

use super::call::CallId;
use super::story::{Sighting, Step, StepKind, Teller};
use super::variables::Said;
use crate::analysis::Seen;
use crate::protocol::types;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Longest name of a device that is kept (bytes); the protocol allows half of it.
const LONGEST_NAME: usize = 128;

/// A text of a message as a device's name.
pub(super) fn device_name(seen: &Seen<'_>, field: &str) -> Option<String> {
    let text = seen.text(field)?;
    let text = text.split(';').next().unwrap_or_default();
    let mut end = text.len().min(LONGEST_NAME);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end)
        .filter(|t| !t.is_empty())
        .map(ToOwned::to_owned)
}

/// EventCause, unless CEC_NONE.
pub(super) fn cause(seen: &Seen<'_>) -> Option<u32> {
    seen.number("EventCause")
}

/// Fields by which copies of an event are told from other events of the same type; the rest may differ from session to session.
const TELLING: [&str; 16] = [
    "AlertingDeviceID",
    "CallingDeviceID",
    "CalledDeviceID",
    "AnsweringDeviceID",
    "HoldingDeviceID",
    "RetrievingDeviceID",
    "ReleasingDeviceID",
    "FailingDeviceID",
    "DivertingDeviceID",
    "QueueDeviceID",
    "TransferringDeviceID",
    "TransferredDeviceID",
    "ControllerDeviceID",
    "AddedPartyDeviceID",
    "AgentInstrument",
    "ClientAddress",
];
const TELLING_NUMBERS: [&str; 7] = [
    "EventCause",
    "NewConnectionCallID",
    "SecondaryCallID",
    "Direction",
    "ClientPort",
    "NumQueued",
    "EventCode",
];

/// A hash of what an event says, the same for all its copies.
pub(super) fn fingerprint(seen: &Seen<'_>, leg: u64, said: &[Said]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let number = seen.info.message.map_or(0, |m| m.number.0);
    (number, leg).hash(&mut hasher);
    for field in TELLING {
        seen.text(field).hash(&mut hasher);
    }
    for field in TELLING_NUMBERS {
        seen.number(field).hash(&mut hasher);
    }
    if matches!(
        seen.info.message.map(|m| m.number),
        Some(types::BEGIN_CALL_EVENT | types::END_CALL_EVENT)
    ) {
        seen.text("ConnectionDeviceID").hash(&mut hasher);
    } else {
        for said in said {
            (&said.name, &said.value).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Who tells an event.
pub(super) fn teller(seen: &Seen<'_>) -> Teller {
    let mut hasher = DefaultHasher::new();
    seen.text("ConnectionDeviceID").hash(&mut hasher);
    Teller {
        session: seen.info.peers.session,
        monitor: seen.number("MonitorID"),
        connection: hasher.finish(),
    }
}

/// A message as a step names it.
pub(super) fn sighting(seen: &Seen<'_>) -> Sighting {
    Sighting {
        no: seen.info.no,
        time: seen.info.time,
        session: seen.info.peers.session,
        direction: seen.info.direction,
        packets: seen.info.packets.clone(),
    }
}

/// A step of a message, with nothing found out about it so far; what only its story shows is left out where no story is `wanted`.
pub(super) fn step(seen: &Seen<'_>, kind: StepKind, id: Option<CallId>, wanted: bool) -> Step {
    let findings = seen.info.findings.iter().chain(seen.view.findings());
    Step {
        time: seen.info.time,
        kind,
        name: seen.name(),
        number: seen.info.number,
        sightings: vec![sighting(seen)],
        id,
        from: None,
        to: None,
        cause: cause(seen),
        changes: Vec::new(),
        agent: None,
        settings: Vec::new(),
        details: if wanted { details(seen) } else { Vec::new() },
        answered: None,
        findings: findings.map(|f| f.code).collect(),
        notes: Vec::new(),
    }
}

/// Fields that say what a message is about beside parties, call data and state.
const DETAILS: [&str; 12] = [
    "CallType",
    "ConsultType",
    "SupervisoryAction",
    "CallMannerType",
    "CallPlacementType",
    "NumQueued",
    "Direction",
    "EventCode",
    "PeripheralErrorCode",
    "DTMFString",
    "FacilityCode",
    "CalledPartyDisposition",
];

fn details(seen: &Seen<'_>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for name in DETAILS {
        let value = seen
            .value_name(name)
            .map(ToOwned::to_owned)
            .or_else(|| seen.number(name).map(|n| n.to_string()))
            .or_else(|| device_name(seen, name));
        // Zero says nothing in these: unspecified, no error, no disposition.
        if let Some(value) = value
            && (name == "Direction" || name == "NumQueued" || seen.raw(name).is_none_or(|n| n != 0))
        {
            found.push((name, value));
        }
    }
    found
}
