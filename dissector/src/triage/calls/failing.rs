//! Calls that fail, and features on calls that fail.

use crate::analysis::Seen;
use crate::finding::Severity;
use crate::limits;
use crate::protocol::{self, types};
use crate::triage::known;
use crate::triage::waits::Waits;
use crate::triage::{Code, Context, Detector, Sighting, Sightings};
use std::collections::BTreeMap;
use std::time::Duration;

/// CEC_BUSY of EventCause.
const BUSY: u32 = 3;
/// Failures of the same connection within this time are one.
const SAME: Duration = Duration::from_secs(5);
/// Numbers that were busy which are remembered.
const MAX_BUSY: usize = limits::MAX_TRIAGE_KEPT;
/// ControlFailureCode: the greeting could not be played or recorded.
const GREETING_FAILED: u32 = 1_016;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Failed::default()), Box::new(Features)]
}

/// Calls that fail.
#[derive(Debug, Default)]
struct Failed {
    /// Told a moment ago: by call and connection.
    told: Waits<(known::CallKey, String), ()>,
    /// How often each number was busy.
    busy: BTreeMap<String, u32>,
}

impl Detector for Failed {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        while self.told.due(around.now()).is_some() {}
        let Some(event) = around.known().calls.current().filter(|e| !e.copy) else {
            return;
        };
        let failed = event.number == types::CALL_FAILED_EVENT
            || seen.number("LocalConnectionState") == Some(known::FAILED);
        if !failed {
            return;
        }
        let connection = event.connection.clone().unwrap_or_default();
        let place = (event.key, connection);
        if self.told.take(&place).is_some() {
            self.told.add(place, seen.info.time.after(SAME), ());
            return;
        }
        self.told.add(place, seen.info.time.after(SAME), ());
        let cause = seen.number("EventCause");
        let said = match (cause, seen.value_name("EventCause")) {
            (Some(cause), Some(name)) => format!("{name} ({cause})"),
            (Some(cause), None) => format!("cause {cause}"),
            (None, _) => "no cause given".to_owned(),
        };
        let device = |name: &str| known::text(seen, name);
        let to = device("CalledDeviceID").or_else(|| device("FailingDeviceID"));
        let at = device("FailingDeviceID").or_else(|| event.connection.clone());
        let mut severity = Severity::Warn;
        if cause == Some(BUSY) {
            let number = to.clone().unwrap_or_default();
            if self.busy.len() >= MAX_BUSY && !self.busy.contains_key(&number) {
                self.busy.pop_first();
            }
            let times = self.busy.entry(number).or_default();
            *times += 1;
            if *times == 1 {
                severity = Severity::Info;
            }
        }
        let to = to.map_or_else(String::new, |to| format!(" to {to}"));
        let at = at.map_or_else(String::new, |at| format!(", failed at {at}"));
        let mut sighting = Sighting::of(
            Code::CallFailed,
            seen,
            format!("call {}{to}{at}", event.key.id),
        )
        .group(format!("calls failed: {said}"))
        .call(event.key.id)
        .severity(severity);
        let agents = &around.known().agents;
        sighting.agent = event
            .connection
            .as_deref()
            .and_then(|device| agents.at(Some(event.key.peripheral), device))
            .map(str::to_owned);
        let hint = match cause {
            Some(13 | 15 | 21) => Some("wrong number, or one that cannot be reached"),
            Some(20 | 30 | 33) => Some("no capacity: network, gateway or trunks"),
            Some(29) => Some("reorder tone: dialing rules, or the gateway refused"),
            _ => None,
        };
        sighting.hint = hint.map(str::to_owned);
        out.push(sighting);
    }
}

/// Recordings and greetings that fail.
#[derive(Debug)]
struct Features;

impl Detector for Features {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let concerned = matches!(
            seen.info.message.map(|m| m.number),
            Some(
                types::NETWORK_RECORDING_FAILED_EVENT
                    | types::CALL_AGENT_GREETING_EVENT
                    | types::CONTROL_FAILURE_CONF
            )
        );
        if !concerned {
            return;
        }
        let copy = around.known().calls.current().is_some_and(|e| e.copy);
        let call = seen.number("ConnectionCallID");
        let at_call = call.map_or_else(String::new, |call| format!("call {call}"));
        let found = if seen.is(types::NETWORK_RECORDING_FAILED_EVENT) {
            let cause = seen.raw("RecordFailureCause").unwrap_or_default();
            let text = format!("{at_call}: recording failed with cause {cause}");
            Some(("recordings failed", text))
        } else if seen.is(types::CALL_AGENT_GREETING_EVENT) && seen.raw("EventCode") == Some(2) {
            let error = seen.raw("PeripheralErrorCode").unwrap_or_default();
            let meaning = protocol::peripheral_error(error)
                .map_or_else(String::new, |e| format!(" ({})", e.meaning));
            let text = format!("{at_call}: greeting failed, peripheral error {error}{meaning}");
            Some(("agent greetings failed", text))
        } else {
            let failure = seen.info.answers.and_then(|a| a.failure);
            let control = seen.is(types::CONTROL_FAILURE_CONF);
            let failure = failure.filter(|f| control && f.code == GREETING_FAILED);
            failure.map(|f| {
                let error = f.peripheral_error.unwrap_or_default();
                let text = format!("request failed with 1016, peripheral error {error}");
                ("agent greetings failed", text)
            })
        };
        let (Some((group, text)), false) = (found, copy) else {
            return;
        };
        let mut sighting = Sighting::of(Code::FeatureFailed, seen, text).group(group);
        sighting.call = call;
        sighting.agent = known::agent_of(seen);
        out.push(sighting);
    }
}
