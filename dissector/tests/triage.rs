//! Every finding of triage has a scenario that triggers it and one that nearly does: `fixtures/triage/CODE.scn` and
//! `fixtures/triage/CODE.near.scn`. `TRIAGE=CODE cargo test -p cti-dissector --test triage -- --nocapture` shows what is found in these two.

#![allow(clippy::unwrap_used, clippy::panic)]

mod triaging;

use cti_dissector::triage::{Code, Problem, Thresholds};
use ctishark_fixtures::Scenario;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/triage")
}

/// What triage finds in the capture of a scenario.
fn triage(path: &Path) -> Vec<Problem> {
    let scenario = Scenario::load(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    triaging::triage(&scenario, Thresholds::default())
}

fn show(path: &Path, problems: &[Problem]) {
    println!("{}", path.display());
    for problem in problems {
        println!(
            "  {} {} x{}: {}",
            problem.severity.name(),
            problem.code,
            problem.count,
            problem.text
        );
        for example in &problem.examples {
            println!(
                "      {:?} #{:?} packets {:?}: {}",
                example.session,
                example.message,
                example.packets.iter().map(|p| p.number).collect::<Vec<_>>(),
                example.text
            );
        }
    }
}

#[test]
fn every_finding_is_triggered_by_its_scenario_and_not_by_the_one_that_nearly_does() {
    let only = std::env::var("TRIAGE").ok();
    let mut faults = Vec::new();
    for code in Code::ALL {
        let chosen = only.as_deref() == Some(code.name());
        if only.is_some() && !chosen {
            continue;
        }
        let trigger = folder().join(format!("{code}.scn"));
        let near = folder().join(format!("{code}.near.scn"));
        if !trigger.exists() || !near.exists() {
            faults.push(format!("{code}: a scenario is missing"));
            continue;
        }
        let found = triage(&trigger);
        if chosen {
            show(&trigger, &found);
        }
        match found.iter().find(|problem| problem.code == *code) {
            None => faults.push(format!("{code}: not found in its scenario")),
            Some(problem) => {
                if problem.severity < code.severity() {
                    faults.push(format!("{code}: found, but as {:?}", problem.severity));
                }
                if problem.examples.is_empty() || problem.text.is_empty() {
                    faults.push(format!("{code}: does not say what was seen"));
                }
            }
        }
        let found = triage(&near);
        if chosen {
            show(&near, &found);
        }
        // Where the harm is less, the finding may stay with a lower severity.
        let same = found
            .iter()
            .find(|problem| problem.code == *code && problem.severity >= code.severity());
        if let Some(problem) = same {
            faults.push(format!(
                "{code}: found where it nearly is: {}",
                problem.text
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_scenario_belongs_to_a_finding() {
    let known: BTreeSet<String> = Code::ALL
        .iter()
        .flat_map(|code| [format!("{code}.scn"), format!("{code}.near.scn")])
        .collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".scn") {
            assert!(known.contains(&name), "{name} belongs to no finding");
        }
    }
}
