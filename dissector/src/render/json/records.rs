//! All records but messages.

use super::write::{self, Clock};
use super::{SCHEMA_VERSION, code, fields};
use crate::conversation::Totals;
use crate::correlate::{Exchange, FailureCode, Part};
use crate::decode::Number;
use crate::protocol::{self, ValueTable};
use crate::reassembly::End;
use crate::record::{BreakRecord, Notice};
use crate::session::{Session, VersionSource};
use crate::time::Timestamp;

/// An input, as the header record names it.
#[derive(Debug, Clone)]
pub struct Input {
    /// Name as the user gave it.
    pub name: String,
}

/// What the summary record tells.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Packets read.
    pub packets: u64,
    /// Packets that carried TCP.
    pub tcp_packets: u64,
    /// Packets with a TCP segment that was captured before.
    pub duplicate_packets: u64,
    /// Time of the first packet.
    pub first: Option<Timestamp>,
    /// Time of the last packet.
    pub last: Option<Timestamp>,
    /// Counts over all connections.
    pub totals: Totals,
    /// Records shown, where a selection was asked for.
    pub selected: Option<u64>,
}

fn key(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn count(out: &mut Vec<u8>, name: &str, number: u64) {
    key(out, name);
    write::integer(out, number);
}

fn word(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    write::string(out, value);
}

fn time(out: &mut Vec<u8>, name: &str, time: Option<Timestamp>, clock: &mut Clock) {
    key(out, name);
    match time {
        Some(time) => clock.time(out, time),
        None => out.extend_from_slice(b"null"),
    }
}

pub(super) fn header(out: &mut Vec<u8>, tool: &str, version: &str, inputs: &[Input]) {
    out.extend_from_slice(b"{\"kind\":\"header\"");
    count(out, "schema", SCHEMA_VERSION.into());
    word(out, "tool", tool);
    word(out, "tool_version", version);
    key(out, "inputs");
    out.push(b'[');
    for (index, input) in inputs.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write::string(out, &input.name);
    }
    out.extend_from_slice(b"]}");
}

pub(super) fn summary(out: &mut Vec<u8>, summary: &Summary, clock: &mut Clock) {
    let totals = &summary.totals;
    out.extend_from_slice(b"{\"kind\":\"summary\"");
    time(out, "first", summary.first, clock);
    time(out, "last", summary.last, clock);
    for (name, number) in [
        ("packets", summary.packets),
        ("tcp_packets", summary.tcp_packets),
        ("duplicate_packets", summary.duplicate_packets),
        ("connections", totals.connections),
        ("sessions", totals.sessions),
        ("encrypted_sessions", totals.encrypted),
        ("messages", totals.messages),
        ("message_bytes", totals.message_bytes),
    ] {
        count(out, name, number);
    }
    for (name, number) in totals.requests.named() {
        count(out, name, number);
    }
    for (name, number) in [
        ("gaps", totals.breaks),
        ("missing_bytes", totals.missing),
        ("skipped_bytes", totals.skipped),
        ("shown_early", totals.forced),
    ] {
        count(out, name, number);
    }
    if let Some(selected) = summary.selected {
        count(out, "selected_messages", selected);
    }
    out.push(b'}');
}

pub(super) fn exchange(out: &mut Vec<u8>, exchange: &Exchange, clock: &mut Clock) {
    out.extend_from_slice(b"{\"kind\":\"exchange\"");
    time(out, "time", Some(exchange.time), clock);
    count(out, "session", exchange.session.into());
    word(out, "asked_by", exchange.asked.sender());
    count(out, "invoke_id", exchange.invoke_id.into());
    word(out, "outcome", exchange.outcome.kind.name());
    key(out, "request");
    part(out, exchange.request, clock);
    key(out, "answer");
    part(out, exchange.outcome.answer, clock);
    key(out, "latency_ms");
    match exchange.outcome.latency {
        Some(latency) => write::milliseconds(out, latency),
        None => out.extend_from_slice(b"null"),
    }
    if let Some(failure) = exchange.outcome.failure {
        key(out, "failure");
        failure_code(out, failure);
    }
    out.push(b'}');
}

fn part(out: &mut Vec<u8>, part: Option<Part>, clock: &mut Clock) {
    let Some(part) = part else {
        out.extend_from_slice(b"null");
        return;
    };
    out.extend_from_slice(b"{\"no\":");
    write::integer(out, part.no);
    count(out, "type", part.number.0.into());
    key(out, "name");
    match part.message {
        Some(message) => write::string(out, message.name),
        None => out.extend_from_slice(b"null"),
    }
    time(out, "time", Some(part.time), clock);
    out.push(b'}');
}

fn failure_code(out: &mut Vec<u8>, failure: FailureCode) {
    let value = failure.table.and_then(|t| t.get(failure.code));
    out.extend_from_slice(b"{\"value\":");
    write::integer(out, failure.code);
    key(out, "name");
    out.extend_from_slice(value.map_or("null", |v| v.json).as_bytes());
    key(out, "meaning");
    match value.and_then(|v| v.label) {
        Some(label) => write::string(out, label),
        None => out.extend_from_slice(b"null"),
    }
    if let Some(error) = failure.peripheral_error {
        count(out, "peripheral_error", error.into());
    }
    out.push(b'}');
}

pub(super) fn session(out: &mut Vec<u8>, session: &Session, event: &str, clock: &mut Clock) {
    out.extend_from_slice(b"{\"kind\":\"session\"");
    word(out, "event", event);
    count(out, "session", session.peers.session.into());
    count(out, "connection", session.connection.into());
    word(out, "client", &session.peers.client.to_string());
    word(out, "server", &session.peers.server.to_string());
    word(out, "server_by", session.server_by.name());
    word(out, "content", session.content.name());
    if let Some(version) = session.version {
        count(out, "version", version.0.into());
        word(out, "version_source", session.version_source.name());
        if let VersionSource::Inferred { oldest, newest } = session.version_source {
            key(out, "versions");
            out.push(b'[');
            write::integer(out, oldest);
            out.push(b',');
            write::integer(out, newest);
            out.push(b']');
        }
        key(out, "release");
        match protocol::version(version).and_then(|v| v.release) {
            Some(release) => write::string(out, release),
            None => out.extend_from_slice(b"null"),
        }
    }
    identity(out, session);
    time(out, "first", Some(session.first), clock);
    if event == "ended" {
        ended(out, session, clock);
    }
    out.push(b'}');
}

fn identity(out: &mut Vec<u8>, session: &Session) {
    let identity = &session.identity;
    for (name, text) in [
        ("client_id", &identity.client_id),
        ("client_signature", &identity.client_signature),
        ("agent_id", &identity.agent_id),
        ("agent_extension", &identity.agent_extension),
        ("agent_instrument", &identity.agent_instrument),
    ] {
        if let Some(text) = text {
            word(out, name, text);
        }
    }
    if let Some(peripheral) = identity.peripheral_id {
        count(out, "peripheral_id", peripheral.into());
    }
    let services = protocol::value_table("CTIServiceMask");
    for (name, mask) in [
        ("services_requested", identity.services_requested),
        ("services_granted", identity.services_granted),
    ] {
        if let Some(mask) = mask {
            key(out, name);
            table_value(out, mask, services);
        }
    }
    if let Some(seconds) = identity.idle_timeout {
        count(out, "idle_timeout", seconds.into());
    }
}

fn ended(out: &mut Vec<u8>, session: &Session, clock: &mut Clock) {
    let counts = &session.counts;
    time(out, "last", Some(session.last), clock);
    for (name, number) in [
        ("messages_from_client", counts.from_client),
        ("messages_from_server", counts.from_server),
        ("message_bytes", counts.bytes),
    ] {
        count(out, name, number);
    }
    for (name, number) in counts.requests.named() {
        count(out, name, number);
    }
    for (name, number) in [
        ("gaps", counts.breaks),
        ("missing_bytes", counts.missing),
        ("skipped_bytes", counts.skipped),
    ] {
        count(out, name, number);
    }
    let statuses = protocol::value_table("StatusCode");
    for (name, status) in [
        ("close_status", session.close_status),
        ("refused", session.refused),
    ] {
        if let Some(status) = status {
            key(out, name);
            table_value(out, status, statuses);
        }
    }
    word(out, "end", end_name(session.end));
    if let Some(direction) = session.ended_by {
        word(out, "ended_by", direction.sender());
    }
}

fn table_value(out: &mut Vec<u8>, value: u32, table: Option<&'static ValueTable>) {
    fields::number(
        out,
        Number {
            value: value.into(),
            bits: value,
        },
        table,
        None,
    );
}

/// How a session's connection ended, in a snake_case word.
const fn end_name(end: Option<End>) -> &'static str {
    match end {
        Some(End::Finished(_)) => "finished",
        Some(End::Reset(_)) => "reset",
        Some(End::Replaced) => "replaced",
        Some(End::Evicted) => "evicted",
        Some(End::CaptureEnded) => "capture_ended",
        None => "reopened",
    }
}

pub(super) fn gap(out: &mut Vec<u8>, record: &BreakRecord, clock: &mut Clock) {
    let details = &record.details;
    out.extend_from_slice(b"{\"kind\":\"gap\"");
    time(out, "time", Some(details.time), clock);
    count(out, "session", record.peers.session.into());
    word(out, "direction", record.direction.name());
    word(out, "cause", details.cause.name());
    count(out, "missing_bytes", details.missing);
    count(out, "skipped_bytes", details.skipped);
    key(out, "resumed");
    out.extend_from_slice(if details.resumed { b"true" } else { b"false" });
    out.push(b'}');
}

pub(super) fn notice(out: &mut Vec<u8>, notice: &Notice, clock: &mut Clock) {
    out.extend_from_slice(b"{\"kind\":\"finding\",");
    code(out, notice.code, &notice.text);
    if notice.time.is_some() {
        time(out, "time", notice.time, clock);
    }
    if let Some(session) = notice.session {
        count(out, "session", session.into());
    }
    out.push(b'}');
}
