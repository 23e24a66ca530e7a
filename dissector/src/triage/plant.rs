//! What the server says of PG, central controller and peripherals: SYSTEM_EVENT and PGStatus.

use super::known::{Call, PERIPHERAL_OFFLINE, PERIPHERAL_ONLINE};
use super::{Code, Context, Detector, Sighting, Sightings, words};
use crate::analysis::Seen;
use crate::finding::Severity;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// SYS_CENTRAL_CONTROLLER_ONLINE of SystemEventID.
const CONTROLLER_ONLINE: u32 = 1;
/// SYS_CENTRAL_CONTROLLER_OFFLINE.
const CONTROLLER_OFFLINE: u32 = 2;
/// SYS_PERIPHERAL_GATEWAY_OFFLINE.
const GATEWAY_OFFLINE: u32 = 6;
/// OPC is down, in PGStatus.
const OPC_DOWN: u32 = 1;
/// The central controller is down, in PGStatus.
const CONTROLLER_DOWN: u32 = 2;

/// Peripherals that are followed.
const MAX_PERIPHERALS: usize = limits::MAX_TRIAGE_KEPT;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Peripherals::default()),
        Box::new(Gateways::default()),
    ]
}

/// Whether a message belongs to the snapshot that follows OPEN_CONF.
fn is_snapshot(seen: &Seen<'_>, around: &Context) -> bool {
    let facts = around.session(seen.info.peers.session);
    facts
        .and_then(|facts| facts.granted.as_ref())
        .is_some_and(|granted| seen.info.time <= granted.time.after(around.thresholds().snapshot))
}

/// What was lost with a peripheral or a PG, to be told once it is back or the capture is over.
#[derive(Debug)]
struct Outage {
    sighting: Sighting,
    since: Timestamp,
    /// Agents that were logged in, and calls that went on, when it began.
    agents: usize,
    calls: usize,
}

impl Outage {
    /// What it cut off, in words; empty when nothing is known of that.
    fn cut_off(&self) -> String {
        match (self.agents, self.calls) {
            (0, 0) => String::new(),
            (agents, calls) => format!(
                ", with {} logged in and {}",
                words::count(agents, "agent", "agents"),
                words::count(calls, "call", "calls")
            ),
        }
    }
}

#[derive(Debug, Default)]
struct Peripheral {
    /// The offline event that was not answered by an online event yet.
    down: Option<Outage>,
    /// Agents of it were seen at any time.
    has_agents: bool,
    /// Times of the latest returns.
    returns: VecDeque<Timestamp>,
}

/// Peripherals that go offline, once or again and again.
#[derive(Debug, Default)]
struct Peripherals {
    all: BTreeMap<u32, Peripheral>,
}

impl Peripherals {
    fn offline(&mut self, peripheral: u32, seen: &Seen<'_>, around: &Context) {
        if self.all.len() >= MAX_PERIPHERALS && !self.all.contains_key(&peripheral) {
            return;
        }
        let state = self.all.entry(peripheral).or_default();
        if state.down.is_some() {
            return;
        }
        let snapshot = is_snapshot(seen, around);
        let group = if snapshot {
            format!("peripheral {peripheral} was offline when the session was opened")
        } else {
            format!("peripheral {peripheral} went offline")
        };
        let known = around.known();
        let (agents, working) = known.agents.of_peripheral(peripheral);
        state.has_agents |= agents > 0;
        let goes_on = |call: &Call| call.cleared.is_none() && !call.is_over() && !call.joined;
        let calls = known
            .calls
            .iter()
            .filter(|(key, call)| key.peripheral == peripheral && goes_on(call))
            .count();
        state.down = Some(Outage {
            sighting: Sighting::of(Code::PeripheralOffline, seen, String::new()).group(group),
            since: seen.info.time,
            agents: working,
            calls,
        });
        if snapshot && let Some(down) = &mut state.down {
            down.sighting.severity = Severity::Warn;
        }
    }

    fn online(&mut self, peripheral: u32, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let Some(state) = self.all.get_mut(&peripheral) else {
            return;
        };
        let Some(down) = state.down.take() else {
            return;
        };
        let snapshot = down.sighting.severity == Severity::Warn;
        tell(down, Some(seen.info.time), state.has_agents, out);
        if snapshot {
            return;
        }
        let time = seen.info.time;
        let window = around.thresholds().flap_window;
        state.returns.push_back(time);
        while state
            .returns
            .front()
            .is_some_and(|first| first.after(window) < time)
        {
            state.returns.pop_front();
        }
        if super::thresholds::reaches(state.returns.len(), around.thresholds().flaps) {
            let times = state.returns.len();
            out.push(
                Sighting::of(
                    Code::PeripheralFlapping,
                    seen,
                    format!("offline and online again {times} times"),
                )
                .group(format!("peripheral {peripheral} comes and goes")),
            );
            state.returns.clear();
        }
    }
}

/// Tells an outage of a peripheral.
fn tell(down: Outage, back: Option<Timestamp>, has_agents: bool, out: &mut Sightings) {
    let until = back.map_or_else(
        || "not online again in this capture".to_owned(),
        |back| {
            let span = words::span(back.nanos_since(down.since));
            format!("online again after {span}")
        },
    );
    let cut_off = down.cut_off();
    let mut sighting = down.sighting;
    sighting.text = if has_agents {
        format!("{until}{cut_off}")
    } else {
        sighting.severity = Severity::Warn;
        format!("{until}; no agent of this peripheral was seen")
    };
    out.push(sighting);
}

impl Detector for Peripherals {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if let Some(change) = around.known().agents.change()
            && let Some(state) = self.all.get_mut(&change.peripheral)
        {
            state.has_agents = true;
        }
        if !seen.is(types::SYSTEM_EVENT) {
            return;
        }
        let Some(peripheral) = seen.raw("SystemEventArg1") else {
            return;
        };
        match seen.raw("SystemEventID") {
            Some(PERIPHERAL_OFFLINE) => self.offline(peripheral, seen, around),
            Some(PERIPHERAL_ONLINE) => self.online(peripheral, seen, around, out),
            _ => {}
        }
    }

    fn finish(&mut self, _: &Context, out: &mut Sightings) {
        for state in std::mem::take(&mut self.all).into_values() {
            if let Some(down) = state.down {
                tell(down, None, state.has_agents, out);
            }
        }
    }
}

/// OPC and central controller as one server tells of them.
#[derive(Debug, Default)]
struct Server {
    /// OPC was told to be down.
    opc_down: bool,
    controller: Option<Outage>,
}

/// OPC and central controllers that go down.
#[derive(Debug, Default)]
struct Gateways {
    servers: BTreeMap<std::net::SocketAddr, Server>,
}

impl Detector for Gateways {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let opens = seen.is(types::OPEN_CONF);
        if !opens && !seen.is(types::SYSTEM_EVENT) {
            return;
        }
        let Some(status) = seen.raw("PGStatus") else {
            return;
        };
        let server = seen.info.peers.server;
        if self.servers.len() >= MAX_PERIPHERALS && !self.servers.contains_key(&server) {
            return;
        }
        let state = self.servers.entry(server).or_default();
        let event = seen.raw("SystemEventID").filter(|_| !opens);
        let at_open = opens || is_snapshot(seen, around);
        let opc_down = event == Some(GATEWAY_OFFLINE) || status & OPC_DOWN != 0;
        if opc_down && !state.opc_down {
            let (text, severity) = if at_open {
                ("was down when the session was opened", Severity::Warn)
            } else {
                ("went down: no events come from this PG", Severity::Error)
            };
            out.push(
                Sighting::of(Code::PgOpcDown, seen, format!("OPC {text}"))
                    .group(format!("the CTI Server at {server} has no OPC"))
                    .severity(severity),
            );
        }
        state.opc_down = opc_down;
        let controller_down = match event {
            Some(CONTROLLER_OFFLINE) => true,
            Some(CONTROLLER_ONLINE) => false,
            _ => status & CONTROLLER_DOWN != 0,
        };
        if controller_down && state.controller.is_none() {
            let group = if at_open {
                format!("the PG of {server} had no central controller when the session was opened")
            } else {
                format!("the PG of {server} lost the central controller")
            };
            state.controller = Some(Outage {
                sighting: Sighting::of(Code::ControllerDown, seen, String::new()).group(group),
                since: seen.info.time,
                agents: 0,
                calls: 0,
            });
        } else if !controller_down && let Some(down) = state.controller.take() {
            let held = seen.info.time.nanos_since(down.since);
            let short = seen.info.time < down.since.after(around.thresholds().controller_out);
            let mut sighting = down.sighting;
            sighting.text = format!("back after {}", words::span(held));
            if short {
                sighting.severity = Severity::Warn;
            }
            out.push(sighting);
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        for state in std::mem::take(&mut self.servers).into_values() {
            if let Some(down) = state.controller {
                let mut sighting = down.sighting;
                sighting.text = "not back in this capture".to_owned();
                if around.now() < down.since.after(around.thresholds().controller_out) {
                    sighting.severity = Severity::Warn;
                }
                out.push(sighting);
            }
        }
    }
}
