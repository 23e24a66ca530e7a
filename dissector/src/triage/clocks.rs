//! Clocks that disagree: the server's time in OPEN_CONF and SYSTEM_EVENT against the time of the capture.

use super::{Code, Context, Detector, Sighting, Sightings, words};
use crate::analysis::Seen;
use crate::limits;
use crate::protocol::types;
use crate::time::{NANOS_PER_SECOND, Timestamp};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Servers that are compared.
const MAX_SERVERS: usize = limits::MAX_TRIAGE_KEPT;

/// No capture is older: 1990-01-01 (s).
const FIRST_TIME: i64 = 631_152_000;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Clocks::default())]
}

/// How far a server's clock is ahead of the capture's, in nanoseconds. The server says whole seconds, so up to one second less is the same.
#[derive(Debug, Clone, Copy)]
struct Offset {
    first: i64,
    /// The last one was further behind: a message that was held up looks like that, a clock that was set goes on like that.
    behind: bool,
    /// It was told that this clock is far off, or moved, or differs from another.
    told: bool,
}

#[derive(Debug, Default)]
struct Clocks {
    servers: BTreeMap<SocketAddr, Offset>,
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// How far apart two offsets are at least, each being known to the second only.
fn apart(one: i64, other: i64) -> i64 {
    let far = one.saturating_sub(other).saturating_abs();
    far.saturating_sub(NANOS_PER_SECOND).max(0)
}

impl Detector for Clocks {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if !seen.is(types::OPEN_CONF) && !seen.is(types::SYSTEM_EVENT) {
            return;
        }
        let Some(said) = seen.raw("ICMCentralControllerTime").filter(|t| *t != 0) else {
            return;
        };
        // Some captures have no times at all.
        if seen.info.time < Timestamp::from_seconds(FIRST_TIME) {
            return;
        }
        let said = Timestamp::from_seconds(i64::from(said));
        let offset = said.nanos_since(seen.info.time);
        let server = seen.info.peers.server;
        let thresholds = around.thresholds();
        let others: Vec<(SocketAddr, i64)> = self
            .servers
            .iter()
            .filter(|(other, _)| other.ip() != server.ip())
            .map(|(other, offset)| (*other, offset.first))
            .collect();
        if self.servers.len() >= MAX_SERVERS && !self.servers.contains_key(&server) {
            return;
        }
        let state = self.servers.entry(server).or_insert(Offset {
            first: offset,
            behind: false,
            told: false,
        });
        let was_behind = state.behind;
        state.behind =
            offset < state.first && apart(offset, state.first) > nanos(thresholds.clock_step);
        if state.behind && !was_behind {
            return;
        }
        if state.told {
            return;
        }
        let way = |offset: i64| if offset < 0 { "behind" } else { "ahead of" };
        let text = if apart(offset, 0) > nanos(thresholds.clock_off) {
            let far = words::span(offset.saturating_abs());
            let way = way(offset);
            Some(format!(
                "the clock of {server} is {far} {way} the capture's: one of them is wrong"
            ))
        } else if apart(offset, state.first) > nanos(thresholds.clock_step) {
            let far = words::span(offset.saturating_sub(state.first).saturating_abs());
            Some(format!(
                "the clock of {server} moved by {far} against the capture's: one of them was set, or stood still"
            ))
        } else {
            let other = others
                .iter()
                .find(|(_, other)| apart(offset, *other) > nanos(thresholds.clock_step));
            other.map(|(name, other)| {
                let difference = offset.saturating_sub(*other);
                let far = words::span(difference.saturating_abs());
                format!(
                    "the clock of {server} is {far} {} that of {name}",
                    way(difference)
                )
            })
        };
        if let Some(text) = text {
            state.told = true;
            out.push(Sighting::of(Code::ClockSkew, seen, text.clone()).group(text));
        }
    }
}
