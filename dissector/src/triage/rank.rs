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
/// Causes of causes that are followed.
const CHAIN: usize = 8;

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
    let mut parents: Vec<Option<usize>> = Vec::with_capacity(list.len());
    for (index, sighting) in list.iter().enumerate() {
        let until = causes.partition_point(|(_, time)| *time <= sighting.time);
        let earlier = causes.get(..until).unwrap_or_default().iter().rev();
        let cause = earlier
            .take_while(|(_, time)| sighting.time <= time.after(thresholds.fold))
            .map(|(at, _)| *at)
            .filter(|at| *at != index)
            .find(|at| {
                list.get(*at)
                    .is_some_and(|cause| super::fold::explains(cause, sighting))
            });
        parents.push(cause);
    }
    // A cause that is itself explained hands its effects on to what explains it.
    let mut folded: BTreeMap<usize, BTreeMap<Code, u64>> = BTreeMap::new();
    for (index, sighting) in list.iter().enumerate() {
        let mut root = index;
        for _ in 0..CHAIN {
            let Some(parent) = parents.get(root).copied().flatten() else {
                break;
            };
            root = parent;
        }
        if root != index {
            let effects = folded.entry(root).or_default();
            *effects.entry(sighting.code).or_default() += 1;
        }
    }
    let explained = parents.iter().map(Option::is_some).collect::<Vec<bool>>();
    let mut problems: BTreeMap<(Code, String), Problem> = BTreeMap::new();
    for (index, (sighting, explained)) in list.into_iter().zip(explained).enumerate() {
        if explained {
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
        for (code, count) in folded.remove(&index).unwrap_or_default() {
            *problem.explains.entry(code).or_default() += count;
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

impl Problem {
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
