//! What is told of a capture as a whole.

use crate::input::Bytes;
use crate::program::{HOLD, VERSION, dissect_watching};
use cti_dissector::analysis::agents::Agent;
use cti_dissector::analysis::calls::{Call, CallOptions, Calls};
use cti_dissector::analysis::{Agents, Statistics, Study};
use cti_dissector::conversation::Options;
use cti_dissector::limits;
use cti_dissector::protocol::ProtocolVersion;
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::statistics::{self, Section};
use cti_dissector::render::table::Look;
use cti_dissector::render::text::{AgentPage, Problems, Stories, is_harmless};
use cti_dissector::render::{json, svg};
use cti_dissector::select::{Criteria, Selector};
use cti_dissector::triage::{Problem, Thresholds, Triage};
use serde_json::Value;
use std::collections::BTreeSet;

/// The first byte holds flags, the rest is the capture.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let flags = bytes.u8();
    let options = Options {
        version: (flags & VERSION != 0).then_some(ProtocolVersion(u32::from(flags >> 4) * 2)),
        hold_requests: flags & HOLD != 0,
        ..Options::default()
    };
    let look = Look {
        zone: jiff::tz::TimeZone::UTC,
        ascii: false,
        colour: false,
        fit: None,
    };
    let mut stories = Stories::new(look, 100);
    let told: Tell = Box::new(move |told| call(&told, &mut stories));
    let calls = CallOptions {
        stories: true,
        in_order: true,
    };
    let analyses = (
        Triage::new(Thresholds::default(), false),
        Calls::new(calls, told),
        Agents::new(flags & WHOLE != 0),
        Statistics::new((flags & SLICES != 0).then_some(1_000_000_000)),
    );
    let study = Watched {
        study: Study::new(analyses, Selector::new(Criteria::default())),
        messages: 0,
    };
    let (watched, _, _) = dissect_watching(bytes.rest(), options, study, |watched, segment| {
        watched.study.segment(segment);
    });
    let (problems, calls, agents, statistics) = watched.study.finish();
    let _ = calls.finish();
    let problems = problems.finish();
    triage(&problems, watched.messages);
    agents.finish().agents.iter().for_each(agent);
    count(&statistics, watched.messages);
}

/// Agents keep their whole history.
const WHOLE: u8 = 2;
/// Statistics have slices of time.
const SLICES: u8 = 4;

/// An agent is told in every form, and periods follow each other.
fn agent(agent: &Agent) {
    let look = Look {
        zone: jiff::tz::TimeZone::UTC,
        ascii: false,
        colour: false,
        fit: None,
    };
    let mut out = Vec::new();
    AgentPage::new(look, 100).write(&mut out, agent);
    harmless(&out);
    let mut out = Vec::new();
    json::agent(&mut out, agent, true, &json::Options::default());
    let record: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(record["kind"], "agent");
}

/// What is counted by type, by session and over all adds up.
fn count(statistics: &Statistics, messages: u64) {
    assert_eq!(statistics.total().messages, messages);
    let look = Look {
        zone: jiff::tz::TimeZone::UTC,
        ascii: false,
        colour: false,
        fit: None,
    };
    let mut out = Vec::new();
    statistics::text(&mut out, statistics, &Section::ALL, &look, 100);
    harmless(&out);
    let mut out = Vec::new();
    let objects = json::Objects::new(false);
    json::statistics(&mut out, &objects, statistics, &Section::ALL);
    for line in out.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let record: Value = serde_json::from_slice(line).unwrap();
        assert!(record["kind"].is_string());
    }
}

/// What takes calls.
type Tell = Box<dyn FnMut(Call)>;

/// A study, and how many messages it got.
struct Watched {
    study: Study<(Triage, Calls<Tell>, Agents, Statistics)>,
    messages: u64,
}

impl Sink for Watched {
    fn record(&mut self, record: Record<'_>) {
        self.messages += u64::from(matches!(record, Record::Message(..)));
        self.study.record(record);
    }
}

fn triage(problems: &[Problem], messages: u64) {
    assert!(problems.is_sorted_by(|a, b| a.severity >= b.severity));
    let mut seen = BTreeSet::new();
    let mut text = Problems::new(
        Look {
            zone: jiff::tz::TimeZone::UTC,
            ascii: false,
            colour: false,
            fit: None,
        },
        false,
    );
    for (rank, problem) in (1..).zip(problems) {
        assert!(seen.insert((problem.code, &problem.text)), "told once");
        assert!(problem.count >= 1 && problem.first <= problem.last);
        for example in &problem.examples {
            let no = example.message;
            assert!(no.is_none_or(|no| (1..=messages).contains(&no)));
            assert!(problem.first <= example.time && example.time <= problem.last);
        }
        let mut out = Vec::new();
        text.write(&mut out, problem, rank);
        harmless(&out);
        let mut out = Vec::new();
        json::problem(&mut out, problem, rank, &json::Options::default());
        let record: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(record["kind"], "problem");
    }
}

/// Text that may go to a terminal.
fn harmless(text: &[u8]) {
    let text = std::str::from_utf8(text).unwrap();
    for c in text.chars() {
        assert!(c == '\n' || is_harmless(c), "{c:?} in {text:?}");
    }
    assert!(text.is_empty() || text.ends_with('\n'));
}

/// Stories of calls: bounded, in order, and harmless in every form.
fn call(call: &Call, stories: &mut Stories) {
    assert!(call.first <= call.last && call.first_message <= call.last_message);
    assert!(
        call.ids.len() <= limits::MAX_CALL_LEGS && call.parties.len() <= limits::MAX_CALL_PARTIES
    );
    assert!(call.steps.len() <= limits::MAX_CALL_STEPS);
    assert!(call.ended_by.is_none_or(|index| index < call.parties.len()));
    for step in &call.steps {
        assert!(!step.sightings.is_empty());
        let named = [step.from, step.to].into_iter().flatten();
        let changed = step.changes.iter().map(|change| change.party);
        for party in named.chain(changed) {
            assert!(party < call.parties.len(), "{party}");
        }
    }
    let mut out = Vec::new();
    stories.write(&mut out, call);
    harmless(&out);
    let mut lines = Vec::new();
    json::story(&mut lines, call, &json::Options::default(), |out, write| {
        write(out);
        out.push(b'\n');
    });
    for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let record: Value = serde_json::from_slice(line).unwrap();
        assert!(record["kind"] == "call" || record["kind"] == "call_step");
    }
    let mut picture = Vec::new();
    svg::ladder(&mut picture, call, &jiff::tz::TimeZone::UTC);
    let picture = std::str::from_utf8(&picture).unwrap();
    assert!(picture.chars().all(|c| c == '\n' || is_harmless(c)));
    assert_eq!(
        picture.matches("<g ").count(),
        picture.matches("</g>").count()
    );
}
