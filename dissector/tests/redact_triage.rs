//! Triage says the same of a redacted capture as of the capture: the same findings, as often, at the same places.

#![allow(clippy::unwrap_used, clippy::panic)]

mod reading;
mod redacting;

use cti_dissector::capture::Input;
use cti_dissector::redact::{Options, Policy};
use cti_dissector::select::Criteria;
use cti_dissector::triage::{Problem, Thresholds, Triage};
use ctishark_fixtures::Scenario;
use std::path::{Path, PathBuf};

fn files(folder: &str, keep: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| keep(&file.to_string_lossy()));
    files.sort();
    files
}

/// What is said, but for names and the numbers of packets, of which some are left out.
fn said(inputs: Vec<Box<dyn Input>>) -> Vec<String> {
    let triage = Triage::new(Thresholds::default(), false);
    let problems = reading::study(inputs, Criteria::default(), triage).finish();
    let mut said: Vec<String> = problems.iter().map(told).collect();
    said.sort();
    said
}

fn told(problem: &Problem) -> String {
    let mut places: Vec<_> = problem
        .examples
        .iter()
        .map(|e| format!("{:?} {:?} #{:?}", e.time, e.session, e.message))
        .collect();
    places.sort();
    format!(
        "{} {} x{} from {:?} to {:?}, {} agents, {} calls, sessions {:?}, explains {:?}, at {places:?}",
        problem.severity.name(),
        problem.code,
        problem.count,
        problem.first,
        problem.last,
        problem.agents.len(),
        problem.calls.len(),
        problem.sessions,
        problem.explains,
    )
}

fn compare(name: &Path, inputs: impl Fn() -> Vec<Box<dyn Input>>, faults: &mut Vec<String>) {
    let redacted = redacting::redacted(&inputs, Policy::default(), Options::default());
    let (one, other) = (said(inputs()), said(vec![reading::memory(redacted)]));
    if one != other {
        faults.push(format!("{}\n  {one:#?}\n  {other:#?}", name.display()));
    }
}

#[test]
fn of_every_capture() {
    let mut faults = Vec::new();
    for file in files("captures", |_| true) {
        compare(&file, || vec![reading::file(file.clone())], &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn of_every_scenario_that_triggers_a_finding() {
    let mut faults = Vec::new();
    for file in files("triage", |name| name.ends_with(".scn")) {
        let scenario = Scenario::load(&file).unwrap();
        compare(&file, || reading::inputs(&scenario), &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
