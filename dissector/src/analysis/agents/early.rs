//! Requests that name a phone of which nobody has said yet whose it is: they are the agent's who turns out to be there.

use super::Agents;
use super::model::{AgentRequest, base};
use super::requests;
use crate::analysis::Seen;
use crate::correlate::Exchange;
use crate::limits;
use std::collections::VecDeque;

/// A request for which no agent is known.
#[derive(Debug)]
struct Early {
    request: AgentRequest,
    device: String,
    peripheral: Option<u32>,
    selected: bool,
}

/// The latest of them.
#[derive(Debug, Default)]
pub(super) struct EarlyRequests(VecDeque<Early>);

impl EarlyRequests {
    /// What became of one of them.
    pub(super) fn settle(&mut self, no: u64, exchange: &Exchange) {
        let mut latest = self.0.iter_mut().rev();
        if let Some(early) = latest.find(|early| early.request.message == no) {
            requests::settle_one(&mut early.request, exchange);
        }
    }
}

impl Agents {
    /// A request that names no agent, but may name a phone.
    pub(super) fn early(&mut self, seen: &Seen<'_>) {
        let peripheral = seen.number("PeripheralID");
        // The answer may name the agent, but not the peripheral.
        if peripheral.is_some() {
            self.opened(seen.info.no, None, peripheral);
        }
        let device = seen
            .text("AgentInstrument")
            .or_else(|| seen.text("AgentExtension"));
        let (Some(request), Some(device)) = (requests::request(seen), device) else {
            return;
        };
        if self.early.0.len() >= limits::MAX_EARLY_REQUESTS {
            self.early.0.pop_front();
        }
        self.early.0.push_back(Early {
            request,
            device: base(&device).to_owned(),
            peripheral,
            selected: seen.selected,
        });
        self.opened(seen.info.no, None, peripheral);
    }

    /// A message tells who is at a phone: requests made there before are that agent's.
    pub(super) fn take_early(&mut self, seen: &Seen<'_>) {
        if self.early.0.is_empty() || seen.agent().is_none() {
            return;
        }
        let named = ["AgentInstrument", "AgentExtension"].map(|field| seen.text(field));
        let mut waiting = std::mem::take(&mut self.early.0);
        waiting.retain(|early| {
            let here = named.iter().flatten().any(|n| base(n) == early.device);
            let agent = here.then(|| self.at_device(early.peripheral, &early.device));
            match agent.flatten() {
                Some(at) => {
                    self.give(at, early);
                    false
                }
                None => true,
            }
        });
        self.early.0 = waiting;
    }

    fn give(&mut self, at: usize, early: &Early) {
        let room = self.room();
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let request = early.request.clone();
        let agent = &mut known.agent;
        agent.first = agent.first.min(request.time);
        agent.messages = agent.messages.saturating_add(1);
        agent.selected |= early.selected;
        agent.sessions.insert(request.session);
        if let Some(waits) = self.open.get_mut(&request.message) {
            waits.0 = Some(at);
        }
        let grew = requests::note_early(&mut agent.requests, request, room);
        self.kept = self.kept.saturating_add(usize::from(grew));
    }
}
