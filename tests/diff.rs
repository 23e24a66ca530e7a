//! The command `diff`: captures and dumps as sides, JSON, baselines, profiles, exit codes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod program;

use std::io::Write as _;
use std::process::{Output, Stdio};

use ctishark_fixtures::Scenario;
use program::{captures, ctishark, root};
use serde_json::Value;

fn diff(arguments: &[&str]) -> Output {
    let mut all = vec!["diff"];
    all.extend(arguments);
    ctishark(&all).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn records(arguments: &[&str], code: i32) -> Vec<Value> {
    let mut all = vec!["--format", "ndjson"];
    all.extend(arguments);
    let output = diff(&all);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let lines = text(&output.stdout);
    let records = lines.lines().map(|l| serde_json::from_str(l).unwrap());
    records.collect()
}

const TRANSFERRED: &str = "fixtures/captures/call-transferred.pcap";
const CONFERENCED: &str = "fixtures/captures/call-conferenced.pcap";

#[test]
fn a_capture_and_its_own_dump_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing of an encrypted one can be read, and nothing is no answer.
    let readable = captures()
        .into_iter()
        .filter(|path| !path.ends_with("tls.pcap"));
    for capture in readable {
        let capture = capture.to_str().unwrap();
        for format in ["ndjson", "json"] {
            let dump = ctishark(&["--quiet", "--format", format, capture])
                .output()
                .unwrap();
            assert_eq!(dump.status.code(), Some(0), "{capture}");
            let path = folder.path().join("dump");
            std::fs::write(&path, &dump.stdout).unwrap();
            let path = path.to_str().unwrap();
            for sides in [[capture, path], [path, capture]] {
                let output = diff(&["--strict-order", sides[0], sides[1]]);
                assert_eq!(
                    output.status.code(),
                    Some(0),
                    "{capture} {format}: {}",
                    text(&output.stdout)
                );
            }
            let summary = records(&[capture, path], 0).pop().unwrap();
            assert_eq!(summary["old"], summary["new"], "{capture}");
        }
    }
}

#[test]
fn every_record_is_as_the_schema_says() {
    let schema = include_str!("../docs/schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let captures = captures();
    let mut kinds = std::collections::BTreeMap::new();
    for (old, new) in captures.iter().zip(captures.iter().skip(1)) {
        let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
        let output = diff(&["--format", "ndjson", old, new]);
        assert!(output.status.code() < Some(2), "{old} {new}: {output:?}");
        let lines = text(&output.stdout);
        let records: Vec<Value> = lines
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        assert_eq!(records[0]["kind"], "header");
        assert_eq!(records[0]["inputs"], serde_json::json!([old, new]));
        let last = records.last().unwrap();
        assert_eq!(last["kind"], "diff_summary");
        assert_eq!(last["different"], output.status.code() == Some(1));
        for record in &records {
            assert!(validator.is_valid(record), "{old} {new}: {record}");
            *kinds
                .entry(record["kind"].as_str().unwrap().to_owned())
                .or_insert(0) += 1;
        }
        let of = |change: &str| {
            let of = |r: &&Value| r["kind"] == "difference" && r["change"] == change;
            records.iter().filter(of).count()
        };
        for change in ["missing", "added", "changed", "reordered"] {
            assert_eq!(last[change], of(change), "{old} {new}");
        }
    }
    assert_eq!(
        kinds.keys().collect::<Vec<_>>(),
        ["diff_session", "diff_summary", "difference", "header"]
    );
    let document = diff(&["--format", "json", TRANSFERRED, CONFERENCED]).stdout;
    let document: Vec<Value> = serde_json::from_slice(&document).unwrap();
    assert_eq!(document, records(&[TRANSFERRED, CONFERENCED], 1));
}

#[test]
fn slower_answers_stand_in_json_too() {
    let folder = tempfile::tempdir().unwrap();
    let capture = |name: &str, took: u32| {
        let mut lines = String::from(
            "title Test\nhost a 10.0.0.1\nhost b 10.0.0.2\nconnection A a:50000 -> b:42027 version=24\n\
             09:00:00 A > OPEN_REQ InvokeID=1 IdleTimeout=NULL ClientID=\"X\" ClientPassword=\"\" ClientSignature=\"X\"\n\
             +1ms A < OPEN_CONF InvokeID=1\n",
        );
        for n in 2..22 {
            lines.push_str(&format!(
                "+1s A > QUERY_DEVICE_INFO_REQ InvokeID={n}\n+{}ms A < QUERY_DEVICE_INFO_CONF InvokeID={n}\n",
                took + n % 3
            ));
        }
        let scenario = Scenario::from_text(name, &lines).unwrap();
        let path = folder.path().join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        scenario.capture_files().unwrap()[0]
            .write_to(&mut file)
            .unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (fast, slow) = (capture("fast.pcap", 10), capture("slow.pcap", 90));
    let records = records(&[&fast, &slow], 1);
    let schema = include_str!("../docs/schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let latency = records
        .iter()
        .find(|r| r["kind"] == "diff_latency")
        .unwrap();
    assert!(validator.is_valid(latency), "{latency}");
    assert_eq!(latency["request"], "QUERY_DEVICE_INFO_REQ");
    assert_eq!(latency["old"]["answers"], 20);
    let output = text(&diff(&[&fast, &slow]).stdout);
    assert!(
        output.starts_with("different: 1 request type slower\n"),
        "{output}"
    );
    assert!(
        output.contains("QUERY_DEVICE_INFO_REQ: median 11.0ms, now 91.0ms (8.3 times)"),
        "{output}"
    );
    assert_eq!(
        diff(&["--latency-factor", "off", &fast, &slow])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        diff(&["--latency-factor", "9", &fast, &slow]).status.code(),
        Some(0)
    );
    assert_eq!(diff(&[&slow, &fast]).status.code(), Some(0));
}

#[test]
fn baselines_are_written_whole_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["base.ndjson", "base.ndjson.gz"] {
        let path = folder.path().join(name);
        let path = path.to_str().unwrap();
        let output = diff(&["--write-baseline", path, TRANSFERRED]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(
            text(&output.stderr),
            format!("ctishark: {path}: 64 messages\n")
        );
        assert_eq!(diff(&[path, TRANSFERRED]).status.code(), Some(0));
        assert_eq!(diff(&[CONFERENCED, path]).status.code(), Some(1));
        // Again over the same file, and it is not made of itself.
        assert_eq!(
            diff(&["--quiet", "--write-baseline", path, TRANSFERRED])
                .status
                .code(),
            Some(0)
        );
        let again = diff(&["--write-baseline", path, path]);
        assert_eq!(again.status.code(), Some(2));
        assert!(text(&again.stderr).contains("a dump already"), "{again:?}");
    }
    let plain = std::fs::metadata(folder.path().join("base.ndjson"))
        .unwrap()
        .len();
    let small = std::fs::metadata(folder.path().join("base.ndjson.gz"))
        .unwrap()
        .len();
    assert!(small * 5 < plain, "{small} {plain}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    let nowhere = folder.path().join("no/base.ndjson");
    assert_eq!(
        diff(&["--write-baseline", nowhere.to_str().unwrap(), TRANSFERRED])
            .status
            .code(),
        Some(2)
    );
    // A baseline may hold a selection; its other side is compared by the same one.
    let calls = folder.path().join("calls.ndjson");
    let calls = calls.to_str().unwrap();
    let only = "name contains \"CALL_\"";
    assert_eq!(
        diff(&["--only", only, "--write-baseline", calls, TRANSFERRED])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        diff(&["--only", only, calls, TRANSFERRED]).status.code(),
        Some(0)
    );
    assert_eq!(diff(&[calls, TRANSFERRED]).status.code(), Some(1));
}

#[test]
fn standard_input_is_a_side_whatever_it_holds() {
    let piped = |bytes: &[u8], arguments: &[&str]| {
        let mut all = vec!["diff"];
        all.extend(arguments);
        let mut child = ctishark(&all)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        child.wait_with_output().unwrap()
    };
    let capture = std::fs::read(root().join(TRANSFERRED)).unwrap();
    let dump = ctishark(&["--format", "ndjson", TRANSFERRED])
        .output()
        .unwrap()
        .stdout;
    for bytes in [&capture, &dump] {
        assert_eq!(piped(bytes, &["-", TRANSFERRED]).status.code(), Some(0));
        assert_eq!(piped(bytes, &[TRANSFERRED, "-"]).status.code(), Some(0));
        assert_eq!(piped(bytes, &["-", CONFERENCED]).status.code(), Some(1));
    }
    assert_eq!(piped(&capture, &["-", "-"]).status.code(), Some(2));
    // A dump that was cut off is compared, and said to be incomplete.
    let cut = &dump[..dump.len() / 2];
    let cut = &cut[..cut.iter().rposition(|b| *b == b'\n').unwrap() + 1];
    let output = piped(cut, &["-", TRANSFERRED]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("not complete"), "{output:?}");
}

#[test]
fn what_is_no_side_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |content: &str, why: &str| {
        let path = folder.path().join("x");
        std::fs::write(&path, content).unwrap();
        let output = diff(&[path.to_str().unwrap(), TRANSFERRED]);
        assert_eq!(output.status.code(), Some(2), "{content}: {output:?}");
        let told = text(&output.stderr);
        assert!(told.contains(why), "{content}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    };
    let header =
        r#"{"kind":"header","schema":1,"tool":"ctishark","tool_version":"0.1.0","inputs":["x"]}"#;
    refused(r#"{"kind":"message","no":1}"#, "not a dump");
    refused("{\"kind\":\"header\"", "not a dump");
    refused(&header.replace(":1,", ":99,"), "newer version");
    refused(
        &format!("{header}\n{{\"kind\":\"message\",\"no\":1}}\n"),
        "line 2",
    );
    refused(&format!("{header}\nnonsense\n"), "line 2");
    refused("nonsense", "not a packet capture");
    let dump = text(
        &ctishark(&["--format", "ndjson", TRANSFERRED])
            .output()
            .unwrap()
            .stdout,
    );
    refused(
        &dump.replacen("\"AGENT_STATE_EVENT\"", "\"NO_SUCH_EVENT\"", 1),
        "NO_SUCH_EVENT",
    );
    refused(
        &dump.replacen("\"MonitorID\"", "\"NoSuchField\"", 1),
        "NoSuchField",
    );
    refused(
        &dump.replacen("server-to-client", "sideways", 1),
        "sideways",
    );
    assert_eq!(diff(&[TRANSFERRED]).status.code(), Some(2));
    // Nothing is not the same as nothing.
    let empty = folder.path().join("empty.pcap");
    let header = std::fs::read(root().join(TRANSFERRED)).unwrap();
    std::fs::write(&empty, &header[..24]).unwrap();
    let empty = empty.to_str().unwrap();
    let output = diff(&["--quiet", empty, empty]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains("nothing to compare"));
    assert_eq!(
        diff(&["--quiet", empty, TRANSFERRED]).status.code(),
        Some(1)
    );
    assert_eq!(diff(&["no-such-file", TRANSFERRED]).status.code(), Some(2));
}

#[test]
fn profiles_say_what_to_compare() {
    let folder = tempfile::tempdir().unwrap();
    let by = |profile: &str, more: &[&str]| {
        let path = folder.path().join("diff.toml");
        std::fs::write(&path, profile).unwrap();
        let mut all = vec!["--profile", path.to_str().unwrap()];
        all.extend(more);
        all.extend([
            "fixtures/captures/session-v24.pcap",
            "fixtures/captures/session-v25.pcap",
        ]);
        diff(&all)
    };
    assert_eq!(by("", &[]).status.code(), Some(1));
    // The version of the session remains.
    let output = by(
        "ignore_types = [\"OPEN_REQ\"]\nno_heartbeats = true",
        &["--format", "ndjson"],
    );
    let summary: Value =
        serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(summary["changed"], 0);
    assert_eq!(summary["session_changes"][0]["what"], "version");
    let narrow = by(
        "only = 'name contains \"STATE\"'",
        &["--only", "type == 30", "--format", "ndjson"],
    );
    let summary: Value =
        serde_json::from_str(text(&narrow.stdout).lines().last().unwrap()).unwrap();
    assert!(summary["old"]["messages"].as_u64().unwrap() > 0);
    assert!(summary["old"]["messages"].as_u64().unwrap() < 42);
    let mistyped = by("ignore = [\"CallVariabel1\", \"AgentState\"]", &[]);
    let told = text(&mistyped.stderr);
    assert_eq!(
        told,
        "ctishark: no message has a field like CallVariabel1; did you mean CallVariable1, CallVariable10, CallVariable2, CallVariable3, \
         CallVariable4, CallVariable5?\n"
    );
    let wrong = by("contxt = 3", &[]);
    assert_eq!(wrong.status.code(), Some(2));
    let told = text(&wrong.stderr);
    assert!(told.contains("line 1") && told.contains("contxt"), "{told}");
    assert_eq!(
        by("ignore_types = [\"NO_SUCH\"]", &[]).status.code(),
        Some(2)
    );
    assert_eq!(
        by("only = \"NoSuchField == 1\"", &[]).status.code(),
        Some(2)
    );
}

#[test]
fn the_same_differences_come_whatever_the_number_of_threads() {
    let one = diff(&["--jobs", "1", TRANSFERRED, CONFERENCED]).stdout;
    for _ in 0..3 {
        assert_eq!(one, diff(&["--jobs", "4", TRANSFERRED, CONFERENCED]).stdout);
    }
    assert!(!text(&one).contains('\x1b'));
    let coloured = diff(&["--color", "always", TRANSFERRED, CONFERENCED]).stdout;
    assert!(text(&coloured).contains('\x1b'));
    let ascii = diff(&["--ascii", "--side-by-side", TRANSFERRED, CONFERENCED]).stdout;
    assert!(ascii.is_ascii());
    let ascii = text(&ascii);
    let mut rows = ascii.lines().filter(|line| line.starts_with('#'));
    assert!(rows.clone().count() > 20);
    assert!(rows.all(|line| line.len() <= 100), "{ascii}");
}

/// The text between tags, with what HTML writes in another way.
fn words(page: &str) -> String {
    let (_, body) = page.split_once("<body>").unwrap();
    let mut words = String::new();
    for piece in body.split('<') {
        words.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
        words.push(' ');
    }
    words.replace("&#38;", "&").replace("&#60;", "<")
}

#[test]
fn a_page_tells_what_the_records_tell() {
    let sides = [
        "fixtures/captures/release-old.pcap",
        "fixtures/captures/release-new.pcap",
    ];
    let output = diff(&[&["--format", "html"][..], &sides].concat());
    assert_eq!(output.status.code(), Some(1));
    let page = text(&output.stdout);
    assert!(page.trim_end().ends_with("</html>"));
    let words = words(&page);
    let records = records(&sides, 1);
    let mut changes = 0;
    for record in records.iter().filter(|r| r["kind"] == "difference") {
        let name = record["name"].as_str().unwrap();
        assert!(words.contains(name), "{name}");
        for side in ["old", "new"] {
            if let Some(no) = record[side]["no"].as_u64() {
                assert!(words.contains(&format!("#{no}")), "#{no} of {record}");
            }
        }
        for change in record["fields"].as_array().into_iter().flatten() {
            assert!(words.contains(change["field"].as_str().unwrap()));
            changes += 1;
        }
    }
    assert!(changes > 0);
    assert!(words.contains("HOLD_CALL_REQ") && words.contains("CF_INVALID_OBJECT_STATE"));
    assert!(words.contains("messages the same"));
}

#[test]
fn a_page_of_runs_that_are_the_same_says_so() {
    let output = diff(&["--format", "html", TRANSFERRED, TRANSFERRED]);
    assert_eq!(output.status.code(), Some(0));
    let page = text(&output.stdout);
    assert!(page.contains("Same") && !page.contains("differs-verdict\">"));
}

#[test]
fn hostile_texts_stay_text_in_a_page() {
    let output = diff(&[
        "--format",
        "html",
        "fixtures/captures/hostile.pcap",
        CONFERENCED,
    ]);
    assert_eq!(output.status.code(), Some(1));
    let page = text(&output.stdout);
    let (head, body) = page.split_once("<body>").unwrap();
    assert!(head.contains("default-src &#39;none&#39;"));
    let lower = body.to_lowercase();
    assert!(lower.contains("&#60;script"), "the capture has markup");
    for tag in ["<script", "<img", "<!--", "</style", "onerror=\""] {
        assert!(!lower.contains(tag), "{tag}");
    }
    assert!(
        !body
            .chars()
            .any(|c| c != '\n' && c.is_control() || c == '\u{202e}')
    );
}

#[test]
fn a_baseline_overwrote_the_capture_that_it_was_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pcap");
    std::fs::copy(root().join(TRANSFERRED), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let name = path.to_str().unwrap();
    let output = diff(&[name, "--write-baseline", name]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    // Nor any other file.
    let other = folder.path().join("base.part");
    std::fs::write(&other, "precious").unwrap();
    let base = folder.path().join("base");
    let output = diff(&[name, "--write-baseline", base.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(std::fs::read(&other).unwrap(), b"precious");
    assert!(base.is_file());
}

#[test]
fn encrypted_runs_passed_for_the_same() {
    let tls = "fixtures/captures/tls.pcap";
    assert_eq!(diff(&[tls, tls]).status.code(), Some(2));
}

#[test]
fn a_reader_that_went_away_made_different_runs_the_same() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = ctishark(&["diff", TRANSFERRED, CONFERENCED]);
    let status = command.stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let failures = "fixtures/captures/failures.pcap";
    let mut command = ctishark(&["triage", "--fail-on", "warn", failures]);
    let status = command.stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
