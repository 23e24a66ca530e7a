//! Filters from the command line: the same messages in every form of output, with the records that belong to them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeSet;

fn run(arguments: &[&str], capture: &str) -> String {
    let output = Command::cargo_bin("ctishark")
        .unwrap()
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env("NO_COLOR", "1")
        .args(["--quiet", "--jobs", "1"])
        .args(arguments)
        .arg(format!("../fixtures/captures/{capture}.pcap"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), &*stderr),
        (Some(0), ""),
        "{arguments:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

fn records(arguments: &[&str], capture: &str) -> Vec<Value> {
    let arguments = [&["--format", "ndjson"], arguments].concat();
    let lines = run(&arguments, capture);
    lines
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn kind<'a>(records: &'a [Value], kind: &str) -> impl Iterator<Item = &'a Value> {
    records.iter().filter(move |r| r["kind"] == kind)
}

fn numbers_in_json(records: &[Value]) -> BTreeSet<u64> {
    kind(records, "message")
        .map(|m| m["no"].as_u64().unwrap())
        .collect()
}

fn numbers_in_text(text: &str) -> BTreeSet<u64> {
    let numbers = text.lines().filter_map(|line| line.strip_prefix('#'));
    numbers
        .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
        .collect()
}

const CAPTURES: [&str; 6] = [
    "demo",
    "failures",
    "gaps",
    "malformed",
    "ignore-conf",
    "mixed",
];

#[test]
fn text_and_json_show_the_same_messages() {
    let mut shown = 0;
    for capture in CAPTURES {
        for filter in [
            "status",
            "status == failed || status == unanswered",
            "!answered && latency_ms > 1",
            "answered == false",
            "latency_ms in {0..5}",
            "findings",
            "AgentID == \"1001\" && name matches \"REQ$\"",
            "!(AgentID || ConnectionCallID)",
        ] {
            let text = numbers_in_text(&run(&["-Y", filter], capture));
            let json = numbers_in_json(&records(&["--filter", filter], capture));
            assert_eq!(text, json, "{capture}: {filter}");
            shown += json.len();
        }
    }
    assert!(shown > 100, "{shown}");
}

#[test]
fn the_name_of_a_message_selects_what_its_type_selects() {
    for capture in CAPTURES {
        for format in ["text", "ndjson", "json"] {
            for name in [
                "SET_AGENT_STATE_REQ",
                "CONTROL_FAILURE_CONF",
                "AGENT_STATE_EVENT",
            ] {
                let by_filter = format!("name == {name}");
                let by_filter = run(&["--format", format, "-Y", &by_filter], capture);
                let by_type = run(&["--format", format, "--type", name], capture);
                assert_eq!(by_filter, by_type, "{capture}: {name} as {format}");
            }
        }
    }
}

#[test]
fn exchanges_pass_when_one_of_their_messages_does() {
    let mut passed = 0;
    for capture in CAPTURES {
        let all = records(&[], capture);
        for filter in [
            "AgentID",
            "FailureCode",
            "latency_ms > 5",
            "direction == client-to-server",
        ] {
            let some = records(&["-Y", filter], capture);
            let messages = numbers_in_json(&some);
            let number = |exchange: &Value, part: &str| exchange[part]["no"].as_u64();
            let is_of_one = |exchange: &&Value| {
                let parts = ["request", "answer"].map(|part| number(exchange, part));
                parts.into_iter().flatten().any(|no| messages.contains(&no))
            };
            let wanted: Vec<&Value> = kind(&all, "exchange").filter(is_of_one).collect();
            let found: Vec<&Value> = kind(&some, "exchange").collect();
            assert_eq!(found, wanted, "{capture}: {filter}");
            for other in ["gap", "session"] {
                assert_eq!(kind(&some, other).count(), 0, "{capture}: {filter}");
            }
            passed += found.len();
        }
    }
    assert!(passed > 20, "{passed}");
}

#[test]
fn a_filter_goes_with_the_other_options() {
    let both = records(&["-Y", "AgentID", "--type", "*_EVENT"], "demo");
    let filter = numbers_in_json(&records(&["-Y", "AgentID"], "demo"));
    let types = numbers_in_json(&records(&["--type", "*_EVENT"], "demo"));
    let expected: BTreeSet<u64> = filter.intersection(&types).copied().collect();
    assert!(!expected.is_empty() && expected.len() < filter.len());
    assert_eq!(numbers_in_json(&both), expected);
}

#[test]
fn a_time_of_day_is_on_the_day_on_which_the_capture_starts_in_the_zone_of_the_output() {
    let from = numbers_in_json(&records(&["--from", "10:15:20"], "demo"));
    let filter = numbers_in_json(&records(&["-Y", "time >= 10:15:20"], "demo"));
    assert!(from.len() > 3);
    assert_eq!(filter, from);
}
