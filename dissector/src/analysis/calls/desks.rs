//! Which agent is at which device, as known at the time.

use crate::analysis::Seen;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// An agent at a device.
#[derive(Debug, Clone)]
pub(super) struct AtDesk {
    pub agent: String,
    /// AgentState and since when; `None` until an event tells.
    pub state: Option<(u32, Timestamp)>,
    /// EventReasonCode of the last change.
    reason: Option<u32>,
    /// The agent has logged out since.
    gone: bool,
    /// The last changes, to recognise what another session tells of them.
    recent: VecDeque<Told>,
}

/// A change of state, as sessions told it.
#[derive(Debug, Clone)]
struct Told {
    to: u32,
    reason: Option<u32>,
    time: Timestamp,
    /// Number of the first message that told it.
    no: u64,
    /// The call of whose story it is part.
    call: Option<u64>,
    sessions: Vec<u32>,
}

/// How long after the first session another one may tell of the same change.
const SAME_CHANGE: i64 = 5_000_000_000;
/// Changes of an agent that are remembered, and sessions that may tell of one.
const REMEMBERED: usize = 4;
const TELLERS: usize = 64;

impl AtDesk {
    fn new(agent: &str) -> Self {
        Self {
            agent: agent.to_owned(),
            state: None,
            reason: None,
            gone: false,
            recent: VecDeque::new(),
        }
    }

    /// The change that another session tells now, if it was told before.
    fn told(
        &mut self,
        to: u32,
        reason: Option<u32>,
        session: u32,
        now: Timestamp,
    ) -> Option<(Option<u64>, u64)> {
        let told = self.recent.iter_mut().find(|told| {
            (told.to, told.reason) == (to, reason)
                && now.nanos_since(told.time).abs() <= SAME_CHANGE
                && told.sessions.len() < TELLERS
                && !told.sessions.contains(&session)
        })?;
        told.sessions.push(session);
        Some((told.call, told.no))
    }

    fn tell(&mut self, told: Told) {
        if self.recent.len() >= REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(told);
    }
}

/// What an AGENT_STATE_EVENT tells.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// A change.
    Change(NewState),
    /// A change that another session has told already.
    Copy {
        /// The call of whose story the change is part.
        call: u64,
        /// Number of the first message that told it.
        of: u64,
    },
}

/// A new state of an agent.
#[derive(Debug, Clone)]
pub(super) struct NewState {
    pub device: String,
    pub agent: String,
    pub from: Option<u32>,
    pub to: u32,
    pub reason: Option<u32>,
    pub held_nanos: i64,
}

/// Agents by device, up to [`limits::MAX_AGENTS`].
#[derive(Debug, Default)]
pub(in crate::analysis) struct Desks {
    by_device: BTreeMap<(String, Option<u32>), AtDesk>,
    order: VecDeque<(String, Option<u32>)>,
}

/// The agent and the devices that a message names.
struct Named {
    agent: String,
    devices: Vec<String>,
    peripheral: Option<u32>,
}

fn named(seen: &Seen<'_>) -> Option<Named> {
    let agent = seen.agent()?;
    let mut devices = Vec::new();
    for field in ["AgentInstrument", "AgentExtension"] {
        if let Some(text) = seen.text(field) {
            // A mobile agent's instrument carries the phone number behind a semicolon.
            let device = text.split(';').next().unwrap_or_default().to_owned();
            if !device.is_empty() && !devices.contains(&device) {
                devices.push(device);
            }
        }
    }
    Some(Named {
        agent,
        devices,
        peripheral: seen.number("PeripheralID"),
    })
}

/// AGENT_STATE_LOGOUT.
const LOGOUT: u32 = 1;

impl Desks {
    /// The agent at a device of a peripheral, or of any where that is not known.
    pub(super) fn at(&self, device: &str, peripheral: Option<u32>) -> Option<&AtDesk> {
        let key = |p: Option<u32>| (device.to_owned(), p);
        if peripheral.is_some() {
            return self
                .by_device
                .get(&key(peripheral))
                .or_else(|| self.by_device.get(&key(None)))
                .filter(|desk| !desk.gone);
        }
        let mut all = self.by_device.range(key(None)..=key(Some(u32::MAX)));
        all.find(|(_, desk)| !desk.gone).map(|(_, desk)| desk)
    }

    /// The agent who was last at a device, there still or not.
    pub(in crate::analysis) fn last_at(
        &self,
        device: &str,
        peripheral: Option<u32>,
    ) -> Option<&str> {
        let key = |p: Option<u32>| (device.to_owned(), p);
        let desk = if peripheral.is_some() {
            let exact = self.by_device.get(&key(peripheral));
            exact.or_else(|| self.by_device.get(&key(None)))
        } else {
            let mut all = self.by_device.range(key(None)..=key(Some(u32::MAX)));
            all.next().map(|(_, desk)| desk)
        };
        desk.map(|desk| desk.agent.as_str())
    }

    /// Takes note of a message: who is where, and, if it is the event of a change, which state is new.
    pub(super) fn note(&mut self, seen: &Seen<'_>) -> Option<News> {
        let message = seen.info.message?.number;
        match message {
            types::AGENT_STATE_EVENT => self.state(seen),
            types::SET_AGENT_STATE_REQ if seen.number("AgentState") == Some(LOGOUT) => None,
            // Whoever asks may be refused: the one who is there stays.
            types::SET_AGENT_STATE_REQ
            | types::QUERY_AGENT_STATE_REQ
            | types::SUPERVISE_CALL_REQ
            | types::OPEN_REQ => {
                let named = named(seen)?;
                for device in &named.devices {
                    if self.at(device, named.peripheral).is_none() {
                        self.sit(device, named.peripheral, &named.agent);
                    }
                }
                None
            }
            types::QUERY_AGENT_STATE_CONF
            | types::OPEN_CONF
            | types::AGENT_PRE_CALL_EVENT
            | types::RTP_STARTED_EVENT => {
                let named = named(seen)?;
                for device in &named.devices {
                    self.sit(device, named.peripheral, &named.agent);
                }
                None
            }
            _ => None,
        }
    }

    fn state(&mut self, seen: &Seen<'_>) -> Option<News> {
        let to = seen.number("AgentState")?;
        let named = named(seen)?;
        let reason = seen.number("EventReasonCode").filter(|r| *r != 0);
        let (now, session) = (seen.info.time, seen.info.peers.session);
        let mut news = None;
        for device in &named.devices {
            let Some(desk) = self.sit(device, named.peripheral, &named.agent) else {
                continue;
            };
            if let Some((call, of)) = desk.told(to, reason, session, now) {
                news = news.or_else(|| call.map(|call| News::Copy { call, of }));
                continue;
            }
            let from = desk.state;
            // One event a skill group tells the same change.
            if from.map(|(state, _)| state) == Some(to) && desk.reason == reason {
                continue;
            }
            desk.state = Some((to, now));
            desk.reason = reason;
            desk.tell(Told {
                to,
                reason,
                time: now,
                no: seen.info.no,
                call: None,
                sessions: vec![session],
            });
            news = news.or_else(|| {
                Some(News::Change(NewState {
                    device: device.clone(),
                    agent: named.agent.clone(),
                    from: from.map(|(state, _)| state),
                    to,
                    reason,
                    held_nanos: from.map_or(0, |(_, since)| now.nanos_since(since).max(0)),
                }))
            });
        }
        if to == LOGOUT {
            for device in named.devices {
                if let Some(desk) = self.by_device.get_mut(&(device, named.peripheral)) {
                    desk.gone = true;
                }
            }
        }
        news
    }

    /// The change that a message told at a device is part of the story of a call.
    pub(super) fn attach(&mut self, device: &str, no: u64, call: u64) {
        let key = |p: Option<u32>| (device.to_owned(), p);
        let desks = self.by_device.range_mut(key(None)..=key(Some(u32::MAX)));
        for told in desks.flat_map(|(_, desk)| &mut desk.recent) {
            if told.no == no {
                told.call = Some(call);
            }
        }
    }

    /// An agent is at a device from now on.
    fn sit(&mut self, device: &str, peripheral: Option<u32>, agent: &str) -> Option<&mut AtDesk> {
        let key = (device.to_owned(), peripheral);
        let known = self.by_device.contains_key(&key);
        if !known {
            if self.order.len() >= limits::MAX_AGENTS
                && let Some(oldest) = self.order.pop_front()
            {
                self.by_device.remove(&oldest);
            }
            self.order.push_back(key.clone());
            self.by_device.insert(key.clone(), AtDesk::new(agent));
        }
        let desk = self.by_device.get_mut(&key)?;
        desk.gone = false;
        if desk.agent != agent {
            *desk = AtDesk::new(agent);
        }
        Some(desk)
    }
}
