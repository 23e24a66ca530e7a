//! Triage of scenarios, for tests.

use cti_dissector::analysis::Study;
use cti_dissector::capture::{Capture, Input, Segments, Step};
use cti_dissector::conversation::{Conversations, Options};
use cti_dissector::select::{Criteria, Selector};
use cti_dissector::triage::{Problem, Thresholds, Triage};
use ctishark_fixtures::Scenario;
use std::io::{self, Cursor, Read};

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

/// What triage finds in the capture of a scenario.
pub fn triage(scenario: &Scenario, thresholds: Thresholds) -> Vec<Problem> {
    let files = scenario.capture_files().unwrap();
    let inputs = files.iter().map(|file| {
        let mut bytes = Vec::new();
        file.write_to(&mut bytes).unwrap();
        let input: Box<dyn Input> = Box::new(Memory(bytes));
        input
    });
    let selector = Selector::new(Criteria::default());
    let study = Study::new(Triage::new(thresholds, false), selector);
    let mut conversations = Conversations::new(Options::default(), study);
    let mut segments = Segments::new(Capture::new(inputs.collect()), false, false).unwrap();
    while let Some(step) = segments.next_step() {
        match step {
            Step::Packet(_, Some(segment)) => {
                conversations.sink().segment(&segment);
                conversations.segment(&segment);
            }
            Step::Failed(error) => panic!("{error}"),
            _ => {}
        }
    }
    let (study, _) = conversations.finish();
    study.finish().finish()
}
