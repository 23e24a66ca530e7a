//! Agents reserved for calls that never come.

use crate::analysis::Seen;
use crate::finding::Severity;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known;
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, words};

/// Call types of reservations and previews of the outbound option.
const OUTBOUND: [u32; 7] = [17, 18, 27, 28, 29, 30, 31];
/// CALL_DELIVERED_MASK of CallMsgMask.
const DELIVERED_MASK: u32 = 0x1;
/// AGENT_PRE_CALL_ABORT_MASK.
const ABORT_MASK: u32 = 0x10_0000;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Stuck::default()), Box::new(Announced::default())]
}

/// Whether a session would have been told of a call that arrives.
fn tells_calls(session: u32, mask: u32, around: &Context) -> bool {
    around.session(session).is_some_and(|f| f.hears_calls(mask))
}

#[derive(Debug)]
struct Reserved {
    sighting: Sighting,
    since: Timestamp,
    session: u32,
    phone: Option<String>,
}

/// Agents that stay RESERVED without a call.
#[derive(Debug, Default)]
struct Stuck {
    /// By peripheral and agent.
    waiting: Waits<(u32, String), Reserved>,
    /// Told as a warning, by the time at which it is an error.
    longer: Waits<(u32, String), Reserved>,
}

impl Stuck {
    fn due(&mut self, around: &Context, out: &mut Sightings) {
        while let Some((key, reserved, until)) = self.waiting.due(around.now()) {
            if !around.can_miss(reserved.session, reserved.since, until)
                || around.is_rebuilt(key.0, reserved.since)
            {
                continue;
            }
            let longer = reserved.since.after(around.thresholds().reserved_long);
            self.longer.add(key, longer, reserved);
        }
        while let Some((_, reserved, until)) = self.longer.due(around.now()) {
            let sure = around.can_miss(reserved.session, reserved.since, until);
            let severity = if sure {
                Severity::Error
            } else {
                Severity::Warn
            };
            tell(reserved, until, severity, out);
        }
    }

    fn over(&mut self, key: &(u32, String), time: Timestamp, out: &mut Sightings) {
        self.waiting.take(key);
        if let Some(reserved) = self.longer.take(key) {
            tell(reserved, time, Severity::Warn, out);
        }
    }
}

fn tell(mut reserved: Reserved, until: Timestamp, severity: Severity, out: &mut Sightings) {
    let held = words::span(until.nanos_since(reserved.since));
    let more = if severity == Severity::Error {
        "more than "
    } else {
        ""
    };
    reserved.sighting.text = format!(
        "{} for {more}{held}, no call at its phone",
        reserved.sighting.text
    );
    out.push(reserved.sighting.severity(severity));
}

impl Detector for Stuck {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        self.due(around, out);
        let known = around.known();
        if let Some(change) = known.agents.change() {
            let key = (change.peripheral, change.agent.clone());
            self.over(&key, change.time, out);
            let session = seen.info.peers.session;
            let judged = change.to == known::RESERVED
                && change.domain == known::VOICE
                && change.is_fresh()
                && change.phone.is_some()
                // Outbound reservations last as long as the dialer likes.
                && !matches!(change.direction, 5 | 6)
                && tells_calls(session, DELIVERED_MASK, around);
            if !judged {
                return;
            }
            // Call and state may come in any order.
            let order = around.thresholds().reserved_order;
            let rings = change.phone.as_deref().is_some_and(|phone| {
                let call = known.calls.last_at(change.peripheral, phone);
                call.and_then(|call| call.leg(phone)).is_some_and(|leg| {
                    leg.state != known::CLEARED && leg.since.after(order) >= change.time
                })
            });
            if rings {
                return;
            }
            let phone = change
                .phone
                .as_ref()
                .map_or_else(String::new, |p| format!(" (phone {p})"));
            let sighting = Sighting::of(
                Code::StuckReserved,
                seen,
                format!("agent {}{phone} RESERVED", change.agent),
            )
            .group("reserved for calls that do not come")
            .agent(change.agent.clone());
            self.waiting.add(
                key,
                change.time.after(around.thresholds().reserved),
                Reserved {
                    sighting,
                    since: change.time,
                    session,
                    phone: change.phone.clone(),
                },
            );
            return;
        }
        let Some(event) = known.calls.current() else {
            return;
        };
        let outbound = known
            .calls
            .call(event.key)
            .and_then(|call| call.call_type)
            .is_some_and(|kind| OUTBOUND.contains(&kind));
        // A call at the phone, or an outbound reservation, which needs none.
        let arrives = match event.number {
            types::CALL_DELIVERED_EVENT | types::CALL_ESTABLISHED_EVENT => true,
            types::BEGIN_CALL_EVENT => outbound,
            _ => false,
        };
        if !arrives {
            return;
        }
        let devices = [&event.phone, &event.connection];
        for device in devices.into_iter().flatten() {
            let agent = known.agents.at(Some(event.key.peripheral), device);
            let key = agent.map(|agent| (event.key.peripheral, agent.to_owned()));
            if let Some(key) = key {
                self.over(&key, seen.info.time, out);
            }
            // The phone may be known by another of its names.
            self.waiting
                .take_all(|_, reserved| reserved.phone.as_ref() == Some(device));
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        self.due(around, out);
        while let Some((_, reserved, _)) = self.longer.drain() {
            tell(reserved, around.now(), Severity::Warn, out);
        }
    }
}

/// A call that was announced.
#[derive(Debug)]
struct PreCall {
    sighting: Sighting,
    since: Timestamp,
    session: u32,
}

/// Calls that are announced and neither come nor are called off.
#[derive(Debug, Default)]
struct Announced {
    /// By router call key and instrument.
    waiting: Waits<((u32, u32), String), PreCall>,
}

impl Detector for Announced {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while let Some((_, call, until)) = self.waiting.due(around.now()) {
            if around.can_miss(call.session, call.since, until) && !around.recovering(call.since) {
                out.push(call.sighting);
            }
        }
        let known = around.known();
        let announces = matches!(
            seen.info.number,
            types::AGENT_PRE_CALL_EVENT | types::AGENT_PRE_CALL_ABORT_EVENT
        );
        if !announces && (known.calls.current().is_none() || self.waiting.len() == 0) {
            return;
        }
        let key = seen
            .number("RouterCallKeyDay")
            .zip(seen.number("RouterCallKeyCallID"));
        if seen.is(types::AGENT_PRE_CALL_EVENT) {
            let (Some(key), Some(instrument)) = (key, known::text(seen, "AgentInstrument")) else {
                return;
            };
            let session = seen.info.peers.session;
            let is_voice = seen
                .number("MRDID")
                .is_none_or(|domain| domain == known::VOICE);
            if !is_voice || !tells_calls(session, DELIVERED_MASK | ABORT_MASK, around) {
                return;
            }
            let text = format!(
                "announced to phone {instrument}, router call key {}/{}",
                key.0, key.1
            );
            let mut sighting = Sighting::of(Code::PrecallWithoutCall, seen, text)
                .group("announced calls that do not come");
            let agents = &around.known().agents;
            sighting.agent = agents.at(None, &instrument).map(str::to_owned);
            if self.waiting.get_mut(&(key, instrument.clone())).is_none() {
                self.waiting.add(
                    (key, instrument),
                    seen.info.time.after(around.thresholds().announced),
                    PreCall {
                        sighting,
                        since: seen.info.time,
                        session,
                    },
                );
            }
            return;
        }
        let Some(event) = around.known().calls.current() else {
            if seen.is(types::AGENT_PRE_CALL_ABORT_EVENT) {
                self.waiting
                    .take_all(|(waiting, _), _| Some(*waiting) == key);
            }
            return;
        };
        // A call with that key shows that the call came, or that its caller gave up before.
        if key.is_some() {
            self.waiting
                .take_all(|(waiting, _), _| Some(*waiting) == key);
        }
        if event.number == types::CALL_DELIVERED_EVENT {
            let devices = [&event.phone, &event.connection];
            self.waiting.take_all(|(_, instrument), _| {
                devices
                    .iter()
                    .any(|device| device.as_ref() == Some(instrument))
            });
        }
    }
}
