//! Triage of scenarios, for tests.

#[path = "../reading/mod.rs"]
pub mod reading;

use cti_dissector::select::Criteria;
use cti_dissector::triage::{Problem, Thresholds, Triage};
use ctishark_fixtures::Scenario;

/// What triage finds in the capture of a scenario.
pub fn triage(scenario: &Scenario, thresholds: Thresholds) -> Vec<Problem> {
    let triage = Triage::new(thresholds, false);
    reading::study(reading::inputs(scenario), Criteria::default(), triage).finish()
}
