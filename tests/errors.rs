//! Bad input: one clear line on standard error, the right exit code, and whatever can be shown is shown.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use assert_cmd::Command;
use ctishark_fixtures::{Compression, Link, Scenario};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

fn ctishark() -> Command {
    let mut command = Command::cargo_bin("ctishark").unwrap();
    command
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env("NO_COLOR", "1");
    command
}

/// What one run said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn say(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    /// One line on standard error, with `words` in it.
    fn complains(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.starts_with("ctishark: "), "{self:?}");
        assert!(self.stderr.contains(words), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        self
    }

    fn messages(&self) -> usize {
        let is_message = |l: &&str| l.starts_with("{\"kind\":\"message\"");
        self.stdout.lines().filter(is_message).count()
    }

    fn codes(&self) -> Vec<String> {
        let records = self.stdout.lines().map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value
        });
        records
            .filter(|r| r["kind"] == "finding")
            .map(|r| r["code"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Runs the program on one file: as text, as JSON and as a list of sessions. All must say the same; JSON is returned.
fn run(path: &Path, code: i32, words: &str) -> Said {
    say(ctishark().arg(path)).complains(code, words);
    say(ctishark().arg("sessions").arg(path)).complains(code, words);
    say(ctishark().args(["--format", "ndjson"]).arg(path)).complains(code, words)
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// The capture of an agent's day.
fn capture(compression: Compression) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios/agent-day.scn");
    let mut scenario = Scenario::load(&path).unwrap();
    scenario.capture.compression = compression;
    let mut bytes = Vec::new();
    scenario.capture_files().unwrap()[0]
        .write_to(&mut bytes)
        .unwrap();
    bytes
}

fn of_text(text: &str) -> Vec<u8> {
    let head = "host a 10.0.1.10\nhost b 10.0.0.5\n";
    let scenario = Scenario::from_text("test", &format!("{head}{text}")).unwrap();
    scenario.capture_files().unwrap().remove(0).plain
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    // The fixtures' writer compresses captures only, so a file is made of any bytes here.
    let mut child = std::process::Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn no_such_file() {
    let folder = Folder::new();
    let path = folder.0.path().join("missing.pcap");
    let said = run(&path, 2, "missing.pcap: no such file");
    assert_eq!(said.stdout, "");
}

#[test]
fn a_missing_file_does_not_keep_the_others_from_being_shown() {
    let folder = Folder::new();
    let good = folder.file("good.pcap", &capture(Compression::None));
    let said = say(ctishark().arg(good).arg("missing.pcap"));
    let shown = said.complains(2, "cannot open missing.pcap: no such file");
    assert!(shown.stdout.contains("OPEN_REQ"), "{}", shown.stdout);
}

#[test]
fn an_empty_directory() {
    let folder = Folder::new();
    run(folder.0.path(), 2, ": no files in this directory");
}

#[cfg(unix)]
#[test]
fn no_permission() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.file("secret.pcap", &capture(Compression::None));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        eprintln!("SKIPPED: this user may read every file");
        return;
    }
    run(&path, 2, "secret.pcap: Permission denied");
}

#[test]
fn files_that_are_no_captures() {
    let folder = Folder::new();
    let text = b"agent,state\n1001,READY\n1002,TALKING\n";
    for (name, bytes, words) in [
        ("empty.pcap", vec![], "empty.pcap is empty"),
        (
            "notes.pcap",
            text.to_vec(),
            "notes.pcap is not a packet capture: it looks like text",
        ),
        (
            "text.pcap.gz",
            gzip(text),
            "text.pcap.gz is not a packet capture: gzip data holding text",
        ),
        (
            "empty.pcap.gz",
            gzip(b""),
            "empty.pcap.gz is not a packet capture: gzip data holding",
        ),
        (
            "archive.pcap",
            b"PK\x03\x04and so on, for some more bytes".to_vec(),
            "archive.pcap is not a packet capture: it looks like a ZIP archive",
        ),
        (
            "noise.pcap",
            (0..=255).rev().collect(),
            "noise.pcap is not a packet capture: unknown content",
        ),
    ] {
        let path = folder.file(name, &bytes);
        let said = run(&path, 2, words);
        assert_eq!(said.messages(), 0, "{name}");
    }
    // The same from a pipe.
    let said = say(ctishark().arg("-").write_stdin(text.to_vec()));
    said.complains(2, "standard input is not a packet capture");
    let said = say(ctishark().arg("-").write_stdin(""));
    said.complains(2, "standard input is empty");
}

#[test]
fn one_bad_file_among_good_ones_is_named_and_the_others_are_shown() {
    let folder = Folder::new();
    let good = folder.file("good.pcap", &capture(Compression::None));
    let bad = folder.file("bad.pcap", b"this is no capture at all\n");
    let all = say(ctishark().args(["--format", "ndjson"]).arg(&good));
    let said = say(ctishark().args(["--format", "ndjson"]).arg(&bad).arg(&good));
    assert_eq!(said.messages(), all.messages());
    said.complains(2, "bad.pcap is not a packet capture");
}

#[test]
fn a_capture_cut_off_anywhere_shows_what_is_there() {
    let whole = capture(Compression::None);
    let folder = Folder::new();
    let path = folder.file("whole.pcap", &whole);
    let all = say(ctishark().args(["--format", "ndjson"]).arg(&path));
    assert_eq!((all.code, all.stderr.as_str()), (Some(0), ""));
    let path = folder.file("cut.pcap", &whole[..whole.len() - 10]);
    let said = run(&path, 0, "cut.pcap: cut off inside a record at byte ");
    assert_eq!(said.codes(), ["capture_cut_off"]);
    let mut last = all.messages();
    for end in (24..whole.len()).rev().step_by(97) {
        let path = folder.file("cut.pcap", &whole[..end]);
        let said = say(ctishark().args(["--format", "ndjson"]).arg(&path));
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.messages() <= last, "{said:?}");
        last = said.messages();
    }
}

#[test]
fn compressed_captures_cut_off_show_what_is_there() {
    let folder = Folder::new();
    // Large enough for several blocks, but for bzip2 and (as written here) lz4: of a single block nothing can be had.
    let text = format!("host a 10.0.1.10\nhost b 10.0.0.5\n{}", many_messages());
    let mut scenario = Scenario::from_text("test", &text).unwrap();
    for (name, compression) in Compression::ALL {
        if compression == Compression::None {
            continue;
        }
        scenario.capture.compression = compression;
        let mut whole = Vec::new();
        let files = scenario.capture_files().unwrap();
        files[0].write_to(&mut whole).unwrap();
        let path = folder.file(&format!("cut.pcap.{name}"), &whole[..whole.len() * 9 / 10]);
        let said = say(ctishark().args(["--format", "ndjson"]).arg(&path));
        let one_block = matches!(compression, Compression::Bz2 | Compression::Lz4);
        let said = match one_block {
            true => said.complains(2, "data is damaged from its start"),
            false => said.complains(0, "cut off"),
        };
        if !one_block {
            assert!(
                said.codes().contains(&"capture_cut_off".to_owned()),
                "{name}"
            );
            assert!(said.messages() > 1000, "{name}: {}", said.messages());
        }
    }
    // Only the check sum is missing.
    let whole = capture(Compression::Gz);
    let path = folder.file("cut.pcap.gz", &whole[..whole.len() - 3]);
    let said = say(ctishark().args(["--format", "ndjson"]).arg(&path)).complains(0, "cut off");
    let path = folder.file("whole.pcap.gz", &whole);
    let all = say(ctishark().args(["--format", "ndjson"]).arg(&path));
    assert_eq!(said.messages(), all.messages());
}

#[test]
fn a_link_type_that_is_not_supported_is_named() {
    let mut bytes = capture(Compression::None);
    // IEEE 802.11.
    bytes[20] = 105;
    let folder = Folder::new();
    let path = folder.file("wlan.pcap", &bytes);
    let said = say(ctishark().args(["--format", "ndjson"]).arg(&path));
    assert_eq!(said.code, Some(0));
    assert_eq!(said.codes(), ["unknown_link_type"]);
    assert!(said.stderr.contains("105"), "{said:?}");
    assert!(said.stderr.lines().all(|l| l.starts_with("ctishark: ")));
}

#[test]
fn captures_without_messages_say_why() {
    let folder = Folder::new();
    // An Ethernet packet with ARP in it.
    let mut arp = capture(Compression::None)[..24].to_vec();
    for word in [1_u32, 0, 42, 42] {
        arp.extend(word.to_le_bytes());
    }
    arp.extend([0xFF; 12]);
    arp.extend([8, 6]);
    arp.extend([0; 28]);
    let hello = format!("16030100320100{}", "2a".repeat(48));
    for (name, bytes, words) in [
        (
            "nothing.pcap",
            capture(Compression::None)[..24].to_vec(),
            "the capture holds no packets",
        ),
        ("arp.pcap", arp, "no TCP among 1 packet"),
        (
            "web.pcap",
            of_text("connection W a:5000 -> b:80\nW > raw \"GET / HTTP/1.1\\n\\n\"\n"),
            "no CTI messages in 1 TCP connection; add the server's port with --port",
        ),
        (
            "tls.pcap",
            of_text(&format!(
                "connection T a:5000 -> b:42030\nT > raw {hello}\n"
            )),
            "no CTI messages that can be read: 1 connection is encrypted (TLS)",
        ),
    ] {
        let path = folder.file(name, &bytes);
        let said = run(&path, 0, words);
        assert_eq!(said.messages(), 0, "{name}");
        let quiet = say(ctishark()
            .args(["--quiet", "--format", "ndjson"])
            .arg(&path));
        assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""), "{name}");
        assert_eq!(quiet.stdout, said.stdout, "{name}");
    }
}

#[test]
fn every_link_type_of_the_fixtures_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios/agent-day.scn");
    let mut scenario = Scenario::load(&path).unwrap();
    let folder = Folder::new();
    let mut first = None;
    for link in [
        Link::Ethernet,
        Link::Vlan(7),
        Link::QinQ(7, 8),
        Link::Cooked,
        Link::Cooked2,
        Link::Raw,
        Link::Null,
        Link::Loop,
    ] {
        scenario.capture.interfaces[0].link = link;
        let bytes = scenario.capture_files().unwrap().remove(0).plain;
        let path = folder.file("link.pcap", &bytes);
        let said = say(ctishark().args(["--format", "ndjson"]).arg(&path));
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{link:?}");
        assert!(
            said.stdout == *first.get_or_insert_with(|| said.stdout.clone()),
            "{link:?}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    let path = folder.file("a.pcap", &of_text(&many_messages()));
    for arguments in [
        &["--format", "ndjson"][..],
        &["--format", "json"],
        &["--detail", "--hex"],
    ] {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("ctishark"))
            .args(arguments)
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 100]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

/// More than any pipe holds.
fn many_messages() -> String {
    let mut text = String::from("connection A a:5000 -> b:42027 version=24\n");
    for number in 0..3000 {
        text +=
            &format!("A > HEARTBEAT_REQ InvokeID={number}\nA < HEARTBEAT_CONF InvokeID={number}\n");
    }
    text
}

#[test]
fn a_selection_that_nothing_meets_says_so() {
    let folder = Folder::new();
    let good = folder.file("good.pcap", &capture(Compression::None));
    let said = say(ctishark().arg(good).args(["--session", "99"]));
    said.complains(0, "nothing selected: none of the ");
}
