//! Events of a call outside its BEGIN_CALL_EVENT and END_CALL_EVENT.

use crate::analysis::Seen;
use crate::protocol::{MessageType, types};
use crate::time::Timestamp;
use crate::triage::known::{self, CallKey};
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings, words};

/// BEGIN_CALL_MASK of CallMsgMask.
const BEGIN_MASK: u32 = 0x2000;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Order::default())]
}

/// Whether an event stands between beginning and end of its call. Media, recordings and greetings have a life of their own.
const fn keeps_order(number: MessageType) -> bool {
    matches!(
        number,
        types::CALL_DELIVERED_EVENT
            | types::CALL_ESTABLISHED_EVENT
            | types::CALL_HELD_EVENT
            | types::CALL_RETRIEVED_EVENT
            | types::CALL_CLEARED_EVENT
            | types::CALL_CONNECTION_CLEARED_EVENT
            | types::CALL_ORIGINATED_EVENT
            | types::CALL_FAILED_EVENT
            | types::CALL_CONFERENCED_EVENT
            | types::CALL_TRANSFERRED_EVENT
            | types::CALL_DIVERTED_EVENT
            | types::CALL_SERVICE_INITIATED_EVENT
            | types::CALL_QUEUED_EVENT
            | types::CALL_DEQUEUED_EVENT
            | types::CALL_REACHED_NETWORK_EVENT
            | types::CALL_DATA_UPDATE_EVENT
    )
}

/// A call as one session shows it under one monitor.
type ViewKey = (CallKey, u32, u32);

/// An event that came before anything of its call.
#[derive(Debug)]
struct Early {
    sighting: Sighting,
    since: Timestamp,
    session: u32,
}

/// Events out of order.
#[derive(Debug, Default)]
struct Order {
    /// First events without a beginning, while that may still come.
    early: Waits<ViewKey, Early>,
}

/// Whether order may be judged in a session: it was opened in the capture and is told of beginnings.
fn is_judged(session: u32, around: &Context) -> bool {
    let facts = around.session(session);
    facts.is_some_and(|f| f.hears_calls(BEGIN_MASK))
}

impl Detector for Order {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let time = seen.info.time;
        // A call without any beginning began before the session: nothing is out of order then.
        while self.early.due(around.now()).is_some() {}
        let Some(event) = around.known().calls.current() else {
            return;
        };
        let session = seen.info.peers.session;
        let thresholds = around.thresholds();
        if known::rebuilds(seen)
            || around.is_rebuilt(event.key.peripheral, time)
            || !is_judged(session, around)
        {
            return;
        }
        let view = (event.key, session, event.monitor);
        if event.number == types::BEGIN_CALL_EVENT {
            if let Some(early) = self.early.take(&view)
                && around.can_miss(early.session, early.since, time)
            {
                let ahead = words::span(time.nanos_since(early.since));
                let mut sighting = early.sighting;
                sighting.text.push_str(&format!(
                    ", {ahead} before its BEGIN_CALL_EVENT (#{})",
                    seen.info.no
                ));
                out.push(sighting);
            }
            return;
        }
        if !keeps_order(event.number) {
            return;
        }
        let name = seen.name();
        let text = format!("{name} of call {}", event.key.id);
        let group = format!("S{session} shows events of calls out of order");
        let sighting = || {
            Sighting::of(Code::CallEventOrder, seen, text.clone())
                .group(group.clone())
                .call(event.key.id)
        };
        let Some(before) = &event.before else {
            if event.number != types::END_CALL_EVENT {
                self.early.add(
                    view,
                    time.after(thresholds.begin_late),
                    Early {
                        sighting: sighting(),
                        since: time,
                        session,
                    },
                );
            }
            return;
        };
        // Another party of the call may go on where this one ended; the call may also be renamed into being again.
        let Some((ended, connection)) = &before.ended else {
            return;
        };
        let same = connection.is_none() || *connection == event.connection;
        let late = time > ended.after(thresholds.after_end);
        let ends = event.number == types::END_CALL_EVENT;
        if before.begun.is_none()
            || !same
            || !late
            || ends
            || !around.can_miss(session, *ended, time)
        {
            return;
        }
        let after = words::span(time.nanos_since(*ended));
        let mut sighting = sighting();
        sighting
            .text
            .push_str(&format!(", {after} after its END_CALL_EVENT"));
        out.push(sighting);
    }
}
