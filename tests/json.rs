//! The JSON output: every record of every capture against the schema, and what the documentation promises about them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "json/agreement.rs"]
mod agreement;
#[path = "json/records.rs"]
mod records;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use jsonschema::Validator;
use records::Record;
use serde::Deserialize;
use serde_json::{Map, Value};

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../docs/schema.json")).unwrap());
static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

/// All committed captures, in order of name.
fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    let entries = folder.read_dir().unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20, "captures are missing");
    files
}

fn capture(name: &str) -> PathBuf {
    let found = captures().into_iter().find(|path| path.ends_with(name));
    found.unwrap_or_else(|| panic!("no capture {name}"))
}

/// Standard output of a run that must succeed.
fn run(options: &[&str], files: &[PathBuf]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ctishark"))
        .args(options)
        .args(files)
        .env("TZ", "America/New_York")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{options:?} {files:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn lines(output: &str) -> Vec<Value> {
    assert!(output.ends_with('\n'), "the last line has no end");
    let parsed = output.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().unwrap()
}

fn validate(records: &[Value], of: &dyn std::fmt::Debug) {
    for record in records {
        if !VALIDATOR.is_valid(record) {
            let kind = record["kind"].as_str().unwrap_or("?");
            panic!("{of:?}: {kind} record: {}\n{record:#}", reasons(record));
        }
    }
    let kinds: Vec<&str> = records.iter().filter_map(|r| r["kind"].as_str()).collect();
    assert_eq!(kinds.first(), Some(&"header"), "{of:?}");
    assert_eq!(kinds.last(), Some(&"summary"), "{of:?}");
    let of_kind = |kind: &str| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!((of_kind("header"), of_kind("summary")), (1, 1), "{of:?}");
}

/// Why a record does not pass, by the part of the schema for its kind.
fn reasons(record: &Value) -> String {
    let kind = match (&record["kind"], &record["event"]) {
        (Value::String(kind), Value::String(event)) if kind == "session" => {
            format!("session_{event}")
        }
        (Value::String(kind), _) => kind.clone(),
        _ => return String::from("it has no kind"),
    };
    let mut schema = SCHEMA.clone();
    schema.as_object_mut().unwrap().remove("oneOf");
    schema["$ref"] = Value::String(format!("#/$defs/{kind}"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(record);
    let told: Vec<String> = errors
        .map(|e| format!("{} at {}", e, e.instance_path()))
        .collect();
    told.join("; ")
}

/// Reads records as a strict consumer does; nulls and absent keys were told apart by the schema.
fn strict(records: &[Value]) -> Vec<Record> {
    let read = |r: &Value| Record::deserialize(r).unwrap_or_else(|e| panic!("{e}\n{r:#}"));
    records.iter().map(read).collect()
}

#[test]
fn the_schema_is_valid_closed_and_described() {
    jsonschema::meta::validate(&SCHEMA).unwrap();
    fn walk(place: &str, schema: &Map<String, Value>) {
        if schema.contains_key("properties") && place != "/$defs/session" {
            let closed = schema
                .get("additionalProperties")
                .or(schema.get("unevaluatedProperties"));
            let map_of_values = closed.is_some_and(Value::is_object);
            assert!(
                closed == Some(&Value::Bool(false)) || map_of_values,
                "{place} is open"
            );
        }
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for (key, property) in properties {
                let referred = property["$ref"]
                    .as_str()
                    .and_then(|r| SCHEMA.pointer(&r[1..]));
                let described = property
                    .get("description")
                    .or(referred.and_then(|r| r.get("description")));
                assert!(described.is_some(), "{place}: {key} is not described");
            }
        }
        for (key, inner) in schema {
            match inner {
                Value::Object(inner) => walk(&format!("{place}/{key}"), inner),
                Value::Array(list) => {
                    for inner in list.iter().filter_map(Value::as_object) {
                        walk(&format!("{place}/{key}"), inner);
                    }
                }
                _ => {}
            }
        }
    }
    walk("", SCHEMA.as_object().unwrap());
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let records = lines(&run(&["--format", "ndjson"], &[capture("failures.pcap")]));
    validate(&records, &"failures.pcap");
    for record in &records {
        let object = record.as_object().unwrap();
        let mut more = object.clone();
        more.insert("more".into(), Value::Bool(true));
        assert!(!VALIDATOR.is_valid(&Value::Object(more)), "{record}");
        let mut less = object.clone();
        less.remove("kind");
        assert!(!VALIDATOR.is_valid(&Value::Object(less)), "{record}");
    }
}

#[test]
fn every_record_of_every_capture_is_valid() {
    for file in captures() {
        for options in [
            &["--format", "ndjson"][..],
            &["--format", "ndjson", "--show-secrets"],
            &["--format", "ndjson", "--protocol-version", "20"],
            &["--format", "ndjson", "--only-failures"],
        ] {
            let records = lines(&run(options, std::slice::from_ref(&file)));
            validate(&records, &(options, &file));
            strict(&records);
        }
    }
}

#[test]
fn both_forms_hold_the_same_records_and_every_run_the_same_bytes() {
    for file in captures() {
        let file = std::slice::from_ref(&file);
        let by_line = run(&["--format", "ndjson", "--jobs", "1"], file);
        assert_eq!(
            by_line,
            run(&["--format", "ndjson", "--jobs", "4"], file),
            "{file:?}"
        );
        assert_eq!(by_line, run(&["--format", "ndjson"], file), "{file:?}");
        let document = run(&["--format", "json"], file);
        assert_eq!(
            document,
            run(&["--format", "json", "--jobs", "4"], file),
            "{file:?}"
        );
        assert!(document.ends_with("\n]\n"), "{file:?}");
        let document: Vec<Value> = serde_json::from_str(&document).unwrap();
        assert_eq!(document, lines(&by_line), "{file:?}");
    }
}

#[test]
fn several_inputs_say_which_one_a_packet_is_in() {
    let files = [capture("failures.pcap"), capture("agent-day.pcap")];
    for options in [["--format", "ndjson"], ["--format", "json"]] {
        let output = run(&options, &files);
        let records = match options {
            [_, "json"] => serde_json::from_str(&output).unwrap(),
            _ => lines(&output),
        };
        validate(&records, &files);
        let mut seen = BTreeSet::new();
        for record in strict(&records) {
            match record {
                Record::Header(header) => assert_eq!(header.inputs.len(), 2),
                Record::Message(message) => {
                    let of = message.files.unwrap();
                    assert_eq!(of.len(), message.packets.len());
                    seen.extend(of);
                }
                _ => {}
            }
        }
        assert_eq!(seen, BTreeSet::from([1, 2]));
    }
}

#[test]
fn the_list_of_sessions_has_the_records_of_the_timeline() {
    for file in captures() {
        let file = std::slice::from_ref(&file);
        let timeline = lines(&run(&["--format", "ndjson"], file));
        let listed = lines(&run(&["sessions", "--format", "ndjson"], file));
        validate(&listed, &file);
        let document = run(&["sessions", "--format", "json"], file);
        assert_eq!(
            serde_json::from_str::<Vec<Value>>(&document).unwrap(),
            listed
        );
        let ended = |record: &&Value| record["event"] == "ended";
        let mut of_timeline: Vec<&Value> = timeline.iter().filter(ended).collect();
        of_timeline.sort_by_key(|r| r["session"].as_u64());
        let of_list: Vec<&Value> = listed.iter().filter(ended).collect();
        assert_eq!(of_timeline, of_list, "{file:?}");
        assert_eq!(timeline.last(), listed.last(), "{file:?}");
    }
}

#[test]
fn secrets_appear_only_when_asked_for() {
    let (mut masked, mut told) = (0, BTreeSet::new());
    for file in captures() {
        let hidden = run(&["--format", "ndjson"], std::slice::from_ref(&file));
        let shown = run(
            &["--format", "ndjson", "--show-secrets"],
            std::slice::from_ref(&file),
        );
        for (hidden_record, shown_record) in lines(&hidden).iter().zip(&lines(&shown)) {
            let (Some(before), Some(after)) = (
                hidden_record["floating"].as_array(),
                shown_record["floating"].as_array(),
            ) else {
                assert_eq!(hidden_record, shown_record);
                continue;
            };
            assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(after) {
                if before["masked"] != Value::Bool(true) {
                    assert_eq!(before, after);
                    continue;
                }
                masked += 1;
                assert!(after.get("masked").is_none(), "{after}");
                let value = &after["value"];
                let secret = value.as_str().or(value["text"].as_str());
                let Some(secret) = secret.filter(|s| s.len() >= 6) else {
                    continue;
                };
                let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
                assert!(!hidden.contains(secret), "{file:?} shows a secret");
                assert!(!hidden.contains(&hex), "{file:?} shows a secret's bytes");
                told.insert(secret.to_owned());
            }
        }
    }
    assert!(masked > 0, "no capture holds a secret");
    for secret in ["open-sesame", "hunter2-agent"] {
        assert!(
            told.contains(secret),
            "{secret} was not shown when asked for"
        );
    }
}

#[test]
fn undecoded_bytes_of_messages_with_secrets_are_masked_too() {
    // The floating part of version 24 makes no sense in version 15.
    let wrong = ["--format", "ndjson", "--protocol-version", "15"];
    let file = [capture("secrets.pcap")];
    let hidden = run(&wrong, &file);
    validate(&lines(&hidden), &file);
    let shown = run(&[&wrong[..], &["--show-secrets"]].concat(), &file);
    let hex: String = "open-sesame".bytes().map(|b| format!("{b:02x}")).collect();
    assert!(!hidden.contains(&hex) && hidden.contains("\"masked\":true"));
    assert!(shown.contains(&hex));
}
