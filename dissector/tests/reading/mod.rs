//! Captures of scenarios, read as the program reads files.

#![allow(dead_code, reason = "shared by tests that need parts of it")]

use cti_dissector::analysis::{Analysis, Study};
use cti_dissector::capture::{Capture, Input, Segment, Segments, Step};
use cti_dissector::conversation::{Conversations, Options};
use cti_dissector::select::{Criteria, Selector};
use ctishark_fixtures::Scenario;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

/// A capture in memory.
struct Memory(Vec<u8>);

impl Input for Memory {
    fn name(&self) -> &str {
        "scenario"
    }

    fn reopenable(&self) -> bool {
        true
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}

/// The captures of a scenario.
pub fn inputs(scenario: &Scenario) -> Vec<Box<dyn Input>> {
    let files = scenario.capture_files().unwrap();
    let inputs = files.iter().map(|file| {
        let mut bytes = Vec::new();
        file.write_to(&mut bytes).unwrap();
        let input: Box<dyn Input> = Box::new(Memory(bytes));
        input
    });
    inputs.collect()
}

/// A capture in memory.
pub fn bytes(bytes: Vec<u8>) -> Box<dyn Input> {
    Box::new(Memory(bytes))
}

/// A capture file.
pub fn file(path: PathBuf) -> Box<dyn Input> {
    Box::new(Memory(std::fs::read(path).unwrap()))
}

/// Calls back with each segment.
pub fn each_segment(inputs: Vec<Box<dyn Input>>, mut call: impl FnMut(&Segment<'_>)) {
    let mut segments = Segments::new(Capture::new(inputs), false, false).unwrap();
    while let Some(step) = segments.next_step() {
        match step {
            Step::Packet(_, Some(segment)) => call(&segment),
            Step::Failed(error) => panic!("{error}"),
            _ => {}
        }
    }
}

/// What an analysis makes of captures.
pub fn study<A: Analysis>(inputs: Vec<Box<dyn Input>>, criteria: Criteria, analysis: A) -> A {
    let study = Study::new(analysis, Selector::new(criteria));
    let mut conversations = Conversations::new(Options::default(), study);
    each_segment(inputs, |segment| {
        conversations.sink().segment(segment);
        conversations.segment(segment);
    });
    conversations.finish().0.finish()
}
