//! From sightings to findings: grouped, effects counted under their causes, the most important first.

use super::sighting::{Sighting, Sightings};
use super::{Code, Thresholds};
use crate::finding::Severity;
use crate::limits;
use crate::record::Packets;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Sightings that a finding shows.
const EXAMPLES: usize = 5;

/// What was found: sightings of one kind together.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What it is about.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen, in one line.
    pub text: String,
    /// How often, those counted under others not included.
    pub count: u64,
    /// First time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
    /// The first of them.
    pub examples: Vec<Example>,
    /// Sessions touched, at most [`limits::MAX_TOUCHED`].
    pub sessions: BTreeSet<u32>,
    /// Agents touched, at most [`limits::MAX_TOUCHED`].
    pub agents: BTreeSet<String>,
    /// Calls touched, at most [`limits::MAX_TOUCHED`].
    pub calls: BTreeSet<u32>,
    /// What more is known about just this.
    pub hints: BTreeSet<String>,
    /// What it explains, and how often: effects that are not told on their own.
    pub explains: BTreeMap<Code, u64>,
}

/// One time that something was seen.
#[derive(Debug, Clone)]
pub struct Example {
    /// When.
    pub time: Timestamp,
    /// The session.
    pub session: Option<u32>,
    /// The message to look at.
    pub message: Option<u64>,
    /// The packets to look at.
    pub packets: Packets,
    /// What was seen.
    pub text: String,
}

/// Groups, folds and ranks.
pub(super) fn rank(sightings: Sightings, thresholds: &Thresholds) -> Vec<Problem> {
    let Sightings {
        mut list,
        uncounted,
        more,
        severities,
        mut hints,
        ..
    } = sightings;
    list.sort_by_key(|s| (s.time, s.message, s.code));
    let causes: Vec<(usize, Timestamp)> = list
        .iter()
        .enumerate()
        .filter(|(_, s)| super::fold::is_cause(s.code))
        .map(|(index, s)| (index, s.time))
        .collect();
    let parents: Vec<Option<usize>> = list
        .iter()
        .enumerate()
        .map(|(index, sighting)| {
            let until = causes.partition_point(|(_, time)| *time <= sighting.time);
            let earlier = causes.get(..until).unwrap_or_default().iter().rev();
            earlier
                .take_while(|(_, time)| sighting.time <= time.after(thresholds.fold))
                .take(limits::MAX_TOUCHED)
                .map(|(at, _)| *at)
                .filter(|at| *at != index)
                .find(|at| {
                    list.get(*at).is_some_and(|cause| {
                        super::fold::explains(cause, sighting)
                            // Of two at the same time that could explain each other, the first one does.
                            && (*at < index || !super::fold::explains(sighting, cause))
                    })
                })
        })
        .collect();
    let mut folded: BTreeMap<usize, Effects> = BTreeMap::new();
    for (index, sighting) in list.iter().enumerate() {
        if let Some(root) = root(&parents, index) {
            folded.entry(root).or_default().add(sighting);
        }
    }
    let mut problems: BTreeMap<(Code, String), Problem> = BTreeMap::new();
    for (index, sighting) in list.into_iter().enumerate() {
        if root(&parents, index).is_some() {
            continue;
        }
        let key = (sighting.code, sighting.group.clone());
        let severity = severities.get(&key).copied();
        let hint = hints.remove(&key);
        let problem = problems
            .entry(key)
            .or_insert_with(|| Problem::new(&sighting));
        problem.add(sighting);
        touch(&mut problem.hints, hint);
        if let Some(severity) = severity {
            problem.severity = severity;
        }
        problem.take(folded.remove(&index).unwrap_or_default());
    }
    for (group, (count, last)) in more {
        // All that were kept may be counted under a cause; then so are these.
        if let Some(problem) = problems.get_mut(&group) {
            problem.count += count;
            problem.last = problem.last.max(last);
        }
    }
    for (code, count) in uncounted {
        if let Some(problem) = problems.values_mut().find(|p| p.code == code) {
            problem.count += count;
        }
    }
    let mut problems: Vec<Problem> = problems.into_values().collect();
    problems.sort_by_key(|p| {
        let touched = p.agents.len() + p.calls.len();
        (
            std::cmp::Reverse(p.severity),
            std::cmp::Reverse(touched),
            p.first,
            p.code,
        )
    });
    problems
}

/// Causes of causes that are followed.
const LONGEST_CHAIN: usize = 8;

/// The last cause behind a sighting: causes may have causes themselves.
fn root(parents: &[Option<usize>], index: usize) -> Option<usize> {
    let parent = |index: &usize| parents.get(*index).copied().flatten();
    std::iter::successors(parent(&index), parent)
        .take(LONGEST_CHAIN)
        .last()
}

/// What is counted under a cause.
#[derive(Debug, Default)]
struct Effects {
    counts: BTreeMap<Code, u64>,
    sessions: BTreeSet<u32>,
    agents: BTreeSet<String>,
    calls: BTreeSet<u32>,
}

impl Effects {
    fn add(&mut self, sighting: &Sighting) {
        *self.counts.entry(sighting.code).or_default() += 1;
        touch(&mut self.sessions, sighting.session);
        touch(&mut self.sessions, sighting.other_session);
        for agent in sighting.agent.iter().chain(&sighting.more_agents) {
            touch(&mut self.agents, Some(agent.clone()));
        }
        for call in sighting.call.iter().chain(&sighting.more_calls) {
            touch(&mut self.calls, Some(*call));
        }
    }
}

impl Problem {
    /// Counts effects, and touches what they touch.
    fn take(&mut self, effects: Effects) {
        for (code, count) in effects.counts {
            *self.explains.entry(code).or_default() += count;
        }
        for session in effects.sessions {
            touch(&mut self.sessions, Some(session));
        }
        for agent in effects.agents {
            touch(&mut self.agents, Some(agent));
        }
        for call in effects.calls {
            touch(&mut self.calls, Some(call));
        }
    }

    fn new(sighting: &Sighting) -> Self {
        let text = if sighting.group.is_empty() {
            sighting.text.clone()
        } else {
            sighting.group.clone()
        };
        Self {
            code: sighting.code,
            severity: sighting.severity,
            text,
            count: 0,
            first: sighting.time,
            last: sighting.time,
            examples: Vec::new(),
            sessions: BTreeSet::new(),
            agents: BTreeSet::new(),
            calls: BTreeSet::new(),
            hints: BTreeSet::new(),
            explains: BTreeMap::new(),
        }
    }

    fn add(&mut self, sighting: Sighting) {
        self.count += 1;
        self.severity = self.severity.max(sighting.severity);
        self.first = self.first.min(sighting.time);
        self.last = self.last.max(sighting.time);
        touch(&mut self.sessions, sighting.session);
        touch(&mut self.sessions, sighting.other_session);
        for agent in sighting.agent.into_iter().chain(sighting.more_agents) {
            touch(&mut self.agents, Some(agent));
        }
        for call in sighting.call.into_iter().chain(sighting.more_calls) {
            touch(&mut self.calls, Some(call));
        }
        touch(&mut self.hints, sighting.hint);
        if self.examples.len() < EXAMPLES {
            self.examples.push(Example {
                time: sighting.time,
                session: sighting.session,
                message: sighting.message,
                packets: sighting.packets,
                text: sighting.text,
            });
        }
    }
}

fn touch<T: Ord>(set: &mut BTreeSet<T>, item: Option<T>) {
    if let Some(item) = item
        && set.len() < limits::MAX_TOUCHED
    {
        set.insert(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(list: Vec<Sighting>) -> Vec<Problem> {
        let mut sightings = Sightings::default();
        for sighting in list {
            sightings.push(sighting);
        }
        rank(sightings, &Thresholds::default())
    }

    fn seen(code: Code, seconds: i64) -> Sighting {
        Sighting::new(code, Timestamp::from_seconds(seconds), "seen").session(1)
    }

    #[test]
    fn effects_of_effects_are_counted_under_the_first_cause() {
        let problems = ranked(vec![
            seen(Code::PgOpcDown, 10),
            seen(Code::PeripheralOffline, 20),
            seen(Code::ForcedOut, 75).agent("1001"),
            seen(Code::ForcedOut, 81).agent("1002"),
        ]);
        let [cause, late] = problems.as_slice() else {
            panic!("{problems:#?}");
        };
        assert_eq!(cause.code, Code::PgOpcDown);
        let counts: Vec<(Code, u64)> = cause.explains.iter().map(|(c, n)| (*c, *n)).collect();
        assert_eq!(counts, [(Code::PeripheralOffline, 1), (Code::ForcedOut, 1)]);
        assert_eq!(cause.agents, BTreeSet::from(["1001".to_owned()]));
        assert_eq!((late.code, late.count), (Code::ForcedOut, 1));
    }

    #[test]
    fn two_at_the_same_time_do_not_explain_each_other_away() {
        let problems = ranked(vec![
            seen(Code::HeartbeatRefused, 10),
            seen(Code::HeartbeatRefused, 10),
        ]);
        assert_eq!(problems.len(), 1);
        let explained: u64 = problems.iter().flat_map(|p| p.explains.values()).sum();
        assert_eq!(problems.iter().map(|p| p.count).sum::<u64>() + explained, 2);
    }

    #[test]
    fn the_worst_comes_first_then_what_touches_most() {
        let problems = ranked(vec![
            seen(Code::ForcedOut, 1).group("a"),
            seen(Code::CallFailed, 2).call(7),
            seen(Code::PeripheralOffline, 3),
        ]);
        let codes: Vec<Code> = problems.iter().map(|p| p.code).collect();
        assert_eq!(
            codes,
            [Code::PeripheralOffline, Code::CallFailed, Code::ForcedOut]
        );
    }
}
