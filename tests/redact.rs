//! The command `redact`: what it writes decodes to the same story, and holds nothing of what was replaced.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "redact/content.rs"]
mod content;
#[path = "redact/values.rs"]
mod values;

use assert_cmd::Command;
use content::content;
use cti_dissector::protocol::privacy;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const KEY: &str = "a key that is only for tests";

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths
}

fn capture(name: &str) -> PathBuf {
    let all = captures();
    all.into_iter().find(|p| p.ends_with(name)).unwrap()
}

fn ctishark() -> Command {
    let mut command = Command::cargo_bin("ctishark").unwrap();
    command.env("TZ", "UTC").env("NO_COLOR", "1");
    command
}

fn records(arguments: &[&str], path: &Path) -> Vec<Value> {
    let mut command = ctishark();
    command.args(arguments);
    let assert = command
        .args(["--quiet", "--format", "ndjson"])
        .arg(path)
        .assert()
        .code(0);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

/// Redacts, and returns what standard error said.
fn redact(options: &[&str], path: &Path, output: &Path) -> String {
    let mut command = ctishark();
    command
        .arg("redact")
        .args(options)
        .arg(path)
        .arg("-o")
        .arg(output);
    let assert = command.assert().code(0);
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// What must be the same of the records of both captures.
fn shape(records: &[Value]) -> Vec<String> {
    let codes = |record: &Value| -> Vec<Value> {
        let findings = record["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|f| f["code"].clone()).collect()
    };
    let tags = |record: &Value| -> Vec<Value> {
        let fields = record["floating"].as_array().cloned().unwrap_or_default();
        fields.iter().map(|f| f["tag"].clone()).collect()
    };
    records
        .iter()
        .filter_map(|r| {
            let kind = r["kind"].as_str().unwrap();
            let keys: &[&str] = match kind {
                "message" => &[
                    "no",
                    "time",
                    "session",
                    "direction",
                    "version",
                    "type",
                    "name",
                    "length",
                    "outcome",
                    "latency_ms",
                ],
                "exchange" => &[
                    "time",
                    "session",
                    "invoke_id",
                    "outcome",
                    "request",
                    "answer",
                    "latency_ms",
                ],
                "session" => &[
                    "event",
                    "session",
                    "content",
                    "version",
                    "version_source",
                    "first",
                    "last",
                    "server_by",
                    "messages_from_client",
                    "messages_from_server",
                    "message_bytes",
                    "requests",
                    "failed",
                    "unanswered",
                    "gaps",
                    "missing_bytes",
                    "skipped_bytes",
                    "end",
                    "ended_by",
                    "services_granted",
                ],
                "gap" => &[
                    "time",
                    "session",
                    "direction",
                    "cause",
                    "missing_bytes",
                    "skipped_bytes",
                    "resumed",
                ],
                "finding" => &["code", "session"],
                _ => return None,
            };
            let values: Vec<String> = keys.iter().map(|k| format!("{k}={}", r[k])).collect();
            Some(format!(
                "{kind} {} {:?} {:?}",
                values.join(" "),
                codes(r),
                tags(r)
            ))
        })
        .collect()
}

/// What triage says, but for names and the numbers of packets, of which some are left out.
fn problems(path: &Path) -> Vec<String> {
    let records = records(&["triage"], path);
    let found = records.iter().filter(|r| r["kind"] == "problem");
    let keys = [
        "code", "severity", "count", "first", "last", "sessions", "calls", "explains",
    ];
    let told = found.map(|r| keys.map(|key| format!("{key}={}", r[key])).join(" "));
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

/// Calls and agents by what happened to them; those of a redacted capture may come in another order.
fn calls_and_agents(path: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (command, kind, keys) in [
        (
            "calls",
            "call",
            &[
                "first",
                "last",
                "ids",
                "router_keys",
                "outcome",
                "features",
                "cause",
                "talk_s",
                "hold_s",
                "queue_s",
                "ring_s",
                "transfers",
                "conferences",
                "messages",
                "skill_groups",
                "changed",
                "failed_request_count",
            ][..],
        ),
        (
            "agents",
            "agent",
            &[
                "first", "last", "messages", "domains", "calls", "requests", "sessions",
            ],
        ),
    ] {
        for record in records(&[command], path)
            .iter()
            .filter(|r| r["kind"] == kind)
        {
            let values: Vec<String> = keys.iter().map(|k| format!("{k}={}", record[k])).collect();
            found.insert(format!("{kind} {}", values.join(" ")));
        }
    }
    found
}

/// Values of fields that are redacted by default.
fn secrets(records: &[Value]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for record in records.iter().filter(|r| r["kind"] == "message") {
        for field in record["floating"].as_array().into_iter().flatten() {
            let tag = u16::try_from(field["tag"].as_u64().unwrap()).unwrap();
            let class = privacy::of_tag(tag);
            if class.is_none_or(|c| c.treatment == privacy::Treatment::Keep) {
                continue;
            }
            for value in [&field["value"], &field["value"]["value"]] {
                if let Some(text) = value.as_str() {
                    found.extend(text.split(';').map(str::to_owned));
                    found.insert(text.to_owned());
                }
            }
        }
    }
    found
}

fn encodings(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let wide = |first: bool| -> Vec<u8> {
        let pair = |b: &u8| if first { [*b, 0] } else { [0, *b] };
        bytes.iter().flat_map(pair).collect()
    };
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    vec![
        bytes.to_vec(),
        bytes.iter().rev().copied().collect(),
        wide(true),
        wide(false),
        hex.into_bytes(),
    ]
}

fn contains(place: &[u8], what: &[u8]) -> bool {
    place.windows(what.len()).any(|window| window == what)
}

#[test]
fn every_capture_tells_the_same_story_without_the_names() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("shared.pcapng");
    let mut searched = 0;
    for path in captures() {
        let name = path.display();
        let told = redact(&["--key", KEY], &path, &output);
        assert!(!told.contains("another way"), "{name}: {told}");
        let before = records(&["--show-secrets"], &path);
        let after = records(&["--show-secrets"], &output);
        let (one, other) = (shape(&before), shape(&after));
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "{name}");
        }
        assert_eq!(one.len(), other.len(), "{name}");
        assert_eq!(problems(&path), problems(&output), "{name}");
        // Of messages that do not fit their layout, numbers are blanked, call IDs among them.
        if !path.ends_with("malformed.pcap") {
            assert_eq!(calls_and_agents(&path), calls_and_agents(&output), "{name}");
        }

        let (original, shared) = (content(&path), content(&output));
        let file = std::fs::read(&output).unwrap();
        let fakes = secrets(&after);
        for secret in secrets(&before) {
            // Another value may happen to have a short one for its pseudonym.
            let is_shape = secret
                .chars()
                .all(|c| "xX0".contains(c) || !c.is_ascii_alphanumeric());
            if secret.len() < 4 || is_shape || secret.len() < 6 && fakes.contains(&secret) {
                continue;
            }
            searched += 1;
            for encoding in encodings(&secret) {
                assert!(!contains(&file, &encoding), "{name}: {secret}");
                assert!(!contains(&shared.payload, &encoding), "{name}: {secret}");
            }
        }
        for address in original.ends.difference(&shared.ends) {
            for encoding in encodings(&address.to_string()) {
                assert!(!contains(&file, &encoding), "{name}: {address}");
            }
            let binary = match address {
                std::net::IpAddr::V4(four) => four.octets().to_vec(),
                std::net::IpAddr::V6(six) => six.octets().to_vec(),
            };
            assert!(!contains(&file, &binary), "{name}: {address}");
        }
        assert!(original.ends.is_disjoint(&shared.ends), "{name}");
        assert!(shared.packets.len() <= original.packets.len());
    }
    assert!(searched > 500, "{searched}");
}

#[test]
fn the_same_key_gives_the_same_bytes_and_another_one_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = capture("demo.pcap");
    let run = |name: &str, options: &[&str]| {
        let output = folder.path().join(name);
        redact(options, &path, &output);
        std::fs::read(output).unwrap()
    };
    let first = run("1.pcap", &["--key", KEY]);
    assert_eq!(first, run("2.pcap", &["--key", KEY]));
    let other = run("3.pcap", &["--key", "another key of the tests"]);
    assert_ne!(first, other);
    assert_eq!(first.len(), other.len());
    // Without a key every run has its own.
    assert_ne!(run("4.pcap", &[]), run("5.pcap", &[]));
}

#[test]
fn an_agent_is_the_same_in_every_capture_of_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut agents = BTreeSet::new();
    for name in ["demo.pcap", "agent-day.pcap", "link-vlan.pcap"] {
        let output = folder.path().join(name);
        redact(&["--key", KEY], &capture(name), &output);
        let told = records(&[], &output);
        let fields = told
            .iter()
            .filter_map(|r| r["floating"].as_array())
            .flatten();
        let agent = fields
            .filter(|f| f["name"] == "AgentID")
            .find_map(|f| f["value"].as_str());
        agents.insert(agent.unwrap().to_owned());
    }
    assert_eq!(agents.len(), 1, "{agents:?}");
}

#[test]
fn what_is_kept_is_kept_and_what_is_asked_for_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("shared.pcap");
    let report = folder.path().join("report.json");
    let path = capture("demo.pcap");
    let told = redact(
        &[
            "--keep",
            "client,agent",
            "--redact",
            "MonitorID,AgentID",
            "--report",
            report.to_str().unwrap(),
        ],
        &path,
        &output,
    );
    assert!(told.contains("replaced values: "), "{told}");
    let before = records(&[], &path);
    let after = records(&[], &output);
    let values = |records: &[Value], name: &str| -> Vec<String> {
        let fields = records
            .iter()
            .filter_map(|r| r["floating"].as_array())
            .flatten();
        let found = fields.filter(|f| f["name"] == name);
        found.map(|f| f["value"].to_string()).collect()
    };
    assert_eq!(values(&before, "ClientID"), values(&after, "ClientID"));
    assert_ne!(values(&before, "AgentID"), values(&after, "AgentID"));
    assert_ne!(values(&before, "ANI"), values(&after, "ANI"));
    let icm = |records: &[Value]| -> Vec<String> {
        records
            .iter()
            .map(|r| r["fields"]["ICMAgentID"].to_string())
            .collect()
    };
    assert_eq!(icm(&before), icm(&after));
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let schema: Value = serde_json::from_str(
        &std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema.json"))
            .unwrap(),
    )
    .unwrap();
    jsonschema::validate(&schema, &report).unwrap();
    assert_eq!(report["kind"], "redaction");
    assert_eq!(report["messages"], 69);
    let rows = report["replaced"].as_array().unwrap();
    let row = rows.iter().find(|r| r["field"] == "AgentID").unwrap();
    assert_eq!(row["class"], "agent");
    assert_eq!(row["values"], values(&before, "AgentID").len());
    assert!(!rows.iter().any(|r| r["field"] == "ClientID"));
}

#[test]
fn other_traffic_is_left_out_or_blank() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("shared.pcapng");
    let path = capture("mixed.pcap");
    let original = content(&path);
    redact(&["--key", KEY], &path, &output);
    let without = content(&output);
    redact(&["--key", KEY, "--keep-other"], &path, &output);
    let with = content(&output);
    assert!(without.packets.len() < with.packets.len());
    assert_eq!(with.packets.len(), original.packets.len());
    assert!(contains(&original.payload, b"HTTP/1.1"));
    assert!(!contains(&with.payload, b"HTTP/1.1"));

    let path = capture("tls.pcap");
    redact(&["--key", KEY], &path, &output);
    let blank = content(&output);
    assert_eq!(blank.payload.len(), content(&path).payload.len());
    let sessions = records(&["sessions"], &output);
    assert!(sessions.iter().any(|r| r["content"] == "encrypted"));
    redact(&["--key", KEY, "--drop-encrypted"], &path, &output);
    assert!(content(&output).packets.len() < blank.packets.len());
}

#[test]
fn comments_and_names_of_a_capture_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (
        folder.path().join("in.pcapng"),
        folder.path().join("out.pcapng"),
    );
    let mut bytes = std::fs::read(capture("two-interfaces.pcapng")).unwrap();
    // A block with names of hosts, and one with keys for TLS.
    for (kind, text) in [
        (4_u32, b"pbx.customer.example"),
        (10, b"CLIENT_RANDOM secret"),
    ] {
        let len = u32::try_from(text.len() + 12).unwrap().to_le_bytes();
        bytes.extend([&kind.to_le_bytes()[..], &len, text, &len].concat());
    }
    std::fs::write(&input, bytes).unwrap();
    redact(&["--key", KEY], &input, &output);
    let file = std::fs::read(&output).unwrap();
    for text in ["customer", "CLIENT_RANDOM", "eth0"] {
        assert!(!contains(&file, text.as_bytes()), "{text}");
    }
    assert!(content(&output).packets.len() > 20);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let path = capture("demo.pcap");
    for (options, expected) in [
        (&["--key", "short"][..], "too easy to find by trying"),
        (
            &["--keep", "phones"],
            "no class or field is called 'phones'; there is 'phone'",
        ),
        (
            &["--redact", "AgentState"],
            "no class or field is called 'AgentState'",
        ),
        (&["--key-file", "/nowhere/at/all"], "/nowhere/at/all: "),
        (&["--key", ""], "--key: the key is empty"),
        #[cfg(unix)]
        (&["--key-file", "/dev/null"], "/dev/null: the key is empty"),
        // It had no end, and was read for ever.
        #[cfg(unix)]
        (
            &["--key-file", "/dev/zero"],
            "/dev/zero: a key of more than 65536 bytes",
        ),
    ] {
        let mut command = ctishark();
        command
            .arg("redact")
            .args(options)
            .arg(&path)
            .args(["-o", "-"]);
        let assert = command.assert().code(2);
        let told = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(told.contains(expected), "{told}");
    }
    let assert = ctishark().args(["redact", "demo.pcap"]).assert().code(2);
    let told = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(told.contains("--output"), "{told}");
}

#[test]
fn the_policy_is_listed() {
    let mut command = ctishark();
    let assert = command
        .args(["redact", "--list", "--keep", "ANI"])
        .assert()
        .code(0);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(text.starts_with("phone (pseudonym): "), "{text}");
    assert!(text.contains("ANI (keep)"));
    assert!(text.contains("secret (secret): "));
    assert!(text.lines().all(|line| line.len() <= 110));
}
