//! Who an agent is: finds the one that a message is about, by ID or by phone.

use super::model::{Agent, AgentKey, Calls, Device, Requests, base, cut};
use super::{Agents, History, Known};
use crate::analysis::Seen;
use crate::limits;
use crate::time::Timestamp;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Sessions that an agent names.
const MAX_SESSIONS: usize = limits::MAX_TOUCHED;
/// Extensions, or instruments, that an agent is known by.
const MAX_DEVICES: usize = 32;

impl Agents {
    /// The agent of this ID, if it is known. Without a peripheral it must be the only one.
    pub(super) fn find(&self, peripheral: Option<u32>, id: &str) -> Option<usize> {
        let found = self.by_id.get(id)?;
        let of = |at: &usize| self.known.get(*at).map(|k| k.agent.key.peripheral);
        let exact = found.iter().find(|at| of(at) == Some(peripheral));
        exact
            .or_else(|| found.iter().find(|at| of(at) == Some(None)))
            .or_else(|| {
                found
                    .first()
                    .filter(|_| peripheral.is_none() && found.len() == 1)
            })
            .copied()
    }

    /// The agent of this ID, known or new; `None` beyond the limit.
    pub(super) fn of_id(
        &mut self,
        peripheral: Option<u32>,
        id: &str,
        time: Timestamp,
    ) -> Option<usize> {
        if let Some(at) = self.find(peripheral, id) {
            if let Some(known) = self.known.get_mut(at) {
                let key = &mut known.agent.key;
                key.peripheral = key.peripheral.or(peripheral);
            }
            return Some(at);
        }
        if self.known.len() >= limits::MAX_STUDIED_AGENTS {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        let at = self.known.len();
        self.by_id.entry(id.to_owned()).or_default().push(at);
        self.known.push(Known {
            agent: Agent {
                key: AgentKey {
                    peripheral,
                    id: id.to_owned(),
                },
                peripheral_type: None,
                icm_id: None,
                extensions: Vec::new(),
                instruments: Vec::new(),
                sessions: BTreeSet::new(),
                first: time,
                last: time,
                messages: 0,
                selected: false,
                domains: BTreeMap::new(),
                calls: Calls::default(),
                requests: Requests::default(),
                contradictions: History::default(),
            },
            places: BTreeMap::new(),
            live: BTreeSet::new(),
            calls: SmallVec::new(),
            last_end: None,
            blind: None,
            standing: None,
            asked: VecDeque::new(),
        });
        Some(at)
    }

    /// The agent that a message names: by its ID, else by its phone.
    pub(super) fn named(
        &mut self,
        seen: &Seen<'_>,
        peripheral: Option<u32>,
        may_be_new: bool,
    ) -> Option<usize> {
        if let Some(id) = seen.agent() {
            return if may_be_new {
                self.of_id(peripheral, &id, seen.info.time)
            } else {
                self.find(peripheral, &id)
            };
        }
        let device = seen
            .text("AgentInstrument")
            .or_else(|| seen.text("AgentExtension"))?;
        self.at_device(peripheral, &device)
    }

    /// The agent who has, or last had, this phone.
    pub(super) fn at_device(&self, peripheral: Option<u32>, device: &str) -> Option<usize> {
        let agent = self.book.desks.last_at(base(device), peripheral)?;
        self.find(peripheral, agent)
    }

    /// Takes note that a message is about an agent.
    pub(super) fn touch(&mut self, at: usize, seen: &Seen<'_>) {
        let session = seen.info.peers.session;
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let agent = &mut known.agent;
        agent.messages = agent.messages.saturating_add(1);
        agent.first = agent.first.min(seen.info.time);
        agent.last = agent.last.max(seen.info.time);
        agent.selected |= seen.selected;
        if agent.sessions.len() < MAX_SESSIONS {
            agent.sessions.insert(session);
        }
    }

    /// Extension and instrument of a message that is about one agent.
    pub(super) fn devices(&mut self, at: usize, seen: &Seen<'_>) {
        for (field, instrument) in [("AgentExtension", false), ("AgentInstrument", true)] {
            let Some(name) = seen.text(field) else {
                continue;
            };
            let Some(known) = self.known.get_mut(at) else {
                return;
            };
            let list = if instrument {
                &mut known.agent.instruments
            } else {
                &mut known.agent.extensions
            };
            if list.last().is_none_or(|d| d.name != cut(&name)) && list.len() < MAX_DEVICES {
                list.push(Device {
                    name: cut(&name).to_owned(),
                    from: seen.info.time,
                });
            }
        }
    }
}
