//! The command `diff`: dumps as sides, whole, cut or filtered, and names of fields that nothing has.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod program;

use std::process::Output;

use program::ctishark;

fn diff(arguments: &[&str]) -> Output {
    let mut all = vec!["diff"];
    all.extend(arguments);
    ctishark(&all).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const TRANSFERRED: &str = "fixtures/captures/call-transferred.pcap";

#[test]
fn dumps_are_filtered_by_outcomes_as_captures_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump");
    let path = path.to_str().unwrap();
    let mut compared = 0;
    for name in [
        "failures",
        "demo",
        "ignore-conf",
        "gaps",
        "midstream-wide",
        "heartbeat-loss",
        "malformed",
        "open-refused",
    ] {
        let capture = format!("fixtures/captures/{name}.pcap");
        let dump = ctishark(&["--quiet", "--format", "ndjson", &capture])
            .output()
            .unwrap()
            .stdout;
        std::fs::write(path, dump).unwrap();
        for only in [
            "answered",
            "!answered",
            "latency_ms > 5",
            "status == failed",
            "status in {unanswered, not_expected, not_judged, capture_ended}",
            "status in {no_request, wrong}",
            "findings",
        ] {
            let sides = ["--quiet", "--strict-order", "--only", only, &capture, path];
            let output = diff(&sides);
            match output.status.code() {
                Some(0) => compared += 1,
                // Neither side has any.
                Some(2) if text(&output.stderr).contains("nothing to compare") => {}
                _ => panic!("{name} {only}: {output:?}"),
            }
        }
    }
    assert!(compared > 25, "{compared}");
    // Without the records that tell what became of requests, nobody knows.
    let dump = std::fs::read_to_string(path).unwrap();
    let lines = dump.lines().filter(|line| !line.contains("\"exchange\""));
    std::fs::write(path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let capture = "fixtures/captures/open-refused.pcap";
    let output = diff(&["--only", "answered", path, capture]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("has no exchange records"), "{told}");
}

#[test]
fn a_dump_that_was_cut_in_the_middle_of_a_line_is_compared_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.ndjson");
    let path = path.to_str().unwrap();
    let dump = ctishark(&["--format", "ndjson", TRANSFERRED])
        .output()
        .unwrap()
        .stdout;
    let middle = dump.len() / 2;
    assert_ne!(dump[middle - 1], b'\n');
    std::fs::write(path, &dump[..middle]).unwrap();
    let output = diff(&[path, TRANSFERRED]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("not complete"), "{output:?}");
    // What is damaged is not cut, and its place is told.
    let mut damaged = dump.clone();
    damaged[middle] = b'\n';
    std::fs::write(path, &damaged).unwrap();
    let output = diff(&[path, TRANSFERRED]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("line ") && told.contains("column "), "{told}");
    assert!(!told.contains("at line 1"), "{told}");
}

#[test]
fn names_that_nothing_has_are_pointed_out() {
    let told = |names: &str| {
        let output = diff(&["--ignore", names, TRANSFERRED, TRANSFERRED]);
        assert_eq!(output.status.code(), Some(0));
        text(&output.stderr)
    };
    assert_eq!(
        told("AgentIDD"),
        "ctishark: no message has a field like AgentIDD; did you mean AgentID?\n"
    );
    let of_message = told("OPEN_REQ.IdleTimeot");
    assert!(
        of_message.contains("did you mean IdleTimeout?"),
        "{of_message}"
    );
    // A profile may name what these captures do not have.
    assert_eq!(told("RecordingDeviceID,session.version,CallVariable*"), "");
    let output = diff(&["--only", "type == 9999", TRANSFERRED, TRANSFERRED]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(
        told.contains("neither side holds messages that are selected"),
        "{told}"
    );
}
