//! What is told of a capture as a whole.

use crate::input::Bytes;
use crate::program::{HOLD, VERSION, dissect_watching};
use cti_dissector::analysis::Study;
use cti_dissector::conversation::Options;
use cti_dissector::protocol::ProtocolVersion;
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::render::table::Look;
use cti_dissector::render::text::{Problems, is_harmless};
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
    let analyses = Triage::new(Thresholds::default(), false);
    let study = Watched {
        study: Study::new(analyses, Selector::new(Criteria::default())),
        messages: 0,
    };
    let (watched, _, _) = dissect_watching(bytes.rest(), options, study, |watched, segment| {
        watched.study.segment(segment);
    });
    let problems = watched.study.finish().finish();
    triage(&problems, watched.messages);
}

/// A study, and how many messages it got.
struct Watched {
    study: Study<Triage>,
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
