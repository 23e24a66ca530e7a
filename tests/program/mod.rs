//! The program as tests run it: in the repository's folder, with nothing of the environment that could change what it shows.

#![allow(dead_code, reason = "shared by tests that need parts of it")]
#![allow(clippy::unwrap_used, clippy::panic)]

use jsonschema::Validator;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Checks a record of JSON output.
pub static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../docs/schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// The repository's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All committed captures, by name.
pub fn captures() -> Vec<PathBuf> {
    let entries = root().join("fixtures/captures").read_dir().unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 50, "captures are missing");
    files
}

/// One of them.
pub fn capture(name: &str) -> PathBuf {
    let found = captures().into_iter().find(|path| path.ends_with(name));
    found.unwrap_or_else(|| panic!("no capture {name}"))
}

/// The program with arguments.
pub fn ctishark(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ctishark"));
    command.args(arguments).current_dir(root()).envs([
        ("TZ", "UTC"),
        ("LC_ALL", "C"),
        ("NO_COLOR", "1"),
    ]);
    command
}
