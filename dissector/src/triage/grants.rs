//! What an opened session got less than it asked for, or than it will need.

use super::remembered::Remembered;
use super::{Code, Context, Detector, Sighting, Sightings};
use crate::analysis::Seen;
use crate::decode::FieldValue;
use crate::finding::Severity;
use crate::protocol::{self, types};
use crate::record::Direction;
use crate::session::{Content, Session};
use std::collections::BTreeSet;

const CLIENT_CONTROL: u32 = 0x4;
const STATE_CONTROL_ONLY: u32 = 0x2000;
/// Client events or all events.
const EVENTS: u32 = 0x11;

/// Messages without which no call can be followed: bit of CallMsgMask and name.
const NEEDED: [(u32, &str); 5] = [
    (0x2000, "BEGIN_CALL_EVENT"),
    (0x1, "CALL_DELIVERED_EVENT"),
    (0x4, "CALL_ESTABLISHED_EVENT"),
    (0x4000, "END_CALL_EVENT"),
    (0x8000, "CALL_DATA_UPDATE_EVENT"),
];

/// Services and masks of OPEN_CONF and OPEN_REQ.
#[derive(Debug, Default)]
pub(super) struct Grants {
    /// Sessions whose masks hide something, unless they start monitors.
    blind: Remembered<u32, Sighting>,
}

impl Detector for Grants {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let session = seen.info.peers.session;
        if seen.is(types::MONITOR_START_REQ) || seen.is(types::SESSION_MONITOR_START_REQ) {
            self.blind.remove(&session);
            return;
        }
        if !seen.is(types::OPEN_CONF) {
            return;
        }
        let Some(facts) = around.session(session) else {
            return;
        };
        let (Some(opened), Some(granted)) = (&facts.opened, &facts.granted) else {
            return;
        };
        let lacking = opened.services & !granted.services;
        if lacking != 0 {
            let state_only =
                lacking == CLIENT_CONTROL && granted.services & STATE_CONTROL_ONLY != 0;
            let mut sighting = Sighting::of(
                Code::ServicesReduced,
                seen,
                format!(
                    "{} granted 0x{:08X} of 0x{:08X}; {} missing",
                    facts.server_name(),
                    granted.services,
                    opened.services,
                    services(lacking)
                ),
            )
            .group(format!(
                "{} lacks {}",
                facts.client_name(),
                services(lacking)
            ));
            if state_only {
                sighting = sighting
                    .severity(Severity::Info)
                    .hint("CTI_AGENT_STATE_CONTROL_ONLY was granted instead: agent states can be set, calls cannot be controlled.");
            }
            out.push(sighting);
        }
        if granted.services & EVENTS != 0
            && let Some(text) = blind(opened.call_mask, opened.agent_mask)
        {
            let sighting = Sighting::of(Code::MasksBlind, seen, format!("without {text}"))
                .group(format!("masks of {} leave out {text}", facts.client_name()));
            self.blind.insert(session, sighting);
        }
    }

    fn ended(&mut self, session: &Session, _: &Context, out: &mut Sightings) {
        if let Some(sighting) = self.blind.remove(&session.peers.session) {
            out.push(sighting);
        }
    }

    fn finish(&mut self, _: &Context, out: &mut Sightings) {
        for (_, sighting) in self.blind.take() {
            out.push(sighting);
        }
    }
}

/// What masks hide that most clients need.
fn blind(call_mask: Option<u32>, agent_mask: Option<u32>) -> Option<String> {
    let call_mask = call_mask?;
    let mut hidden: Vec<&str> = Vec::new();
    if call_mask == 0 {
        hidden.push("call events");
    } else {
        hidden.extend(
            NEEDED
                .iter()
                .filter(|(bit, _)| call_mask & bit == 0)
                .map(|(_, name)| *name),
        );
    }
    if agent_mask == Some(0) {
        hidden.push("agent events");
    }
    (!hidden.is_empty()).then(|| hidden.join(", "))
}

fn services(bits: u32) -> String {
    let Some(table) = protocol::value_table("CTIServiceMask") else {
        return format!("0x{bits:08X}");
    };
    let mut names: Vec<String> = table
        .bits(bits)
        .map(|value| value.short.to_owned())
        .collect();
    let unknown = table.unknown_bits(bits);
    if unknown != 0 {
        names.push(format!("0x{unknown:08X}"));
    }
    names.join(", ")
}

/// A session that opened while something was down, until it is known whether it matters.
#[derive(Debug)]
struct Down {
    sighting: Sighting,
    /// Only a peripheral is off line, and none was named by the client.
    peripheral_only: bool,
    /// Peripherals that a SYSTEM_EVENT named as off line.
    named: BTreeSet<u32>,
}

/// PG parts that are down when a session opens.
#[derive(Debug, Default)]
pub(super) struct Degraded {
    down: Remembered<u32, Down>,
    /// Peripherals with agents.
    staffed: Remembered<u32, ()>,
}

/// PGStatus: a peripheral is off line.
const PERIPHERAL: u32 = 0x4;
/// SystemEventID: SYS_PERIPHERAL_OFFLINE.
const PERIPHERAL_OFFLINE: u32 = 4;

impl Detector for Degraded {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, _: &mut Sightings) {
        let session = seen.info.peers.session;
        if seen.is(types::AGENT_STATE_EVENT) {
            if let Some(peripheral) = seen.number("PeripheralID")
                && self.staffed.get(&peripheral).is_none()
            {
                self.staffed.insert(peripheral, ());
            }
        } else if seen.is(types::SYSTEM_EVENT) {
            if let Some(down) = self.down.get_mut(&session)
                && seen.number("SystemEventID") == Some(PERIPHERAL_OFFLINE)
                && down.named.len() < crate::limits::MAX_TOUCHED
            {
                down.named.extend(seen.raw("SystemEventArg1"));
            }
        } else if seen.is(types::OPEN_CONF) {
            let Some(facts) = around.session(session) else {
                return;
            };
            let Some(granted) = &facts.granted else {
                return;
            };
            let status = granted.pg_status.unwrap_or(0);
            let peripheral = facts.opened.as_ref().and_then(|opened| opened.peripheral);
            let offline = granted.peripheral_online == Some(0) && peripheral.is_some();
            if status == 0 && !offline {
                return;
            }
            let text = match (status, peripheral.filter(|_| offline)) {
                (0, Some(peripheral)) => format!("peripheral {peripheral} was off line"),
                (_, Some(peripheral)) => {
                    format!("{}, peripheral {peripheral} off line", pg_status(status))
                }
                _ => pg_status(status),
            };
            let sighting = Sighting::of(Code::OpenedDegraded, seen, text).group(format!(
                "{} was not all up when sessions opened",
                facts.server_name()
            ));
            let down = Down {
                sighting,
                peripheral_only: status == PERIPHERAL && !offline,
                named: BTreeSet::new(),
            };
            self.down.insert(session, down);
        }
    }

    fn finish(&mut self, _: &Context, out: &mut Sightings) {
        for (_, down) in self.down.take() {
            let unstaffed = down.peripheral_only
                && !down.named.is_empty()
                && !down
                    .named
                    .iter()
                    .any(|peripheral| self.staffed.get(peripheral).is_some());
            if !unstaffed {
                out.push(down.sighting);
            }
        }
    }
}

/// Words for a PGStatus.
fn pg_status(status: u32) -> String {
    let names = protocol::value_table("PGStatus").map(|table| {
        let names: Vec<&str> = table.bits(status).map(|value| value.short).collect();
        names.join(", ")
    });
    format!("PGStatus 0x{status:X} ({})", names.unwrap_or_default())
}

/// Passwords that everybody can read.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    told: Remembered<(u32, &'static str), ()>,
}

impl Detector for Secrets {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if seen.info.direction != Direction::ClientToServer
            || !(seen.is(types::OPEN_REQ) || seen.is(types::SET_AGENT_STATE_REQ))
        {
            return;
        }
        for name in ["ClientPassword", "AgentPassword"] {
            let given = seen.floating(name).any(|field| match field.value() {
                FieldValue::Text(text) => !text.is_empty(),
                _ => field.raw().iter().any(|byte| *byte != 0),
            });
            let session = seen.info.peers.session;
            if !given || self.told.get(&(session, name)).is_some() {
                continue;
            }
            let Some(facts) = around
                .session(session)
                .filter(|f| f.content == Content::Cti)
            else {
                continue;
            };
            self.told.insert((session, name), ());
            out.push(
                Sighting::of(
                    Code::CleartextSecret,
                    seen,
                    format!("{name} of {} stands in plain text", facts.client_name()),
                )
                .group(format!("{name} in plain text")),
            );
        }
    }
}
