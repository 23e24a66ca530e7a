//! The parties of a call while it is followed: their connections and the times that come of them.

use super::party::{ConnectionState, Party, PartyKind, StateChange};
use crate::analysis::Seen;
use crate::limits;
use crate::time::Timestamp;

/// Where a party is named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention {
    pub time: Timestamp,
    pub message: u64,
    pub session: u32,
    pub peripheral: Option<u32>,
}

impl Mention {
    /// In this message.
    pub fn new(seen: &Seen<'_>) -> Self {
        Self {
            time: seen.info.time,
            message: seen.info.no,
            session: seen.info.peers.session,
            peripheral: seen.number("PeripheralID"),
        }
    }
}

/// A party and its connections.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    pub party: Party,
    /// State by leg.
    pub connections: Vec<(u64, ConnectionState)>,
    /// Its state over all of them, and since when.
    state: Option<(ConnectionState, Timestamp)>,
    /// Its times are counted up to here.
    counted: Timestamp,
    /// That it does not answer what rings now has been counted.
    missing: bool,
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

    /// Since when it is in the state over all connections.
    pub fn since(&self) -> Option<Timestamp> {
        self.state.map(|(_, since)| since)
    }

    /// For how long it is in that state (nanoseconds).
    pub fn state_for(&self, now: Timestamp) -> i64 {
        self.since()
            .map_or(0, |since| now.nanos_since(since).max(0))
    }

    /// Whether it did not answer what rang last.
    pub const fn missed_it(&self) -> bool {
        self.missing
    }

    /// Counts the time up to now; what is connected on one of these legs only consults.
    fn settle(&mut self, consults: &[u64], now: Timestamp) {
        let from = self.counted;
        self.counted = from.max(now);
        let Some((state, since)) = self.state else {
            return;
        };
        let nanos = now.nanos_since(from.max(since)).max(0);
        let consults = self
            .connections
            .iter()
            .all(|(leg, state)| *state != ConnectionState::Connected || consults.contains(leg));
        let total = match state {
            ConnectionState::Alerting => &mut self.party.ring,
            ConnectionState::Connected if consults => &mut self.party.consult,
            ConnectionState::Connected => &mut self.party.talk,
            ConnectionState::Held => &mut self.party.hold,
            _ => return,
        };
        *total = total.saturating_add(nanos);
    }
}

/// All parties of a call.
#[derive(Debug, Clone, Default)]
pub(super) struct Parties {
    pub list: Vec<Tracked>,
    /// Legs that consult about the rest of the call.
    consults: Vec<u64>,
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
        mention: Mention,
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
                first: mention.time,
                message: mention.message,
                session: mention.session,
                peripheral: mention.peripheral,
                began: None,
                answered: None,
                until: mention.time,
                state: None,
                ring: 0,
                talk: 0,
                consult: 0,
                hold: 0,
                holds: 0,
                missed: 0,
            },
            connections: Vec::new(),
            state: None,
            counted: mention.time,
            missing: false,
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
        // What was until now counts as it was.
        tracked.settle(&self.consults, now);
        let room = tracked.connections.len();
        let was = match tracked.connections.iter_mut().find(|(of, _)| *of == leg) {
            Some((_, was)) => Some(std::mem::replace(was, state)),
            None if room < limits::MAX_CALL_LEGS => {
                tracked.connections.push((leg, state));
                None
            }
            None => return None,
        };
        let party = &mut tracked.party;
        party.began.get_or_insert(now);
        match state {
            ConnectionState::Held if was != Some(state) => {
                party.holds = party.holds.saturating_add(1);
                party.answered.get_or_insert(now);
            }
            ConnectionState::Connected => {
                party.answered.get_or_insert(now);
            }
            ConnectionState::Alerting if was != Some(state) => tracked.missing = false,
            _ => {}
        }
        self.reckon(index, now)
    }

    /// Which legs consult about the rest of the call, from now on.
    pub fn consulting(&mut self, legs: impl Iterator<Item = u64> + Clone, now: Timestamp) {
        if self.consults.iter().copied().eq(legs.clone()) {
            return;
        }
        for tracked in &mut self.list {
            tracked.settle(&self.consults, now);
        }
        self.consults = legs.collect();
    }

    /// A connection goes on as one of another leg, unless that leg knows better.
    pub fn rename(&mut self, index: usize, old: u64, new: u64, now: Timestamp) {
        let Some(tracked) = self.list.get_mut(index) else {
            return;
        };
        let Some(was) = tracked.on(old) else {
            return;
        };
        tracked.settle(&self.consults, now);
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
        let from = tracked.state;
        if from.map(|(state, _)| state) == Some(to) {
            return None;
        }
        tracked.settle(&self.consults, now);
        tracked.state = Some((to, now));
        Some(StateChange {
            party: index,
            from: from.map(|(state, _)| state),
            to,
            held_nanos: from.map_or(0, |(_, since)| now.nanos_since(since).max(0)),
        })
    }

    /// Clears all connections of a leg.
    pub fn clear(&mut self, leg: u64, now: Timestamp) -> Vec<StateChange> {
        let on_it: Vec<usize> = (0..self.list.len())
            .filter(|i| {
                let state = self.list.get(*i).and_then(|t| t.on(leg));
                state.is_some_and(ConnectionState::is_there)
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
        let has_caller = self.list.iter().any(|t| t.party.caller);
        for mut tracked in other.list {
            tracked.settle(&other.consults, now);
            tracked.party.caller &= !has_caller;
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

    fn unite(&mut self, index: usize, other: Tracked, now: Timestamp) {
        let Some(mine) = self.list.get_mut(index) else {
            return;
        };
        mine.settle(&self.consults, now);
        mine.missing |= other.missing;
        mine.party.unite(other.party);
        let room = limits::MAX_CALL_LEGS.saturating_sub(mine.connections.len());
        let new: Vec<_> = other.connections.into_iter().take(room).collect();
        mine.connections.extend(new);
        self.reckon(index, now);
    }

    /// It rang at a party, nobody answered, and the call is taken away. Several messages may say so.
    pub fn missed(&mut self, index: usize) {
        if let Some(tracked) = self.list.get_mut(index)
            && !std::mem::replace(&mut tracked.missing, true)
        {
            tracked.party.missed = tracked.party.missed.saturating_add(1);
        }
    }

    /// Counts the time up to the end.
    pub fn finish(self, now: Timestamp) -> Vec<Party> {
        let finished = self.list.into_iter().map(|mut tracked| {
            tracked.settle(&self.consults, now);
            let mut party = tracked.party;
            if let Some((state, since)) = tracked.state {
                party.state = Some(state);
                party.until = if state.is_there() { now } else { since };
            }
            party
        });
        finished.collect()
    }
}
