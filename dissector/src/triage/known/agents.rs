//! Agents and their changes of state.
//!
//! Servers tell a change once for each skill group, in each session that wants to know, and under each monitor. These copies follow each other
//! closely but may overtake others; so each stream of them (session, monitor, skill group) has its place in the agent's history. What a stream
//! says is a change only if it stands nowhere behind that place.

use super::{Ask, LOGOUT};
use crate::analysis::Seen;
use crate::limits;
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Changes of an agent that are remembered.
const HISTORY: usize = 16;
/// Streams of an agent that are remembered.
const STREAMS: usize = 32;
/// How far one stream of copies may be behind another.
const LAG: Duration = Duration::from_secs(5);

/// An agent in one media routing domain. The peripheral comes first, so that those of one stand together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    peripheral: u32,
    agent: String,
    domain: u32,
}

/// One new state or reason of an agent.
#[derive(Debug, Clone)]
pub(in crate::triage) struct Change {
    /// When.
    pub time: Timestamp,
    /// AgentID.
    pub agent: String,
    /// PeripheralID.
    pub peripheral: u32,
    /// PeripheralType; 0 when not told.
    pub peripheral_type: u32,
    /// MRDID.
    pub domain: u32,
    /// The phone: extension, else instrument.
    pub phone: Option<String>,
    /// State and reason before; `None` when not known.
    pub from: Option<(u32, u32)>,
    /// AgentState now.
    pub to: u32,
    /// EventReasonCode, of NOT_READY and LOGOUT; 0 for none.
    pub reason: u32,
    /// Seconds for which the server says that the agent has been in this state.
    pub duration: u32,
    /// Direction of the call (AgentDirection); 0 for none.
    pub direction: u32,
}

impl Change {
    /// Whether it happened just now, rather than being told to a client that did not know.
    pub(in crate::triage) const fn is_fresh(&self) -> bool {
        self.from.is_some() || self.duration < 3
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StreamId {
    session: u32,
    monitor: u32,
    group: u32,
}

#[derive(Debug)]
struct Stream {
    id: StreamId,
    /// Number of the change that it told last.
    place: u64,
    /// What it told last, how often without another in between, and when first.
    last: (u32, u32),
    repeats: u32,
    since: Timestamp,
}

#[derive(Debug)]
struct Agent {
    phone: Option<String>,
    instrument: Option<String>,
    state: u32,
    reason: u32,
    /// Changes with their numbers, the latest last.
    history: VecDeque<(u64, u32, u32, Timestamp)>,
    changes: u64,
    streams: Vec<Stream>,
}

/// A change that came again and again to the same client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::triage) struct Repeat {
    /// How often by now.
    pub times: u32,
    /// When first.
    pub since: Timestamp,
}

/// All agents, up to [`limits::MAX_TRIAGE_AGENTS`].
#[derive(Debug, Default)]
pub(in crate::triage) struct Agents {
    agents: BTreeMap<Key, Agent>,
    order: VecDeque<Key>,
    /// Agents by the phones they use, with their peripheral.
    phones: BTreeMap<(String, u32), String>,
    change: Option<Change>,
    repeat: Option<Repeat>,
    /// Sessions that were told of agents.
    told: std::collections::BTreeSet<u32>,
}

impl Agents {
    /// The change that the message at hand brought.
    pub(in crate::triage) const fn change(&self) -> Option<&Change> {
        self.change.as_ref()
    }

    /// That the message at hand told again what the same stream told before.
    pub(in crate::triage) const fn repeat(&self) -> Option<Repeat> {
        self.repeat
    }

    /// AgentState of an agent, in the first of the domains it is known in.
    pub(in crate::triage) fn state(&self, peripheral: Option<u32>, agent: &str) -> Option<u32> {
        self.find(peripheral, agent).map(|a| a.state)
    }

    /// The agent at a phone.
    pub(in crate::triage) fn at(&self, peripheral: Option<u32>, phone: &str) -> Option<&str> {
        let key = |p| (phone.to_owned(), p);
        let last = peripheral.unwrap_or(u32::MAX);
        let first = peripheral.unwrap_or(0);
        let mut range = self.phones.range(key(first)..=key(last));
        range.next().map(|(_, agent)| agent.as_str())
    }

    /// Extension and instrument of an agent.
    pub(in crate::triage) fn phones_of(
        &self,
        peripheral: u32,
        agent: &str,
    ) -> Option<[Option<&str>; 2]> {
        let agent = self.find(Some(peripheral), agent)?;
        Some([agent.phone.as_deref(), agent.instrument.as_deref()])
    }

    /// How many agents of a peripheral are known, and how many of them are logged in.
    pub(in crate::triage) fn of_peripheral(&self, peripheral: u32) -> (usize, usize) {
        let key = Key {
            peripheral,
            agent: String::new(),
            domain: 0,
        };
        let agents = self
            .agents
            .range(key..)
            .take_while(|(key, _)| key.peripheral == peripheral);
        let (mut all, mut working, mut last) = (0, 0, None);
        for (key, agent) in agents {
            if last != Some(&key.agent) {
                all += 1;
                working += usize::from(agent.state != LOGOUT);
            }
            last = Some(&key.agent);
        }
        (all, working)
    }

    /// The agents that a session was told of and that were logged in at a time, each once. Their latest changes are remembered, so this looks
    /// back a little.
    pub(in crate::triage) fn working_at(
        &self,
        session: u32,
        time: Timestamp,
    ) -> impl Iterator<Item = &str> {
        let mut last = None;
        self.agents.iter().filter_map(move |(key, agent)| {
            let told = agent.streams.iter().any(|s| s.id.session == session);
            let mut history = agent.history.iter().rev();
            let was = history.find(|(.., at)| *at <= time);
            let works = told && was.is_some_and(|(_, state, ..)| *state != LOGOUT);
            // One in several domains comes once for each.
            let same = last.replace(key.agent.as_str()) == Some(key.agent.as_str());
            (works && !same).then_some(key.agent.as_str())
        })
    }

    /// How many agents are known; one that is in several domains counts in each.
    pub(in crate::triage) fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether a session is told of agents.
    pub(in crate::triage) fn tells(&self, session: u32) -> bool {
        self.told.contains(&session)
    }

    fn find(&self, peripheral: Option<u32>, agent: &str) -> Option<&Agent> {
        let key = |peripheral| Key {
            peripheral,
            agent: agent.to_owned(),
            domain: 0,
        };
        let matches = |(key, _): &(&Key, &Agent)| key.agent == agent;
        if let Some(peripheral) = peripheral {
            let range = self.agents.range(key(peripheral)..);
            return range
                .take(1)
                .find(matches)
                .filter(|(key, _)| key.peripheral == peripheral)
                .map(|(_, agent)| agent);
        }
        self.agents.iter().find(matches).map(|(_, agent)| agent)
    }

    pub(super) fn clear_change(&mut self) {
        self.change = None;
        self.repeat = None;
    }

    /// An AGENT_STATE_EVENT.
    pub(super) fn event(&mut self, seen: &Seen<'_>) {
        let Some(key) = key(seen, None) else {
            return;
        };
        let Some(state) = seen.raw("AgentState") else {
            return;
        };
        let session = seen.info.peers.session;
        if self.told.len() < limits::MAX_TRIAGE_SESSIONS {
            self.told.insert(session);
        }
        // The reason means something in these two states only.
        let reason = seen.raw("EventReasonCode").unwrap_or_default();
        let reason = if matches!(state, LOGOUT | super::NOT_READY) {
            reason
        } else {
            0
        };
        let time = seen.info.time;
        let id = StreamId {
            session,
            monitor: seen.raw("MonitorID").unwrap_or_default(),
            group: seen.raw("SkillGroupNumber").unwrap_or_default(),
        };
        let known = self.agents.contains_key(&key);
        self.learn(&key, seen, state, reason);
        let Some(agent) = self.agents.get_mut(&key) else {
            return;
        };
        let told = (state, reason);
        let from = known.then_some((agent.state, agent.reason));
        if let Some(stream) = agent.streams.iter_mut().find(|s| s.id == id) {
            if stream.last == told {
                stream.repeats += 1;
                self.repeat = Some(Repeat {
                    times: stream.repeats,
                    since: stream.since,
                });
                return;
            }
            (stream.last, stream.repeats, stream.since) = (told, 1, time);
        } else {
            if agent.streams.len() >= STREAMS {
                let quiet = agent.streams.iter().enumerate();
                let quiet = quiet.min_by_key(|(_, s)| s.since).map(|(at, _)| at);
                agent.streams.swap_remove(quiet.unwrap_or_default());
            }
            agent.streams.push(Stream {
                id,
                place: 0,
                last: told,
                repeats: 1,
                since: time,
            });
        }
        let Some(stream) = agent.streams.iter_mut().find(|s| s.id == id) else {
            return;
        };
        let caught_up = agent.history.iter().find(|(number, state, reason, at)| {
            *number > stream.place && (*state, *reason) == told && time <= at.after(LAG)
        });
        if let Some((number, ..)) = caught_up {
            stream.place = *number;
            return;
        }
        if known && (agent.state, agent.reason) == told {
            stream.place = agent.changes;
            return;
        }
        agent.changes += 1;
        stream.place = agent.changes;
        if agent.history.len() >= HISTORY {
            agent.history.pop_front();
        }
        agent
            .history
            .push_back((agent.changes, state, reason, time));
        (agent.state, agent.reason) = told;
        self.change = Some(Change {
            time,
            agent: key.agent,
            peripheral: key.peripheral,
            peripheral_type: seen.number("PeripheralType").unwrap_or_default(),
            domain: key.domain,
            phone: agent.phone.clone().or_else(|| agent.instrument.clone()),
            from,
            to: state,
            reason,
            duration: seen.raw("StateDuration").unwrap_or_default(),
            direction: seen.number("Direction").unwrap_or_default(),
        });
    }

    /// A QUERY_AGENT_STATE_CONF: what is, not what changed.
    pub(super) fn snapshot(&mut self, seen: &Seen<'_>, ask: Option<&Ask>) {
        let (Some(key), Some(state)) = (
            key(seen, ask.and_then(|a| a.peripheral)),
            seen.raw("AgentState"),
        ) else {
            return;
        };
        if !self.agents.contains_key(&key) {
            let reason = seen.raw("EventReasonCode").unwrap_or_default();
            self.learn(&key, seen, state, reason);
        }
    }

    /// Makes an agent known, with its phones.
    fn learn(&mut self, key: &Key, seen: &Seen<'_>, state: u32, reason: u32) {
        let text = |name| super::text(seen, name);
        let (phone, instrument) = (text("AgentExtension"), text("AgentInstrument"));
        if !self.agents.contains_key(key) {
            if self.agents.len() >= limits::MAX_TRIAGE_AGENTS {
                self.forget_oldest();
            }
            self.order.push_back(key.clone());
            self.agents.insert(
                key.clone(),
                Agent {
                    phone: None,
                    instrument: None,
                    state,
                    reason,
                    history: VecDeque::new(),
                    changes: 0,
                    streams: Vec::new(),
                },
            );
        }
        let Some(agent) = self.agents.get_mut(key) else {
            return;
        };
        for (new, old) in [
            (phone, &mut agent.phone),
            (instrument, &mut agent.instrument),
        ] {
            if new.is_none() || new == *old {
                continue;
            }
            if let Some(old) = old.take()
                && self.phones.get(&(old.clone(), key.peripheral)) == Some(&key.agent)
            {
                self.phones.remove(&(old, key.peripheral));
            }
            if let Some(new) = &new {
                self.phones
                    .insert((new.clone(), key.peripheral), key.agent.clone());
            }
            *old = new;
        }
    }

    fn forget_oldest(&mut self) {
        let Some(key) = self.order.pop_front() else {
            return;
        };
        let Some(agent) = self.agents.remove(&key) else {
            return;
        };
        for phone in [agent.phone, agent.instrument].into_iter().flatten() {
            let place = (phone, key.peripheral);
            if self.phones.get(&place) == Some(&key.agent) {
                self.phones.remove(&place);
            }
        }
    }
}

fn key(seen: &Seen<'_>, peripheral: Option<u32>) -> Option<Key> {
    Some(Key {
        peripheral: seen.number("PeripheralID").or(peripheral)?,
        agent: super::agent_of(seen)?,
        domain: seen.raw("MRDID").unwrap_or(super::VOICE),
    })
}

#[cfg(test)]
mod tests {
    use super::super::bench::Bench;
    use super::*;
    use crate::encode::Value;

    /// One event for a skill group; whether it told of a change.
    fn event(bench: &mut Bench, session: u32, agent: &str, group: u32, state: &str) -> bool {
        let fields = [
            ("PeripheralID", Value::Number(5000)),
            ("MRDID", Value::Number(1)),
            ("SkillGroupNumber", Value::Number(group.into())),
            ("AgentState", state.into()),
            ("AgentID", agent.into()),
            ("AgentExtension", agent.into()),
        ];
        bench.say(session, "AGENT_STATE_EVENT", &fields);
        bench.known.agents.change().is_some()
    }

    #[test]
    fn skill_groups_and_sessions_tell_one_change_once() {
        let mut bench = Bench::default();
        assert!(event(&mut bench, 1, "1001", 1, "NOT_READY"));
        assert!(!event(&mut bench, 1, "1001", 2, "NOT_READY"));
        assert!(!event(&mut bench, 2, "1001", 1, "NOT_READY"));
        assert!(event(&mut bench, 1, "1001", 1, "AVAILABLE"));
        assert!(event(&mut bench, 1, "1001", 1, "NOT_READY"));
        // The others follow, step by step.
        for state in ["AVAILABLE", "NOT_READY"] {
            assert!(!event(&mut bench, 1, "1001", 2, state), "{state}");
            assert!(!event(&mut bench, 2, "1001", 1, state), "{state}");
        }
        assert!(event(&mut bench, 2, "1001", 1, "AVAILABLE"));
        assert_eq!(bench.known.agents.state(Some(5000), "1001"), Some(3));
        assert_eq!(bench.known.agents.state(Some(5001), "1001"), None);
    }

    #[test]
    fn an_agent_is_found_by_phone_until_it_moves() {
        let mut bench = Bench::default();
        event(&mut bench, 1, "1001", 1, "NOT_READY");
        let at = |bench: &Bench, phone| bench.known.agents.at(Some(5000), phone).map(str::to_owned);
        assert_eq!(at(&bench, "1001").as_deref(), Some("1001"));
        let moved = [
            ("PeripheralID", Value::Number(5000)),
            ("MRDID", Value::Number(1)),
            ("AgentID", "1001".into()),
            ("AgentExtension", "20109".into()),
        ];
        bench.say(1, "AGENT_STATE_EVENT", &moved);
        assert_eq!(at(&bench, "1001"), None);
        assert_eq!(at(&bench, "20109").as_deref(), Some("1001"));
    }

    #[test]
    fn the_agent_first_seen_is_forgotten_beyond_the_limit() {
        let mut bench = Bench::default();
        for agent in 0..=limits::MAX_TRIAGE_AGENTS {
            event(&mut bench, 1, &agent.to_string(), 1, "NOT_READY");
        }
        let agents = &bench.known.agents;
        assert_eq!(agents.len(), limits::MAX_TRIAGE_AGENTS);
        assert_eq!(agents.order.len(), limits::MAX_TRIAGE_AGENTS);
        assert_eq!(agents.phones.len(), limits::MAX_TRIAGE_AGENTS);
        assert_eq!(agents.state(Some(5000), "0"), None);
        assert_eq!(agents.state(Some(5000), "1"), Some(2));
    }

    #[test]
    fn streams_and_history_of_an_agent_are_bounded() {
        let mut bench = Bench::default();
        for n in 0..200 {
            let state = if n % 2 == 0 { "AVAILABLE" } else { "NOT_READY" };
            assert!(event(&mut bench, 1, "1001", 1, state));
            event(&mut bench, 1_000 + n, "1001", n, state);
        }
        let agent = bench.known.agents.agents.values().next().unwrap();
        assert_eq!(agent.streams.len(), STREAMS);
        assert_eq!(agent.history.len(), HISTORY);
    }
}
