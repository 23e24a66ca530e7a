use super::*;
use crate::capture::PacketId;
use crate::correlate::{Answer, Exchange, FailureCode, Outcome, OutcomeKind, Part};
use crate::decode::HEADER_LEN;
use crate::finding::{Code, Finding};
use crate::framing::{Break, BreakCause};
use crate::protocol::{self, Message, MessageType, ProtocolVersion};
use crate::reassembly::{End, Side};
use crate::record::{BreakRecord, Direction, MessageInfo, Notice, Peers};
use crate::session::{Content, Counts, Identity, ServerBy, Session, VersionSource};
use std::sync::Arc;

/// 2026-11-23 10:15:01.203417 UTC.
const START: i64 = 1_795_428_901_203_417_000;

fn peers() -> Arc<Peers> {
    Arc::new(Peers {
        session: 1,
        client: "10.0.1.10:50412".parse().unwrap(),
        server: "10.0.0.5:42027".parse().unwrap(),
    })
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(START + millis * 1_000_000)
}

/// A message by its type and body.
fn message(number: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(number.to_be_bytes());
    bytes.extend(body);
    bytes
}

fn body(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// A floating field with a wide header.
fn field(tag: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_be_bytes().to_vec();
    bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes
}

/// The fixed part of a message in version 24: zero but for the fields given.
fn fixed_part(name: &str, values: &[(&str, u32)]) -> Vec<u8> {
    let layout = protocol::message_by_name(name)
        .and_then(|m| m.layout(24))
        .unwrap();
    let mut body = vec![0; usize::from(layout.size)];
    for (name, value) in values {
        let field = layout.fixed.iter().find(|f| f.name == *name).unwrap();
        let start = usize::from(field.offset);
        let size = usize::from(field.wire.size().unwrap());
        body[start..start + size].copy_from_slice(&value.to_be_bytes()[4 - size..]);
    }
    body
}

fn info(no: u64, bytes: &[u8]) -> MessageInfo {
    let number = MessageType(u32::from_be_bytes(bytes[4..8].try_into().unwrap()));
    let message = protocol::message(number);
    let direction = match message.map(|m| m.sender) {
        Some(protocol::Sender::Client) => Direction::ClientToServer,
        _ => Direction::ServerToClient,
    };
    MessageInfo {
        no,
        time: at(i64::try_from(no).unwrap() * 10),
        peers: peers(),
        direction,
        packets: vec![
            PacketId {
                input: 0,
                number: 41,
            },
            PacketId {
                input: 1,
                number: 42,
            },
        ],
        version: ProtocolVersion(24),
        version_source: VersionSource::Stated,
        number,
        message,
        answers: None,
        outcome: None,
        findings: Vec::new(),
        first_of_session: false,
    }
}

fn part(no: u64, name: &str) -> Part {
    let message: &'static Message = protocol::message_by_name(name).unwrap();
    Part {
        no,
        number: message.number,
        message: Some(message),
        time: at(0),
    }
}

fn render_with(options: TextOptions, record: Record<'_>, hints: Hints) -> String {
    let mut out = Vec::new();
    TextRenderer::new(options).record(record, hints, &mut Scratch::new(), &mut out);
    String::from_utf8(out).unwrap()
}

/// The line of a record, without a date line before it.
fn line(record: Record<'_>) -> String {
    let hints = Hints {
        previous: Some(at(0)),
        change: None,
    };
    render_with(TextOptions::default(), record, hints)
}

fn open_req() -> Vec<u8> {
    let mut body = body(&[1, 24, 240, u32::MAX, 0x10 | 0x08, 0, 0, 0, 0, 0, 0]);
    body.extend(field(1, b"Finesse\0"));
    body.extend(field(2, b"s3cret!\0"));
    message(3, &body)
}

fn failure_code() -> FailureCode {
    FailureCode {
        code: 7,
        table: protocol::value_table("ControlFailureCode"),
        peripheral_error: Some(13),
    }
}

#[test]
fn a_session_opens() {
    let bytes = open_req();
    let mut info = info(1, &bytes);
    info.first_of_session = true;
    insta::assert_snapshot!(line(Record::Message(&info, &bytes)), @"#1    10:15:01.213417  S1  10.0.1.10:50412 → 10.0.0.5:42027  OPEN_REQ   v24 ClientID=Finesse ServicesRequested=CONNECTION_MONITOR|ALL_EVENTS IdleTimeout=240");
}

#[test]
fn a_request_and_its_confirmation() {
    let mut body = fixed_part(
        "SET_AGENT_STATE_REQ",
        &[("InvokeID", 7), ("PeripheralID", 5000), ("AgentState", 3)],
    );
    body.extend(field(5, b"1001\0"));
    let bytes = message(38, &body);
    let mut request = info(17, &bytes);
    request.outcome = Some(Outcome {
        kind: OutcomeKind::Confirmed,
        answer: Some(part(18, "SET_AGENT_STATE_CONF")),
        latency: Some(34_085_000),
        failure: None,
    });
    let bytes_conf = message(39, &[0, 0, 0, 7]);
    let mut confirmation = info(18, &bytes_conf);
    confirmation.answers = Some(Answer {
        request: part(17, "SET_AGENT_STATE_REQ"),
        latency: 34_085_000,
        kind: OutcomeKind::Confirmed,
        failure: None,
    });
    let both = line(Record::Message(&request, &bytes))
        + &line(Record::Message(&confirmation, &bytes_conf));
    insta::assert_snapshot!(both, @r#"
    #17   10:15:01.373417  S1  →  SET_AGENT_STATE_REQ    invoke=7 AgentID=1001 AgentState=AVAILABLE  ⇒ #18 +34.1ms
    #18   10:15:01.383417  S1  ←  SET_AGENT_STATE_CONF   invoke=7  ↩ #17 +34.1ms
    "#);
}

#[test]
fn every_outcome_has_its_words() {
    let bytes = message(5, &[0, 0, 0, 12]);
    let mut all = String::new();
    for kind in [
        OutcomeKind::Confirmed,
        OutcomeKind::Failed,
        OutcomeKind::Late,
        OutcomeKind::WrongAnswer,
        OutcomeKind::Unanswered,
        OutcomeKind::NotExpected,
        OutcomeKind::NotJudged,
        OutcomeKind::SessionEnded,
        OutcomeKind::CaptureEnded,
        OutcomeKind::NoRequest,
    ] {
        let answered = matches!(
            kind,
            OutcomeKind::Confirmed
                | OutcomeKind::Failed
                | OutcomeKind::Late
                | OutcomeKind::WrongAnswer
        );
        let mut info = info(40, &bytes);
        info.outcome = Some(Outcome {
            kind,
            answer: answered.then(|| part(41, "SET_AGENT_STATE_CONF")),
            latency: answered.then_some(340_000),
            failure: (kind == OutcomeKind::Failed).then(failure_code),
        });
        all += &line(Record::Message(&info, &bytes))[27..];
    }
    insta::assert_snapshot!(all, @r#"
    →  HEARTBEAT_REQ          invoke=12  ⇒ #41 +340µs
    →  HEARTBEAT_REQ          invoke=12  ⇒ #41 FAILED CF_INVALID_FORWARDING_DESTINATION PeripheralErrorCode=13
    →  HEARTBEAT_REQ          invoke=12  ⇒ #41 +340µs late
    →  HEARTBEAT_REQ          invoke=12  ⇒ #41 WRONG ANSWER SET_AGENT_STATE_CONF
    →  HEARTBEAT_REQ          invoke=12  ⇒ unanswered
    →  HEARTBEAT_REQ          invoke=12  ⇒ no answer due
    →  HEARTBEAT_REQ          invoke=12  ⇒ no answer captured (capture incomplete)
    →  HEARTBEAT_REQ          invoke=12  ⇒ no answer before the session ended
    →  HEARTBEAT_REQ          invoke=12  ⇒ no answer before the capture ended
    →  HEARTBEAT_REQ          invoke=12
    "#);
}

#[test]
fn every_answer_has_its_words() {
    let mut body = body(&[9]);
    body.extend([0, 7, 0, 0, 0, 13]);
    let bytes = message(35, &body);
    let mut all = String::new();
    for kind in [
        OutcomeKind::Confirmed,
        OutcomeKind::Failed,
        OutcomeKind::Late,
        OutcomeKind::WrongAnswer,
        OutcomeKind::NoRequest,
    ] {
        let mut info = info(31, &bytes);
        info.answers = Some(Answer {
            request: part(29, "ANSWER_CALL_REQ"),
            latency: 1_200_000,
            kind,
            failure: (kind == OutcomeKind::Failed).then(failure_code),
        });
        all += &line(Record::Message(&info, &bytes))[27..];
    }
    insta::assert_snapshot!(all, @r#"
    ←  CONTROL_FAILURE_CONF   invoke=9  ↩ #29 +1.2ms  FailureCode=CF_INVALID_FORWARDING_DESTINATION PeripheralErrorCode=13
    ←  CONTROL_FAILURE_CONF   invoke=9  ↩ #29 ANSWER_CALL_REQ +1.2ms  FAILED CF_INVALID_FORWARDING_DESTINATION (bad forwarding destination) PeripheralErrorCode=13
    ←  CONTROL_FAILURE_CONF   invoke=9  ↩ #29 +1.2ms late  FailureCode=CF_INVALID_FORWARDING_DESTINATION PeripheralErrorCode=13
    ←  CONTROL_FAILURE_CONF   invoke=9  ↩ #29 ANSWER_CALL_REQ +1.2ms  WRONG ANSWER  FailureCode=CF_INVALID_FORWARDING_DESTINATION PeripheralErrorCode=13
    ←  CONTROL_FAILURE_CONF   invoke=9 FailureCode=CF_INVALID_FORWARDING_DESTINATION PeripheralErrorCode=13
    "#);
}

fn agent_state(state: u32) -> Vec<u8> {
    let mut body = fixed_part(
        "AGENT_STATE_EVENT",
        &[
            ("PeripheralID", 5000),
            ("AgentState", state),
            ("SkillGroupState", state),
            ("SkillGroupNumber", u32::MAX),
        ],
    );
    body.extend(field(5, b"1001\0"));
    message(30, &body)
}

#[test]
fn an_agents_change_of_state_is_told_with_its_duration() {
    let mut sequence = Sequence::new();
    let mut all = String::new();
    for (no, state, millis) in [(3, 2, 0), (4, 2, 5), (5, 3, 27_800)] {
        let bytes = agent_state(state);
        let mut info = info(no, &bytes);
        info.time = at(millis);
        let record = Record::Message(&info, &bytes);
        let mut hints = sequence.next(&record);
        hints.previous = hints.previous.or(Some(at(0)));
        all += &render_with(TextOptions::default(), record, hints);
    }
    insta::assert_snapshot!(all, @r#"
    #3    10:15:01.203417  S1  ←  AGENT_STATE_EVENT      AgentID=1001 AgentState=NOT_READY
    #4    10:15:01.208417  S1  ←  AGENT_STATE_EVENT      AgentID=1001 AgentState=NOT_READY
    #5    10:15:29.003417  S1  ←  AGENT_STATE_EVENT      AgentID=1001 NOT_READY → AVAILABLE (27.8s in NOT_READY)
    "#);
}

fn session() -> Session {
    Session {
        peers: peers(),
        connection: 1,
        server_by: ServerBy::Port,
        content: Content::Cti,
        version: Some(ProtocolVersion(15)),
        version_source: VersionSource::Stated,
        identity: Identity::default(),
        first: at(0),
        last: at(1000),
        counts: Counts {
            from_client: 60,
            from_server: 60,
            failed: 2,
            unanswered: 1,
            missing: 2920,
            skipped: 1,
            ..Counts::default()
        },
        close_status: Some(0),
        refused: None,
        end: Some(End::Reset(Side::First)),
        ended_by: Some(Direction::ClientToServer),
    }
}

#[test]
fn sessions_begin_and_end() {
    let mut all = String::new();
    for (content, source) in [
        (Content::Cti, VersionSource::Stated),
        (
            Content::Cti,
            VersionSource::Inferred {
                oldest: 14,
                newest: 15,
            },
        ),
        (Content::Cti, VersionSource::Undecided),
        (Content::Encrypted, VersionSource::Undecided),
        (Content::Nothing, VersionSource::Undecided),
    ] {
        let session = Session {
            content,
            version_source: source,
            ..session()
        };
        all += &line(Record::SessionBegan(&session));
    }
    all += &line(Record::SessionEnded(&session()));
    for end in [
        Some(End::Finished(Side::First)),
        Some(End::Replaced),
        Some(End::Evicted),
        Some(End::CaptureEnded),
        None,
    ] {
        let session = Session {
            end,
            close_status: None,
            refused: Some(36),
            counts: Counts {
                from_client: 1,
                ..Counts::default()
            },
            ..session()
        };
        all += &line(Record::SessionEnded(&session));
    }
    insta::assert_snapshot!(all, @r#"
    10:15:01.203417  S1  ··  10.0.1.10:50412 → 10.0.0.5:42027  no OPEN_REQ captured: version 14 to 15 inferred from the messages
    10:15:01.203417  S1  ··  10.0.1.10:50412 → 10.0.0.5:42027  no OPEN_REQ captured: the messages do not tell the version, 15 assumed
    10:15:01.203417  S1  ··  10.0.1.10:50412 → 10.0.0.5:42027  encrypted (TLS): its messages cannot be read
    10:15:01.203417  S1  ··  10.0.1.10:50412 → 10.0.0.5:42027  nothing that could be read as CTI
    10:15:02.203417  S1  ··  ended: reset by the client after CLOSE_REQ, 120 messages, 2 failed, 1 unanswered, 2920 bytes missing, 1 byte skipped
    10:15:02.203417  S1  ··  ended: closed by the client, 1 message, refused E_CTI_INVALID_PASSWORD
    10:15:02.203417  S1  ··  ended: replaced by a new connection of the same ports, 1 message, refused E_CTI_INVALID_PASSWORD
    10:15:02.203417  S1  ··  no longer followed: too many connections, 1 message, refused E_CTI_INVALID_PASSWORD
    10:15:02.203417  S1  ··  still open when the capture ended, 1 message, refused E_CTI_INVALID_PASSWORD
    10:15:02.203417  S1  ··  ended: the connection goes on with a new session, 1 message, refused E_CTI_INVALID_PASSWORD
    "#);
}

#[test]
fn breaks_tell_what_is_missing() {
    let mut all = String::new();
    for (cause, missing, skipped, resumed) in [
        (BreakCause::Gap, 2920, 212, true),
        (BreakCause::Gap, 1, 0, true),
        (BreakCause::Gap, 2920, 0, false),
        (BreakCause::Gap, 2920, 7, false),
        (BreakCause::Gap, 0, 7, false),
        (BreakCause::MidStream, 0, 37, true),
        (BreakCause::MidStream, 0, 37, false),
        (BreakCause::BadHeader, 0, 1, false),
        (BreakCause::BadHeader, 20, 16, true),
    ] {
        let record = BreakRecord {
            peers: peers(),
            direction: Direction::ServerToClient,
            details: Break {
                cause,
                time: at(0),
                missing,
                skipped,
                resumed,
            },
        };
        all += &line(Record::Break(&record));
    }
    insta::assert_snapshot!(all, @r#"
    10:15:01.203417  S1  ··  gap: 2920 bytes from the server missing; resumed after skipping 212 bytes
    10:15:01.203417  S1  ··  gap: 1 byte from the server missing; resumed at once
    10:15:01.203417  S1  ··  gap: 2920 bytes from the server missing; no message found after it
    10:15:01.203417  S1  ··  gap: 2920 bytes from the server missing; no message found in 7 bytes
    10:15:01.203417  S1  ··  ends inside a message from the server: 7 bytes of it captured
    10:15:01.203417  S1  ··  starts in mid-stream: 37 bytes from the server skipped
    10:15:01.203417  S1  ··  starts in mid-stream: 37 bytes from the server skipped; no message found
    10:15:01.203417  S1  ··  bad header from the server; no message found in 1 byte
    10:15:01.203417  S1  ··  bad header from the server; 20 bytes missing; resumed after skipping 16 bytes
    "#);
}

#[test]
fn notices_and_exchanges() {
    let mut notice = Notice {
        code: Code::OneDirection,
        text: "only one \x1b[31mdirection".to_owned(),
        time: Some(at(0)),
        session: Some(12),
    };
    let mut all = line(Record::Notice(&notice));
    (notice.code, notice.time, notice.session) = (Code::CaptureCutOff, None, None);
    all += &line(Record::Notice(&notice));
    notice.code = Code::VersionInferred;
    all += &line(Record::Notice(&notice));
    let exchange = Exchange {
        session: 1,
        asked: Direction::ClientToServer,
        invoke_id: 1,
        request: None,
        outcome: Outcome {
            kind: OutcomeKind::NoRequest,
            answer: None,
            latency: None,
            failure: None,
        },
        time: at(0),
    };
    all += &line(Record::Exchange(&exchange));
    insta::assert_snapshot!(all, @r#"
    10:15:01.203417  S12 ··  info one_direction: only one \x1b[31mdirection
                         ··  warn capture_cut_off: only one \x1b[31mdirection
    "#);
}

#[test]
fn unknown_types_and_findings() {
    let bytes = message(999, &[1, 2, 3]);
    let mut info = info(9, &bytes);
    info.first_of_session = true;
    info.version_source = VersionSource::Inferred {
        oldest: 14,
        newest: 15,
    };
    info.findings = vec![
        Finding::new(Code::InvokeIdReused, "InvokeID 7 is that of #3"),
        Finding::new(Code::ForeignTag, "for details only"),
    ];
    insta::assert_snapshot!(line(Record::Message(&info, &bytes)), @"#9    10:15:01.293417  S1  10.0.1.10:50412 ← 10.0.0.5:42027  TYPE_999   v14–15 inferred  3 bytes not decoded  ! invoke_id_reused InvokeID 7 is that of #3 (+1 more)");
}

#[test]
fn events_show_what_matters() {
    let mut call = fixed_part(
        "CALL_DELIVERED_EVENT",
        &[
            ("ConnectionCallID", 16_777_235),
            ("LocalConnectionState", 2),
            ("EventCause", 0xFFFF),
            ("SkillGroupNumber", u32::MAX),
        ],
    );
    let alerting = protocol::message_by_name("CALL_DELIVERED_EVENT").unwrap();
    for usage in alerting.floating.iter().take(3) {
        call.extend(field(usage.field.tag, b"1001\0"));
    }
    let call = message(alerting.number.0, &call);
    let failure = message(2, &body(&[15]));
    let unpublished = protocol::messages().iter().find(|m| !m.published).unwrap();
    let found = message(unpublished.number.0, &field(5, b"two words\0"));
    let mut all = String::new();
    for bytes in [call, failure, found] {
        let info = info(23, &bytes);
        all += &line(Record::Message(&info, &bytes))[27..];
    }
    insta::assert_snapshot!(all, @r#"
    ←  CALL_DELIVERED_EVENT   call=16777235 ANI=1001 DNIS=1001 state=ALERTING
    ←  FAILURE_EVENT          Status=E_CTI_CTI_SERVER_OFFLINE
    ←  SUPERVISOR_ASSIST_EVENT  AgentID="two words"
    "#);
}

#[test]
fn detail_shows_every_kind_of_value() {
    let mut begin = fixed_part(
        "BEGIN_CALL_EVENT",
        &[
            ("NumNamedVariables", 1),
            ("NumNamedArrays", 1),
            ("CallType", 9999),
        ],
    );
    begin.extend(field(82, b"user.x\0a value\0"));
    begin.extend(field(83, b"\x03user.list\0\x1b[2J\0"));
    begin.extend(field(301, b"\x01\x02"));
    begin.extend([0, 5, 0]);
    let number = protocol::message_by_name("BEGIN_CALL_EVENT")
        .unwrap()
        .number;
    let bytes = message(number.0, &begin);
    let info = info(23, &bytes);
    let options = TextOptions {
        detail: true,
        ..TextOptions::default()
    };
    let hints = Hints {
        previous: Some(at(0)),
        change: None,
    };
    let text = render_with(options, Record::Message(&info, &bytes), hints);
    insta::assert_snapshot!(text, @r#"
    #23   10:15:01.433417  S1  ←  BEGIN_CALL_EVENT       call=0 CallType=9999  ! unknown_tag tag 301 is not in the protocol tables (+1 more)
          2026-11-23T10:15:01.433417000Z, packets 41 42, version 24 (open_req)
          event from the server: A call became associated with the CTI client; carries the initial call context
          Header
              0  MessageLength                     74
              4  MessageType                       23  BEGIN_CALL_EVENT
          Fixed part, 26 bytes
              8  MonitorID                         0  no monitor
             12  PeripheralID                      0
             16  PeripheralType                    0  not in the table
             18  NumCTIClients                     0
             20  NumNamedVariables                 1
             22  NumNamedArrays                    1
             24  CallType                          9999  not in the table
             26  ConnectionDeviceIDType            0  CONNECTION_ID_STATIC  id keeps its value between calls
             28  ConnectionCallID                  0
             32  CalledPartyDisposition            0  not in the table
          Floating part, 45 bytes
             34  NamedVariable (tag 82)            user.x = "a value"
             53  NamedArray (tag 83)               user.list[3] = "\x1b[2J"
             73  unknown field (tag 301)           0102
          Not decoded, 3 bytes
             79  bytes                             000500
          Findings
             16  info unknown_value: PeripheralType 0 (0x0) is not in the table PeripheralType
                 Check the sender's release; the number is shown.
             24  info unknown_value: CallType 9999 (0x270F) is not in the table CallType
                 Check the sender's release; the number is shown.
             32  info unknown_value: CalledPartyDisposition 0 (0x0) is not in the table DispositionCode
                 Check the sender's release; the number is shown.
             73  warn unknown_tag: tag 301 is not in the protocol tables
                 Check the sender's release; the data is shown raw.
             79  warn unread_bytes: 3 bytes could not be decoded
                 They are shown raw with their offset; suspect another protocol version.
    "#);
}

#[test]
fn detail_and_hex() {
    let bytes = open_req();
    let mut info = info(1, &bytes);
    info.findings = vec![Finding::at(Code::VersionUnknown, 12, "just to show one")];
    let options = TextOptions {
        detail: true,
        hex: true,
        several_inputs: true,
        ..TextOptions::default()
    };
    let text = render_with(options, Record::Message(&info, &bytes), Hints::default());
    insta::assert_snapshot!(text, @r#"
    -- 2026-11-23 --
    #1    10:15:01.213417  S1  →  OPEN_REQ               v24 ClientID=Finesse ServicesRequested=CONNECTION_MONITOR|ALL_EVENTS IdleTimeout=240  ! version_unknown just to show one
          2026-11-23T10:15:01.213417000Z, packets 1:41 2:42, version 24 (open_req)
          request from the client: Open a session: protocol version, wanted services, event masks and identity
          Header
              0  MessageLength                     68
              4  MessageType                       3  OPEN_REQ
          Fixed part, 44 bytes
              8  InvokeID                          1
             12  VersionNumber                     24
             16  IdleTimeout                       240
             20  PeripheralID                      4294967295  NULL_PERIPHERAL_ID  no peripheral
             24  ServicesRequested                 0x18
                                                   0x08  CTI_SERVICE_CONNECTION_MONITOR  session open and close raise alarm events
                                                   0x10  CTI_SERVICE_ALL_EVENTS  call and agent events of every ACD phone
             28  CallMsgMask                       0x0
             32  AgentStateMask                    0x0
             36  ConfigMsgMask                     0x0
             40  Reserved1                         0
             44  Reserved2                         0
             48  Reserved3                         0
          Floating part, 24 bytes
             52  ClientID (tag 1)                  "Finesse"
             64  ClientPassword (tag 2)            ********
          Findings
             12  warn version_unknown: just to show one
                 Decoded with the nearest known version.
              0  00 00 00 44 00 00 00 03  00 00 00 01 00 00 00 18  |...D............|
             16  00 00 00 f0 ff ff ff ff  00 00 00 18 00 00 00 00  |................|
             32  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
             48  00 00 00 00 00 01 00 08  46 69 6e 65 73 73 65 00  |........Finesse.|
             64  00 02 00 08 ** ** ** **  ** ** ** **              |....********|
    "#);
}

#[test]
fn times_in_all_modes() {
    let bytes = message(6, &[0, 0, 0, 1]);
    let info = info(2, &bytes);
    let new_york = jiff::tz::TimeZone::fixed(jiff::tz::offset(-5));
    let mut all = String::new();
    for time in [
        TimeMode::Absolute(jiff::tz::TimeZone::UTC),
        TimeMode::Absolute(new_york),
        TimeMode::Relative(at(0)),
        TimeMode::Delta,
        TimeMode::Epoch,
    ] {
        let options = TextOptions {
            time,
            ..TextOptions::default()
        };
        for previous in [None, Some(at(15)), Some(at(25))] {
            let hints = Hints {
                previous,
                change: None,
            };
            all += &render_with(options.clone(), Record::Message(&info, &bytes), hints);
        }
    }
    insta::assert_snapshot!(all, @r#"
    -- 2026-11-23 --
    #2    10:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    10:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    10:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    -- 2026-11-23 --
    #2    05:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    05:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    05:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2        0.020000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2        0.020000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2        0.020000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2       +0.000000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2       +0.005000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2       -0.005000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    1795428901.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    1795428901.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    1795428901.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    "#);
}

#[test]
fn durations_are_short() {
    let mut out = Vec::new();
    let mut pen = Pen {
        out: &mut out,
        colour: false,
        ascii: false,
    };
    for nanos in [
        0,
        850,
        340_000,
        999_499,
        999_500,
        4_700_000,
        999_949_999,
        999_950_000,
        27_800_000_000,
        59_949_999_999,
        59_960_000_000,
        192_000_000_000,
        3_599_600_000_000,
        7_500_000_000_000,
        360_000_000_000_000,
        -4_700_000,
        i64::MIN,
    ] {
        clock::duration(&mut pen, nanos);
        pen.put(" ");
    }
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @"0µs 850ns 340µs 999µs 1.0ms 4.7ms 999.9ms 1.0s 27.8s 59.9s 1m00s 3m12s 1h00m 2h05m 4d04h -4.7ms -106751d23h");
}

#[test]
fn hostile_text_is_escaped() {
    let show = |text: &[u8], ascii| {
        let mut out = Vec::new();
        let mut pen = Pen {
            out: &mut out,
            colour: false,
            ascii,
        };
        pen.word(text, 80);
        String::from_utf8(out).unwrap()
    };
    for (text, expected) in [
        (&b"plain"[..], "plain"),
        (b"two words", "\"two words\""),
        (b"\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f"),
        (b"a\r\nb\0c\t", "a\\r\\nb\\x00c\\t"),
        (b"say \"\\\"", "\"say \\\"\\\\\\\"\""),
        (b"CORP\\x1b", "CORP\\\\x1b"),
        (b"\xff\xc3(", "\\xff\\xc3("),
        ("\u{202e}evil\u{2066}".as_bytes(), "\\u{202e}evil\\u{2066}"),
        ("\u{85}\u{9b}31m".as_bytes(), "\\u{0085}\\u{009b}31m"),
        (
            "\u{200b}\u{feff}\u{a0}".as_bytes(),
            "\\u{200b}\\u{feff}\\u{00a0}",
        ),
        ("\u{e0041}".as_bytes(), "\\u{e0041}"),
        ("J\u{fc}rgen".as_bytes(), "J\u{fc}rgen"),
    ] {
        assert_eq!(show(text, false), expected);
        assert!(show(text, true).bytes().all(|b| matches!(b, 0x20..=0x7e)));
    }
    assert_eq!(show("J\u{fc}rgen".as_bytes(), true), "J\\u{00fc}rgen");
    let long = "\u{fc}".repeat(100);
    let cut = show(long.as_bytes(), false);
    assert_eq!(cut, format!("{}\u{2026}", "\u{fc}".repeat(40)));
    assert!(show(&[0x80; 100], false).ends_with("\\x80\u{2026}"));
}

/// The messages of an independent codec: version and bytes.
fn vectors() -> Vec<(u32, Vec<u8>)> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/vectors/messages.ndjson"
    );
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let hex = record["hex"].as_str().unwrap();
            let bytes = (0..hex.len())
                .step_by(2)
                .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
                .collect();
            let version = record["version"].as_u64().unwrap();
            (version.try_into().unwrap(), bytes)
        })
        .collect()
}

fn modes() -> Vec<TextOptions> {
    let mut modes = Vec::new();
    for (detail, hex) in [(false, false), (true, false), (false, true), (true, true)] {
        for ascii in [false, true] {
            modes.push(TextOptions {
                ascii,
                detail,
                hex,
                ..TextOptions::default()
            });
        }
    }
    modes
}

/// Lines without control characters, and without anything but ASCII where that is asked for.
fn assert_clean(text: &str, ascii: bool, label: &str) {
    assert!(text.ends_with('\n'), "{label}");
    for line in text.lines() {
        assert!(!line.chars().any(char::is_control), "{label}: {line:?}");
        assert!(!ascii || line.is_ascii(), "{label}: {line:?}");
        assert!(!line.ends_with(' '), "{label}: {line:?}");
    }
}

#[test]
fn all_vectors_render_cleanly_in_all_modes_and_cut_anywhere() {
    for (version, bytes) in vectors() {
        let step = (bytes.len() / 7).max(1);
        let ends = (HEADER_LEN..bytes.len()).step_by(step).chain([bytes.len()]);
        for end in ends {
            let mut info = info(1, &bytes);
            info.version = ProtocolVersion(version);
            info.first_of_session = end == bytes.len();
            for options in modes() {
                let ascii = options.ascii;
                let record = Record::Message(&info, &bytes[..end]);
                let text = render_with(options, record, Hints::default());
                assert_clean(&text, ascii, info.message.unwrap().name);
            }
        }
    }
}

/// Every floating field of every message filled with hostile text.
#[test]
fn hostile_fields_never_reach_the_terminal() {
    let hostile = "\x1b]0;x\x07\u{202e}\u{9b}1m \"\\\r\n\u{2028}";
    for message_definition in protocol::messages() {
        let Some(layout) = message_definition.layout(24) else {
            continue;
        };
        let mut body = vec![0xFF; usize::from(layout.size)];
        for usage in message_definition.floating {
            body.extend(field(usage.field.tag, hostile.as_bytes()));
        }
        body.extend(field(0x7FFF, hostile.as_bytes()));
        let bytes = message(message_definition.number.0, &body);
        let info = info(1, &bytes);
        for options in modes() {
            let ascii = options.ascii;
            let text = render_with(options, Record::Message(&info, &bytes), Hints::default());
            assert_clean(&text, ascii, message_definition.name);
            assert!(!text.contains(['\u{202e}', '\u{2028}']));
        }
    }
}

/// A message read by rules that are not its own: the password may turn up as the data of any tag, or as no field at all.
#[test]
fn secrets_stay_secret_when_the_version_is_wrong() {
    let mut body = vec![0; 44];
    body.extend([0, 0]);
    body.extend(field(0x0700, b"abcdefghij\0"));
    let wide = message(3, &body);
    body.truncate(44);
    body.extend([2, 11]);
    body.extend(b"abcdefghij\0");
    for bytes in [wide, message(3, &body)] {
        for version in [15, 24] {
            let mut info = info(1, &bytes);
            info.version = ProtocolVersion(version);
            for options in modes() {
                let record = Record::Message(&info, &bytes);
                let text = render_with(options, record, Hints::default());
                for shown in ["abcd", "efgh", "61626364", "61 62 63 64", "65 66 67 68"] {
                    assert!(!text.contains(shown), "{text}");
                }
            }
        }
    }
}

/// Whatever the cut, no four bytes of a password appear, neither as text nor as hex.
#[test]
fn secrets_never_appear() {
    for (number, tag) in [(3, 2), (3, 49), (38, 49)] {
        let layout = protocol::message(MessageType(number))
            .and_then(|m| m.layout(24))
            .unwrap();
        let mut body = vec![0; usize::from(layout.size)];
        body.extend(field(5, b"1001\0"));
        body.extend(field(tag, b"abcdefghij\0"));
        let bytes = message(number, &body);
        for end in HEADER_LEN..=bytes.len() {
            let info = info(1, &bytes);
            for mut options in modes() {
                let record = Record::Message(&info, &bytes[..end]);
                let text = render_with(options.clone(), record, Hints::default());
                for shown in ["abcd", "efgh", "61626364", "61 62 63 64", "65 66 67 68"] {
                    assert!(!text.contains(shown), "{number} cut to {end}: {text}");
                }
                options.show_secrets = true;
                if (options.detail || options.hex) && end == bytes.len() {
                    let text = render_with(options, record, Hints::default());
                    assert!(
                        text.contains("abcdefghij")
                            || text.contains("|abcd")
                            || text.contains("61 62"),
                        "{text}"
                    );
                }
            }
        }
    }
}

#[test]
fn colours_are_switched_off_again_and_change_no_text() {
    for (version, bytes) in vectors() {
        let mut info = info(1, &bytes);
        info.version = ProtocolVersion(version);
        let options = TextOptions {
            detail: true,
            hex: true,
            ..TextOptions::default()
        };
        let record = Record::Message(&info, &bytes);
        let plain = render_with(options.clone(), record, Hints::default());
        let options = TextOptions {
            colour: true,
            ..options
        };
        let coloured = render_with(options, record, Hints::default());
        let mut stripped = String::new();
        for (index, piece) in coloured.split('\x1b').enumerate() {
            stripped += if index == 0 {
                piece
            } else {
                piece.split_once('m').unwrap().1
            };
        }
        assert_eq!(stripped, plain);
    }
}
