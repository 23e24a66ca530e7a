//! The records as a program sees them that refuses anything it does not know.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the records of a capture look like to a program that refuses anything it does not know.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
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
pub struct Header {
    pub schema: u32,
    pub tool: String,
    #[serde(rename = "tool_version")]
    pub _tool_version: String,
    pub inputs: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Session {
    pub event: String,
    pub session: u32,
    #[serde(rename = "connection")]
    pub _connection: u32,
    pub client: String,
    pub server: String,
    #[serde(rename = "server_by")]
    pub _server_by: String,
    pub content: String,
    pub version: Option<u32>,
    pub version_source: Option<String>,
    pub versions: Option<(u32, u32)>,
    #[serde(default, rename = "release")]
    pub _release: Option<String>,
    #[serde(rename = "client_id")]
    pub _client_id: Option<String>,
    #[serde(rename = "client_signature")]
    pub _client_signature: Option<String>,
    #[serde(rename = "agent_id")]
    pub _agent_id: Option<String>,
    #[serde(rename = "agent_extension")]
    pub _agent_extension: Option<String>,
    #[serde(rename = "agent_instrument")]
    pub _agent_instrument: Option<String>,
    #[serde(rename = "peripheral_id")]
    pub _peripheral_id: Option<u32>,
    #[serde(rename = "services_requested")]
    pub _services_requested: Option<Number>,
    #[serde(rename = "services_granted")]
    pub _services_granted: Option<Number>,
    #[serde(rename = "idle_timeout")]
    pub _idle_timeout: Option<u32>,
    pub first: String,
    pub last: Option<String>,
    pub messages_from_client: Option<u64>,
    pub messages_from_server: Option<u64>,
    pub message_bytes: Option<u64>,
    pub requests: Option<u64>,
    pub answered: Option<u64>,
    pub failed: Option<u64>,
    pub unanswered: Option<u64>,
    pub open: Option<u64>,
    pub not_judged: Option<u64>,
    pub gaps: Option<u64>,
    pub missing_bytes: Option<u64>,
    pub skipped_bytes: Option<u64>,
    #[serde(rename = "close_status")]
    pub _close_status: Option<Number>,
    #[serde(rename = "refused")]
    pub _refused: Option<Number>,
    pub end: Option<String>,
    #[serde(rename = "ended_by")]
    pub _ended_by: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub no: u64,
    pub time: String,
    pub session: u32,
    pub direction: String,
    pub src: String,
    pub dst: String,
    pub packets: Vec<u64>,
    pub files: Option<Vec<usize>>,
    pub version: u32,
    pub version_source: Option<String>,
    #[serde(rename = "type")]
    pub number: u32,
    pub name: Option<String>,
    pub role: Option<String>,
    pub length: u64,
    #[serde(default, rename = "layout")]
    pub _layout: Option<Layout>,
    #[serde(rename = "fields")]
    pub _fields: BTreeMap<String, Number>,
    pub floating: Vec<Floating>,
    pub opaque: Option<Raw>,
    pub unread: Option<Raw>,
    pub answers: Option<u64>,
    pub latency_ms: Option<f64>,
    pub findings: Option<Vec<Finding>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Layout {
    Variant(#[allow(dead_code)] String),
    Version(#[allow(dead_code)] u32),
    FoundAt(#[allow(dead_code)] usize),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floating {
    pub tag: u16,
    #[serde(rename = "name")]
    pub _name: Option<String>,
    #[serde(rename = "group")]
    pub _group: Option<u32>,
    pub value: Value,
    pub masked: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    pub offset: u64,
    pub hex: Option<String>,
    pub masked: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    #[serde(rename = "severity")]
    pub _severity: String,
    #[serde(rename = "code")]
    pub _code: String,
    pub text: String,
    pub offset: Option<u64>,
}

/// A number as such, or with what its tables say.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Number {
    Bare(#[allow(dead_code)] i64),
    Told(#[allow(dead_code)] Told),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    #[serde(rename = "value")]
    pub _value: i64,
    #[serde(rename = "name")]
    pub _name: Option<String>,
    #[serde(rename = "names")]
    pub _names: Option<Vec<String>>,
    #[serde(rename = "unknown_bits")]
    pub _unknown_bits: Option<u32>,
    #[serde(rename = "null")]
    pub _null: Option<String>,
    #[serde(rename = "time")]
    pub _time: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub time: String,
    pub session: u32,
    #[serde(rename = "asked_by")]
    pub _asked_by: String,
    #[serde(rename = "invoke_id")]
    pub _invoke_id: u32,
    pub outcome: String,
    pub request: Option<Part>,
    pub answer: Option<Part>,
    pub latency_ms: Option<f64>,
    pub failure: Option<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub no: u64,
    #[serde(rename = "type")]
    pub number: u32,
    pub name: Option<String>,
    pub time: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    #[serde(rename = "value")]
    pub _value: u32,
    #[serde(rename = "name")]
    pub _name: Option<String>,
    #[serde(rename = "meaning")]
    pub _meaning: Option<String>,
    #[serde(rename = "peripheral_error")]
    pub _peripheral_error: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    #[serde(rename = "time")]
    pub _time: String,
    pub session: u32,
    #[serde(rename = "direction")]
    pub _direction: String,
    #[serde(rename = "cause")]
    pub _cause: String,
    pub missing_bytes: u64,
    pub skipped_bytes: u64,
    #[serde(rename = "resumed")]
    pub _resumed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    #[serde(rename = "severity")]
    pub _severity: String,
    #[serde(rename = "code")]
    pub _code: String,
    pub text: String,
    #[serde(rename = "time")]
    pub _time: Option<String>,
    pub session: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    #[serde(rename = "first")]
    pub _first: Option<String>,
    #[serde(rename = "last")]
    pub _last: Option<String>,
    pub packets: u64,
    pub tcp_packets: u64,
    pub duplicate_packets: u64,
    #[serde(rename = "connections")]
    pub _connections: u64,
    pub sessions: u64,
    pub encrypted_sessions: u64,
    pub messages: u64,
    pub message_bytes: u64,
    pub requests: u64,
    pub answered: u64,
    pub failed: u64,
    pub unanswered: u64,
    pub open: u64,
    pub not_judged: u64,
    pub gaps: u64,
    pub missing_bytes: u64,
    pub skipped_bytes: u64,
    pub shown_early: u64,
    pub selected_messages: Option<u64>,
}
