//! The command `triage`: text, JSON, CSV, selection, thresholds, exit codes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod program;

use program::{VALIDATOR, captures, ctishark};
use std::process::Output;

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    let mut command = ctishark(&["triage"]);
    command.args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn records(arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["--format", "ndjson"];
    all.extend(arguments);
    let output = run(&all);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines = text(&output);
    let records = lines.lines().map(|l| serde_json::from_str(l).unwrap());
    records.collect()
}

fn problems(arguments: &[&str]) -> Vec<Value> {
    let records = records(arguments).into_iter();
    records.filter(|r| r["kind"] == "problem").collect()
}

const FAILURES: &str = "fixtures/captures/failures.pcap";

#[test]
fn every_record_of_every_capture_is_as_the_schema_says() {
    for capture in captures() {
        let records = records(&[capture.to_str().unwrap()]);
        assert_eq!(records[0]["kind"], "header");
        assert_eq!(records.last().unwrap()["kind"], "summary");
        for record in &records {
            if let Err(error) = VALIDATOR.validate(record) {
                panic!("{}: {error}: {record}", capture.display());
            }
        }
    }
}

#[test]
fn all_forms_tell_the_same_findings_in_the_same_order() {
    let found = problems(&[FAILURES]);
    assert!(!found.is_empty());
    let as_array: Value =
        serde_json::from_str(&text(&run(&["--format", "json", FAILURES]))).unwrap();
    let as_array: Vec<&Value> = as_array.as_array().unwrap().iter().collect();
    let as_array = as_array.into_iter().filter(|r| r["kind"] == "problem");
    assert_eq!(as_array.cloned().collect::<Vec<_>>(), found);
    let as_csv = text(&run(&["--format", "csv", FAILURES]));
    let rows: Vec<&str> = as_csv.lines().skip(1).collect();
    assert_eq!(rows.len(), found.len());
    let as_text = text(&run(&[FAILURES]));
    let headings: Vec<&str> = as_text
        .lines()
        .filter(|line| {
            let number = line.split_once(". ").map(|(number, _)| number);
            number.is_some_and(|n| n.parse::<u64>().is_ok())
        })
        .collect();
    assert_eq!(headings.len(), found.len());
    for ((problem, row), heading) in found.iter().zip(rows).zip(headings) {
        let code = problem["code"].as_str().unwrap();
        assert!(row.contains(code), "{row}");
        assert!(heading.contains(code), "{heading}");
    }
}

#[test]
fn findings_are_ranked_by_severity() {
    let place = |problem: &Value| match problem["severity"].as_str().unwrap() {
        "error" => 0,
        "warn" => 1,
        _ => 2,
    };
    for capture in captures() {
        let found = problems(&[capture.to_str().unwrap()]);
        assert!(found.is_sorted_by_key(place), "{}", capture.display());
        let ranks = found.iter().map(|p| p["rank"].as_u64().unwrap());
        assert!(ranks.eq(1..=u64::try_from(found.len()).unwrap()));
    }
}

#[test]
fn an_example_names_a_message_and_the_packets_that_carried_it() {
    let mut seen = 0;
    for capture in captures() {
        let capture = capture.to_str().unwrap();
        let timeline = ctishark(&["--format", "ndjson", capture]).output().unwrap();
        let timeline = text(&timeline);
        let messages: Vec<Value> = timeline
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .filter(|r: &Value| r["kind"] == "message")
            .collect();
        for problem in problems(&[capture]) {
            for example in problem["examples"].as_array().unwrap() {
                let Some(no) = example.get("message") else {
                    continue;
                };
                let message = messages.iter().find(|m| m["no"] == *no).unwrap();
                // What ends a session is a packet behind its last message.
                if capture.ends_with("failures.pcap") {
                    assert_eq!(message["packets"], example["packets"], "{example}");
                }
                // A failover was told with the lost session and a message of the next one.
                assert_eq!(
                    message["session"], example["session"],
                    "{capture}: {example}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 50);
}

#[test]
fn the_exit_code_answers_what_fail_on_asks() {
    let code = |arguments: &[&str]| run(arguments).status.code();
    let refused = "fixtures/captures/open-refused.pcap";
    assert_eq!(code(&[refused]), Some(0));
    assert_eq!(code(&["--fail-on", "error", refused]), Some(1));
    assert_eq!(
        code(&[
            "--fail-on",
            "error",
            "fixtures/captures/file-nanos-big-endian.pcap"
        ]),
        Some(0)
    );
    // What is not shown still counts.
    let hidden = run(&["--fail-on", "warn", "--min-severity", "error", FAILURES]);
    assert_eq!(hidden.status.code(), Some(1));
    assert_eq!(code(&["--fail-on", "error", "no-such-file"]), Some(2));
    assert_eq!(code(&["--fail-on", "fatal", refused]), Some(2));
}

#[test]
fn a_selection_leaves_findings_that_touch_it() {
    let all = problems(&[FAILURES]);
    let with = |expression| problems(&["-Y", expression, FAILURES]);
    assert_eq!(with("session == 1").len(), all.len());
    assert!(with("session == 99").is_empty());
    let unanswered = with("name == \"QUERY_AGENT_STATE_REQ\"");
    let codes = unanswered.iter().map(|p| p["code"].as_str().unwrap());
    assert!(codes.eq(["request_unanswered"]), "{unanswered:?}");
}

#[test]
fn the_heading_tells_how_much_was_looked_at() {
    let heading = |arguments: &[&str]| {
        let text = text(&run(arguments));
        text.lines().next().unwrap_or_default().to_owned()
    };
    let all = heading(&[FAILURES]);
    assert!(all.ends_with(" in 1 session, 21 messages"), "{all}");
    let some = heading(&["-Y", "name == \"QUERY_AGENT_STATE_REQ\"", FAILURES]);
    assert!(
        some.ends_with(" in 1 of 1 session, 1 of 21 messages"),
        "{some}"
    );
}

#[test]
fn a_threshold_can_be_changed_and_a_wrong_one_is_told() {
    let said = |assignment: &str| {
        let output = run(&["--threshold", assignment, FAILURES]);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("recovry=5s").contains("did you mean recovery?"));
    assert!(said("recovery=soon").contains("a time span such as"));
    assert!(said("recovery").contains("NAME=VALUE"));
    assert_eq!(
        run(&["--threshold", "recovery=2m", FAILURES]).status.code(),
        Some(0)
    );
}

#[test]
fn a_capture_without_trouble_says_so() {
    let output = run(&["fixtures/captures/call-transferred.pcap"]);
    assert_eq!(text(&output), "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "ctishark: nothing found that looks like trouble\n");
}

#[test]
fn nothing_was_found_where_nothing_was_judged() {
    let nothing = "nothing found that looks like trouble";
    let said = |arguments: &[&str]| String::from_utf8(run(arguments).stderr).unwrap();
    assert!(!said(&["--call", "99", FAILURES]).contains(nothing));
    assert!(!said(&["README.md"]).contains(nothing));
}
