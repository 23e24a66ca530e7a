//! Filter expressions: any text, compiled, printed, and evaluated on a few messages.

use cti_dissector::Timestamp;
use cti_dissector::decode::{Decoder, wire};
use cti_dissector::filter::{Filter, Options};
use cti_dissector::limits;
use cti_dissector::protocol::{self, ProtocolVersion};
use cti_dissector::record::{Direction, MessageInfo, Packets, Peers};
use cti_dissector::session::VersionSource;

/// What expressions look like.
pub(crate) const EXAMPLES: [&str; 24] = [
    r#"name == AGENT_STATE_EVENT && AgentID == "1001""#,
    r#"AgentState in {NOT_READY, LOGOUT} || EventCause == CEC_TRANSFER"#,
    r#"NamedVariable["user.x"] != "abc""#,
    r#"NamedArray["user.a"][3] contains "b""#,
    r#"CallVariable1 matches r"^(gold|silver)\d{1,4}$""#,
    r#"ANI matches "(?i)[a-f]+\\." and not DNIS"#,
    "ConnectionCallID in {1..5, 9, 0x1000013..0x1000020}",
    "ConnectionCallID == NULL_CALL_ID",
    "SkillGroupNumber == -1 || SkillGroupNumber >= 0xffff",
    "ServicesRequested & CTI_SERVICE_ALL_EVENTS",
    "ServicesGranted & 0x12 == 0x12",
    "!(status == failed) && latency_ms > 12.5",
    "status in {unanswered, late, wrong, CF_INVALID_PASSWORD_SPECIFIED}",
    "answered == false or !answered",
    "findings in {unknown_tag, count_mismatch} && severity >= warn",
    "src == 10.0.0.0/8 && dst in {42027, 43027..43990}",
    r#"src == "[2001:db8::1]:42027" || dst == 2001:db8::/32"#,
    "time in {10:15..10:30:00.250} && time != 2026-11-23T10:15:00Z",
    r#"time > "2026-11-23 10:15" && session in {1..3}"#,
    "direction == client-to-server && version < 20 && length le 100",
    r#"type == 0x1e || name matches "^CALL_" || name in {OPEN_REQ, OPEN_CONF}"#,
    r#"ClientPassword == "a" || AgentPassword contains "b""#,
    r#"((!((AgentID))) && !!!AgentExtension)"#,
    r#"CallVariable10 in {"a".."f", "\x00\"\\\n"}"#,
];

/// A failure, an answer, a foreign field and a variable, an array and a password, one that is cut, and a type that no table knows.
const MESSAGES: [&[u8]; 6] = [
    b"\0\0\0\x0a\0\0\0\x23\0\0\0\x09\0\x1c\0\0\0\0",
    b"\0\0\0\x08\0\0\0\x06\0\0\0\x07\0\x05\0\0",
    b"\0\0\0\x1c\0\0\0\x06\0\0\0\x07\0\x05\0\x051001\0\0\x52\0\x0buser.x\0abc\0",
    b"\0\0\0\x19\0\0\0\x06\0\0\0\x07\0\x53\0\x0a\x03user.a\0b\0\0\x02\0\x01a",
    b"\0\0\0\xff\0\0\0\x1e\0\0\0\x01\0\0\x13\x89",
    b"\0\0\0\x04\0\0\xff\xff\0\0\0\0",
];

/// The input is the text.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for show_secrets in [false, true] {
        let options = Options {
            show_secrets,
            ..Options::default()
        };
        let mut filter = match Filter::with_options(&text, &options) {
            Ok(filter) => filter,
            Err(error) => {
                assert!(text.get(error.range().clone()).is_some(), "{error}");
                let pointer = error.pointer();
                assert_eq!(pointer.lines().count(), 2, "{error}");
                assert!(pointer.len() < 1000, "a long text is shown in part");
                continue;
            }
        };
        assert!(text.len() <= limits::MAX_FILTER_BYTES);
        let printed = filter.to_string();
        let mut again = match Filter::with_options(&printed, &options) {
            Ok(again) => again,
            // Escapes are longer than what they stand for.
            Err(_) if printed.len() > limits::MAX_FILTER_BYTES => continue,
            Err(error) => panic!("{printed}: {error}"),
        };
        assert_eq!(again.to_string(), printed);
        let start = Timestamp::from_seconds(1_795_428_901);
        filter.starts_at(start);
        again.starts_at(start);
        let mut decoder = Decoder::new();
        for bytes in MESSAGES {
            let info = info(bytes, start);
            let passes = filter.matches(&info, bytes, &mut decoder);
            assert_eq!(
                passes,
                again.matches(&info, bytes, &mut decoder),
                "{printed}"
            );
        }
    }
}

fn info(bytes: &[u8], time: Timestamp) -> MessageInfo {
    let (_, header) = wire::header(bytes).expect("a header");
    MessageInfo {
        no: 1,
        time,
        peers: Peers {
            session: 1,
            client: "10.0.1.10:50412".parse().expect("an address"),
            server: "10.0.0.5:42027".parse().expect("an address"),
        },
        direction: Direction::ServerToClient,
        packets: Packets::default(),
        version: ProtocolVersion(24),
        version_source: VersionSource::Stated,
        number: header.number,
        message: protocol::message(header.number),
        answers: None,
        outcome: None,
        findings: Vec::new(),
        first_of_session: false,
    }
}
