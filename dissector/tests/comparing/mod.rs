//! Runs scenarios through the dissector into a comparison, and changes them: all by the bytes of their messages.

#![allow(dead_code, reason = "shared by tests that need parts of it")]

#[path = "../reading/mod.rs"]
mod reading;

use cti_dissector::capture::Segment;
use cti_dissector::decode::{Decoder, FieldValue};
use cti_dissector::diff::{self, Collector, Comparison, Edit, OldSide, Profile, Rules};
use cti_dissector::protocol;
use cti_dissector::select::Criteria;
use ctishark_fixtures::{Action, Scenario, Sent};
use std::ops::Range;
use std::path::Path;

/// Calls back with the segments of a scenario's captures.
pub fn each_segment(scenario: &Scenario, call: impl FnMut(&Segment<'_>)) {
    reading::each_segment(reading::inputs(scenario), call);
}

fn read(scenario: &Scenario, collector: Collector) -> Collector {
    reading::study(reading::inputs(scenario), Criteria::default(), collector)
}

/// What differs between two scenarios, by the usual rules.
pub fn compared(old: &Scenario, new: &Scenario) -> Comparison {
    compared_by(Profile::default().rules().unwrap(), old, new)
}

pub fn compared_by(rules: Rules, old: &Scenario, new: &Scenario) -> Comparison {
    let (old, collector) = OldSide::then(read(old, diff::old_side(rules)));
    diff::compare(old, read(new, collector))
}

/// A scenario of the fixtures.
pub fn scenario(name: &str) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios");
    Scenario::load(&folder.join(format!("{name}.scn"))).unwrap()
}

/// A scenario from lines behind what all share.
pub fn written(lines: &str) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios");
    let common = std::fs::read_to_string(folder.join("common.inc")).unwrap();
    Scenario::from_text("test", &format!("title Test\n{common}\n{lines}")).unwrap()
}

/// The messages, each with its place among the events.
pub fn messages(scenario: &Scenario) -> Vec<(usize, &Sent)> {
    let events = scenario.events.iter().enumerate();
    events
        .filter_map(|(index, event)| match &event.action {
            Action::Send(sent) => Some((index, sent.as_ref())),
            _ => None,
        })
        .collect()
}

/// The bytes of a message, to be changed.
pub fn bytes_of(scenario: &mut Scenario, event: usize) -> &mut Vec<u8> {
    match &mut scenario.events[event].action {
        Action::Send(sent) => &mut sent.payload.bytes,
        other => panic!("{other:?}"),
    }
}

/// A field, where it stands, and what kind it is.
#[derive(Debug, Clone)]
pub struct Place {
    pub name: String,
    pub range: Range<usize>,
    pub number: Option<u32>,
    pub is_null: bool,
}

/// The fields of a message.
pub fn places(sent: &Sent) -> Vec<Place> {
    let content = sent.payload.message.as_ref().unwrap();
    let mut decoder = Decoder::new();
    let view = decoder.decode(&sent.payload.bytes, content.version);
    let fixed = view.fixed().map(|field| Place {
        name: field.field().name.to_owned(),
        range: field.range(),
        number: Some(field.number().bits),
        is_null: field.special().is_some(),
    });
    let floating = view.floating().filter_map(|field| {
        let number = match field.value() {
            FieldValue::Number(number) => Some(number.bits),
            FieldValue::Text(text) if !text.is_empty() && !view.hides(&field) => None,
            _ => return None,
        };
        Some(Place {
            name: field.name()?.to_owned(),
            range: field.data_range(),
            number,
            is_null: false,
        })
    });
    fixed.chain(floating).collect()
}

/// The same run at another time, with other ports, and other names for everything that a run names.
pub fn rerun(scenario: &Scenario) -> Scenario {
    let mut new = scenario.clone();
    for connection in &mut new.connections {
        connection
            .client
            .set_port(connection.client.port() ^ 0x0155);
        connection.sequence.0 = connection.sequence.0.wrapping_add(77_777);
    }
    for event in &mut new.events {
        let nanos = event.time.nanos() + 86_400_000_000_000 * 3;
        event.time = cti_dissector::Timestamp::from_nanos(nanos);
        if let Action::Send(sent) = &mut event.action {
            sent.time = event.time;
            if sent.payload.message.is_some() {
                let fields = places(sent);
                for field in fields {
                    rename(&mut sent.payload.bytes, &field);
                }
            }
        }
    }
    new
}

/// Gives what a field names another name, the same wherever it is named.
fn rename(bytes: &mut [u8], field: &Place) {
    let tables = protocol::comparison();
    let class = tables
        .identities
        .iter()
        .find(|class| class.fields.contains(&field.name.as_str()));
    let Some(number) = field.number.filter(|_| !field.is_null) else {
        return;
    };
    let renamed = match class {
        Some(class) if class.nothing == Some(number) => return,
        Some(_) => number ^ 0x0003_0055,
        None if tables.varying.contains(&field.name.as_str()) => number.wrapping_add(13),
        None => return,
    };
    let size = field.range.len();
    bytes[field.range.clone()].copy_from_slice(&renamed.to_be_bytes()[4 - size..]);
}

/// A difference, as tests name it: what happened to which message, and the fields that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub what: &'static str,
    pub name: String,
    pub fields: Vec<String>,
}

/// All differences of messages.
pub fn told(comparison: &Comparison) -> Vec<Told> {
    let mut all = Vec::new();
    for pair in &comparison.pairs {
        for edit in &pair.edits {
            let old = edit
                .old_place()
                .and_then(|old| comparison.old_line(pair, old));
            let new = edit
                .new_place()
                .and_then(|new| comparison.new_line(pair, new));
            let (what, fields) = match *edit {
                Edit::Missing(_) => ("missing", Vec::new()),
                Edit::Added(_) => ("added", Vec::new()),
                Edit::Moved(..) => ("reordered", Vec::new()),
                Edit::Changed(o, n) => {
                    let changes = comparison.field_changes(pair, o, n).into_iter();
                    ("changed", changes.map(|change| change.field).collect())
                }
            };
            let name = new.or(old).unwrap().name;
            all.push(Told { what, name, fields });
        }
    }
    all
}
