//! The JSON output: every record of every capture against the schema, and what the documentation promises about them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Map, Value};

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../docs/schema.json")).unwrap());
static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

/// What the records of a capture look like to a program that refuses anything it does not know.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Record {
    Header(Header),
    Session(Box<Session>),
    Message(Box<Message>),
    Exchange(Exchange),
    Gap(Gap),
    Finding(Notice),
    Summary(Summary),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    tool: String,
    #[serde(rename = "tool_version")]
    _tool_version: String,
    inputs: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
struct Session {
    event: String,
    session: u32,
    #[serde(rename = "connection")]
    _connection: u32,
    client: String,
    server: String,
    #[serde(rename = "server_by")]
    _server_by: String,
    content: String,
    version: Option<u32>,
    version_source: Option<String>,
    versions: Option<(u32, u32)>,
    #[serde(default, rename = "release")]
    _release: Option<String>,
    #[serde(rename = "client_id")]
    _client_id: Option<String>,
    #[serde(rename = "client_signature")]
    _client_signature: Option<String>,
    #[serde(rename = "agent_id")]
    _agent_id: Option<String>,
    #[serde(rename = "agent_extension")]
    _agent_extension: Option<String>,
    #[serde(rename = "agent_instrument")]
    _agent_instrument: Option<String>,
    #[serde(rename = "peripheral_id")]
    _peripheral_id: Option<u32>,
    #[serde(rename = "services_requested")]
    _services_requested: Option<Number>,
    #[serde(rename = "services_granted")]
    _services_granted: Option<Number>,
    #[serde(rename = "idle_timeout")]
    _idle_timeout: Option<u32>,
    first: String,
    last: Option<String>,
    messages_from_client: Option<u64>,
    messages_from_server: Option<u64>,
    message_bytes: Option<u64>,
    requests: Option<u64>,
    answered: Option<u64>,
    failed: Option<u64>,
    unanswered: Option<u64>,
    open: Option<u64>,
    not_judged: Option<u64>,
    gaps: Option<u64>,
    missing_bytes: Option<u64>,
    skipped_bytes: Option<u64>,
    #[serde(rename = "close_status")]
    _close_status: Option<Number>,
    #[serde(rename = "refused")]
    _refused: Option<Number>,
    end: Option<String>,
    #[serde(rename = "ended_by")]
    _ended_by: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    no: u64,
    time: String,
    session: u32,
    direction: String,
    src: String,
    dst: String,
    packets: Vec<u64>,
    files: Option<Vec<usize>>,
    version: u32,
    version_source: Option<String>,
    #[serde(rename = "type")]
    number: u32,
    name: Option<String>,
    role: Option<String>,
    length: u64,
    #[serde(default, rename = "layout")]
    _layout: Option<Layout>,
    #[serde(rename = "fields")]
    _fields: BTreeMap<String, Number>,
    floating: Vec<Floating>,
    opaque: Option<Raw>,
    unread: Option<Raw>,
    answers: Option<u64>,
    latency_ms: Option<f64>,
    findings: Option<Vec<Finding>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Layout {
    Variant(#[allow(dead_code)] String),
    Version(#[allow(dead_code)] u32),
    FoundAt(#[allow(dead_code)] usize),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Floating {
    tag: u16,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "group")]
    _group: Option<u32>,
    value: Value,
    masked: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    offset: u64,
    hex: Option<String>,
    masked: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    #[serde(rename = "severity")]
    _severity: String,
    #[serde(rename = "code")]
    _code: String,
    text: String,
    offset: Option<u64>,
}

/// A number as such, or with what its tables say.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Bare(#[allow(dead_code)] i64),
    Told(#[allow(dead_code)] Told),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    #[serde(rename = "value")]
    _value: i64,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "names")]
    _names: Option<Vec<String>>,
    #[serde(rename = "unknown_bits")]
    _unknown_bits: Option<u32>,
    #[serde(rename = "null")]
    _null: Option<String>,
    #[serde(rename = "time")]
    _time: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    time: String,
    session: u32,
    #[serde(rename = "asked_by")]
    _asked_by: String,
    #[serde(rename = "invoke_id")]
    _invoke_id: u32,
    outcome: String,
    request: Option<Part>,
    answer: Option<Part>,
    latency_ms: Option<f64>,
    failure: Option<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    no: u64,
    #[serde(rename = "type")]
    number: u32,
    name: Option<String>,
    time: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    #[serde(rename = "value")]
    _value: u32,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "meaning")]
    _meaning: Option<String>,
    #[serde(rename = "peripheral_error")]
    _peripheral_error: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    #[serde(rename = "time")]
    _time: String,
    session: u32,
    #[serde(rename = "direction")]
    _direction: String,
    #[serde(rename = "cause")]
    _cause: String,
    missing_bytes: u64,
    skipped_bytes: u64,
    #[serde(rename = "resumed")]
    _resumed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    #[serde(rename = "severity")]
    _severity: String,
    #[serde(rename = "code")]
    _code: String,
    text: String,
    #[serde(rename = "time")]
    _time: Option<String>,
    session: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Summary {
    #[serde(rename = "first")]
    _first: Option<String>,
    #[serde(rename = "last")]
    _last: Option<String>,
    packets: u64,
    tcp_packets: u64,
    duplicate_packets: u64,
    #[serde(rename = "connections")]
    _connections: u64,
    sessions: u64,
    encrypted_sessions: u64,
    messages: u64,
    message_bytes: u64,
    requests: u64,
    answered: u64,
    failed: u64,
    unanswered: u64,
    open: u64,
    not_judged: u64,
    gaps: u64,
    missing_bytes: u64,
    skipped_bytes: u64,
    shown_early: u64,
    selected_messages: Option<u64>,
}

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

#[test]
fn records_agree_with_each_other() {
    for file in captures() {
        let records = lines(&run(&["--format", "ndjson"], std::slice::from_ref(&file)));
        let mut told = Story::default();
        for record in strict(&records) {
            told.take(record, &file);
        }
        told.check(&file);
    }
}

/// As what a request counts, by its outcome.
fn counts_as(outcome: &str, closing: bool) -> &'static str {
    match outcome {
        "confirmed" | "wrong_answer" => "answered",
        "failed" => "failed",
        "session_ended" if closing => "not_judged",
        "unanswered" | "session_ended" => "unanswered",
        "capture_ended" => "open",
        "not_expected" | "not_judged" => "not_judged",
        other => panic!("{other} is nothing that is told first"),
    }
}

/// What the records have told so far, to hold later ones against it.
#[derive(Default)]
struct Story {
    messages: BTreeMap<u64, Message>,
    open_sessions: BTreeMap<u32, u64>,
    sessions: u64,
    encrypted: u64,
    message_bytes: u64,
    exchanges: Vec<Exchange>,
    /// Requests and what became of them, gaps, missing and skipped bytes, as the sessions count them.
    counts: [u64; 9],
    gaps: [u64; 3],
    summary: Option<Summary>,
}

impl Story {
    fn take(&mut self, record: Record, file: &Path) {
        assert!(
            self.summary.is_none(),
            "{file:?}: something follows the summary"
        );
        match record {
            Record::Header(header) => {
                assert_eq!((header.schema, header.tool.as_str()), (1, "ctishark"));
                assert_eq!(header.inputs.len(), 1);
            }
            Record::Session(session) if session.event == "began" => {
                assert!(session.end.is_none() && session.last.is_none());
                assert_eq!(session.version.is_some(), session.version_source.is_some());
                assert_eq!(
                    session.versions.is_some(),
                    session.version_source.as_deref() == Some("inferred")
                );
                assert_ne!(session.client, session.server);
                self.sessions += 1;
                assert_eq!(
                    u64::from(session.session),
                    self.sessions,
                    "{file:?}: sessions count up"
                );
                self.encrypted += u64::from(session.content == "encrypted");
                assert!(self.open_sessions.insert(session.session, 0).is_none());
            }
            Record::Session(session) => {
                let of_session = self.open_sessions.remove(&session.session);
                let of_session = of_session.unwrap_or_else(|| panic!("{file:?}: never began"));
                assert!(Some(&session.first) <= session.last.as_ref());
                let messages =
                    session.messages_from_client.unwrap() + session.messages_from_server.unwrap();
                assert_eq!(
                    messages, of_session,
                    "{file:?}: messages of session {}",
                    session.session
                );
                self.message_bytes += session.message_bytes.unwrap();
                let counts = [
                    session.requests,
                    session.answered,
                    session.failed,
                    session.unanswered,
                    session.open,
                    session.not_judged,
                    session.gaps,
                    session.missing_bytes,
                    session.skipped_bytes,
                ];
                for (sum, count) in self.counts.iter_mut().zip(counts) {
                    *sum += count.unwrap();
                }
                assert!(session.end.is_some());
            }
            Record::Message(message) => {
                self.message(*message, file);
            }
            Record::Exchange(exchange) => {
                assert!(
                    self.open_sessions.contains_key(&exchange.session),
                    "{file:?}: {exchange:?}"
                );
                self.exchanges.push(exchange);
            }
            Record::Gap(gap) => {
                assert!(
                    self.open_sessions.contains_key(&gap.session),
                    "{file:?}: {gap:?}"
                );
                for (sum, count) in
                    self.gaps
                        .iter_mut()
                        .zip([1, gap.missing_bytes, gap.skipped_bytes])
                {
                    *sum += count;
                }
            }
            Record::Finding(finding) => {
                assert!(!finding.text.is_empty());
                let of = finding
                    .session
                    .is_none_or(|s| u64::from(s) <= self.sessions);
                assert!(of, "{file:?}: {finding:?}");
            }
            Record::Summary(summary) => self.summary = Some(summary),
        }
    }

    fn message(&mut self, message: Message, file: &Path) {
        let no = message.no;
        let expected = self
            .messages
            .last_key_value()
            .map_or(1, |(last, _)| last + 1);
        assert_eq!(no, expected, "{file:?}: messages count up by one");
        let of_session = self.open_sessions.get_mut(&message.session);
        *of_session.unwrap_or_else(|| panic!("{file:?}: #{no} is outside its session")) += 1;
        assert_ne!(message.src, message.dst);
        assert!(["client-to-server", "server-to-client"].contains(&message.direction.as_str()));
        assert!((1..=25).contains(&message.version), "{file:?}: #{no}");
        assert_ne!(message.version_source.as_deref(), Some("open_req"));
        assert_eq!(message.name.is_some(), message.role.is_some());
        assert!(!message.packets.is_empty() && message.files.is_none());
        let end = message.length + 8;
        for raw in [&message.opaque, &message.unread].into_iter().flatten() {
            assert_eq!(raw.hex.is_none(), raw.masked.is_some(), "{file:?}: #{no}");
            let digits = raw.hex.as_ref().map_or(0, String::len);
            let length = u64::try_from(digits / 2).unwrap();
            assert!(
                raw.offset >= 8 && raw.offset + length <= end,
                "{file:?}: #{no}"
            );
        }
        for finding in message.findings.iter().flatten() {
            assert!(
                !finding.text.is_empty() && finding.offset.is_none_or(|o| o <= end),
                "{file:?}: #{no}"
            );
        }
        for field in &message.floating {
            assert!(
                field.tag > 0 && (field.masked.is_some() == field.value.is_null()),
                "{file:?}: #{no}"
            );
        }
        if let Some(request) = message.answers {
            let request = &self.messages[&request];
            assert_eq!(request.session, message.session, "{file:?}: #{no}");
            assert_ne!(request.direction, message.direction, "{file:?}: #{no}");
        }
        self.messages.insert(no, message);
    }

    fn check(&self, file: &Path) {
        let summary = self.summary.as_ref().unwrap();
        assert!(
            self.open_sessions.is_empty(),
            "{file:?}: sessions without end"
        );
        assert!(summary.tcp_packets + summary.duplicate_packets <= summary.packets);
        assert!(summary.selected_messages.is_none());
        assert_eq!(summary.shown_early, 0, "{file:?}");
        let messages = u64::try_from(self.messages.len()).unwrap();
        assert_eq!(
            (
                summary.messages,
                summary.message_bytes,
                summary.sessions,
                summary.encrypted_sessions
            ),
            (messages, self.message_bytes, self.sessions, self.encrypted),
            "{file:?}"
        );
        let counted = [
            summary.requests,
            summary.answered,
            summary.failed,
            summary.unanswered,
            summary.open,
            summary.not_judged,
            summary.gaps,
            summary.missing_bytes,
            summary.skipped_bytes,
        ];
        assert_eq!(counted, self.counts, "{file:?}: the sessions' counts");
        assert_eq!(
            counted[0],
            counted[1..6].iter().sum::<u64>(),
            "{file:?}: requests"
        );
        assert_eq!(&counted[6..], self.gaps, "{file:?}: the gap records");
        self.check_exchanges(summary, file);
    }

    fn check_exchanges(&self, summary: &Summary, file: &Path) {
        // What was told first of each request counts.
        let mut told = BTreeSet::new();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for exchange in &self.exchanges {
            if let Some(request) = exchange.request.as_ref().filter(|r| told.insert(r.no)) {
                let closing = request.name.as_deref() == Some("CLOSE_REQ");
                *counts
                    .entry(counts_as(&exchange.outcome, closing))
                    .or_default() += 1;
            }
        }
        for (name, count) in [
            ("answered", summary.answered),
            ("failed", summary.failed),
            ("unanswered", summary.unanswered),
            ("open", summary.open),
            ("not_judged", summary.not_judged),
        ] {
            let expected = counts.get(name).copied().unwrap_or(0);
            assert_eq!(count, expected, "{file:?}: {name}");
        }
        let mut answers = BTreeMap::new();
        for exchange in &self.exchanges {
            let told = format!("{file:?}: {exchange:?}");
            for part in [&exchange.request, &exchange.answer].into_iter().flatten() {
                let message = &self.messages[&part.no];
                let same = (
                    message.number,
                    &message.name,
                    &message.time,
                    message.session,
                );
                assert_eq!(
                    (part.number, &part.name, &part.time, exchange.session),
                    same,
                    "{told}"
                );
            }
            assert!(
                exchange.request.is_some() || exchange.outcome == "no_request",
                "{told}"
            );
            match exchange.outcome.as_str() {
                "failed" => assert!(exchange.failure.is_some(), "{told}"),
                // A failure message that answers nothing says all the same what failed.
                "no_request" => {}
                _ => assert!(exchange.failure.is_none(), "{told}"),
            }
            let both = exchange.request.as_ref().zip(exchange.answer.as_ref());
            assert_eq!(both.is_some(), exchange.latency_ms.is_some(), "{told}");
            if let Some((request, answer)) = both {
                answers.insert(answer.no, (request.no, exchange.latency_ms));
                assert_eq!(exchange.time, answer.time, "{told}");
            }
        }
        for message in self.messages.values() {
            let by_message = message.answers.map(|request| (request, message.latency_ms));
            assert_eq!(
                by_message.as_ref(),
                answers.get(&message.no),
                "{file:?}: #{}",
                message.no
            );
        }
    }
}
