//! The command explain as its users see it.

#![allow(clippy::unwrap_used)]

use assert_cmd::Command;
use predicates::str::contains;

fn explain(words: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("ctishark").unwrap();
    command
        .env("NO_COLOR", "1")
        .arg("explain")
        .args(words)
        .assert()
}

#[test]
fn text_and_json_say_the_same() {
    explain(&["E_CTI_INVALID_PASSWORD"])
        .success()
        .stdout(contains("value 36 of StatusCode"));
    let json = explain(&["E_CTI_INVALID_PASSWORD", "--format", "json"]).success();
    let json: serde_json::Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    assert_eq!(json["topics"][0]["table"], "StatusCode");
    assert_eq!(json["topics"][0]["value"], 36);
}

#[test]
fn what_is_found_is_shown_and_what_is_not_gets_a_suggestion() {
    explain(&["OPEN_REQ", "OPEN_CNF"])
        .code(2)
        .stdout(contains("OPEN_REQ  message 3"))
        .stderr("ctishark: nothing is called 'OPEN_CNF'; did you mean OPEN_CONF?\n");
}

#[test]
fn the_overview_lists_every_message() {
    let overview = explain(&[]).success();
    let overview = String::from_utf8(overview.get_output().stdout.clone()).unwrap();
    for message in cti_dissector::protocol::messages() {
        assert!(overview.contains(message.name), "{}", message.name);
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let plain = explain(&["OPEN_REQ"]).success();
    let colored = explain(&["OPEN_REQ", "--color", "always"]).success();
    let colored = String::from_utf8(colored.get_output().stdout.clone()).unwrap();
    assert!(colored.contains('\u{1b}'));
    let stripped = anstream::adapter::strip_str(&colored).to_string();
    assert_eq!(stripped.as_bytes(), plain.get_output().stdout);
}

#[test]
fn an_empty_word_is_not_the_overview() {
    explain(&[""])
        .code(2)
        .stdout("")
        .stderr("ctishark: an empty word cannot be looked up\n");
}
