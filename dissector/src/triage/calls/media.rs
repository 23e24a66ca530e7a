//! Calls that are answered and cannot be heard.

use crate::analysis::Seen;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known::{self, CallKey};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, thresholds, words};
use std::collections::BTreeMap;

/// RTP_STARTED_MASK of CallMsgMask.
const RTP_MASK: u32 = 0x20_0000;
/// Phones that are followed.
const MAX_PHONES: usize = limits::MAX_TRIAGE_KEPT;
/// Short calls of a phone that are remembered.
const MAX_SHORT: usize = 16;
/// Calls that are no conversations: previews and reservations, supervisors, greetings.
const NO_TALK: [u32; 13] = [17, 18, 21, 22, 23, 24, 27, 28, 29, 30, 31, 39, 40];

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Short::default()), Box::new(Silent::default())]
}

/// Calls that are over as soon as they are answered, again and again at one phone.
#[derive(Debug, Default)]
struct Short {
    phones: BTreeMap<(u32, String), Vec<Sighting>>,
}

impl Detector for Short {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let known = around.known();
        let Some(event) = known.calls.current().filter(|e| !e.copy) else {
            return;
        };
        let cleared = matches!(
            event.number,
            types::CALL_CONNECTION_CLEARED_EVENT | types::CALL_CLEARED_EVENT
        );
        let Some(call) = known.calls.call(event.key).filter(|_| cleared) else {
            return;
        };
        let talk = call.call_type.is_none_or(|kind| !NO_TALK.contains(&kind));
        if call.joined || !talk || known::VRUS.contains(&call.peripheral_type) {
            return;
        }
        for leg in &call.legs {
            // Just cleared: by this event, or by the one that cleared the other side.
            let (Some(answered), Some(phone)) = (leg.established, &leg.phone) else {
                continue;
            };
            if leg.state != known::CLEARED || leg.since != seen.info.time {
                continue;
            }
            let Some(agent) = known.agents.at(Some(event.key.peripheral), phone) else {
                continue;
            };
            let key = (event.key.peripheral, phone.clone());
            let short = leg.since <= answered.after(around.thresholds().short_call);
            if !short {
                // One call that can be heard shows that the phone is well.
                self.phones.remove(&key);
                continue;
            }
            if self.phones.len() >= MAX_PHONES && !self.phones.contains_key(&key) {
                self.phones.pop_first();
            }
            let list = self.phones.entry(key).or_default();
            let span = words::span(leg.since.nanos_since(answered));
            list.push(
                Sighting::of(
                    Code::MediaSuspect,
                    seen,
                    format!("call {} cleared {span} after its answer", event.key.id),
                )
                .group(format!("calls at phone {phone} end at once"))
                .agent(agent)
                .call(event.key.id),
            );
            if thresholds::reaches(list.len(), around.thresholds().short_calls)
                || list.len() >= MAX_SHORT
            {
                for sighting in list.drain(..) {
                    out.push(sighting);
                }
            }
        }
    }
}

#[derive(Debug)]
struct Answered {
    sighting: Sighting,
    since: Timestamp,
    session: u32,
}

/// Calls that are answered without media, while other calls have it.
#[derive(Debug, Default)]
struct Silent {
    /// By call and phone.
    answered: Waits<(CallKey, String), Answered>,
    /// Media that started before the answer was told.
    started: Waits<(CallKey, String), ()>,
    /// Phones whose calls have media.
    heard: BTreeMap<String, ()>,
    /// Silent ones, until another call at the same phone shows that its media are told of (those of mobile agents never are).
    silent: Vec<(String, Sighting)>,
}

impl Silent {
    fn tell(&mut self, out: &mut Sightings) {
        let heard = &self.heard;
        self.silent.retain(|(phone, sighting)| {
            let tell = heard.contains_key(phone);
            if tell {
                out.push(sighting.clone());
            }
            !tell
        });
    }
}

impl Detector for Silent {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while let Some(((_, phone), answered, until)) = self.answered.due(around.now()) {
            if around.can_miss(answered.session, answered.since, until)
                && self.silent.len() < MAX_PHONES
            {
                self.silent.push((phone, answered.sighting));
                self.tell(out);
            }
        }
        while self.started.due(around.now()).is_some() {}
        let known = around.known();
        let Some(event) = known.calls.current().filter(|e| !e.copy) else {
            return;
        };
        let until = seen.info.time.after(around.thresholds().media);
        match event.number {
            types::RTP_STARTED_EVENT => {
                let names = ["ConnectionDeviceID", "AgentExtension", "AgentInstrument"];
                for phone in names.iter().filter_map(|name| known::text(seen, name)) {
                    self.answered.take(&(event.key, phone.clone()));
                    if self.heard.len() < MAX_PHONES {
                        self.heard.insert(phone.clone(), ());
                    }
                    self.started.add((event.key, phone), until, ());
                }
                self.tell(out);
            }
            // Over before media could be told of.
            types::CALL_CLEARED_EVENT | types::CALL_CONNECTION_CLEARED_EVENT => {
                self.answered.take_all(|(key, _), _| *key == event.key);
            }
            types::CALL_ESTABLISHED_EVENT => {
                let session = seen.info.peers.session;
                let told = around
                    .session(session)
                    .is_some_and(|f| f.hears_calls(RTP_MASK));
                let call = known.calls.call(event.key);
                let kind = call.map_or(0, |c| c.peripheral_type);
                let Some(phone) = event.phone.as_ref().filter(|_| told) else {
                    return;
                };
                let told_again = known::rebuilds(seen)
                    || around.is_rebuilt(event.key.peripheral, seen.info.time);
                let agent = known.agents.at(Some(event.key.peripheral), phone);
                let judged = kind == known::ENTERPRISE_AGENT && !told_again;
                let Some(agent) = agent.filter(|_| judged) else {
                    return;
                };
                let place = (event.key, phone.clone());
                if self.started.get_mut(&place).is_some() {
                    return;
                }
                let sighting = Sighting::of(
                    Code::MediaSuspect,
                    seen,
                    format!("call {} answered at phone {phone}", event.key.id),
                )
                .group("answered without media, which other calls at the same phone have")
                .agent(agent)
                .call(event.key.id);
                self.answered.add(
                    place,
                    until,
                    Answered {
                        sighting,
                        since: seen.info.time,
                        session,
                    },
                );
            }
            _ => {}
        }
    }

    fn finish(&mut self, _: &Context, out: &mut Sightings) {
        self.tell(out);
    }
}
