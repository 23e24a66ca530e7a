//! Findings of triage as JSON.

use super::Options;
use super::values::{Moment, Places, object};
use crate::triage;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize)]
struct Problem<'a> {
    kind: &'static str,
    rank: u64,
    severity: &'static str,
    code: &'static str,
    text: &'a str,
    count: u64,
    first: Moment,
    last: Moment,
    sessions: &'a BTreeSet<u32>,
    agents: &'a BTreeSet<String>,
    calls: &'a BTreeSet<u32>,
    means: &'static str,
    check: &'static str,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    hints: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    explains: BTreeMap<&'static str, u64>,
    examples: Vec<Example<'a>>,
}

#[derive(Serialize)]
struct Example<'a> {
    time: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<u64>,
    #[serde(flatten)]
    places: Places,
    text: &'a str,
}

/// Appends a finding of triage; `rank` counts from 1.
pub fn problem(out: &mut Vec<u8>, problem: &triage::Problem, rank: u64, options: &Options) {
    let examples = problem.examples.iter().map(|example| Example {
        time: Moment(example.time),
        session: example.session,
        message: example.message,
        places: Places::new(&example.packets, options.several_inputs),
        text: &example.text,
    });
    let record = Problem {
        kind: "problem",
        rank,
        severity: problem.severity.name(),
        code: problem.code.name(),
        text: &problem.text,
        count: problem.count,
        first: Moment(problem.first),
        last: Moment(problem.last),
        sessions: &problem.sessions,
        agents: &problem.agents,
        calls: &problem.calls,
        means: problem.code.means(),
        check: problem.code.check(),
        hints: &problem.hints,
        explains: problem
            .explains
            .iter()
            .map(|(code, count)| (code.name(), *count))
            .collect(),
        examples: examples.collect(),
    };
    object(out, &record);
}
