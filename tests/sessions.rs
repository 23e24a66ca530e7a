//! The command `sessions`: its forms and its selection.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod program;

use program::ctishark;

const CAPTURE: &str = "fixtures/captures/open-lower-version.pcap";

fn sessions(arguments: &[&str]) -> String {
    let mut command = ctishark(&["sessions"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// First column of the rows of CSV.
fn listed(arguments: &[&str]) -> Vec<String> {
    let csv = sessions(&[&["--format", "csv"], arguments].concat());
    let rows = csv.lines().skip(1);
    rows.map(|row| row.split(',').next().unwrap().to_owned())
        .collect()
}

#[test]
fn csv_has_a_name_for_each_column_and_values_without_units() {
    let csv = sessions(&["--format", "csv", CAPTURE]);
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(names.len(), first.len());
    let value = |name| first[names.iter().position(|n| *n == name).unwrap()];
    assert_eq!(value("session"), "S1");
    assert_eq!(value("first"), "2026-11-23T07:00:00.001Z");
    assert_eq!(value("failed"), "1");
    assert!(value("duration_s").parse::<f64>().is_ok());
}

#[test]
fn a_session_is_listed_when_a_message_of_it_is_selected() {
    assert_eq!(listed(&[CAPTURE]), ["S1", "S2"]);
    let with = |expression| listed(&["-Y", expression, CAPTURE]);
    assert_eq!(with("status == E_CTI_INVALID_VERSION"), ["S1"]);
    assert_eq!(with("name == \"OPEN_CONF\""), ["S2"]);
    assert_eq!(with("name == \"CALL_HELD_EVENT\""), Vec::<String>::new());
    assert_eq!(listed(&["--session", "2", CAPTURE]), ["S2"]);
    assert_eq!(listed(&["--utc", "--to", "07:00:01", CAPTURE]), ["S1"]);
    assert_eq!(listed(&["--agent", "1001", CAPTURE]), ["S2"]);
}

#[test]
fn a_session_without_messages_is_selected_by_number_and_time_only() {
    let tls = "fixtures/captures/tls.pcap";
    let all = listed(&[tls]);
    assert!(!all.is_empty());
    assert_eq!(listed(&["--session", "1", tls]), ["S1"]);
    assert_eq!(
        listed(&["--utc", "--from", "2026-11-23T00:00:00Z", tls]),
        all
    );
    assert!(listed(&["--utc", "--from", "2026-11-24T00:00:00Z", tls]).is_empty());
}
