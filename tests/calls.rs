//! `ctishark calls` and `ctishark call` over the fixtures: what they tell, in every form.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use assert_cmd::Command;
use jsonschema::Validator;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../docs/schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

fn capture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    let name = |end| folder.join(format!("{name}.{end}"));
    let found = ["pcap", "pcapng"].map(name);
    found.into_iter().find(|path| path.exists()).unwrap()
}

fn output(arguments: &[&str], files: &[PathBuf]) -> (i32, String, String) {
    let output = Command::cargo_bin("ctishark")
        .unwrap()
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env("NO_COLOR", "1")
        .args(arguments)
        .arg("--quiet")
        .args(files)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn run(arguments: &[&str], name: &str) -> String {
    let (code, stdout, stderr) = output(arguments, &[capture(name)]);
    assert_eq!((code, &*stderr), (0, ""), "{arguments:?} {name}");
    stdout
}

fn parse(lines: &str) -> Vec<Value> {
    let lines = lines.lines().map(|l| serde_json::from_str(l).unwrap());
    lines.collect()
}

fn valid(records: &[Value], about: &str) {
    for record in records {
        let errors: Vec<String> = VALIDATOR
            .iter_errors(record)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{about}: {errors:?}\n{record:#}");
    }
}

/// The rows of a capture.
fn calls(name: &str) -> Vec<Value> {
    let mut records = parse(&run(&["calls", "--format", "ndjson"], name));
    valid(&records, name);
    records.retain(|r| r["kind"] == "call");
    records
}

/// The only row of a capture.
fn the_call(name: &str) -> Value {
    let calls = calls(name);
    assert_eq!(calls.len(), 1, "{name}");
    calls.into_iter().next().unwrap()
}

/// The story of a call: its head, and its steps.
fn story(id: &str, name: &str) -> (Value, Vec<Value>) {
    let mut records = parse(&run(&["call", id, "--format", "ndjson"], name));
    valid(&records, name);
    records.retain(|r| r["kind"] == "call" || r["kind"] == "call_step");
    let head = records.remove(0);
    assert_eq!(head["kind"], "call");
    (head, records)
}

fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().unwrap().iter();
    items.map(|v| v.as_str().unwrap()).collect()
}

fn ids(call: &Value) -> Vec<u64> {
    let ids = call["ids"].as_array().unwrap().iter();
    ids.map(|id| id["id"].as_u64().unwrap()).collect()
}

fn seconds(value: &Value) -> i64 {
    format!("{:.0}", value.as_f64().unwrap()).parse().unwrap()
}

fn times(call: &Value) -> [i64; 4] {
    ["queue_s", "ring_s", "talk_s", "hold_s"].map(|key| seconds(&call[key]))
}

#[test]
fn all_calls_of_all_captures_are_as_the_schema_says_and_their_stories_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        let files = std::slice::from_ref(&path);
        let (code, rows, _) = output(&["calls", "--format", "ndjson"], files);
        assert_eq!(code, 0, "{name}");
        let rows = parse(&rows);
        valid(&rows, &name);
        let (_, document, _) = output(&["calls", "--format", "json"], files);
        let document: Vec<Value> = serde_json::from_str(&document).unwrap();
        assert_eq!(document, rows, "{name}");
        let (_, csv, _) = output(&["calls", "--format", "csv"], files);
        let calls: Vec<&Value> = rows.iter().filter(|r| r["kind"] == "call").collect();
        assert_eq!(csv.lines().count(), calls.len() + 1, "{name}");
        for (number, call) in (1u64..).zip(&calls) {
            assert_eq!(call["call"], number, "{name}");
            let length = call["duration_s"].as_f64().unwrap();
            let known = ["queue_s", "ring_s", "talk_s", "hold_s"];
            let sum: f64 = known.iter().map(|k| call[k].as_f64().unwrap()).sum();
            // States exclude each other; a call that goes on counts up to the end of the capture.
            let open = texts(&call["features"]).contains(&"end_unseen");
            assert!(open || sum <= length + 1e-6, "{name}: {call}");
            let Some(id) = ids(call).first().copied() else {
                continue;
            };
            check_story(&id.to_string(), call, files, &name);
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

/// The story of a call has a step for each message about it, in order, and the same head as its row.
fn check_story(id: &str, row: &Value, files: &[PathBuf], name: &str) {
    let (code, lines, _) = output(&["call", id, "--format", "ndjson"], files);
    assert_eq!(code, 0, "{name} {id}");
    let records = parse(&lines);
    valid(&records, name);
    let is_row = |r: &&Value| r["kind"] == "call" && r["first_message"] == row["first_message"];
    let head = records.iter().find(is_row).unwrap();
    for (key, value) in row.as_object().unwrap() {
        assert_eq!(&head[key], value, "{name} {id}: {key}");
    }
    let steps: Vec<&Value> = records
        .iter()
        .filter(|r| r["kind"] == "call_step" && r["call"] == row["call"])
        .collect();
    let messages: Vec<u64> = steps
        .iter()
        .flat_map(|s| s["messages"].as_array().unwrap())
        .map(|m| m["no"].as_u64().unwrap())
        .collect();
    let each: BTreeSet<u64> = messages.iter().copied().collect();
    assert_eq!(each.len(), messages.len(), "{name} {id}: no message twice");
    assert_eq!(row["messages"], messages.len(), "{name} {id}");
    assert_eq!(each.first().copied(), row["first_message"].as_u64());
    assert_eq!(each.last().copied(), row["last_message"].as_u64());
    let firsts: Vec<u64> = steps
        .iter()
        .map(|s| s["messages"][0]["no"].as_u64().unwrap())
        .collect();
    assert!(firsts.is_sorted(), "{name} {id}: {firsts:?}");
}

#[test]
fn a_transfer_after_consultation() {
    let call = the_call("call-transferred");
    assert_eq!(ids(&call), [16_777_301, 16_777_302]);
    assert_eq!(call["outcome"], "answered");
    assert_eq!(
        texts(&call["features"]),
        ["held", "consulted", "transferred"]
    );
    assert_eq!(texts(&call["agents"]), ["1001", "1002"]);
    assert_eq!(times(&call), [0, 4, 26, 25]);
    assert_eq!(
        (&call["ani"], &call["dnis"]),
        (&"5550142".into(), &"8005".into())
    );
    assert_eq!(call["ended_by"], "5550142");
    let set = ["CallVariable3", "CallVariable4", "user.account"];
    let changed = texts(&call["changed"]);
    assert!(set.iter().all(|name| changed.contains(name)), "{changed:?}");
}

#[test]
fn a_conference_that_one_leaves_before_the_end() {
    let call = the_call("call-conferenced");
    assert_eq!(
        texts(&call["features"]),
        ["held", "consulted", "conferenced"]
    );
    assert_eq!(
        (&call["conferences"], &call["transfers"]),
        (&1.into(), &0.into())
    );
    assert_eq!(call["ended_by"], "5550142");
    let parties = call["parties"].as_array().unwrap();
    let left_first = parties.iter().find(|p| p["device"] == "20102").unwrap();
    let stayed = parties.iter().find(|p| p["device"] == "20101").unwrap();
    assert!(left_first["talk_s"].as_f64() < stayed["talk_s"].as_f64());
}

#[test]
fn two_sessions_that_see_one_call_make_one_story_in_which_each_event_stands_once() {
    let (call, steps) = story("16777302", "call-two-sessions");
    assert_eq!(call["sessions"], serde_json::json!([1, 2]));
    let count = |name: &str| steps.iter().filter(|s| s["name"] == name).count();
    assert_eq!(count("CALL_ESTABLISHED_EVENT"), 2);
    assert_eq!(count("CALL_HELD_EVENT"), 1);
    assert_eq!(count("CALL_TRANSFERRED_EVENT"), 1);
    assert_eq!(call["transfers"], 1);
    let of = |name: &str| steps.iter().find(|s| s["name"] == name).unwrap();
    let sessions = |step: &Value| -> Vec<u64> {
        let messages = step["messages"].as_array().unwrap().iter();
        messages.map(|m| m["session"].as_u64().unwrap()).collect()
    };
    assert_eq!(sessions(of("CALL_TRANSFERRED_EVENT")), [1, 2]);
    assert_eq!(sessions(of("TRANSFER_CALL_REQ")), [2]);
    // Told for the ringing and for the calling party, and by the desktop's session.
    let delivered = steps.iter().rfind(|s| s["name"] == "CALL_DELIVERED_EVENT");
    assert_eq!(sessions(delivered.unwrap()), [1, 1, 2]);
    // What the desktop asks for is told in the agent's lane, with its answer.
    assert_eq!(of("TRANSFER_CALL_REQ")["from"], "20101");
    assert_eq!(of("TRANSFER_CALL_REQ")["answered"]["outcome"], "confirmed");
}

#[test]
fn a_call_id_that_is_used_again_is_another_call() {
    let calls = calls("call-id-reused");
    let told: Vec<(&str, &str)> = calls
        .iter()
        .map(|c| (c["ani"].as_str().unwrap(), c["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("5550142", "answered"),
            ("5550188", "answered"),
            ("5550199", "abandoned")
        ]
    );
    assert!(calls.iter().all(|c| ids(c) == [16_777_301]));
    assert_eq!(texts(&calls[1]["features"]), ["end_unseen"]);
    let (code, stdout, _) = output(
        &["call", "16777301", "--format", "ndjson"],
        &[capture("call-id-reused")],
    );
    assert_eq!(code, 0);
    let stories = parse(&stdout);
    assert_eq!(stories.iter().filter(|r| r["kind"] == "call").count(), 3);
}

#[test]
fn a_failover_in_the_middle_of_a_call_makes_no_new_call() {
    let (call, steps) = story("5550142", "call-failover");
    assert_eq!(call["sessions"], serde_json::json!([1, 2]));
    assert_eq!(texts(&call["features"]), ["failed_request", "recovered"]);
    assert_eq!(times(&call), [0, 4, 23, 0]);
    assert_eq!(call["failed_requests"][0]["outcome"], "session_ended");
    let again: Vec<&str> = steps
        .iter()
        .filter(|s| !s["notes"].as_array().unwrap().is_empty())
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(again, ["BEGIN_CALL_EVENT"]);
    assert_eq!(the_call("call-failover")["call"], 1);
}

#[test]
fn a_call_that_an_offline_peripheral_ends_goes_on() {
    let call = the_call("call-peripheral-offline");
    assert_eq!(texts(&call["features"]), ["recovered"]);
    assert_eq!(times(&call), [0, 4, 43, 0]);
}

#[test]
fn the_routers_key_joins_what_two_peripherals_saw() {
    let call = the_call("queued-at-vru");
    assert_eq!(ids(&call), [33_554_501, 16_777_301]);
    let peripherals = call["ids"].as_array().unwrap().iter();
    let peripherals: Vec<u64> = peripherals
        .map(|id| id["peripheral"].as_u64().unwrap())
        .collect();
    assert_eq!(peripherals, [5001, 5000]);
    assert_eq!(times(&call), [38, 3, 7, 0]);
    assert_eq!(call["router_keys"], serde_json::json!(["154601/2035"]));
    assert_eq!(call["skill_groups"], serde_json::json!([28401, 28402]));
}

#[test]
fn callers_who_give_up() {
    let calls = calls("call-abandoned");
    let outcomes: Vec<&str> = calls
        .iter()
        .map(|c| c["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["abandoned", "abandoned", "undelivered"]);
    assert_eq!(times(&calls[0]), [95, 0, 0, 0]);
    assert_eq!(calls[0]["cause"]["name"], "CECX_ABAND_LOCAL_QUEUE");
    assert_eq!(times(&calls[1]), [0, 8, 0, 0]);
    assert_eq!(calls[1]["ended_by"], "5550142");
    assert!(ids(&calls[2]).is_empty());
}

#[test]
fn a_call_that_its_first_agent_does_not_answer_is_followed_to_the_second() {
    let (call, steps) = story("16777301", "call-rerouted");
    assert_eq!(ids(&call), [16_777_301, 16_777_302]);
    assert_eq!(texts(&call["features"]), ["redirected", "failed_request"]);
    assert_eq!(texts(&call["agents"]), ["1001", "1002"]);
    assert_eq!(times(&call), [0, 17, 7, 0]);
    let failed = &call["failed_requests"][0];
    assert_eq!(failed["failure"]["name"], "CF_NO_CALL_TO_ANSWER");
    let reason = steps.iter().find(|s| s["agent"]["reason"] == 32_767);
    assert_eq!(reason.unwrap()["agent"]["to"], "NOT_READY");
    // One that nobody answers at all ends as abandoned or unanswered, not answered.
    assert_eq!(the_call("missed-call")["outcome"], "abandoned");
}

#[test]
fn a_busy_number_and_a_blind_transfer() {
    let calls = calls("outgoing-calls");
    assert_eq!(calls[1]["outcome"], "failed");
    assert_eq!(calls[1]["cause"]["name"], "CEC_BUSY");
    assert_eq!(ids(&calls[2]), [16_777_312, 16_777_313]);
    assert_eq!(texts(&calls[2]["features"]), ["transferred"]);
    let (_, steps) = story("16777310", "outgoing-calls");
    assert_eq!(steps[0]["name"], "MAKE_CALL_REQ");
}

#[test]
fn a_capture_that_begins_in_mid_call_makes_the_call_known_by_what_there_is() {
    let calls = calls("snapshots");
    assert_eq!(calls.len(), 2);
    for call in &calls {
        let features = texts(&call["features"]);
        assert!(features.contains(&"began_before") && features.contains(&"end_unseen"));
    }
    assert_eq!(calls[0]["ani"], "5550142");
}

#[test]
fn calls_are_listed_by_how_they_went_and_by_what_is_selected() {
    let rows = |arguments: &[&str], name: &str| -> usize {
        let arguments = [&["calls", "--format", "ndjson"], arguments].concat();
        let records = parse(&run(&arguments, name));
        records.iter().filter(|r| r["kind"] == "call").count()
    };
    assert_eq!(rows(&["--outcome", "abandoned"], "call-abandoned"), 2);
    assert_eq!(
        rows(&["--outcome", "abandoned,undelivered"], "call-abandoned"),
        3
    );
    assert_eq!(rows(&["--outcome", "answered"], "call-abandoned"), 0);
    assert_eq!(rows(&["--min-queue", "90s"], "call-abandoned"), 1);
    assert_eq!(rows(&["--min-queue", "96"], "call-abandoned"), 0);
    assert_eq!(rows(&["--min-ring", "8"], "call-abandoned"), 1);
    assert_eq!(rows(&["--outcome", "transferred"], "outgoing-calls"), 1);
    assert_eq!(
        rows(
            &["--max-talk", "20s", "--outcome", "answered"],
            "outgoing-calls"
        ),
        1
    );
    assert_eq!(rows(&["--min-hold", "5"], "call-two-sessions"), 1);
    assert_eq!(rows(&["--min-length", "30s"], "call-two-sessions"), 0);
    assert_eq!(rows(&["--call", "16777311"], "outgoing-calls"), 1);
    assert_eq!(
        rows(&["-Y", "DialedNumber == \"95550199\""], "outgoing-calls"),
        1
    );
    assert_eq!(rows(&["--session", "2"], "call-two-sessions"), 1);
    assert_eq!(rows(&["--agent", "1009"], "call-two-sessions"), 0);
}

#[test]
fn csv_has_a_value_for_each_column_and_the_story_a_line_for_each_step() {
    let csv = run(&["calls", "--format", "csv"], "call-transferred");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2);
    let columns = lines[0].split(',').count();
    assert_eq!(lines[1].split(',').count(), columns, "{}", lines[1]);
    assert!(lines[1].contains(",16777301;16777302,"), "{}", lines[1]);
    assert!(
        lines[1].contains(",2026-11-23T09:30:04.043412Z,"),
        "{}",
        lines[1]
    );
    let csv = run(&["call", "16777301", "--format", "csv"], "call-transferred");
    let (_, steps) = story("16777301", "call-transferred");
    assert_eq!(csv.lines().count(), steps.len() + 1);
}

#[test]
fn the_ladder_is_plain_text_within_its_width_and_ascii_where_asked_for() {
    for name in ["call-transferred", "queued-at-vru", "call-two-sessions"] {
        let text = run(&["call", "5550142", "--ascii"], name);
        assert!(text.is_ascii(), "{name}");
        assert!(!text.contains('\x1b'), "{name}");
        assert!(text.lines().all(|l| l.len() <= 110), "{name}:\n{text}");
        assert!(text.lines().all(|l| l.trim_end() == l), "{name}");
    }
    let text = run(&["call", "16777302"], "call-transferred");
    assert!(
        text.contains("●────────▶        CALL_TRANSFERRED_EVENT"),
        "{text}"
    );
    assert!(
        text.contains("20101 (1001) ringing → connected after 4.2s"),
        "{text}"
    );
}

#[test]
fn the_picture_is_well_formed_and_needs_nothing_else() {
    for (id, name, ladders) in [
        ("16777301", "call-transferred", 1),
        ("16777301", "call-id-reused", 3),
    ] {
        let picture = run(&["call", id, "--format", "svg"], name);
        let mut open: Vec<&str> = Vec::new();
        for tag in picture.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            if let Some(closed) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed));
            } else if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap());
            }
        }
        assert!(open.is_empty(), "{open:?}");
        let count = picture.matches("class=\"ctishark-ladder\"").count();
        assert_eq!(count, ladders, "{name}");
        for foreign in ["href", "url(", "<script", "<style", "<image"] {
            assert!(!picture.contains(foreign), "{foreign}");
        }
        let addresses = picture.matches("http").count();
        let namespaces = picture.matches("http://www.w3.org/2000/svg").count();
        assert_eq!(addresses, namespaces);
    }
}

#[test]
fn no_such_call_is_an_error_that_says_what_to_do() {
    for format in ["text", "csv", "svg"] {
        let (code, stdout, stderr) = output(
            &["call", "4711", "--format", format],
            &[capture("call-transferred")],
        );
        assert_eq!((code, &*stdout), (2, ""), "{format}");
        assert!(stderr.contains("no call goes by '4711'"), "{stderr}");
        assert!(stderr.contains("ctishark calls"), "{stderr}");
    }
}

#[test]
fn several_captures_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let (code, whole, _) = output(
        &["calls", "--format", "csv"],
        &[capture("call-abandoned"), capture("call-failover")],
    );
    assert_eq!(code, 0);
    // The failover is at 13:05, the others are from 14:20 on.
    let firsts: Vec<&str> = whole.lines().skip(1).map(|l| &l[..2]).collect();
    assert_eq!(firsts, ["1,", "2,", "3,", "4,"]);
    assert!(
        whole.lines().nth(1).unwrap().contains("T13:05:02"),
        "{whole}"
    );
    let empty = folder.path().join("empty.pcap");
    std::fs::write(&empty, b"").unwrap();
    let (_, stdout, _) = output(&["calls", "--format", "csv"], &[empty]);
    assert!(stdout.lines().count() <= 1, "{stdout}");
}
