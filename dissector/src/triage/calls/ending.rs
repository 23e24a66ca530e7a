//! Calls that do not end for the client.

use crate::analysis::Seen;
use crate::protocol::types;
use crate::time::Timestamp;
use crate::triage::known::{self, Call, CallKey};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, words};

/// END_CALL_MASK of CallMsgMask.
const END_MASK: u32 = 0x4000;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Endless::default())]
}

/// A call as one session shows it under one monitor, with the number that tells it from others of that name.
type ViewKey = (CallKey, u32, u32, u64);

#[derive(Debug)]
struct Begun {
    sighting: Sighting,
    begun: Timestamp,
}

/// Calls that began and do not end.
#[derive(Debug, Default)]
struct Endless {
    /// Calls that are cleared, while their end may still come.
    cleared: Waits<ViewKey, Begun>,
    /// Calls that go on.
    open: Waits<ViewKey, Begun>,
}

/// Whether an agent on the call is in after-call work: the end waits for it.
fn is_wrapped_up(key: CallKey, call: &Call, around: &Context) -> bool {
    let agents = &around.known().agents;
    call.legs.iter().any(|leg| {
        let devices = [Some(&leg.connection), leg.phone.as_ref()];
        let mut agents = devices.into_iter().flatten().filter_map(|device| {
            let agent = agents.at(Some(key.peripheral), device)?;
            agents.state(Some(key.peripheral), agent)
        });
        agents.any(|state| matches!(state, known::WORK_NOT_READY | known::WORK_READY))
    })
}

impl Endless {
    fn due(&mut self, around: &Context, out: &mut Sightings) {
        let calls = &around.known().calls;
        let current = |view: &ViewKey| {
            let call = calls.call(view.0)?;
            let ended = call.view(view.1, view.2).is_none_or(|v| v.ended.is_some());
            (call.serial == view.3 && !ended && !call.joined).then_some(call)
        };
        while let Some((view, begun, until)) = self.cleared.due(around.now()) {
            let Some(call) = current(&view) else {
                continue;
            };
            let Some(cleared) = call.cleared else {
                continue;
            };
            if is_wrapped_up(view.0, call, around) {
                // From now on: what was missed meanwhile tells nothing.
                let again = until.max(around.now()).after(around.thresholds().end_late);
                self.cleared.add(view, again, begun);
            } else if around.can_miss(view.1, cleared, until)
                && !around.is_rebuilt(view.0.peripheral, cleared)
            {
                let mut sighting = begun.sighting;
                sighting
                    .text
                    .push_str(": all connections cleared, but no END_CALL_EVENT");
                out.push(sighting);
            }
        }
        while let Some((view, begun, until)) = self.open.due(around.now()) {
            let Some(call) = current(&view) else {
                continue;
            };
            if call.cleared.is_none() && around.can_miss(view.1, begun.begun, until) {
                let held = words::span(until.nanos_since(begun.begun));
                let mut sighting = begun.sighting;
                sighting.text.push_str(&format!(": goes on for {held}"));
                out.push(sighting);
            }
        }
    }
}

impl Detector for Endless {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        self.due(around, out);
        let calls = &around.known().calls;
        let Some(event) = calls.current() else {
            return;
        };
        let Some(call) = calls.call(event.key) else {
            return;
        };
        let session = seen.info.peers.session;
        let view = (event.key, session, event.monitor, call.serial);
        let thresholds = around.thresholds();
        match event.number {
            types::BEGIN_CALL_EVENT => {
                let told = around
                    .session(session)
                    .is_some_and(|f| f.hears_calls(END_MASK));
                if !told {
                    return;
                }
                let sighting =
                    Sighting::of(Code::CallNeverEnded, seen, format!("call {}", event.key.id))
                        .group(format!("S{session} shows calls that do not end"))
                        .call(event.key.id);
                let begun = Begun {
                    sighting,
                    begun: seen.info.time,
                };
                self.open
                    .add(view, seen.info.time.after(thresholds.call_long), begun);
            }
            types::END_CALL_EVENT => {
                self.open.take(&view);
                self.cleared.take(&view);
            }
            _ => {
                let Some(cleared) = call.cleared else {
                    return;
                };
                // All sessions that show the call wait for its end.
                let views: Vec<ViewKey> = call
                    .views
                    .iter()
                    .map(|v| (event.key, v.session, v.monitor, call.serial))
                    .collect();
                for view in views {
                    if let Some(begun) = self.open.take(&view) {
                        self.cleared
                            .add(view, cleared.after(thresholds.end_late), begun);
                    }
                }
            }
        }
    }
}
