//! The option `--redact` of other commands: the same as the command on what `redact` writes, and nothing of what it was.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod program;

use program::{ctishark, root};
use std::path::{Path, PathBuf};
use std::process::Output;

const KEY: &str = "a key for tests, long enough";
const CAPTURE: &str = "fixtures/captures/demo.pcap";
/// What the capture says and nobody else may read.
const ORIGINALS: [&str; 6] = [
    "5550142",
    "20101",
    "C-004711",
    "s3cret",
    "10.0.1.10",
    "10.0.2.51",
];

fn run(arguments: &[&str]) -> Output {
    ctishark(arguments).output().unwrap()
}

fn shown(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redacted_output");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// Commands, each of which shows one of these values where nothing is redacted.
const COMMANDS: [&[&str]; 8] = [
    &["--detail"],
    &["--format", "ndjson"],
    &["sessions", "--format", "csv"],
    &["triage"],
    &["calls", "--format", "csv"],
    &["call", "16777301"],
    &["agents"],
    &["stats", "--by", "session"],
];

#[test]
fn every_command_shows_what_it_would_of_the_redacted_capture() {
    let redacted = scratch("demo.pcapng");
    let path = redacted.to_str().unwrap();
    run(&["redact", "--key", KEY, CAPTURE, "-o", path]);
    for command in COMMANDS {
        let here = shown(&[command, &["--redact", "--key", KEY, CAPTURE]].concat());
        let there = shown(&[command, &[path]].concat());
        // The header of JSON names the inputs.
        let rest = |text: &str| text.replace(path, "redacted captures");
        assert_eq!(here, rest(&there), "{command:?}");
    }
}

#[test]
fn nothing_of_what_was_redacted_shows() {
    for command in COMMANDS {
        let plain = shown(&[command, &[CAPTURE]].concat());
        assert!(
            ORIGINALS.iter().any(|value| plain.contains(value)),
            "{command:?} proves nothing"
        );
        let redacted = shown(&[command, &["--redact", CAPTURE]].concat());
        assert!(!redacted.is_empty());
        for value in ORIGINALS {
            assert!(!redacted.contains(value), "{command:?} shows {value}");
        }
    }
}

#[test]
fn a_report_is_redacted_too() {
    let page = scratch("report.html");
    let path = page.to_str().unwrap();
    // The table of messages is packed, so the findings, sessions and calls are what can be searched.
    shown(&["report", CAPTURE, "-o", path]);
    let plain = std::fs::read_to_string(&page).unwrap();
    assert!(plain.contains("5550142") && plain.contains("10.0.1.10"));
    shown(&["report", "--redact", CAPTURE, "-o", path]);
    let redacted = std::fs::read_to_string(&page).unwrap();
    assert!(redacted.contains("redacted captures") && redacted.contains("16777301"));
    for value in ORIGINALS {
        assert!(!redacted.contains(value), "{value}");
    }
}

#[test]
fn a_report_cannot_overwrite_a_capture_that_it_redacts() {
    let capture = scratch("kept.pcap");
    let source = root().join(CAPTURE);
    let bytes = std::fs::read(source).unwrap();
    std::fs::write(&capture, &bytes).unwrap();
    let path = capture.to_str().unwrap();
    let output = run(&["report", "--redact", path, "-o", path]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(&capture).unwrap(), bytes);
}

#[test]
fn a_key_without_redaction_is_wrong_usage() {
    let output = run(&["--key", KEY, CAPTURE]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let output = run(&["triage", "--redact", "--key", "short", CAPTURE]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn more_can_be_redacted_and_less() {
    let keep = shown(&["sessions", "--redact", "--keep", "ClientID", CAPTURE]);
    assert!(keep.contains("Finesse"), "{keep}");
    let unknown = run(&["sessions", "--redact=nonsense", CAPTURE]);
    assert_eq!(unknown.status.code(), Some(2));
}
