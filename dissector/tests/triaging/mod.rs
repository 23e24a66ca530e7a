//! Triage of scenarios, for tests.

#[path = "../reading/mod.rs"]
pub mod reading;

use cti_dissector::ports::Ports;
use cti_dissector::select::Criteria;
use cti_dissector::triage::{Problem, Thresholds, Triage};
use ctishark_fixtures::Scenario;

/// What triage finds in the capture of a scenario.
pub fn triage(scenario: &Scenario, thresholds: Thresholds) -> Vec<Problem> {
    triage_on(scenario, thresholds, Ports::default())
}

/// The same, where CTI is expected on these ports.
pub fn triage_on(scenario: &Scenario, thresholds: Thresholds, ports: Ports) -> Vec<Problem> {
    let triage = Triage::new(thresholds, false).with_ports(ports);
    reading::study(reading::inputs(scenario), Criteria::default(), triage).finish()
}
