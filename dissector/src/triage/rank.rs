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
        severities,
        mut hints,
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
                .map(|(at, _)| *at)
                // Causes come first; of two at the same time neither can explain the other in a circle.
                .filter(|at| *at < index)
                .find(|at| {
                    list.get(*at)
                        .is_some_and(|cause| super::fold::explains(cause, sighting))
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
        touch(&mut self.agents, sighting.agent.clone());
        touch(&mut self.calls, sighting.call);
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
        touch(&mut self.agents, sighting.agent);
        touch(&mut self.calls, sighting.call);
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
