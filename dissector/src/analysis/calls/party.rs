//! Who takes part in a call: devices, the agents at them, and the state of their connections over time.

use super::call::names;
use crate::limits;
use crate::time::Timestamp;

names! {
    /// The state of a device's connection to a call.
    ConnectionState {
        /// It is dialling.
        Initiated "initiated",
        /// It rings.
        Alerting "ringing",
        /// It waits in a queue.
        Queued "queued",
        /// It takes part.
        Connected "connected",
        /// It holds the call.
        Held "held",
        /// It could not be reached, or could not dial.
        Failed "failed",
        /// It takes part no more.
        Cleared "cleared",
    }
}

impl ConnectionState {
    /// The state for a value of LocalConnectionState; `None` for LCS_NONE and values that no table knows.
    #[must_use]
    pub const fn from_local(value: u32) -> Option<Self> {
        Some(match value {
            0 => Self::Cleared,
            1 => Self::Initiated,
            2 => Self::Alerting,
            3 => Self::Connected,
            4 => Self::Held,
            5 => Self::Queued,
            6 => Self::Failed,
            _ => return None,
        })
    }

    /// Which state a device is in that has several connections: the highest.
    const fn rank(self) -> u8 {
        match self {
            Self::Cleared => 0,
            Self::Failed => 1,
            Self::Initiated => 2,
            Self::Queued => 3,
            Self::Held => 4,
            Self::Alerting => 5,
            Self::Connected => 6,
        }
    }
}

names! {
    /// What kind of device it is, by the device types that messages give it.
    PartyKind {
        /// An agent's phone.
        Agent "agent",
        /// Somebody outside.
        External "external",
        /// A phone of no known agent, or a device of no known type.
        Device "device",
        /// A port of a voice unit.
        Port "port",
        /// A route point.
        RoutePoint "route_point",
        /// A queue.
        Queue "queue",
        /// A trunk or trunk group.
        Trunk "trunk",
    }
}

impl PartyKind {
    /// The kind for a value of DeviceIDType; `None` where that says nothing.
    #[must_use]
    pub const fn from_device_type(value: u32) -> Option<Self> {
        Some(match value {
            70 | 71 => Self::Trunk,
            73 => Self::Port,
            74 => Self::RoutePoint,
            75 => Self::External,
            76 => Self::Agent,
            77 => Self::Queue,
            _ => return None,
        })
    }

    /// Whether a person is at it, as far as one can tell.
    #[must_use]
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Agent | Self::External | Self::Device)
    }
}

/// A device that takes part in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// What messages call it: an extension, a number, a port.
    pub device: String,
    /// What kind of device it is.
    pub kind: PartyKind,
    /// AgentID of the agent who was at it then.
    pub agent: Option<String>,
    /// It began the call.
    pub caller: bool,
    /// When it was first named.
    pub first: Timestamp,
    /// Nanoseconds in which it rang.
    pub ring: i64,
    /// Nanoseconds in which it was connected, also in consultation.
    pub talk: i64,
    /// Nanoseconds in which it did nothing but hold.
    pub hold: i64,
    /// It was connected at some time.
    pub connected: bool,
}

impl Party {
    /// What to call it in one word or two: the device, and the agent where another name.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.agent {
            Some(agent) if *agent != self.device => format!("{} ({agent})", self.device),
            _ => self.device.clone(),
        }
    }
}

/// A device's connection changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange {
    /// Index of the party.
    pub party: usize,
    /// Its state before, over all its connections to the call; `None` when it had none.
    pub from: Option<ConnectionState>,
    /// Its state now.
    pub to: ConnectionState,
    /// Nanoseconds in the state before; 0 without one.
    pub held_nanos: i64,
}

/// A party and its connections.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    pub party: Party,
    /// State by leg.
    pub connections: Vec<(u64, ConnectionState)>,
    /// Its state over all of them, and since when.
    state: Option<(ConnectionState, Timestamp)>,
}

impl Tracked {
    /// The state over all connections.
    pub fn state(&self) -> Option<ConnectionState> {
        self.state.map(|(state, _)| state)
    }

    /// The state on one leg.
    pub fn on(&self, leg: u64) -> Option<ConnectionState> {
        let found = self.connections.iter().find(|(of, _)| *of == leg);
        found.map(|(_, state)| *state)
    }

    /// Counts the time up to now.
    fn settle(&mut self, now: Timestamp) -> i64 {
        let Some((state, since)) = self.state else {
            return 0;
        };
        let nanos = now.nanos_since(since).max(0);
        let total = match state {
            ConnectionState::Alerting => &mut self.party.ring,
            ConnectionState::Connected => &mut self.party.talk,
            ConnectionState::Held => &mut self.party.hold,
            _ => return nanos,
        };
        *total = total.saturating_add(nanos);
        nanos
    }
}

/// All parties of a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Parties {
    pub list: Vec<Tracked>,
}

impl Parties {
    /// Index of the party with this device, if there is one.
    pub fn find(&self, device: &str) -> Option<usize> {
        self.list.iter().position(|t| t.party.device == device)
    }

    pub fn get(&self, index: usize) -> Option<&Tracked> {
        self.list.get(index)
    }

    /// Index of the party with this device, which is added if there is room.
    pub fn with(
        &mut self,
        device: &str,
        device_type: Option<u32>,
        now: Timestamp,
    ) -> Option<usize> {
        let kind = device_type.and_then(PartyKind::from_device_type);
        if let Some(index) = self.find(device) {
            let party = &mut self.list.get_mut(index)?.party;
            if let Some(kind) = kind
                && party.kind == PartyKind::Device
            {
                party.kind = kind;
            }
            return Some(index);
        }
        if self.list.len() >= limits::MAX_CALL_PARTIES {
            return None;
        }
        self.list.push(Tracked {
            party: Party {
                device: device.to_owned(),
                kind: kind.unwrap_or(PartyKind::Device),
                agent: None,
                caller: false,
                first: now,
                ring: 0,
                talk: 0,
                hold: 0,
                connected: false,
            },
            connections: Vec::new(),
            state: None,
        });
        Some(self.list.len() - 1)
    }

    /// A connection has this state now. Tells what that changes for the party as a whole.
    pub fn set(
        &mut self,
        index: usize,
        leg: u64,
        state: ConnectionState,
        now: Timestamp,
    ) -> Option<StateChange> {
        let tracked = self.list.get_mut(index)?;
        let room = tracked.connections.len();
        match tracked.connections.iter_mut().find(|(of, _)| *of == leg) {
            Some((_, was)) => *was = state,
            None if room < limits::MAX_CALL_LEGS => {
                tracked.connections.push((leg, state));
            }
            None => return None,
        }
        tracked.party.connected |= state == ConnectionState::Connected;
        self.reckon(index, now)
    }

    /// A connection goes on as one of another leg, unless that leg knows better.
    pub fn rename(&mut self, index: usize, old: u64, new: u64, now: Timestamp) {
        let Some(tracked) = self.list.get_mut(index) else {
            return;
        };
        let Some(was) = tracked.on(old) else {
            return;
        };
        tracked.connections.retain(|(of, _)| *of != old);
        match tracked.connections.iter_mut().find(|(of, _)| *of == new) {
            Some((_, state)) if was.rank() > state.rank() => *state = was,
            Some(_) => {}
            None => tracked.connections.push((new, was)),
        }
        self.reckon(index, now);
    }

    /// Works out the state of a party over all its connections.
    fn reckon(&mut self, index: usize, now: Timestamp) -> Option<StateChange> {
        let tracked = self.list.get_mut(index)?;
        let states = tracked.connections.iter().map(|(_, state)| *state);
        let to = states.max_by_key(|state| state.rank())?;
        let from = tracked.state();
        if from == Some(to) {
            return None;
        }
        let held_nanos = tracked.settle(now);
        tracked.state = Some((to, now));
        Some(StateChange {
            party: index,
            from,
            to,
            held_nanos,
        })
    }

    /// Clears all connections of a leg.
    pub fn clear(&mut self, leg: u64, now: Timestamp) -> Vec<StateChange> {
        let on_it: Vec<usize> = (0..self.list.len())
            .filter(|i| {
                let state = self.list.get(*i).and_then(|t| t.on(leg));
                state.is_some_and(|s| {
                    !matches!(s, ConnectionState::Cleared | ConnectionState::Failed)
                })
            })
            .collect();
        on_it
            .into_iter()
            .filter_map(|i| self.set(i, leg, ConnectionState::Cleared, now))
            .collect()
    }

    /// Takes over the parties of another call; tells which index each of them has now, and which of them are in another state in the call
    /// as a whole than they were in the other one.
    pub fn absorb(
        &mut self,
        other: Self,
        now: Timestamp,
    ) -> (Vec<Option<usize>>, Vec<StateChange>) {
        let mut places = Vec::new();
        let mut changes = Vec::new();
        for tracked in other.list {
            let place = match self.find(&tracked.party.device) {
                Some(index) => {
                    let from = tracked.state();
                    self.unite(index, tracked, now);
                    let to = self.get(index).and_then(Tracked::state);
                    if let (Some(from), Some(to)) = (from, to)
                        && from != to
                    {
                        changes.push(StateChange {
                            party: index,
                            from: Some(from),
                            to,
                            held_nanos: 0,
                        });
                    }
                    Some(index)
                }
                None if self.list.len() < limits::MAX_CALL_PARTIES => {
                    self.list.push(tracked);
                    Some(self.list.len() - 1)
                }
                None => None,
            };
            places.push(place);
        }
        (places, changes)
    }

    fn unite(&mut self, index: usize, mut other: Tracked, now: Timestamp) {
        let Some(mine) = self.list.get_mut(index) else {
            return;
        };
        mine.settle(now);
        other.settle(now);
        mine.state = mine.state.map(|(state, _)| (state, now));
        let party = &mut mine.party;
        // Two connections of one device at the same time: its time as a whole is no sum, but it talked where either says so.
        let both = |a: i64, b: i64| a.saturating_add(b);
        party.ring = both(party.ring, other.party.ring);
        party.talk = both(party.talk, other.party.talk);
        party.hold = (party.hold - other.party.talk.min(party.hold)).max(other.party.hold);
        party.connected |= other.party.connected;
        party.agent = party.agent.take().or(other.party.agent);
        if party.kind == PartyKind::Device {
            party.kind = other.party.kind;
        }
        let room = limits::MAX_CALL_LEGS.saturating_sub(mine.connections.len());
        let new: Vec<_> = other.connections.into_iter().take(room).collect();
        mine.connections.extend(new);
        self.reckon(index, now);
    }

    /// Counts the time up to the end.
    pub fn finish(self, now: Timestamp) -> Vec<Party> {
        let finished = self.list.into_iter().map(|mut tracked| {
            tracked.settle(now);
            tracked.party
        });
        finished.collect()
    }
}
