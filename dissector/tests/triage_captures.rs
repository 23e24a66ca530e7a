//! What triage finds in each committed capture, exactly. Ordinary traffic must not give more than hints: whoever reads findings every day
//! soon ignores one that cries wolf.

#![allow(clippy::unwrap_used, clippy::panic)]

mod reading;

use cti_dissector::finding::Severity;
use cti_dissector::select::Criteria;
use cti_dissector::triage::{Problem, Thresholds, Triage};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn triage(files: Vec<PathBuf>) -> Vec<Problem> {
    let inputs = files.into_iter().map(reading::file).collect();
    let triage = Triage::new(Thresholds::default(), false);
    reading::study(inputs, Criteria::default(), triage).finish()
}

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn name(file: &Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_committed_capture_has_exactly_these_findings() {
    let mut table = String::new();
    for file in captures() {
        writeln!(table, "{}", name(&file)).unwrap();
        for problem in triage(vec![file]) {
            let Problem {
                code,
                severity,
                text,
                count,
                ..
            } = problem;
            writeln!(table, "    {} {code} {count}: {text}", severity.name()).unwrap();
            for (effect, times) in problem.explains {
                writeln!(table, "        explains {times} {effect}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// Captures in which something is wrong: what their titles say.
const IN_TROUBLE: [&str; 16] = [
    "agents-shift.pcap",
    "call-failover.pcap",
    "call-peripheral-offline.pcap",
    "call-rerouted.pcap",
    "demo.pcap",
    "failures.pcap",
    "heartbeat-loss.pcap",
    "hostile.pcap",
    "malformed.pcap",
    "missed-call.pcap",
    "monitors.pcap",
    "open-lower-version.pcap",
    "open-refused.pcap",
    "recording-v15.pcap",
    "release-new.pcap",
    "tls.pcap",
];

#[test]
fn ordinary_traffic_gives_hints_at_most() {
    for file in captures() {
        let name = name(&file);
        let problems = triage(vec![file]);
        if IN_TROUBLE.contains(&name.as_str()) {
            let worst = problems.iter().map(|problem| problem.severity).max();
            assert!(worst > Some(Severity::Info), "{name} is in no trouble");
            continue;
        }
        for problem in problems {
            assert_eq!(
                problem.severity,
                Severity::Info,
                "{name}: {}: {}",
                problem.code,
                problem.text
            );
        }
    }
}

#[test]
fn files_of_a_ring_buffer_are_one_session() {
    let ring = captures()
        .into_iter()
        .filter(|file| name(file).starts_with("ring-"));
    let problems = triage(ring.collect());
    let found: Vec<&str> = problems.iter().map(|p| p.code.name()).collect();
    assert_eq!(found, ["cleartext_secret"]);
}
