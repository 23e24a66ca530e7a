//! The command `extract`: what was selected is still there, field by field, in what it writes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures")
}

fn ctishark() -> Command {
    let mut command = Command::cargo_bin("ctishark").unwrap();
    command.env("TZ", "UTC").env("NO_COLOR", "1");
    command
}

/// The messages of a capture that are selected, without what depends on those around them.
fn messages(selection: &[&str], capture: &Path) -> Vec<Value> {
    let mut command = ctishark();
    command.args(["--quiet", "--show-secrets", "--format", "ndjson"]);
    let assert = command.args(selection).arg(capture).assert().code(0);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let records = text
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap());
    let messages = records
        .filter(|r| r["kind"] == "message")
        .map(|mut record| {
            for key in [
                "no",
                "packets",
                "session",
                "findings",
                "answers",
                "outcome",
                "latency_ms",
            ] {
                record.as_object_mut().unwrap().remove(key);
            }
            record
        });
    messages.collect()
}

fn extract(selection: &[&str], capture: &Path, output: &Path) -> String {
    let mut command = ctishark();
    command
        .arg("extract")
        .args(selection)
        .arg(capture)
        .arg("-o");
    let assert = command.arg(output).assert().code(0);
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// Versions are inferred from fewer messages, and behind damage there may be too few to find a boundary by.
const DOUBTFUL: [&str; 4] = [
    "malformed.pcap",
    "midstream-narrow.pcap",
    "midstream-wide.pcap",
    "snaplen.pcap",
];

#[test]
fn selected_messages_of_every_capture_are_still_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("cut.pcapng");
    let mut compared = 0;
    for entry in std::fs::read_dir(captures()).unwrap() {
        let path = entry.unwrap().path();
        if DOUBTFUL.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        for selection in [
            &["--type", "CALL_*"][..],
            &["--agent", "1001"],
            &["--only-failures"],
            &["-Y", "InvokeID == 5"],
            &["-Y", "length > 60 && length < 120"],
            &["--session", "1"],
            &[],
        ] {
            let wanted = messages(selection, &path);
            extract(selection, &path, &output);
            let found = messages(&[], &output);
            for message in &wanted {
                assert!(
                    found.contains(message),
                    "{} {selection:?}: {message}",
                    path.display()
                );
            }
            compared += wanted.len();
        }
    }
    assert!(compared > 5_000, "{compared}");
}

#[test]
fn less_is_kept_than_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("cut.pcap");
    let told = extract(&["--only-failures"], &captures().join("demo.pcap"), &output);
    assert!(told.starts_with("ctishark: wrote 1"), "{told}");
    assert!(told.contains("packets of 95: "), "{told}");
    let all = messages(&[], &output);
    assert!(all.len() < 20, "{}", all.len());
    // How the session was opened is kept, so that the version is known.
    assert_eq!(all[0]["name"], "OPEN_REQ");
    assert_eq!(all[1]["name"], "OPEN_CONF");
    let sessions = ctishark()
        .args(["sessions", "--format", "ndjson"])
        .arg(&output)
        .assert();
    let text = String::from_utf8(sessions.get_output().stdout.clone()).unwrap();
    assert!(
        text.contains(r#""by":"reset""#) || text.contains("reset"),
        "{text}"
    );
}

#[test]
fn all_fragments_of_a_kept_datagram_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("cut.pcapng");
    let path = captures().join("fragments.pcap");
    let selection = ["--type", "QUERY_AGENT_STATE_CONF"];
    let wanted = messages(&selection, &path);
    assert_eq!(wanted.len(), 1);
    extract(&selection, &path, &output);
    assert_eq!(messages(&selection, &output), wanted);
    assert!(messages(&["--type", "CLOSE_REQ"], &output).is_empty());
}

#[test]
fn pipes_are_read_and_written() {
    let bytes = std::fs::read(captures().join("demo.pcap")).unwrap();
    let mut command = ctishark();
    command.args([
        "extract", "--call", "16777301", "-o", "-", "--format", "pcap",
    ]);
    let assert = command.write_stdin(bytes).assert().code(0);
    let written = assert.get_output().stdout.clone();
    assert_eq!(written[..4], 0xa1b2_3c4d_u32.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    std::fs::write(&path, written).unwrap();
    let wanted = messages(&["--call", "16777301"], &captures().join("demo.pcap"));
    assert_eq!(messages(&["--call", "16777301"], &path), wanted);
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("demo.pcap");
    std::fs::copy(captures().join("demo.pcap"), &copy).unwrap();
    let before = std::fs::read(&copy).unwrap();
    let mut command = ctishark();
    command.arg("extract").arg(&copy).arg("-o").arg(&copy);
    let assert = command.assert().code(2);
    let told = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(
        told.contains("cannot be written at the same time"),
        "{told}"
    );
    assert_eq!(std::fs::read(&copy).unwrap(), before);

    let output = folder.path().join("both.pcap");
    let mut command = ctishark();
    command.arg("extract").arg("-o").arg(&output);
    command.args([
        captures().join("demo.pcap"),
        captures().join("link-null.pcap"),
    ]);
    let assert = command.assert().code(2);
    let told = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(told.contains("write pcapng"), "{told}");
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}
