//! From records in JSON to records.

use super::message::{self, MessageRecord};
use crate::capture::PacketId;
use crate::correlate::{Exchange, FailureCode, Outcome, OutcomeKind, Part};
use crate::protocol::{self, Failure, MessageType, ProtocolVersion};
use crate::reassembly::{End, Side};
use crate::record::{Direction, MessageInfo, Packets, Peers};
use crate::session::{Content, Counts, Identity, ServerBy, Session, VersionSource};
use crate::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::net::SocketAddr;

/// Turns records back; keeps the bytes of the last message.
#[derive(Default)]
pub(super) struct Reader {
    bytes: Vec<u8>,
    /// The addresses read last: parsing them costs more than comparing.
    last: Option<(String, String, SocketAddr, SocketAddr)>,
}

#[derive(Deserialize)]
pub(super) struct ExchangeRecord {
    time: String,
    session: u32,
    asked_by: String,
    invoke_id: u32,
    outcome: String,
    request: Option<PartRecord>,
    answer: Option<PartRecord>,
    latency_ms: Option<f64>,
    failure: Option<FailureRecord>,
}

#[derive(Deserialize)]
struct PartRecord {
    no: u64,
    #[serde(rename = "type")]
    number: u32,
    name: Option<String>,
    time: String,
}

#[derive(Deserialize)]
struct FailureRecord {
    value: u32,
    peripheral_error: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct SessionRecord {
    event: String,
    session: u32,
    connection: u32,
    client: SocketAddr,
    server: SocketAddr,
    server_by: String,
    content: String,
    version: Option<u32>,
    version_source: Option<String>,
    versions: Option<(u8, u8)>,
    client_id: Option<String>,
    client_signature: Option<String>,
    agent_id: Option<String>,
    agent_extension: Option<String>,
    agent_instrument: Option<String>,
    peripheral_id: Option<u32>,
    services_requested: Option<Value>,
    services_granted: Option<Value>,
    idle_timeout: Option<u32>,
    first: String,
    last: Option<String>,
    #[serde(default)]
    messages_from_client: u64,
    #[serde(default)]
    messages_from_server: u64,
    #[serde(default)]
    message_bytes: u64,
    #[serde(default)]
    requests: u64,
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    unanswered: u64,
    #[serde(default)]
    gaps: u64,
    #[serde(default)]
    missing_bytes: u64,
    #[serde(default)]
    skipped_bytes: u64,
    close_status: Option<Value>,
    refused: Option<Value>,
    end: Option<String>,
    ended_by: Option<String>,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|_| format!("not a time: {}", text.escape_debug()))?;
    let nanos = i64::try_from(time.as_nanosecond());
    nanos
        .map(Timestamp::from_nanos)
        .map_err(|_| format!("out of range: {}", text.escape_debug()))
}

fn version_source(name: Option<&str>, versions: Option<(u8, u8)>) -> VersionSource {
    match name {
        Some("forced") => VersionSource::Forced,
        Some("inferred") => {
            let (oldest, newest) = versions.unwrap_or_default();
            VersionSource::Inferred { oldest, newest }
        }
        Some("undecided") => VersionSource::Undecided,
        _ => VersionSource::Stated,
    }
}

/// The outcome with a name.
fn outcome(name: &str) -> Option<OutcomeKind> {
    OutcomeKind::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
}

/// Nanoseconds from milliseconds with decimals.
fn nanos(millis: f64) -> Option<i64> {
    format!("{:.0}", millis * 1e6).parse().ok()
}

/// A number that may stand in an object with its names.
fn bits(value: Option<&Value>) -> Option<u32> {
    let value = match value? {
        Value::Object(object) => object.get("value")?,
        value => value,
    };
    u32::try_from(value.as_u64()?).ok()
}

impl Reader {
    /// The bytes of the last message.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn addresses(&mut self, src: &str, dst: &str) -> Result<(SocketAddr, SocketAddr), String> {
        if let Some((a, b, source, destination)) = &self.last
            && a == src
            && b == dst
        {
            return Ok((*source, *destination));
        }
        let address = |text: &str| -> Result<SocketAddr, String> {
            text.parse()
                .map_err(|_| format!("not an address: {}", text.escape_debug()))
        };
        let (source, destination) = (address(src)?, address(dst)?);
        self.last = Some((src.to_owned(), dst.to_owned(), source, destination));
        Ok((source, destination))
    }

    pub fn message(&mut self, record: &MessageRecord<'_>) -> Result<MessageInfo, String> {
        let direction = match &*record.direction {
            "client-to-server" => Direction::ClientToServer,
            "server-to-client" => Direction::ServerToClient,
            other => return Err(format!("not a direction: {}", other.escape_debug())),
        };
        let (source, destination) = self.addresses(&record.src, &record.dst)?;
        let (client, server) = match direction {
            Direction::ClientToServer => (source, destination),
            Direction::ServerToClient => (destination, source),
        };
        let definition = message::definition(record)?;
        message::bytes(&mut self.bytes, record, definition)?;
        let files = record.files.as_deref().unwrap_or_default();
        let packets: Vec<PacketId> = record
            .packets
            .iter()
            .enumerate()
            .map(|(index, number)| PacketId {
                input: files
                    .get(index)
                    .and_then(|file| u32::try_from(file.checked_sub(1)?).ok())
                    .unwrap_or(0),
                number: *number,
            })
            .collect();
        Ok(MessageInfo {
            no: record.no,
            time: time(&record.time)?,
            peers: Peers {
                session: record.session,
                client,
                server,
            },
            direction,
            packets: Packets::from(packets.as_slice()),
            version: ProtocolVersion(record.version),
            version_source: version_source(record.version_source.as_deref(), None),
            number: MessageType(record.number),
            message: definition,
            answers: None,
            outcome: None,
            findings: Vec::new(),
            first_of_session: false,
        })
    }

    pub fn exchange(&self, record: &ExchangeRecord) -> Result<Exchange, String> {
        let part = |part: &PartRecord| -> Result<Part, String> {
            let number = MessageType(part.number);
            let name = part.name.as_deref();
            let usual = protocol::message(number).filter(|m| Some(m.name) == name);
            Ok(Part {
                no: part.no,
                number,
                message: usual.or_else(|| protocol::message_by_name(name?)),
                time: time(&part.time)?,
            })
        };
        let kind = outcome(&record.outcome)
            .ok_or_else(|| format!("not an outcome: {}", record.outcome.escape_debug()))?;
        let answer = record.answer.as_ref().map(part).transpose()?;
        // Which table names the code depends on the message that carries it.
        let field = answer
            .and_then(|answer| answer.message)
            .filter(|message| message.failure == Some(Failure::OfRequest))
            .and_then(|message| message.layout(protocol::NEWEST))
            .and_then(|layout| layout.fixed.iter().find(|f| f.table.is_some()));
        Ok(Exchange {
            session: record.session,
            asked: if record.asked_by == "server" {
                Direction::ServerToClient
            } else {
                Direction::ClientToServer
            },
            invoke_id: record.invoke_id,
            request: record.request.as_ref().map(part).transpose()?,
            outcome: Outcome {
                kind,
                answer,
                latency: record.latency_ms.and_then(nanos),
                failure: record.failure.as_ref().map(|failure| FailureCode {
                    code: failure.value,
                    table: field.and_then(|f| f.table),
                    peripheral_error: failure.peripheral_error,
                }),
            },
            time: time(&record.time)?,
        })
    }

    /// A session that has ended; `None` for one that began.
    pub fn session(&self, record: &SessionRecord) -> Result<Option<Session>, String> {
        if record.event != "ended" {
            return Ok(None);
        }
        let side = match record.ended_by.as_deref() {
            Some("client") => Some(Direction::ClientToServer),
            Some("server") => Some(Direction::ServerToClient),
            _ => None,
        };
        let end = match record.end.as_deref() {
            Some("finished") => Some(End::Finished(Side::First)),
            Some("reset") => Some(End::Reset(Side::First)),
            Some("replaced") => Some(End::Replaced),
            Some("evicted") => Some(End::Evicted),
            Some("capture_ended") => Some(End::CaptureEnded),
            _ => None,
        };
        let first = time(&record.first)?;
        Ok(Some(Session {
            peers: Peers {
                session: record.session,
                client: record.client,
                server: record.server,
            },
            connection: record.connection,
            server_by: match record.server_by.as_str() {
                "open_req" => ServerBy::OpenReq,
                "syn" => ServerBy::Syn,
                "port" => ServerBy::Port,
                _ => ServerBy::Messages,
            },
            content: match record.content.as_str() {
                "encrypted" => Content::Encrypted,
                "nothing" => Content::Nothing,
                _ => Content::Cti,
            },
            version: record.version.map(ProtocolVersion),
            version_source: version_source(record.version_source.as_deref(), record.versions),
            identity: Identity {
                client_id: record.client_id.clone(),
                client_signature: record.client_signature.clone(),
                agent_id: record.agent_id.clone(),
                agent_extension: record.agent_extension.clone(),
                agent_instrument: record.agent_instrument.clone(),
                peripheral_id: record.peripheral_id,
                services_requested: bits(record.services_requested.as_ref()),
                services_granted: bits(record.services_granted.as_ref()),
                idle_timeout: record.idle_timeout,
            },
            first,
            last: record.last.as_deref().map_or(Ok(first), time)?,
            counts: Counts {
                from_client: record.messages_from_client,
                from_server: record.messages_from_server,
                bytes: record.message_bytes,
                requests: record.requests,
                failed: record.failed,
                unanswered: record.unanswered,
                breaks: record.gaps,
                missing: record.missing_bytes,
                skipped: record.skipped_bytes,
            },
            close_status: bits(record.close_status.as_ref()),
            refused: bits(record.refused.as_ref()),
            end,
            ended_by: side,
        }))
    }
}
