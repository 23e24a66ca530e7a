//! Messages made for tests of what is known.

use super::Known;
use crate::analysis::Seen;
use crate::decode::Decoder;
use crate::encode::{Draft, Value};
use crate::protocol::{self, Kind, ProtocolVersion};
use crate::record::{Direction, MessageInfo, Packets, Peers};
use crate::session::VersionSource;
use crate::time::Timestamp;

/// Gives messages to what is known, a millisecond apart.
#[derive(Default)]
pub(super) struct Bench {
    pub(super) known: Known,
    decoder: Decoder,
    no: u64,
}

impl Bench {
    /// The next message of a session.
    pub(super) fn say(&mut self, session: u32, name: &str, fields: &[(&str, Value)]) {
        let version = ProtocolVersion(24);
        let mut draft = Draft::new(name, version).unwrap();
        for (field, value) in fields {
            draft.set(field, value).unwrap();
        }
        let message = protocol::message_by_name(name).unwrap();
        let bytes = draft.encode().unwrap();
        self.no += 1;
        let asks = message.kind == Kind::Request;
        let info = MessageInfo {
            no: self.no,
            time: Timestamp::from_nanos(i64::try_from(self.no).unwrap() * 1_000_000),
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
            answers: None,
            outcome: None,
            findings: Vec::new(),
            first_of_session: false,
        };
        let view = self.decoder.decode_as(&bytes, version, Some(message));
        self.known.message(&Seen {
            info: &info,
            view: &view,
            selected: true,
        });
    }
}
