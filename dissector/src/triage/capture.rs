//! What the capture and its bytes are like: what cannot be judged, what is no CTI, what breaks the rules.

use super::network::{Event, EventKind};
use super::remembered::Remembered;
use super::{Code, Context, Detector, Sighting, Sightings};
use crate::analysis::Seen;
use crate::finding::{self, Finding, Severity};
use crate::framing::BreakCause;
use crate::protocol::{self, Kind, ProtocolVersion};
use crate::record::{BreakRecord, Direction, Notice};
use crate::session::{Content, Session, VersionSource};

/// Messages of a direction after which missing bytes explain nothing any more.
const OUT_OF_STEP: u32 = 3;
/// PeripheralType of Unified CCX, whose dialect differs.
const CCX: u32 = 21;

pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Limits::default()), Box::new(Rules::default())]
}

/// Stretches where nothing can be missed.
#[derive(Debug, Default)]
struct Limits {
    told: Remembered<(u32, &'static str), ()>,
}

impl Limits {
    fn tell(&mut self, session: u32, what: &'static str, sighting: Sighting, out: &mut Sightings) {
        if self.told.get(&(session, what)).is_none() {
            self.told.insert((session, what), ());
            out.push(sighting.session(session).group(what));
        }
    }
}

impl Detector for Limits {
    fn notice(&mut self, notice: &Notice, around: &Context, out: &mut Sightings) {
        if notice.code != finding::Code::OneDirection {
            return;
        }
        if let Some(session) = notice.session {
            let time = notice.time.unwrap_or(around.now());
            let sighting = Sighting::new(Code::CaptureLimits, time, notice.text.clone());
            self.tell(session, "one direction only was captured", sighting, out);
        }
    }

    fn wire(&mut self, event: &Event, around: &Context, out: &mut Sightings) {
        if !matches!(event.kind, EventKind::Cut) {
            return;
        }
        // The first packets of a session may come before it is known.
        let session = around.session_between(event.client, event.server);
        let mut sighting = Sighting::new(
            Code::CaptureLimits,
            event.time,
            "a packet was not captured whole (snap length)",
        )
        .packet(event.packet)
        .group("packets are cut");
        sighting.session = session.map(|facts| facts.peers.session);
        out.push(sighting);
    }

    fn broke(&mut self, record: &BreakRecord, _: &Context, out: &mut Sightings) {
        if record.details.missing == 0 {
            return;
        }
        let text = format!(
            "{} bytes missing from {}",
            record.details.missing,
            record.direction.sender()
        );
        let sighting = Sighting::new(Code::CaptureLimits, record.details.time, text)
            .session(record.peers.session)
            .group("bytes are missing");
        out.push(sighting);
    }

    fn message(&mut self, seen: &Seen<'_>, _: &Context, out: &mut Sightings) {
        let info = seen.info;
        if info
            .findings
            .iter()
            .any(|f| f.code == finding::Code::CutMessage)
        {
            let sighting = Sighting::of(Code::CaptureLimits, seen, "a message is cut");
            self.tell(info.peers.session, "messages are cut", sighting, out);
        }
    }

    fn ended(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        let number = session.peers.session;
        let Some(facts) = around.session(number) else {
            return;
        };
        if facts.content == Content::Cti
            && facts.opened.is_none()
            && session.counts.from_client + session.counts.from_server > 0
        {
            let text = format!("{} and {}", facts.peers.client, facts.server_name());
            let sighting = Sighting::new(Code::CaptureLimits, facts.first, text);
            self.tell(number, "sessions began before the capture", sighting, out);
        }
    }
}

/// What is known of one direction of a session.
#[derive(Debug, Default)]
struct Dialect {
    ccx: bool,
    /// Messages since bytes were missing.
    since_break: Option<u32>,
}

impl Dialect {
    fn is_out_of_step(&self) -> bool {
        self.since_break
            .is_some_and(|messages| messages <= OUT_OF_STEP)
    }
}

/// Bytes that break the rules.
#[derive(Debug, Default)]
struct Rules {
    directions: Remembered<(u32, Direction), Dialect>,
}

impl Detector for Rules {
    fn message(&mut self, seen: &Seen<'_>, _: &Context, out: &mut Sightings) {
        let info = seen.info;
        let session = info.peers.session;
        if seen.is(protocol::types::OPEN_CONF) && seen.number("PeripheralType") == Some(CCX) {
            for direction in [Direction::ClientToServer, Direction::ServerToClient] {
                self.directions.entry((session, direction)).ccx = true;
            }
        }
        let dialect = self.directions.get_mut(&(session, info.direction));
        let (behind_break, ccx) = dialect.map_or((false, false), |dialect| {
            dialect.since_break = dialect
                .since_break
                .map(|messages| messages.saturating_add(1));
            (dialect.is_out_of_step(), dialect.ccx)
        });
        let findings = || seen.view.findings().iter().chain(&info.findings);
        if seen.view.findings().is_empty() && info.findings.is_empty() {
            return;
        }
        // Of a message that is not all there nothing can be said.
        if findings().any(|f| {
            matches!(
                f.code,
                finding::Code::CutMessage | finding::Code::PlaceInferred
            )
        }) {
            return;
        }
        let newest = protocol::versions()
            .last()
            .map_or(0, |v| u32::from(v.number));
        let excused = ccx || info.version > ProtocolVersion(newest);
        let sure = matches!(
            info.version_source,
            VersionSource::Stated | VersionSource::Forced
        );
        for found in findings() {
            let Some((code, status)) = rule(found.code) else {
                continue;
            };
            let name = if seen.name().is_empty() {
                format!("message type {}", info.number.0)
            } else {
                seen.name().to_owned()
            };
            let mut sighting = Sighting::of(code, seen, words(found)).group(format!(
                "{}: {} in {name}",
                info.direction.sender(),
                found.code.name().replace('_', " ")
            ));
            match code {
                Code::BadFraming if behind_break => sighting = sighting.severity(Severity::Info),
                Code::ProtocolViolation if excused => continue,
                Code::ProtocolViolation
                    if !sure || behind_break || found.code == finding::Code::UnknownValue =>
                {
                    sighting = sighting.severity(Severity::Info);
                }
                _ => {}
            }
            let asks = info.message.is_some_and(|m| m.kind == Kind::Request);
            match (info.direction, status) {
                (Direction::ClientToServer, Some(status)) if asks => {
                    sighting = sighting.hint(format!(
                        "Servers answer such requests with status {status}."
                    ));
                }
                (Direction::ServerToClient, _) if code == Code::ProtocolViolation => {
                    sighting = sighting.hint(
                        "The server sent this: whether its clients skip it, misread it or give up is up to them.",
                    );
                }
                _ => {}
            }
            out.push(sighting);
        }
    }

    fn broke(&mut self, record: &BreakRecord, _: &Context, out: &mut Sightings) {
        let details = &record.details;
        let dialect = self
            .directions
            .entry((record.peers.session, record.direction));
        let behind_break = dialect.is_out_of_step();
        if matches!(
            details.cause,
            BreakCause::Gap | BreakCause::MidStream | BreakCause::CutMessage
        ) {
            dialect.since_break = Some(0);
            return;
        }
        let text = format!("{} bytes could not be read as messages", details.skipped);
        let mut sighting = Sighting::new(Code::BadFraming, details.time, text)
            .session(record.peers.session)
            .group(format!(
                "{}: bytes that are no messages",
                record.direction.sender()
            ));
        if behind_break {
            sighting = sighting.severity(Severity::Info);
        }
        out.push(sighting);
    }
}

fn words(found: &Finding) -> String {
    match found.offset {
        Some(offset) => format!("{} (offset {offset})", found.text),
        None => found.text.clone(),
    }
}

/// What a finding of the dissector counts as, and the status that servers give for it.
const fn rule(code: finding::Code) -> Option<(Code, Option<u32>)> {
    use finding::Code as Found;
    let (code, status) = match code {
        Found::UnknownType => (Code::BadFraming, None),
        Found::MessageTooLong => (Code::BadFraming, Some(2)),
        Found::UnknownTag => (Code::ProtocolViolation, Some(3)),
        Found::FieldTooLong => (Code::ProtocolViolation, Some(23)),
        Found::FieldLength => (Code::ProtocolViolation, Some(23)),
        Found::DuplicateField => (Code::ProtocolViolation, None),
        Found::CountMismatch => (Code::ProtocolViolation, Some(77)),
        Found::FixedPartShort => (Code::ProtocolViolation, Some(25)),
        Found::UnreadBytes => (Code::ProtocolViolation, Some(25)),
        Found::NewerThanSession => (Code::ProtocolViolation, Some(49)),
        Found::UnknownValue => (Code::ProtocolViolation, None),
        _ => return None,
    };
    Some((code, status))
}
