//! Every example of the documentation is run: a `console` block shows commands behind `$ ` and exactly what they print.
//! A line `...` stands for any number of lines. With `UPDATE_DOCS=1` the blocks without such a line are written anew.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a terminal shows of a command, run in the repository's folder.
fn shown(command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_ctishark"));
    let mut path = vec![program.parent().unwrap().to_path_buf()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(root())
        .env("PATH", std::env::join_paths(path).unwrap())
        .envs([("TZ", "UTC"), ("LC_ALL", "C"), ("NO_COLOR", "1")])
        .output()
        .unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Whether the tools that a command needs beside ours are there.
fn can_run(command: &str) -> bool {
    let needs_jq = command.contains("jq ");
    let there = !needs_jq || Command::new("jq").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped, jq is not installed: {command}");
    }
    there
}

/// Lines with 1.2 in place of 1.200: versions of jq differ.
fn plain(lines: &[&str]) -> Vec<String> {
    let plain = |line: &&str| {
        let is_digit = |c: char| c.is_ascii_digit() || c == '.';
        let mut rest = *line;
        let mut out = String::new();
        while let Some(at) = rest.find(is_digit) {
            let (before, number) = rest.split_at(at);
            let end = number.find(|c| !is_digit(c)).unwrap_or(number.len());
            let (number, after) = number.split_at(end);
            out.push_str(before);
            out.push_str(match number.matches('.').count() {
                1 => number.trim_end_matches('0').trim_end_matches('.'),
                _ => number,
            });
            rest = after;
        }
        out + rest
    };
    lines.iter().map(plain).collect()
}

fn matches<S: AsRef<str>>(expected: &[S], actual: &[S]) -> bool {
    let expected: Vec<&str> = expected.iter().map(AsRef::as_ref).collect();
    let actual: Vec<&str> = actual.iter().map(AsRef::as_ref).collect();
    lines_match(&expected, &actual)
}

fn lines_match(expected: &[&str], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((&"...", rest)) => {
            (0..=actual.len()).any(|skip| lines_match(rest, actual.split_at(skip).1))
        }
        Some((line, rest)) => actual
            .split_first()
            .is_some_and(|(first, others)| first == line && lines_match(rest, others)),
    }
}

fn check(name: &str) {
    let path = root().join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let (mut fresh, mut examples) = (String::new(), 0);
    let mut lines = text.lines().peekable();
    let mut in_block = false;
    while let Some(line) = lines.next() {
        writeln!(fresh, "{line}").unwrap();
        if line.starts_with("```") {
            in_block = line == "```console";
            continue;
        }
        let Some(first) = line.strip_prefix("$ ").filter(|_| in_block) else {
            continue;
        };
        let mut command = first.to_owned();
        while command.ends_with(['\\', '|']) || command.matches('\'').count() % 2 == 1 {
            let more = lines.next().unwrap();
            writeln!(fresh, "{more}").unwrap();
            write!(command, "\n{more}").unwrap();
        }
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|l| !l.starts_with("$ ") && !l.starts_with("```")) {
            expected.push(line);
        }
        examples += 1;
        let actual = if can_run(&command) {
            shown(&command)
        } else {
            expected.join("\n")
        };
        let actual: Vec<&str> = actual.lines().collect();
        let broken = actual.iter().find(|line| line.starts_with("sh: "));
        assert!(
            broken.is_none(),
            "{name}: `{command}` cannot run: {broken:?}"
        );
        let fits = matches(&plain(&expected), &plain(&actual));
        if update && !fits && !expected.contains(&"...") {
            expected.clone_from(&actual);
        }
        assert!(
            fits || update,
            "{name} shows for `{command}`:\n{}\n\nit prints:\n{}\n",
            expected.join("\n"),
            actual.join("\n")
        );
        for line in expected {
            writeln!(fresh, "{line}").unwrap();
        }
    }
    assert!(examples > 0, "{name} has no examples");
    if update && fresh != text {
        std::fs::write(path, fresh).unwrap();
    }
}

#[test]
fn examples_of_the_readme() {
    check("README.md");
}

#[test]
fn examples_of_the_guide() {
    check("docs/guide.md");
}

#[test]
fn examples_of_the_json_reference() {
    check("docs/json.md");
}

#[test]
fn an_ellipsis_stands_for_any_lines() {
    assert!(matches(&["a", "...", "c"], &["a", "b", "b", "c"]));
    assert!(matches(&["..."], &[]));
    assert_eq!(plain(&["1.200 10.0.0.10 5.0"]), ["1.2 10.0.0.10 5"]);
    assert!(!matches(&["a", "..."], &["b"]));
    assert!(!matches(&["a"], &["a", "b"]));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from);
    let of_docs = root().join("docs").read_dir().unwrap();
    let of_docs = of_docs.map(|e| Path::new("docs").join(e.unwrap().file_name()));
    for document in documents
        .into_iter()
        .chain(of_docs.filter(|p| p.extension().is_some_and(|e| e == "md")))
    {
        let text = std::fs::read_to_string(root().join(&document)).unwrap();
        for (_, rest) in text
            .match_indices("](")
            .map(|(at, _)| text.split_at(at + 2))
        {
            let target = rest.split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let place = root().join(document.parent().unwrap()).join(target);
            assert!(
                place.exists(),
                "{}: {target} does not exist",
                document.display()
            );
        }
    }
}
