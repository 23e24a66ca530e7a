//! Triage of scenarios, for tests.

#![allow(dead_code, reason = "shared by tests that need parts of it")]

#[path = "../reading/mod.rs"]
pub mod reading;

use cti_dissector::finding::Severity;
use cti_dissector::select::Criteria;
use cti_dissector::triage::{Code, Problem, Thresholds, Triage};
use ctishark_fixtures::Scenario;

/// What triage finds in the capture of a scenario.
pub fn triage(scenario: &Scenario, thresholds: Thresholds) -> Vec<Problem> {
    let triage = Triage::new(thresholds, false);
    reading::study(reading::inputs(scenario), Criteria::default(), triage).finish()
}

/// How much each finding counts, and how bad it is; sorted.
pub fn summary(problems: &[Problem]) -> Vec<(Code, Severity, u64)> {
    let mut list: Vec<_> = problems
        .iter()
        .map(|p| (p.code, p.severity, p.count))
        .collect();
    list.sort_unstable();
    list
}
