//! Records as JSON, one object each. The shape is documented in docs/json.md and fixed by docs/schema.json.

mod agents;
mod calls;
mod differences;
mod fields;
mod objects;
mod problems;
mod records;
mod stats;
pub mod values;
mod write;

use crate::capture::PacketId;
use crate::decode::{Decoder, MessageView, Reading};
use crate::finding::{Code, Finding};
use crate::protocol::MessageType;
use crate::record::{Direction, MessageInfo, Peers, Record};
use crate::session::VersionSource;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use write::Clock;

pub use agents::agent;
pub use calls::{call, story};
pub use differences::{DifferenceRecord, differences};
pub use objects::Objects;
pub use problems::problem;
pub use records::{Input, Summary};
pub use stats::statistics;

/// Version of the JSON output; a number higher than a consumer knows may bring new keys.
pub const SCHEMA_VERSION: u32 = 1;

/// Sessions whose addresses are kept in rendered form.
const KEPT_SESSIONS: usize = 1024;

/// What the user may choose about JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Show passwords.
    pub show_secrets: bool,
    /// Several inputs were given: packets say which one they are in.
    pub several_inputs: bool,
}

/// Writes records as JSON objects. Holds scratch space only: what it writes depends on the record alone, so several
/// renderers may share the work.
#[derive(Debug, Default)]
pub struct Renderer {
    options: Options,
    decoder: Decoder,
    writer: Writer,
}

/// What is kept from record to record, because making it again costs more.
#[derive(Debug, Default)]
struct Writer {
    clock: Clock,
    ends: HashMap<u32, Ends, RandomState>,
}

/// A session's addresses, ready to be written.
#[derive(Debug)]
struct Ends {
    peers: Peers,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
}

impl Renderer {
    /// A renderer with empty scratch space.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Appends a record as one JSON object, without a line end.
    pub fn record(&mut self, out: &mut Vec<u8>, record: &Record<'_>) {
        match record {
            Record::Message(info, bytes) => {
                let view = self.decoder.decode_as(bytes, info.version, info.message);
                self.writer.message(out, self.options, info, &view);
            }
            Record::Exchange(exchange) => records::exchange(out, exchange, &mut self.writer.clock),
            Record::SessionBegan(session) => {
                records::session(out, session, "began", &mut self.writer.clock)
            }
            Record::SessionEnded(session) => {
                records::session(out, session, "ended", &mut self.writer.clock)
            }
            Record::Break(details) => records::gap(out, details, &mut self.writer.clock),
            Record::Notice(notice) => records::notice(out, notice, &mut self.writer.clock),
        }
    }

    /// Appends the header record.
    pub fn header(&mut self, out: &mut Vec<u8>, tool: &str, version: &str, inputs: &[Input]) {
        records::header(out, tool, version, inputs);
    }

    /// Appends the summary record.
    pub fn summary(&mut self, out: &mut Vec<u8>, summary: &Summary) {
        records::summary(out, summary, &mut self.writer.clock);
    }

    /// Appends the record of a message that is decoded already.
    pub fn view(&mut self, out: &mut Vec<u8>, info: &MessageInfo, view: &MessageView<'_>) {
        self.writer.message(out, self.options, info, view);
    }
}

impl Writer {
    fn message(
        &mut self,
        out: &mut Vec<u8>,
        options: Options,
        info: &MessageInfo,
        view: &MessageView<'_>,
    ) {
        let Self { clock, ends } = self;
        out.extend_from_slice(b"{\"kind\":\"message\",\"no\":");
        write::integer(out, info.no);
        out.extend_from_slice(b",\"time\":");
        clock.time(out, info.time);
        out.extend_from_slice(b",\"session\":");
        write::integer(out, info.peers.session);
        out.extend_from_slice(ends_of(ends, &info.peers, info.direction));
        packets(out, &info.packets, options.several_inputs);
        out.extend_from_slice(b",\"version\":");
        write::integer(out, info.version.0);
        if info.version_source != VersionSource::Stated {
            out.extend_from_slice(b",\"version_source\":\"");
            out.extend_from_slice(info.version_source.name().as_bytes());
            out.push(b'"');
        }
        what(out, info.number, view);
        out.extend_from_slice(b",\"length\":");
        write::integer(out, view.length());
        layout(out, view);
        out.extend_from_slice(b",\"fields\":");
        fields::fixed(out, view, clock);
        out.extend_from_slice(b",\"floating\":");
        fields::floating(out, view, clock, options.show_secrets);
        let masked = !options.show_secrets && view.may_hide_secret();
        raw(out, ",\"opaque\":", view.opaque(), masked);
        raw(out, ",\"unread\":", view.unread(), masked);
        if let Some(answer) = &info.answers {
            out.extend_from_slice(b",\"answers\":");
            write::integer(out, answer.request.no);
            out.extend_from_slice(b",\"latency_ms\":");
            write::milliseconds(out, answer.latency);
        }
        findings(out, &info.findings, view.findings());
        out.push(b'}');
    }
}

/// Direction and addresses of a message, from the kept ones where possible.
fn ends_of<'e>(
    ends: &'e mut HashMap<u32, Ends, RandomState>,
    peers: &Peers,
    direction: Direction,
) -> &'e [u8] {
    if ends.len() > KEPT_SESSIONS {
        ends.clear();
    }
    let render = |direction: Direction| {
        let (source, destination) = peers.ends(direction);
        format!(
            ",\"direction\":\"{}\",\"src\":\"{source}\",\"dst\":\"{destination}\"",
            direction.name()
        )
        .into_bytes()
    };
    let fresh = || Ends {
        peers: *peers,
        to_server: render(Direction::ClientToServer),
        to_client: render(Direction::ServerToClient),
    };
    let entry = ends.entry(peers.session).or_insert_with(fresh);
    if entry.peers != *peers {
        *entry = fresh();
    }
    match direction {
        Direction::ClientToServer => &entry.to_server,
        Direction::ServerToClient => &entry.to_client,
    }
}

fn packets(out: &mut Vec<u8>, packets: &[PacketId], several_inputs: bool) {
    integers(out, ",\"packets\":[", packets.iter().map(|p| p.number));
    if several_inputs {
        let files = packets.iter().map(|p| u64::from(p.input) + 1);
        integers(out, ",\"files\":[", files);
    }
}

fn integers(out: &mut Vec<u8>, begins: &str, numbers: impl Iterator<Item = u64>) {
    out.extend_from_slice(begins.as_bytes());
    for (index, number) in numbers.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write::integer(out, number);
    }
    out.push(b']');
}

/// Type, name and kind of a message.
fn what(out: &mut Vec<u8>, number: MessageType, view: &MessageView<'_>) {
    out.extend_from_slice(b",\"type\":");
    write::integer(out, number.0);
    match view.message() {
        Some(message) => {
            out.extend_from_slice(message.json.as_bytes());
        }
        None => out.extend_from_slice(b",\"name\":null,\"role\":null"),
    }
}

/// How the layout was chosen, where it is not the usual one.
fn layout(out: &mut Vec<u8>, view: &MessageView<'_>) {
    match view.reading() {
        Reading::Usual => {}
        Reading::Variant(variant) => {
            out.extend_from_slice(b",\"layout\":{\"variant\":");
            write::string(out, variant.name);
            out.push(b'}');
        }
        Reading::OtherVersion(version) => {
            out.extend_from_slice(b",\"layout\":{\"version\":");
            write::integer(out, version);
            out.push(b'}');
        }
        Reading::Searched(offset) => {
            out.extend_from_slice(b",\"layout\":{\"found_at\":");
            write::integer(out, offset);
            out.push(b'}');
        }
        Reading::Unknown => out.extend_from_slice(b",\"layout\":null"),
    }
}

fn raw(out: &mut Vec<u8>, key: &str, part: Option<(usize, &[u8])>, masked: bool) {
    let Some((offset, bytes)) = part else { return };
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"{\"offset\":");
    write::integer(out, offset);
    out.extend_from_slice(b",\"hex\":");
    if masked {
        out.extend_from_slice(b"null,\"masked\":true");
    } else {
        write::hex(out, bytes);
    }
    out.push(b'}');
}

fn findings(out: &mut Vec<u8>, of_conversation: &[Finding], of_decoding: &[Finding]) {
    if of_conversation.is_empty() && of_decoding.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"findings\":[");
    for (index, finding) in of_conversation.iter().chain(of_decoding).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.push(b'{');
        code(out, finding.code, &finding.text);
        if let Some(offset) = finding.offset {
            out.extend_from_slice(b",\"offset\":");
            write::integer(out, offset);
        }
        out.push(b'}');
    }
    out.push(b']');
}

/// Severity, code and text of a finding.
fn code(out: &mut Vec<u8>, code: Code, text: &str) {
    out.extend_from_slice(b"\"severity\":\"");
    out.extend_from_slice(code.severity().name().as_bytes());
    out.extend_from_slice(b"\",\"code\":\"");
    out.extend_from_slice(code.name().as_bytes());
    out.extend_from_slice(b"\",\"text\":");
    write::string(out, text);
}

#[cfg(test)]
mod tests;
