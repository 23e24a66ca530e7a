//! Rotated captures: directories and patterns of many files read like the one capture that they are parts of.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use assert_cmd::Command;
use ctishark_fixtures::{CaptureFile, Compression, Scenario};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn ctishark() -> Command {
    let mut command = Command::cargo_bin("ctishark").unwrap();
    command
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env("NO_COLOR", "1");
    command
}

/// What one run said: exit code, standard output, standard error.
fn say(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The JSON records of a capture without what says where in which file they come from.
fn records(command: &mut Command) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(keys) => {
                keys.retain(|key, _| !matches!(key.as_str(), "packets" | "files" | "inputs"));
                keys.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let (_, stdout, _) = say(command.args(["--format", "ndjson"]));
    let lines = stdout.lines().map(|line| {
        let mut record = serde_json::from_str(line).unwrap();
        strip(&mut record);
        record
    });
    lines.collect()
}

fn is_about_captures(record: &Value) -> bool {
    let code = record["code"].as_str().unwrap_or_default();
    record["kind"] == "finding" && code.starts_with("capture")
}

/// Codes and texts of the findings about the capture.
fn findings(records: &[Value]) -> Vec<(&str, &str)> {
    let findings = records.iter().filter(|r| is_about_captures(r));
    findings
        .map(|r| (r["code"].as_str().unwrap(), r["text"].as_str().unwrap()))
        .collect()
}

/// A session of two heartbeats for each of `files` files, and now and then a message that lies in two of them.
fn scenario(files: usize, split: bool) -> Vec<CaptureFile> {
    let mut text = String::from(
        "host a 10.0.1.10\nhost b 10.0.0.5\nconnection A a:50412 -> b:42027 version=24\n",
    );
    for n in 0..files * 2 {
        let time = format!("{:02}:{:02}:{:02}", 10 + n / 3600, n / 60 % 60, n % 60);
        let cut = if n % 50 == 1 {
            " {split=6 spread=600ms}"
        } else {
            ""
        };
        writeln!(text, "{time} A > HEARTBEAT_REQ InvokeID={n}{cut}").unwrap();
        if split && n % 2 == 1 && n + 1 < files * 2 {
            writeln!(text, "{time}.500 next-file").unwrap();
        }
        writeln!(text, "{time}.700 A < HEARTBEAT_CONF InvokeID={n}").unwrap();
    }
    let scenario = Scenario::from_text("rotated", &text).unwrap();
    let written = scenario.capture_files().unwrap();
    assert_eq!(written.len(), if split { files } else { 1 });
    written
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A ring buffer's files as dumpcap names them.
    fn ring(&self, files: &[CaptureFile]) {
        for (number, file) in (1..).zip(files) {
            self.write(&dumpcap(number), &file.plain);
        }
    }
}

fn dumpcap(number: usize) -> String {
    format!("cti_{number:05}_20261123{number:06}.pcap")
}

#[test]
fn a_directory_of_many_files_reads_like_the_one_capture() {
    const FILES: usize = 300;
    let elsewhere = Folder::new();
    let whole_bytes = scenario(FILES, false).remove(0).plain;
    let whole = elsewhere.write("whole.pcap", &whole_bytes);
    let folder = Folder::new();
    let compressions: Vec<Compression> = Compression::ALL.iter().map(|(_, c)| *c).collect();
    for (index, mut file) in scenario(FILES, true).into_iter().enumerate() {
        // Most plain, every tenth in one of the formats; names that say nothing of order or format.
        if index % 10 == 0 {
            file.compression = compressions[index / 10 % compressions.len()];
        }
        let mut bytes = Vec::new();
        file.write_to(&mut bytes).unwrap();
        folder.write(&format!("{:x}", index * 7919 % 100_003), &bytes);
    }
    folder.write("notes.txt", b"Captured at the customer's.\n");
    folder.write("empty.pcap", b"");
    folder.write(".hidden.pcap", b"not to be looked at");
    fs::create_dir(folder.path().join("more")).unwrap();
    fs::write(folder.path().join("more/other.pcap"), &whole_bytes).unwrap();

    for arguments in [&[][..], &["--time", "delta", "--hex"], &["sessions"]] {
        let expected = say(ctishark().args(arguments).arg(&whole));
        assert_eq!((expected.0, expected.2.as_str()), (Some(0), ""));
        let (code, stdout, stderr) = say(ctishark().args(arguments).arg(folder.path()));
        assert!(stdout == expected.1, "{arguments:?}: {stdout}");
        assert_eq!(code, Some(0));
        let said = ": 2 files that are no captures were skipped\n";
        assert!(
            stderr.ends_with(said) && stderr.lines().count() == 1,
            "{stderr}"
        );
    }
    let expected = records(ctishark().arg(&whole));
    assert!(expected.len() > 2 * FILES * 2);
    let found = records(ctishark().arg(folder.path()));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    // The header lists what is read.
    let header = say(ctishark()
        .args(["--quiet", "--format", "ndjson"])
        .arg(folder.path()));
    assert_eq!(header.2, "");
    let header: Value = serde_json::from_str(header.1.lines().next().unwrap()).unwrap();
    assert_eq!(header["inputs"].as_array().unwrap().len(), FILES);
    let verbose = say(ctishark().arg("-v").arg(folder.path()));
    assert!(verbose.2.contains("notes.txt") && verbose.2.contains("skipped, no capture"));
    assert!(!verbose.2.contains(".hidden.pcap") && !verbose.2.contains("other.pcap"));
}

#[test]
fn numbers_missing_from_a_ring_are_told() {
    let folder = Folder::new();
    folder.ring(&scenario(12, true));
    assert_eq!(findings(&records(ctishark().arg(folder.path()))), []);
    for number in [5, 6, 9] {
        fs::remove_file(folder.path().join(dumpcap(number))).unwrap();
    }
    let records = records(ctishark().arg(folder.path()));
    let [("captures_missing", text)] = findings(&records)[..] else {
        panic!("{:?}", findings(&records))
    };
    for words in [
        "2 files are missing",
        &dumpcap(4),
        &dumpcap(7),
        "(+1 more hole)",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let (code, _, stderr) = say(ctishark().arg(folder.path()));
    assert_eq!((code, stderr), (Some(0), format!("ctishark: {text}\n")));
}

#[test]
fn copies_are_read_once_and_overlaps_told_in_one_line() {
    let folder = Folder::new();
    let files = scenario(6, true);
    folder.ring(&files);
    let expected = records(ctishark().arg(folder.path()));
    let mut copy = files[2].clone();
    folder.write("copy of 3.pcap", &copy.plain);
    copy.compression = Compression::Zst;
    let mut compressed = Vec::new();
    copy.write_to(&mut compressed).unwrap();
    folder.write("copy of 3.pcap.zst", &compressed);
    let half = &files[4].plain[..files[4].plain.len() - 10];
    folder.write("5, as it was being written.pcap", half);
    let mut found = records(ctishark().arg(folder.path()));
    let [("capture_repeated", text)] = findings(&found)[..] else {
        panic!("{:?}", findings(&found))
    };
    assert!(text.contains("read once (+2 more such captures)"), "{text}");
    found.retain(|record| !is_about_captures(record));
    assert!(found == expected);
    // Another capture of the same time, from elsewhere.
    let other = "host c 10.0.1.11\nhost b 10.0.0.5\nconnection C c:50999 -> b:42027 version=24\n\
                 10:00:01 C > HEARTBEAT_REQ InvokeID=1\n+9s C < HEARTBEAT_CONF InvokeID=1\n";
    let other = Scenario::from_text("other", other).unwrap();
    folder.write("other.pcap", &other.capture_files().unwrap()[0].plain);
    let found = records(ctishark().arg(folder.path()));
    let told = findings(&found);
    assert_eq!(told.len(), 2, "{told:?}");
    let ("captures_overlap", text) = told[1] else {
        panic!("{told:?}")
    };
    assert!(text.contains("captures overlap in time and were merged, up to 2 at once; longest "));
}

#[test]
fn a_pattern_that_no_shell_expanded_is_expanded() {
    let folder = Folder::new();
    folder.ring(&scenario(3, true));
    folder.write("notes.txt", b"not matched");
    let expected = say(ctishark().arg(folder.path()));
    let said = say(ctishark().arg(folder.path().join("cti_*.pcap")));
    assert_eq!((said.0, said.2.as_str()), (Some(0), ""));
    assert!(said.1 == expected.1);
    let none = say(ctishark().arg(folder.path().join("*.cap")));
    assert_eq!(none.0, Some(2));
    assert!(none.2.ends_with("*.cap: no file matches this pattern\n"));
    // What matches was asked for, so it is not skipped.
    let all = say(ctishark().arg(folder.path().join("*")));
    assert_eq!(all.0, Some(2));
    assert!(all.1 == expected.1 && all.2.contains("notes.txt is not a packet capture"));
}

#[test]
fn directories_without_captures_are_refused() {
    let folder = Folder::new();
    let refused = |words: &str| {
        let (code, stdout, stderr) = say(ctishark().arg(folder.path()));
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert_eq!(
            stderr,
            format!("ctishark: {}: {words}\n", folder.path().display())
        );
    };
    refused("no files in this directory");
    fs::create_dir(folder.path().join("sub")).unwrap();
    refused("no files in this directory; 1 directory in it was not searched");
    fs::remove_dir(folder.path().join("sub")).unwrap();
    folder.write("notes.txt", b"text");
    refused("the only file in this directory is no capture");
    folder.write("empty", b"");
    refused("none of the 2 files in this directory is a capture");
    // Beside something that can be read, it is told and the code is 2 all the same.
    let other = Folder::new();
    other.ring(&scenario(2, true));
    let (code, stdout, stderr) = say(ctishark().arg(folder.path()).arg(other.path()));
    assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{stderr}");
    assert!(stdout.contains("HEARTBEAT_REQ"));
}

#[cfg(unix)]
#[test]
fn a_file_of_a_directory_that_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.ring(&scenario(3, true));
    std::os::unix::fs::symlink("nowhere", folder.path().join("gone.pcap")).unwrap();
    let (code, stdout, stderr) = say(ctishark().arg(folder.path()));
    assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{stderr}");
    assert!(stdout.contains("HEARTBEAT_REQ") && stderr.contains("gone.pcap"));
    fs::remove_file(folder.path().join("gone.pcap")).unwrap();
    let secret = folder.path().join(dumpcap(2));
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&secret).is_ok() {
        eprintln!("SKIPPED: this user may read every file");
        return;
    }
    let (code, _, stderr) = say(ctishark().arg(folder.path()));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("Permission denied"), "{stderr}");
}

/// Captures of many hosts over the same time, which are all in use at once.
#[cfg(unix)]
#[test]
fn more_overlapping_captures_than_files_may_be_open() {
    let folder = Folder::new();
    for host in 0..40 {
        let text = format!(
            "host a 10.0.1.{host}\nhost b 10.0.0.5\nconnection A a:50412 -> b:42027 version=24\n\
             10:00:00.{host:03} A > HEARTBEAT_REQ InvokeID=1\n{}",
            "+1s A < raw 000000040000000600000001\n".repeat(10)
        );
        let scenario = Scenario::from_text("host", &text).unwrap();
        let file = &scenario.capture_files().unwrap()[0];
        let mut bytes = file.plain.clone();
        // Not to be in memory as a whole: a packet of another protocol, larger than any share of the buffers.
        let mut last = bytes[24..32].to_vec();
        last[0] = last[0].wrapping_add(1);
        bytes.extend(last);
        bytes.extend(400_000_u32.to_le_bytes());
        bytes.extend(400_000_u32.to_le_bytes());
        bytes.resize(bytes.len() + 400_000, 0);
        folder.write(&format!("host{host}.pcap"), &bytes);
    }
    let expected = say(ctishark().arg(folder.path()));
    assert_eq!(expected.0, Some(0), "{}", expected.2);
    let program = assert_cmd::cargo::cargo_bin("ctishark");
    let limited = say(Command::new("sh")
        .env("TZ", "UTC")
        .env("NO_COLOR", "1")
        .args(["-c", "ulimit -n 16; exec \"$0\" \"$1\""])
        .arg(program)
        .arg(folder.path()));
    assert_eq!(limited, expected);
}
