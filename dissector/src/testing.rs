//! Messages made for tests, as analyses see them.

use crate::analysis::Seen;
use crate::correlate::{Answer, OutcomeKind, Part};
use crate::decode::Decoder;
use crate::encode::{Draft, Value};
use crate::protocol::{self, Kind, ProtocolVersion};
use crate::record::{Direction, MessageInfo, Packets, Peers};
use crate::session::VersionSource;
use crate::time::Timestamp;

/// A millisecond: what passes from one message to the next.
const STEP: i64 = 1_000_000;

/// Makes messages of sessions, one after the other.
pub(crate) struct Messages {
    decoder: Decoder,
    /// Time of the last one (nanoseconds).
    pub(crate) now: i64,
    /// Number of the last one.
    pub(crate) no: u64,
    /// The version that they are written in.
    pub(crate) version: u32,
    /// The request that is to be answered next.
    pub(crate) asked: Option<Part>,
}

impl Messages {
    /// None so far.
    pub(crate) fn new(version: u32) -> Self {
        Self {
            decoder: Decoder::new(),
            now: 0,
            no: 0,
            version,
            asked: None,
        }
    }

    /// The next message: its name and its fields. Confirmations answer the last request.
    pub(crate) fn make(
        &mut self,
        session: u32,
        name: &str,
        fields: &[(&str, Value)],
        take: impl FnOnce(&Seen<'_>),
    ) {
        self.now += STEP;
        self.no += 1;
        let version = ProtocolVersion(self.version);
        let mut draft = Draft::new(name, version).unwrap();
        for (field, value) in fields {
            draft.set(field, value).unwrap();
        }
        let bytes = draft.encode().unwrap();
        let message = protocol::message_by_name(name).unwrap();
        let time = Timestamp::from_nanos(self.now);
        let asks = message.kind == Kind::Request;
        let answers = self.asked.filter(|_| !asks && message.kind != Kind::Event);
        let info = MessageInfo {
            no: self.no,
            time,
            peers: Peers {
                session,
                client: "10.0.1.10:50412".parse().unwrap(),
                server: "10.0.0.5:42027".parse().unwrap(),
            },
            direction: if asks {
                Direction::ClientToServer
            } else {
                Direction::ServerToClient
            },
            packets: Packets::default(),
            version,
            version_source: VersionSource::Stated,
            number: message.number,
            message: Some(message),
            answers: answers.map(|request| Answer {
                request,
                latency: time.nanos_since(request.time),
                kind: if message.failure.is_some() {
                    OutcomeKind::Failed
                } else {
                    OutcomeKind::Confirmed
                },
                failure: None,
            }),
            outcome: None,
            findings: Vec::new(),
            first_of_session: false,
        };
        if asks {
            self.asked = Some(Part {
                no: self.no,
                number: message.number,
                message: Some(message),
                time,
            });
        }
        let view = self.decoder.decode_as(&bytes, version, Some(message));
        assert_eq!(view.findings(), [], "{name}");
        take(&Seen {
            info: &info,
            view: &view,
            selected: true,
        });
    }

    /// The next message, written as NAME FIELD=VALUE and so on.
    pub(crate) fn say(&mut self, session: u32, text: &str, take: impl FnOnce(&Seen<'_>)) {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap();
        let fields: Vec<(&str, Value)> = words
            .map(|word| {
                let (field, value) = word.split_once('=').unwrap();
                if field.starts_with("user.") {
                    let value = Value::NamedVariable {
                        name: field.to_owned(),
                        value: value.to_owned(),
                    };
                    ("NamedVariable", value)
                } else {
                    (field, value.into())
                }
            })
            .collect();
        self.make(session, name, &fields, take);
    }
}
