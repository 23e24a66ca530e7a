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

/// The messages of a capture that are selected, without what counts them, in one order.
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
            for key in ["no", "packets", "session", "findings", "answers", "outcome"] {
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

/// A few selections, by the program as a whole; `dissector/tests/extract.rs` tries many more.
#[test]
fn the_same_selection_finds_the_same_in_every_cut_capture() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("cut.pcapng");
    let mut compared = 0;
    for entry in std::fs::read_dir(captures()).unwrap() {
        let path = entry.unwrap().path();
        for selection in [
            &["--type", "CALL_*"][..],
            &["--agent", "1001"],
            &["--only-failures"],
            &[],
        ] {
            let wanted = messages(selection, &path);
            extract(selection, &path, &output);
            let found = messages(selection, &output);
            assert_eq!(found, wanted, "{} {selection:?}", path.display());
            compared += wanted.len();
        }
        // Sessions are counted anew.
        let wanted = messages(&["--session", "1"], &path);
        extract(&["--session", "1"], &path, &output);
        let found = messages(&[], &output);
        let missing = wanted.iter().find(|message| !found.contains(message));
        assert_eq!(missing, None, "{}", path.display());
    }
    assert!(compared > 3_000, "{compared}");
}

#[test]
fn what_is_kept_beyond_the_usual_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("cut.pcapng");
    let told = |name: &str, selection: &[&str]| extract(selection, &captures().join(name), &output);
    let inferred = told("midstream-narrow.pcap", &["--type", "CALL_*"]);
    assert!(
        inferred.contains("kept the beginning of 1 connection, which the version is inferred from"),
        "{inferred}"
    );
    let usual = told("demo.pcap", &["--type", "CALL_*"]);
    assert_eq!(usual.lines().count(), 1, "{usual}");
}

#[test]
fn less_is_kept_than_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("cut.pcap");
    let selection = ["-Y", "status == failed"];
    let told = extract(&selection, &captures().join("demo.pcap"), &output);
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

#[test]
fn what_cannot_be_read_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let input = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let inputs = [
        input("empty.pcap", b""),
        input(
            "text.pcap",
            b"This is a text of some length and no capture at all.\n",
        ),
        folder.path().join("missing.pcap"),
        input("cut.pcap.gz", &[0x1f, 0x8b, 8, 0]),
    ];
    let old = folder.path().join("old");
    let commands: [&[&str]; 4] = [
        &["extract", "-o"],
        &["redact", "-o"],
        &["report", "-o"],
        &["diff", "--write-baseline"],
    ];
    for input in &inputs {
        for command in commands {
            std::fs::write(&old, "what was there").unwrap();
            let before = std::fs::read_dir(folder.path()).unwrap().count();
            let mut program = ctishark();
            let assert = program.args(command).arg(&old).arg(input).assert().code(2);
            let told = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
            let content = std::fs::read_to_string(&old).unwrap();
            assert_eq!(content, "what was there", "{command:?} {input:?}: {told}");
            assert!(
                told.starts_with("ctishark: "),
                "{command:?} {input:?}: {told}"
            );
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_written_over_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let commands: [&[&str]; 4] = [
        &["extract", "--agent", "1001", "-o"],
        &["redact", "-o"],
        &["report", "-o"],
        &["diff", "--write-baseline"],
    ];
    for command in commands {
        let output = folder.path().join("output");
        std::fs::write(&output, "old").unwrap();
        std::fs::set_permissions(&output, std::fs::Permissions::from_mode(0o640)).unwrap();
        let mut program = ctishark();
        program.args(command).arg(&output);
        program.arg(captures().join("demo.pcap")).assert().code(0);
        let mode = std::fs::metadata(&output).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{command:?}");
        assert!(std::fs::metadata(&output).unwrap().len() > 100);
    }
}

/// A capture whose first packet comes from a time, in nanoseconds.
fn moved(folder: &Path, nanos: i64) -> PathBuf {
    let path = folder.join("moved.pcapng");
    extract(&[], &captures().join("demo.pcap"), &path);
    let mut bytes = std::fs::read(&path).unwrap();
    // Behind the blocks of section and interface: type, length, interface, and the halves of the time.
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut at = 0;
    while word(&bytes, at) != 6 {
        at += usize::try_from(word(&bytes, at + 4)).unwrap();
    }
    let halves = u64::try_from(nanos).unwrap().to_be_bytes();
    for (place, half) in [(at + 12, &halves[..4]), (at + 16, &halves[4..])] {
        for (byte, value) in bytes[place..place + 4].iter_mut().zip(half.iter().rev()) {
            *byte = *value;
        }
    }
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn times_that_pcap_cannot_hold_were_changed_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let late = moved(folder.path(), 4_323_456_000_500_000_000);
    for command in ["extract", "redact"] {
        let output = folder.path().join("late.pcap");
        let mut program = ctishark();
        let assert = program
            .arg(command)
            .arg(&late)
            .arg("-o")
            .arg(&output)
            .assert()
            .code(2);
        let told = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(
            told.contains("late.pcap: packet 1 was captured at 2107-01-03T00:00:00.5Z, and pcap holds times from 1970 to 2106 only; write pcapng"),
            "{told}"
        );
        assert!(!output.exists());
        let output = folder.path().join("late.pcapng");
        let mut program = ctishark();
        program.arg(command).arg(&late).arg("-o").arg(&output);
        program.assert().code(0);
        let mut program = ctishark();
        let assert = program.args(["--format", "ndjson"]).arg(&output).assert();
        let text = String::from_utf8(assert.code(0).get_output().stdout.clone()).unwrap();
        let last = text.lines().last().unwrap();
        let summary: Value = serde_json::from_str(last).unwrap();
        assert_eq!(summary["first"], "2107-01-03T00:00:00.500000Z", "{last}");
    }
}

#[test]
fn several_captures_are_cut_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let rings = ["ring-1.pcap", "ring-2.pcap", "ring-3.pcap"].map(|name| captures().join(name));
    let selected = |files: &[PathBuf]| {
        let mut command = ctishark();
        command.args(["--quiet", "--no-heartbeats", "--format", "ndjson"]);
        let assert = command.args(files).assert().code(0);
        let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        let records = text
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap());
        let messages = records.filter(|record| record["kind"] == "message");
        let told = messages.map(|m| (m["time"].clone(), m["name"].clone(), m["version"].clone()));
        told.collect::<Vec<_>>()
    };
    for name in ["cut.pcap", "cut.pcap.gz", "cut.pcapng.zst"] {
        let output = folder.path().join(name);
        let mut command = ctishark();
        command.args(["extract", "--no-heartbeats"]).args(&rings);
        command.arg("-o").arg(&output).assert().code(0);
        let wanted = selected(&rings);
        assert!(wanted.len() > 10, "{}", wanted.len());
        assert_eq!(selected(&[output]), wanted, "{name}");
    }
}

/// What tshark makes of the first TCP stream: payloads of segments as hexadecimal, those of the second end indented. `None`
/// without tshark.
fn followed(capture: &Path) -> Option<Vec<String>> {
    let output = std::process::Command::new("tshark")
        .arg("-r")
        .arg(capture)
        .args(["-q", "-z", "follow,tcp,raw,0"])
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "tshark: {error}");
            eprintln!("SKIPPED: tshark does not follow extracts: {error}");
            return None;
        }
    };
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("Node 1:"));
    let rows = rows.skip(1).take_while(|line| !line.starts_with("==="));
    // What is missing stands as a text among the bytes: `[200 bytes missing in capture file]`.
    let missing = "206279746573206d697373696e67";
    let rows = rows.filter(|row| !row.contains(missing));
    Some(rows.map(str::to_owned).collect())
}

#[test]
fn tshark_follows_what_was_cut_out() {
    let folder = tempfile::tempdir().unwrap();
    for (name, output) in [
        ("demo.pcap", "demo.pcap"),
        ("ipv6.pcap", "ipv6.pcapng"),
        ("two-interfaces.pcapng", "two.pcapng"),
        ("tunnel-vxlan.pcap", "vxlan.pcap.gz"),
        ("gaps.pcap", "gaps.pcapng.zst"),
        ("file-gz.pcap.gz", "gz.pcap"),
        ("midstream-narrow.pcap", "midstream.pcapng"),
    ] {
        let path = captures().join(name);
        let output = folder.path().join(output);
        let selection = ["--type", "*_CONF,CALL_*"];
        extract(&selection, &path, &output);
        assert!(!messages(&selection, &output).is_empty(), "{name}");
        let (Some(all), Some(cut)) = (followed(&path), followed(&output)) else {
            return;
        };
        // Every payload of the extract is one of the capture, in the same order, from the same end.
        let mut rest = all.iter();
        for payload in &cut {
            assert!(rest.any(|p| p == payload), "{name}: {payload}");
        }
        assert!(!cut.is_empty(), "{name}");
    }
}
