//! One entry for tests that throw any text at filters.

use super::{Filter, Options};
use crate::Timestamp;
use crate::decode::Decoder;
use crate::protocol::{self, MessageType, ProtocolVersion};
use crate::record::{Direction, MessageInfo, Packets, Peers};
use crate::session::VersionSource;
use jiff::tz::TimeZone;
use std::net::{Ipv4Addr, SocketAddr};

/// Messages that have something of everything: floating fields, a variable, an array, a secret, a tag that the message should not have, an
/// end before the end, a type that no table knows.
const MESSAGES: [&[u8]; 6] = [
    b"\0\0\0\x0a\0\0\0\x23\0\0\0\x09\0\x1c\0\0\0\0",
    b"\0\0\0\x08\0\0\0\x05\0\0\0\x07\0\x05\0\0",
    b"\0\0\0\x1c\0\0\0\x06\0\0\0\x07\0\x05\0\x051001\0\0\x52\0\x0buser.x\0abc\0",
    b"\0\0\0\x18\0\0\0\x0e\0\0\0\x07\0\x53\0\x0a\x03user.a\0b\0\0\x02\0\0\0\x31",
    b"\0\0\0\xff\0\0\0\x1e\0\0\0\x01\0\0\x13\x89",
    b"\0\0\0\x04\0\0\xff\xff\0\0\0\0",
];

/// Compiles a text and evaluates what comes of it, and what is printed of it, on a few messages. Says how many pass; `None` when the text
/// is no expression.
///
/// # Panics
/// When an expression, printed, is none or another one, or an error points beside the text.
pub fn exercise(text: &str) -> Option<usize> {
    let options = Options {
        show_secrets: true,
        zone: TimeZone::UTC,
    };
    let mut filter = match Filter::with_options(text, &options) {
        Ok(filter) => filter,
        Err(error) => {
            let range = error.range();
            assert!(range.start <= range.end && text.get(range.clone()).is_some());
            assert_eq!(error.pointer().lines().count(), 2, "{error}");
            return None;
        }
    };
    let printed = filter.to_string();
    let again = Filter::with_options(&printed, &options).map(|f| f.to_string());
    assert_eq!(again.as_ref(), Ok(&printed));
    filter.starts_at(Timestamp::from_seconds(1_795_428_901));
    let mut decoder = Decoder::new();
    let passing = MESSAGES
        .iter()
        .filter(|bytes| filter.matches(&info(bytes), bytes, &mut decoder));
    Some(passing.count())
}

fn info(bytes: &[u8]) -> MessageInfo {
    let number = crate::decode::wire::header(bytes).map_or(MessageType(0), |(_, h)| h.number);
    MessageInfo {
        no: 1,
        time: Timestamp::from_seconds(1_795_428_901),
        peers: Peers {
            session: 1,
            client: SocketAddr::from((Ipv4Addr::new(10, 0, 1, 10), 50412)),
            server: SocketAddr::from((Ipv4Addr::new(10, 0, 0, 5), 42027)),
        },
        direction: Direction::ServerToClient,
        packets: Packets::default(),
        version: ProtocolVersion(24),
        version_source: VersionSource::Stated,
        number,
        message: protocol::message(number),
        answers: None,
        outcome: None,
        findings: Vec::new(),
        first_of_session: false,
    }
}
