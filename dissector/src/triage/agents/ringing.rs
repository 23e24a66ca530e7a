//! Calls that ring at agents and are not answered.

use crate::analysis::Seen;
use crate::finding::Severity;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known::{self, CallKey, Change};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, hints, words};
use std::collections::BTreeMap;
use std::time::Duration;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Ringing::default()), Box::new(Loops::default())]
}

/// Causes with which the system takes a call away that was not answered.
const NOT_ANSWERED: [u32; 3] = [10, 1_010, 1_019];
/// Causes that say that the caller hung up.
const GAVE_UP: [u32; 3] = [5, 1_003, 1_006];
/// How long a call that was taken away may still show that it was not answered.
const AFTERWARDS: Duration = Duration::from_secs(5);
/// How long a ringing call is followed.
const LONGEST_RING: Duration = Duration::from_secs(600);
/// Agents whose unanswered calls are counted.
const MAX_COUNTED: usize = limits::MAX_TRIAGE_KEPT;

/// Whether the reason of a NOT_READY says that the agent did not answer.
const fn is_rona(change: &Change) -> bool {
    change.to == known::NOT_READY
        && if change.peripheral_type == hints::CCX {
            change.reason == 32_763
        } else {
            change.reason == 32_767
        }
}

/// A call that rings at an agent.
#[derive(Debug)]
struct Ring {
    agent: String,
    since: Timestamp,
    no: u64,
    session: u32,
    router_key: Option<(u32, u32)>,
}

/// Calls that agents do not answer.
#[derive(Debug, Default)]
struct Ringing {
    /// By call and phone.
    rings: Waits<(CallKey, String), Ring>,
    /// How many calls each agent left unanswered.
    counts: BTreeMap<String, u64>,
    /// RingNoAnswerTime as desk settings told it last (s).
    desk_time: Option<u32>,
}

impl Ringing {
    fn begin(&mut self, seen: &Seen<'_>, around: &Context) {
        let known = around.known();
        let Some(event) = known.calls.current() else {
            return;
        };
        let Some(phone) = &event.phone else {
            return;
        };
        let Some(agent) = known.agents.at(Some(event.key.peripheral), phone) else {
            return;
        };
        let key = (event.key, phone.clone());
        if self.rings.get_mut(&key).is_some() {
            return;
        }
        let call = known.calls.call(event.key);
        let rings = call
            .and_then(|c| c.leg(phone))
            .is_some_and(|leg| leg.state == known::ALERTING);
        if !rings {
            return;
        }
        self.rings.add(
            key,
            seen.info.time.after(LONGEST_RING),
            Ring {
                agent: agent.to_owned(),
                since: seen.info.time,
                no: seen.info.no,
                session: seen.info.peers.session,
                router_key: call.and_then(|c| c.router_key),
            },
        );
    }

    fn unanswered(
        &mut self,
        key: (CallKey, String),
        ring: Ring,
        time: Timestamp,
        how: &str,
        around: &Context,
        out: &mut Sightings,
    ) {
        let rang = words::span(time.nanos_since(ring.since));
        if self.counts.len() >= MAX_COUNTED && !self.counts.contains_key(&ring.agent) {
            self.counts.pop_first();
        }
        let count = self.counts.entry(ring.agent.clone()).or_default();
        *count += 1;
        let many = *count >= around.thresholds().ring_repeats;
        let mut sighting = Sighting::new(
            Code::RingNoAnswer,
            ring.since,
            format!("rang {rang} at phone {}, {how}", key.1),
        )
        .session(ring.session)
        .message(ring.no, around)
        .group(format!("agent {} does not answer", ring.agent))
        .agent(ring.agent)
        .call(key.0.id)
        .severity(if many { Severity::Warn } else { Severity::Info });
        sighting.hint = self
            .desk_time
            .map(|seconds| format!("RingNoAnswerTime of desk settings seen here: {seconds} s"));
        out.push(sighting);
    }

    fn agent_changed(&mut self, change: &Change, around: &Context, out: &mut Sightings) {
        if !is_rona(change) || !change.is_fresh() {
            return;
        }
        let rings = self.rings.take_all(|(call, phone), ring| {
            call.peripheral == change.peripheral
                && (ring.agent == change.agent || change.phone.as_ref() == Some(phone))
        });
        for (key, ring) in rings {
            let how = format!("then NOT_READY ({})", change.reason);
            self.unanswered(key, ring, change.time, &how, around, out);
        }
    }

    /// A connection of the call, or the whole call, is gone.
    fn gone(&mut self, cause: Option<u32>, time: Timestamp, around: &Context, out: &mut Sightings) {
        let Some(event) = around.known().calls.current() else {
            return;
        };
        let whole = event.number == types::CALL_CLEARED_EVENT;
        let connection = event.connection.as_ref();
        let call = around.known().calls.call(event.key);
        // Without its caller nobody is left who could be answered.
        let caller = call.and_then(|c| c.caller.as_ref());
        let gave_up = (caller.is_some() && caller == connection && !whole)
            || cause.is_some_and(|cause| GAVE_UP.contains(&cause));
        let not_answered = cause.is_some_and(|cause| NOT_ANSWERED.contains(&cause));
        let ended = self.rings.take_all(|(key, phone), _| {
            let leg = call.and_then(|c| c.leg(phone));
            let same = connection == Some(phone)
                || leg.is_some_and(|leg| Some(&leg.connection) == connection);
            *key == event.key && (whole || same || gave_up)
        });
        for (key, ring) in ended {
            if not_answered {
                let how = format!("then cleared with cause {}", cause.unwrap_or_default());
                self.unanswered(key, ring, time, &how, around, out);
            } else if !gave_up {
                // Taken away; whether it was not answered shows by what the agent does, and by where the call goes next.
                self.rings.add(key, time.after(AFTERWARDS), ring);
            }
        }
    }

    /// The call of a router call key is at another agent.
    fn goes_on(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let key = seen
            .number("RouterCallKeyDay")
            .zip(seen.number("RouterCallKeyCallID"));
        if key.is_none() {
            return;
        }
        let to = known::first_text(seen, &["AgentInstrument", "ConnectionDeviceID"]);
        let calls = self.rings.take_all(|(_, phone), ring| {
            ring.router_key == key && to.as_ref().is_some_and(|to| to != phone)
        });
        let Some(to) = to else {
            return;
        };
        for (key, ring) in calls {
            // A call has several parties; only one that is sent to another agent goes on there.
            if around.known().agents.at(None, &to).is_some() {
                let how = format!("then sent to phone {to}");
                self.unanswered(key, ring, seen.info.time, &how, around, out);
            }
        }
    }
}

impl Detector for Ringing {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while self.rings.due(around.now()).is_some() {}
        if seen.is(types::AGENT_DESK_SETTINGS_CONF) {
            self.desk_time = seen.number("RingNoAnswerTime").or(self.desk_time);
            return;
        }
        let known = around.known();
        if let Some(change) = known.agents.change() {
            self.agent_changed(change, around, out);
            return;
        }
        if seen.is(types::AGENT_PRE_CALL_EVENT) {
            self.goes_on(seen, around, out);
            return;
        }
        let Some(event) = known.calls.current().filter(|e| !e.copy) else {
            return;
        };
        match event.number {
            types::CALL_DELIVERED_EVENT => self.begin(seen, around),
            types::CALL_ESTABLISHED_EVENT => {
                let call = known.calls.call(event.key);
                self.rings.take_all(|(key, phone), _| {
                    *key == event.key
                        && (event.phone.as_ref() == Some(phone)
                            || call
                                .and_then(|c| c.leg(phone))
                                .is_some_and(|leg| leg.state == known::CONNECTED))
                });
            }
            types::CALL_CONNECTION_CLEARED_EVENT
            | types::CALL_DIVERTED_EVENT
            | types::CALL_CLEARED_EVENT => {
                self.gone(seen.number("EventCause"), seen.info.time, around, out);
            }
            types::BEGIN_CALL_EVENT => self.goes_on(seen, around, out),
            _ => {}
        }
    }
}

/// An offer of a call to a phone.
#[derive(Debug)]
struct Offer {
    /// It was answered there.
    answered: bool,
    /// The agent was made AVAILABLE since.
    available: bool,
    times: u64,
    agent: Option<String>,
}

/// Calls that come back to agents who did not answer them.
#[derive(Debug, Default)]
struct Loops {
    /// By router call key and phone.
    offers: Waits<((u32, u32), String), Offer>,
}

impl Detector for Loops {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while self.offers.due(around.now()).is_some() {}
        let known = around.known();
        if let Some(change) = known.agents.change() {
            if change.to == known::AVAILABLE {
                let phone = change.phone.clone().unwrap_or_default();
                let keys: Vec<_> = self
                    .offers
                    .iter()
                    .filter(|((_, at), _)| *at == phone)
                    .map(|(key, _)| key.clone())
                    .collect();
                for key in keys {
                    if let Some(offer) = self.offers.get_mut(&key) {
                        offer.available = true;
                    }
                }
            }
            return;
        }
        let Some(event) = known.calls.current().filter(|e| !e.copy) else {
            return;
        };
        let key = known.calls.call(event.key).and_then(|call| call.router_key);
        let (Some(key), Some(phone)) = (key, &event.phone) else {
            return;
        };
        let place = (key, phone.clone());
        match event.number {
            types::CALL_ESTABLISHED_EVENT => {
                if let Some(offer) = self.offers.get_mut(&place) {
                    offer.answered = true;
                }
            }
            types::CALL_DELIVERED_EVENT => {
                let agent = known.agents.at(Some(event.key.peripheral), phone);
                let Some(agent) = agent.map(str::to_owned) else {
                    return;
                };
                let Some(offer) = self.offers.get_mut(&place) else {
                    self.offers.add(
                        place,
                        seen.info.time.after(around.thresholds().rona_loop),
                        Offer {
                            answered: false,
                            available: false,
                            times: 1,
                            agent: Some(agent),
                        },
                    );
                    return;
                };
                if offer.answered || !offer.available {
                    return;
                }
                offer.available = false;
                offer.times += 1;
                if offer.times < around.thresholds().rona_times {
                    return;
                }
                let mut sighting = Sighting::of(
                    Code::RonaLoop,
                    seen,
                    format!(
                        "router call key {}/{} rings at phone {phone} for the {} time",
                        key.0,
                        key.1,
                        words::ordinal(offer.times)
                    ),
                )
                .group(format!("unanswered calls come back to agent {agent}"))
                .call(event.key.id);
                sighting.agent.clone_from(&offer.agent);
                out.push(sighting);
            }
            _ => {}
        }
    }
}
