//! `ctishark agents` and `ctishark agent` on the committed captures.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod program;

use program::{VALIDATOR, capture, captures, ctishark};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Output;

fn start(options: &[&str], files: &[PathBuf]) -> Output {
    ctishark(options).args(files).output().unwrap()
}

fn run(options: &[&str], files: &[PathBuf]) -> String {
    let output = start(options, files);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{options:?} {files:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn agents(options: &[&str], files: &[PathBuf]) -> Vec<Value> {
    let output = run(options, files);
    let records: Vec<Value> = output
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    for record in &records {
        assert!(VALIDATOR.is_valid(record), "{files:?}: {record:#}");
    }
    let is_agent = |r: &Value| r["kind"] == "agent";
    records.into_iter().filter(is_agent).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn every_agent_of_every_capture_is_told_in_all_forms() {
    for file in captures() {
        let file = std::slice::from_ref(&file);
        let listed = agents(&["agents", "--format", "ndjson"], file);
        let csv = run(&["agents", "--format", "csv"], file);
        let rows: usize = listed
            .iter()
            .map(|a| array(&a["domains"]).len().max(1))
            .sum();
        assert_eq!(csv.lines().count(), rows + 1, "{file:?}");
        let text = run(&["agents", "--ascii", "--quiet"], file);
        assert!(text.is_ascii(), "{file:?}");
        assert_eq!(text.is_empty(), listed.is_empty(), "{file:?}");
        for agent in &listed {
            let id = agent["id"].as_str().unwrap();
            if id.is_empty() || id.starts_with('-') {
                continue;
            }
            let whole = agents(&["agent", "--format", "ndjson", id], file);
            let same =
                |a: &&Value| a["id"] == agent["id"] && a["peripheral"] == agent["peripheral"];
            let whole = whole.iter().find(same).unwrap();
            // What both have in common is the same.
            for (key, value) in agent.as_object().unwrap() {
                if key != "domains" && key != "contradictions" {
                    assert_eq!(value, &whole[key], "{file:?} {id} {key}");
                }
            }
            for (brief, domain) in array(&agent["domains"])
                .iter()
                .zip(array(&whole["domains"]))
            {
                assert_eq!(brief["states"], domain["states"], "{file:?} {id}");
                check_periods(domain, &format!("{file:?} {id}"));
            }
            let periods: usize = array(&whole["domains"])
                .iter()
                .map(|d| array(&d["periods"]).len())
                .sum();
            let csv = run(&["agent", "--format", "csv", id], file);
            assert!(csv.lines().count() > periods, "{file:?} {id}");
            assert!(
                run(&["agent", "--ascii", id], file).is_ascii(),
                "{file:?} {id}"
            );
        }
    }
}

/// Periods follow each other without overlap, and times in states are their sums.
fn check_periods(domain: &Value, what: &str) {
    let periods = array(&domain["periods"]);
    for pair in periods.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        assert!(before["to"].as_str() <= after["from"].as_str(), "{what}");
        if before["ending"] == "changed" {
            assert_eq!(before["to"], after["from"], "{what}");
            let same = before["state"] == after["state"] && before["reason"] == after["reason"];
            assert!(!same, "{what}: {before} {after}");
        }
    }
    for total in array(&domain["states"]) {
        let of_state = || periods.iter().filter(|p| p["state"] == total["state"]);
        let sum: f64 = of_state().filter_map(|p| p["duration_s"].as_f64()).sum();
        let told = total["duration_s"].as_f64().unwrap();
        assert!((sum - told).abs() < 1e-6, "{what}: {sum} {told}");
        assert_eq!(total["count"], of_state().count(), "{what}");
    }
}

#[test]
fn an_agent_goes_by_its_extension_too_and_one_that_is_not_there_is_an_error() {
    let file = [capture("agents-shift.pcap")];
    let by_id = run(&["agent", "1002"], &file);
    assert_eq!(by_id, run(&["agent", "20102"], &file));
    assert!(by_id.contains("50003 phone out of service"));
    let output = start(
        &["agent", "1002", "--agent", "1001", "--session", "2"],
        &file,
    );
    assert_eq!(output.status.code(), Some(2));
    let output = start(&["agent", "9999"], &file);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("9999") && stderr.contains("ctishark agents"),
        "{stderr}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn an_agent_is_listed_when_one_of_its_messages_is_selected() {
    let file = [capture("agents-shift.pcap")];
    let ids = |options: &[&str]| -> Vec<String> {
        let mut all = vec!["agents", "--format", "ndjson"];
        all.extend(options);
        let listed = agents(&all, &file);
        listed
            .iter()
            .map(|a| a["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&[]), ["1001", "1002"]);
    assert_eq!(ids(&["--agent", "20101"]), ["1001"]);
    assert_eq!(ids(&["-Y", "EventReasonCode == 50003"]), ["1002"]);
    assert_eq!(ids(&["--call", "16777302"]), ["1002"]);
    assert_eq!(ids(&["--to", "08:00:05"]), ["1001"]);
    // What is not selected still counts.
    let narrow = agents(&["agents", "--format", "ndjson", "--agent", "20101"], &file);
    let all = agents(&["agents", "--format", "ndjson"], &file);
    assert_eq!(narrow[0]["domains"], all[0]["domains"]);
}

#[test]
fn several_files_are_one_capture() {
    let files = ["ring-1.pcap", "ring-2.pcap", "ring-3.pcap"].map(capture);
    let listed = agents(&["agent", "1001", "--format", "ndjson"], &files);
    assert_eq!(listed.len(), 1);
    let periods = array(&listed[0]["domains"][0]["periods"]);
    assert!(
        periods.iter().all(|p| !array(&p["files"]).is_empty()),
        "{periods:?}"
    );
}

#[test]
fn hostile_names_stay_harmless() {
    let file = [capture("malformed.pcap"), capture("agents-shift.pcap")];
    for options in [
        &["agents"][..],
        &["agents", "--format", "csv"],
        &["agent", "1001"],
    ] {
        let output = run(options, &file);
        let odd = output.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(odd, None, "{options:?}");
    }
}
