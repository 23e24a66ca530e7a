//! The command as a whole: help, usage, errors, exit codes. The cases in `commands/` are read as if they were code.

#![allow(clippy::unwrap_used)]

use assert_cmd::Command;
use predicates::str::{contains, starts_with};

fn ctishark() -> Command {
    let mut command = Command::cargo_bin("ctishark").unwrap();
    command
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env("NO_COLOR", "1");
    command
}

#[test]
fn commands() {
    trycmd::TestCases::new()
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .env("NO_COLOR", "1")
        .case("../tests/commands/*.trycmd");
}

#[test]
fn a_bad_value_is_one_line_that_names_the_allowed_ones() {
    for (arguments, said) in [
        (&["--format", "xml", "-"][..], "text, ndjson, json"),
        (
            &["--time", "never", "-"],
            "absolute, relative, delta, epoch",
        ),
        (&["--color", "red", "-"], "auto, always, never"),
        (&["--protocol-version", "4", "-"], "5 to 25"),
        (&["--port", "0", "-"], "1 to 65535"),
        (
            &["--reply-wait", "soon", "-"],
            "such as 30, 5s, 500ms or 2m",
        ),
        (&["--from", "noon", "-"], "such as 2026-11-23T10:15:00Z"),
        (
            &["--from", "11:00", "--to", "10:00", "-"],
            "--from is later than --to",
        ),
        (&["--type", "OPEN_RQ", "-"], "did you mean OPEN_REQ"),
        (
            &["--type", "NOSUCH_*", "-"],
            "no message has a name like this",
        ),
        (&["--call", "xyz", "-"], "decimal or hexadecimal"),
        (&["--session", "0", "-"], "from 1 on"),
        (&["--jobs", "0", "-"], "1 to 1024"),
        (&["-", "-"], "once only"),
        (
            &["sessions", "no-such-file.pcap"],
            "no-such-file.pcap: no such file",
        ),
        (&["."], "the only file in this directory is no capture"),
        (&["explain", "OPEN_REQ", "--version", "26"], "5 to 25"),
    ] {
        let run = ctishark().args(arguments).write_stdin("").assert();
        let output = run
            .code(2)
            .stdout("")
            .stderr(starts_with("ctishark: "))
            .stderr(contains(said));
        let stderr = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn verbose_said_nothing() {
    let capture = "../fixtures/captures/demo.pcap";
    let quiet = ctishark().arg(capture).assert().success().stderr("");
    let quiet = quiet.get_output().stdout.clone();
    let told = |option: &str| {
        let run = ctishark().args([option, capture]).assert().success();
        let output = run.get_output();
        assert_eq!(output.stdout, quiet);
        String::from_utf8(output.stderr.clone()).unwrap()
    };
    let some = told("-v");
    for words in [
        "opening input=\"../fixtures/captures/demo.pcap\"",
        "reply_wait=30s",
        "packets=",
        "sessions=1",
    ] {
        assert!(some.contains(words), "{words}: {some}");
    }
    assert!(!some.contains("elapsed="), "{some}");
    let more = told("-vv");
    assert!(
        more.contains("elapsed=") && more.contains("options in force"),
        "{more}"
    );
}

#[test]
fn man_pages_and_completions_are_made_for_every_command() {
    let man = ctishark().args(["generate", "man"]).assert().success();
    let man = String::from_utf8(man.get_output().stdout.clone()).unwrap();
    let help = ctishark().arg("--help").assert().success();
    let help = String::from_utf8(help.get_output().stdout.clone()).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let names = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once("  "))
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty() && *name != "help");
    let names: Vec<&str> = names.collect();
    assert!(names.contains(&"triage"), "{names:?}");
    assert_eq!(man.matches(".TH ").count(), names.len() + 1);
    for name in names {
        assert!(man.contains(&format!(".TH ctishark-{name} ")), "{name}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        ctishark()
            .args(["generate", "completions", shell])
            .assert()
            .success()
            .stdout(contains("explain"));
    }
    let directory = tempfile::tempdir().unwrap();
    ctishark()
        .args(["generate", "man"])
        .arg(directory.path())
        .assert()
        .success()
        .stdout("");
    assert!(directory.path().join("ctishark-explain.1").is_file());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("ctishark"))
        .args(["explain", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    use std::process::Command;
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = Command::new(assert_cmd::cargo::cargo_bin("ctishark"))
        .arg("explain")
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .starts_with("ctishark: standard output: ")
    );
}
