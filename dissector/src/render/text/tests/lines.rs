//! The lines of messages and between them.

use super::*;
use crate::correlate::{Answer, Exchange, Outcome, OutcomeKind};
use crate::finding::{Code, Finding};
use crate::framing::{Break, BreakCause};
use crate::reassembly::{End, Side};
use crate::record::{BreakRecord, Notice};
use crate::session::{Content, Counts, Identity, ServerBy, Session};

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
    for kind in OutcomeKind::ALL {
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
        (BreakCause::CutMessage, 0, 7, false),
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
                within_message: false,
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
