//! Requests about calls: which call each is about, until its outcome is known.

use super::book::{Book, Place};
use super::call::CallId;
use super::effects::At;
use super::story::{Step, StepKind};
use super::telling::{device_name, step};
use super::variables;
use crate::analysis::Seen;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use std::collections::{HashMap, VecDeque};

/// Fields by which requests name calls, and the connection that goes with each.
const NAMES: [(&str, &str); 5] = [
    ("ConnectionCallID", "ConnectionDeviceID"),
    ("ActiveConnectionCallID", "ActiveConnectionDeviceID"),
    ("HeldConnectionCallID", "HeldConnectionDeviceID"),
    ("AgentConnectionCallID", "AgentConnectionDeviceID"),
    ("OtherConnectionCallID", "OtherConnectionDeviceID"),
];

/// A request whose outcome is open.
#[derive(Debug)]
pub(super) struct Pending {
    /// The call that it is about; `None` while that is not known.
    pub call: Option<u64>,
    /// The IDs that it names.
    pub ids: Vec<CallId>,
    pub peripheral: Option<u32>,
    pub name: &'static str,
    pub time: Timestamp,
    pub selected: bool,
    /// The device that asks.
    pub device: Option<String>,
    /// Its step, as long as there is no call to add it to.
    pub step: Option<Box<Step>>,
}

/// Requests whose outcome is open, by the number of their message.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: HashMap<u64, Pending>,
    order: VecDeque<u64>,
}

impl Requests {
    fn add(&mut self, no: u64, pending: Pending) {
        if self.order.len() >= limits::MAX_CALL_REQUESTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.open.remove(&oldest);
        }
        self.order.push_back(no);
        self.open.insert(no, pending);
    }

    pub fn get(&mut self, no: u64) -> Option<&mut Pending> {
        self.open.get_mut(&no)
    }

    pub fn take(&mut self, no: u64) -> Option<Pending> {
        let pending = self.open.remove(&no);
        // Most are answered in the order asked; the rest goes when it reaches the front.
        while let Some(front) = self.order.front()
            && !self.open.contains_key(front)
        {
            self.order.pop_front();
        }
        pending
    }
}

/// The call IDs that a request names.
fn ids(seen: &Seen<'_>, peripheral: Option<u32>) -> Vec<CallId> {
    let numbers = NAMES.iter().filter_map(|(name, _)| seen.number(name));
    let mut ids = Vec::new();
    for id in numbers {
        let id = CallId { peripheral, id };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// Requests that make a call.
fn makes_a_call(seen: &Seen<'_>) -> bool {
    [
        types::MAKE_CALL_REQ,
        types::MAKE_PREDICTIVE_CALL_REQ,
        types::SUPERVISOR_ASSIST_REQ,
        types::EMERGENCY_CALL_REQ,
    ]
    .iter()
    .any(|number| seen.is(*number))
}

impl Book {
    /// A request that may be about a call.
    pub(super) fn request(&mut self, seen: &Seen<'_>) {
        let peripheral = seen.number("PeripheralID");
        let ids = ids(seen, peripheral);
        if ids.is_empty() && !makes_a_call(seen) {
            return;
        }
        let device = device_name(seen, "SupervisorInstrument")
            .or_else(|| device_name(seen, "AgentInstrument"))
            .or_else(|| {
                let connections = NAMES.iter().map(|(_, device)| *device);
                connections
                    .filter_map(|name| device_name(seen, name))
                    .next()
            });
        let found = ids.iter().find_map(|id| self.find(*id));
        let mut step = step(
            seen,
            StepKind::Request,
            ids.first().copied(),
            self.options.stories,
        );
        let dialled =
            device_name(seen, "DialedNumber").or_else(|| device_name(seen, "CalledDeviceID"));
        if let Some(dialled) = &dialled {
            step.details.push(("DialedNumber", dialled.clone()));
        }
        let said = variables::said(seen);
        step.settings = said
            .into_iter()
            .filter(|said| said.name != "DialedNumber")
            .map(|said| super::story::Setting {
                name: said.name,
                value: Some(said.value),
                was: None,
            })
            .collect();
        let mut pending = Pending {
            call: found.map(|p| p.call),
            ids,
            peripheral,
            name: seen.name(),
            time: seen.info.time,
            selected: seen.selected,
            device: device.clone(),
            step: None,
        };
        match found {
            Some(place) => {
                step.from = self.party_for(place, device.as_deref(), seen);
                self.add_step(place.call, step);
                self.touch(place.call, seen);
            }
            None => pending.step = Some(Box::new(step)),
        }
        self.requests.add(seen.info.no, pending);
    }

    /// Index of the party with a device at a call.
    pub(super) fn party_for(
        &mut self,
        place: Place,
        device: Option<&str>,
        seen: &Seen<'_>,
    ) -> Option<usize> {
        let device = device?;
        let open = self.calls.get_mut(&place.call)?;
        let mut at = At {
            seen,
            desks: &self.desks,
            open,
            leg: place.leg,
            now: seen.info.time,
            from: None,
            to: None,
            changes: Vec::new(),
        };
        let index = at.party(device, None);
        self.device_on(device, place.call);
        index
    }
}
