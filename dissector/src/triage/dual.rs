//! Pairs of which both sides are active.

use super::pair::{is_other_side, server_name};
use super::remembered::{Deferred, Remembered, between, span};
use super::{Code, Context, Detector, Sighting, Sightings};
use crate::analysis::Seen;
use crate::protocol::{Kind, types};
use crate::record::Direction;
use crate::time::Timestamp;
use std::net::SocketAddr;
use std::time::Duration;

/// SessionType: active.
const ACTIVE: u32 = 1;
/// Silence of a side after which it no longer works beside the other one.
const SILENT: Duration = Duration::from_secs(60);

/// What one server said of a peripheral.
#[derive(Debug, Clone, Copy)]
struct Voice {
    server: SocketAddr,
    last: Timestamp,
    session: u32,
}

/// Two servers about one peripheral.
#[derive(Debug, Default)]
struct Voices {
    one: Option<Voice>,
    other: Option<Voice>,
    /// Since when they take turns.
    since: Option<Timestamp>,
    told: bool,
}

/// Two sessions that were both told to be active.
#[derive(Debug)]
struct Both {
    old: u32,
    new: u32,
    sighting: Sighting,
}

/// Pairs of which both sides are active.
#[derive(Debug, Default)]
pub(super) struct DualActive {
    peripherals: Remembered<u32, Voices>,
    both: Deferred<Both>,
}

impl DualActive {
    fn heard(&mut self, peripheral: u32, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let info = seen.info;
        let time = info.time;
        let voice = Voice {
            server: info.peers.server,
            last: time,
            session: info.peers.session,
        };
        let voices = self.peripherals.entry(peripheral);
        let is_one = voices.one.is_none_or(|one| one.server == voice.server);
        let (own, other) = if is_one {
            (&mut voices.one, voices.other)
        } else {
            (&mut voices.other, voices.one)
        };
        if own.is_some_and(|own| {
            own.server != voice.server && !is_other_side(own.server, voice.server)
        }) {
            return;
        }
        *own = Some(voice);
        let Some(other) = other.filter(|other| is_other_side(other.server, voice.server)) else {
            return;
        };
        if time > other.last.after(SILENT) {
            voices.since = None;
            voices.told = false;
            return;
        }
        let since = *voices.since.get_or_insert(time);
        let overlap = between(since, other.last.min(time));
        if voices.told || overlap < around.thresholds().dual_active || around.handover(time) {
            return;
        }
        voices.told = true;
        out.push(
            Sighting::of(
                Code::DualActive,
                seen,
                format!(
                    "{} and {} both send events of peripheral {peripheral}, for {} already (S{}, S{})",
                    server_name(other.server),
                    server_name(voice.server),
                    span(overlap),
                    other.session,
                    voice.session
                ),
            )
            .group(format!("peripheral {peripheral} on both sides")),
        );
    }

    fn opened(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let peers = seen.info.peers;
        let old = around.sessions().find(|facts| {
            facts.is_open()
                && is_other_side(facts.peers.server, peers.server)
                && facts
                    .granted
                    .as_ref()
                    .is_some_and(|g| g.session_type == Some(ACTIVE))
        });
        let Some(old) = old.filter(|_| !around.handover(seen.info.time)) else {
            return;
        };
        let text = format!(
            "{} and {} both say that they are active",
            old.server_name(),
            server_name(peers.server)
        );
        let both = Both {
            old: old.peers.session,
            new: peers.session,
            sighting: Sighting::of(Code::DualActive, seen, text.clone()).group(text),
        };
        if let Some(oldest) = self.both.push(both) {
            judge(oldest, around, out);
        }
    }
}

/// Whether both sessions went on: the old one may have been dead already, and its end not yet seen.
fn judge(both: Both, around: &Context, out: &mut Sightings) {
    let until = both.sighting.time.after(around.thresholds().dual_active);
    let lived = |number: u32| {
        around
            .session(number)
            .is_some_and(|facts| facts.last_server.is_some_and(|last| last >= until))
    };
    if lived(both.old) && lived(both.new) && !around.handover(until) {
        out.push(both.sighting);
    }
}

impl Detector for DualActive {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if seen.info.direction != Direction::ServerToClient {
            return;
        }
        if seen.is(types::OPEN_CONF) {
            if seen.number("SessionType") == Some(ACTIVE) {
                self.opened(seen, around, out);
            }
            return;
        }
        let is_event = seen
            .info
            .message
            .is_some_and(|message| message.kind == Kind::Event);
        let name = seen.name();
        let tells = name == "AGENT_STATE_EVENT"
            || name.starts_with("CALL_")
            || name == "BEGIN_CALL_EVENT"
            || name == "END_CALL_EVENT";
        if is_event
            && tells
            && let Some(peripheral) = seen.number("PeripheralID")
        {
            self.heard(peripheral, seen, around, out);
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        for both in self.both.take() {
            judge(both, around, out);
        }
    }
}
