//! Segments in, records out: sessions, versions, exchanges, order.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod generate;

use cti_dissector::Timestamp;
use cti_dissector::capture::{Flags, PacketId, Segment};
use cti_dissector::conversation::{Conversations, Options, Totals};
use cti_dissector::correlate::{Exchange, OutcomeKind};
use cti_dissector::decode::Decoder;
use cti_dissector::encode::{Draft, Value};
use cti_dissector::finding::Code;
use cti_dissector::limits;
use cti_dissector::ports::Ports;
use cti_dissector::protocol::{Kind, Message, ProtocolVersion, Sender};
use cti_dissector::record::{Direction, MessageInfo, Record, Sink};
use cti_dissector::session::{Content, Session, VersionSource};
use generate::{Generated, Random, Wish, published, versions};
use std::net::SocketAddr;
use std::time::Duration;

/// A record, kept.
#[derive(Debug)]
enum Note {
    Message(Box<MessageInfo>, Vec<u8>),
    Exchange(Box<Exchange>),
    Began,
    Ended(Box<Session>),
    Break,
    Notice(Code),
}

#[derive(Default)]
struct Notes(Vec<Note>);

impl Sink for Notes {
    fn record(&mut self, record: Record<'_>) {
        self.0.push(match record {
            Record::Message(info, bytes) => Note::Message(Box::new(info.clone()), bytes.to_vec()),
            Record::Exchange(exchange) => Note::Exchange(Box::new(exchange.clone())),
            Record::SessionBegan(_) => Note::Began,
            Record::SessionEnded(session) => Note::Ended(Box::new(session.clone())),
            Record::Break(_) => Note::Break,
            Record::Notice(notice) => Note::Notice(notice.code),
            other => panic!("{other:?} is new"),
        });
    }
}

/// What was told of a conversation.
struct Story {
    notes: Vec<Note>,
    totals: Totals,
}

impl Story {
    fn messages(&self) -> impl Iterator<Item = (&MessageInfo, &[u8])> {
        self.notes.iter().filter_map(|n| match n {
            Note::Message(info, bytes) => Some((&**info, bytes.as_slice())),
            _ => None,
        })
    }

    fn names(&self) -> Vec<&str> {
        self.messages()
            .map(|(info, _)| info.message.map_or("?", |m| m.name))
            .collect()
    }

    /// Numbers of request and answer, and what became of it.
    fn exchanges(&self) -> Vec<(Option<u64>, Option<u64>, OutcomeKind)> {
        let exchanges = self.notes.iter().filter_map(|n| match n {
            Note::Exchange(e) => Some(e),
            _ => None,
        });
        exchanges
            .map(|e| {
                (
                    e.request.map(|p| p.no),
                    e.outcome.answer.map(|p| p.no),
                    e.outcome.kind,
                )
            })
            .collect()
    }

    fn ended(&self) -> Vec<&Session> {
        let ended = self.notes.iter().filter_map(|n| match n {
            Note::Ended(session) => Some(&**session),
            _ => None,
        });
        ended.collect()
    }

    fn notices(&self) -> Vec<Code> {
        let notices = self.notes.iter().filter_map(|n| match n {
            Note::Notice(code) => Some(*code),
            _ => None,
        });
        notices.collect()
    }

    fn breaks(&self) -> usize {
        let is_break = |n: &&Note| matches!(n, Note::Break);
        self.notes.iter().filter(is_break).count()
    }

    /// Findings of message number `no`.
    fn codes(&self, no: u64) -> Vec<Code> {
        let (info, _) = self.messages().find(|(info, _)| info.no == no).unwrap();
        info.findings.iter().map(|f| f.code).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}
use Side::{Client, Server};

/// A TCP connection whose segments are made by hand.
struct Wire {
    conversations: Conversations<Notes>,
    client: SocketAddr,
    server: SocketAddr,
    sequences: [u32; 2],
    millis: i64,
    packet: u64,
}

impl Wire {
    fn with(options: Options) -> Self {
        Self {
            conversations: Conversations::new(options, Notes::default()),
            client: "10.0.1.10:50412".parse().unwrap(),
            server: "10.0.0.5:42027".parse().unwrap(),
            sequences: [1000, 9000],
            millis: 0,
            packet: 0,
        }
    }

    fn new() -> Self {
        Self::with(Options::default())
    }

    fn send(&mut self, from: Side, flags: Flags, payload: &[u8]) {
        self.millis += 1;
        self.packet += 1;
        let (source, destination) = match from {
            Client => (self.client, self.server),
            Server => (self.server, self.client),
        };
        let (own, other) = match from {
            Client => (0, 1),
            Server => (1, 0),
        };
        self.conversations.segment(&Segment {
            packet: PacketId {
                input: 0,
                number: self.packet,
            },
            time: Timestamp::from_nanos(self.millis * 1_000_000),
            source,
            destination,
            sequence: self.sequences[own],
            acknowledgment: self.sequences[other],
            flags,
            window: 60_000,
            payload,
            missing: 0,
        });
        let length = u32::try_from(payload.len()).unwrap();
        let length = length + u32::from(flags.syn) + u32::from(flags.fin);
        self.sequences[own] = self.sequences[own].wrapping_add(length);
    }

    fn open(&mut self) -> &mut Self {
        let syn = Flags {
            syn: true,
            ..Flags::default()
        };
        self.send(Client, syn, &[]);
        self.send(Server, Flags { ack: true, ..syn }, &[]);
        self.send(Client, ACK, &[]);
        self
    }

    fn say(&mut self, from: Side, bytes: &[u8]) -> &mut Self {
        self.send(from, ACK, bytes);
        self
    }

    /// Sent, acknowledged, and not in the capture.
    fn lose(&mut self, from: Side, bytes: &[u8]) -> &mut Self {
        let index = usize::from(from == Server);
        let length = u32::try_from(bytes.len()).unwrap();
        self.sequences[index] = self.sequences[index].wrapping_add(length);
        let other = if from == Client { Server } else { Client };
        self.send(other, ACK, &[]);
        self
    }

    fn wait(&mut self, millis: i64) -> &mut Self {
        self.millis += millis;
        self
    }

    /// Time passes with traffic that means nothing, so that what is overdue comes out.
    fn idle(&mut self, millis: i64) -> &mut Self {
        self.wait(millis).send(Client, ACK, &[]);
        self
    }

    fn reset(&mut self) -> &mut Self {
        let flags = Flags { rst: true, ..ACK };
        self.send(Client, flags, &[]);
        self
    }

    fn end(self) -> Story {
        let (notes, totals) = self.conversations.finish();
        Story {
            notes: notes.0,
            totals,
        }
    }
}

const ACK: Flags = Flags {
    syn: false,
    fin: false,
    rst: false,
    ack: true,
};

fn message_at(version: u32, name: &str, fields: &[(&str, Value)]) -> Vec<u8> {
    let mut draft = Draft::new(name, ProtocolVersion(version)).unwrap();
    for (field, value) in fields {
        draft.set(field, value).unwrap();
    }
    draft.encode().unwrap()
}

fn message(name: &str, fields: &[(&str, Value)]) -> Vec<u8> {
    message_at(24, name, fields)
}

/// A message with nothing but its InvokeID.
fn invoke(name: &str, id: i64) -> Vec<u8> {
    message(name, &[("InvokeID", id.into())])
}

fn open_req(version: u32) -> Vec<u8> {
    let fields = [
        ("InvokeID", 1.into()),
        ("VersionNumber", i64::from(version).into()),
        ("IdleTimeout", 20.into()),
        ("ClientID", "Finesse".into()),
        ("ClientPassword", "".into()),
    ];
    message_at(version, "OPEN_REQ", &fields)
}

fn open_conf(version: u32, services: i64) -> Vec<u8> {
    let fields = [("InvokeID", 1.into()), ("ServicesGranted", services.into())];
    message_at(version, "OPEN_CONF", &fields)
}

/// A session of version 24 that has been opened; messages 1 and 2.
fn opened_with(options: Options) -> Wire {
    let mut wire = Wire::with(options);
    wire.open();
    wire.say(Client, &open_req(24))
        .say(Server, &open_conf(24, 0x16));
    wire
}

fn opened() -> Wire {
    opened_with(Options::default())
}

use OutcomeKind::{
    CaptureEnded, Confirmed, Failed, Late, NoRequest, NotExpected, NotJudged, SessionEnded,
    Unanswered, WrongAnswer,
};

const OPENED: (Option<u64>, Option<u64>, OutcomeKind) = (Some(1), Some(2), Confirmed);

#[test]
fn a_request_is_paired_with_its_confirmation() {
    let mut wire = opened();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7)).wait(33);
    wire.say(Server, &invoke("HEARTBEAT_CONF", 7));
    let story = wire.end();
    assert_eq!(story.exchanges(), [OPENED, (Some(3), Some(4), Confirmed)]);
    let (info, _) = story.messages().last().unwrap();
    let answer = info.answers.unwrap();
    assert_eq!((answer.request.no, answer.latency), (3, 34_000_000));
    assert_eq!(info.direction, Direction::ServerToClient);
    assert_eq!((story.totals.requests, story.totals.failed), (2, 0));
}

#[test]
fn both_sides_may_ask_with_the_same_invoke_id() {
    let mut wire = opened();
    wire.say(Client, &invoke("QUERY_AGENT_STATE_REQ", 7));
    wire.say(Server, &invoke("ACTIVE_MAINTENANCE_REQ_MSG", 7));
    wire.say(Server, &invoke("QUERY_AGENT_STATE_CONF", 7));
    wire.say(Client, &invoke("ACTIVE_MAINTENANCE_RESP_MSG", 7));
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), Some(5), Confirmed),
            (Some(4), Some(6), Confirmed)
        ]
    );
}

#[test]
fn failures_carry_their_code() {
    let mut wire = opened();
    wire.say(Client, &invoke("ANSWER_CALL_REQ", 2));
    let fields = [
        ("InvokeID", 2.into()),
        ("FailureCode", "CF_INVALID_CSTA_CALL_IDENTIFIER".into()),
        ("PeripheralErrorCode", 13029.into()),
    ];
    wire.say(Server, &message("CONTROL_FAILURE_CONF", &fields));
    wire.say(Client, &invoke("HOLD_CALL_REQ", 3));
    let fields = [
        ("InvokeID", 3.into()),
        ("Status", "E_CTI_INVALID_PASSWORD".into()),
    ];
    wire.say(Server, &message("FAILURE_CONF", &fields));
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), Some(4), Failed),
            (Some(5), Some(6), Failed)
        ]
    );
    let failures: Vec<_> = story
        .messages()
        .filter_map(|(info, _)| info.answers?.failure)
        .map(|f| {
            (
                f.table.unwrap().get(f.code).unwrap().text,
                f.peripheral_error,
            )
        })
        .collect();
    assert_eq!(
        failures,
        [
            ("CF_INVALID_CSTA_CALL_IDENTIFIER", Some(13029)),
            ("E_CTI_INVALID_PASSWORD", None)
        ]
    );
    assert_eq!(story.totals.failed, 2);
}

#[test]
fn a_request_without_answer_is_told_after_the_reply_wait() {
    let mut wire = opened_with(Options {
        reply_wait: Duration::from_secs(5),
        ..Options::default()
    });
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7));
    wire.idle(4_900).idle(200);
    // Late, but recognised.
    wire.say(Server, &invoke("HEARTBEAT_CONF", 7));
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), None, Unanswered),
            (Some(3), Some(4), Late)
        ]
    );
    assert_eq!(story.totals.unanswered, 1);
}

#[test]
fn what_is_open_at_the_end_is_not_called_unanswered() {
    let mut wire = opened();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7)).idle(100);
    assert_eq!(wire.end().exchanges()[1], (Some(3), None, CaptureEnded));
    let mut wire = opened();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7)).reset();
    let story = wire.end();
    assert_eq!(story.exchanges()[1], (Some(3), None, SessionEnded));
    assert_eq!(story.totals.unanswered, 0);
}

#[test]
fn an_invoke_id_used_twice_is_told_and_answered_in_order() {
    let mut wire = opened();
    let request = invoke("QUERY_DEVICE_INFO_REQ", 6);
    wire.say(Client, &request).say(Client, &request);
    let answer = invoke("QUERY_DEVICE_INFO_CONF", 6);
    wire.say(Server, &answer).say(Server, &answer);
    let story = wire.end();
    assert_eq!(story.codes(4), [Code::InvokeIdReused]);
    assert_eq!(story.codes(3), []);
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), Some(5), Confirmed),
            (Some(4), Some(6), Confirmed)
        ]
    );
}

#[test]
fn one_invoke_id_for_two_kinds_of_requests_is_told_apart_by_the_answers() {
    let mut wire = opened();
    wire.say(Client, &invoke("HOLD_CALL_REQ", 6));
    wire.say(Client, &invoke("ANSWER_CALL_REQ", 6));
    wire.say(Server, &invoke("ANSWER_CALL_CONF", 6));
    wire.say(Server, &invoke("HOLD_CALL_CONF", 6));
    assert_eq!(
        wire.end().exchanges(),
        [
            OPENED,
            (Some(4), Some(5), Confirmed),
            (Some(3), Some(6), Confirmed)
        ]
    );
}

#[test]
fn wrong_and_stray_answers_are_told() {
    let mut wire = opened();
    wire.say(Client, &invoke("RELEASE_CALL_REQ", 7));
    wire.say(Server, &invoke("CLEAR_CALL_CONF", 7));
    wire.say(Server, &invoke("HOLD_CALL_CONF", 4711));
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), Some(4), WrongAnswer),
            (None, Some(5), NoRequest)
        ]
    );
    assert_eq!(story.codes(4), [Code::WrongAnswer]);
    assert_eq!(story.codes(5), [Code::AnswerWithoutRequest]);
}

#[test]
fn a_confirmation_in_parts_answers_once_and_again() {
    let mut wire = opened();
    wire.say(Client, &invoke("LIST_AGENT_TEAM_REQ", 7));
    let part = |more: i64| {
        let fields = [("InvokeID", 7.into()), ("More", more.into())];
        message("LIST_AGENT_TEAM_CONF", &fields)
    };
    wire.say(Server, &part(1))
        .say(Server, &part(1))
        .say(Server, &part(0));
    wire.say(Server, &part(0));
    let story = wire.end();
    assert_eq!(
        story.exchanges()[1..],
        [
            (Some(3), Some(4), Confirmed),
            (Some(3), Some(5), Confirmed),
            (Some(3), Some(6), Confirmed),
            (None, Some(7), NoRequest)
        ]
    );
}

#[test]
fn a_failure_may_end_a_confirmation_in_parts() {
    let mut wire = opened();
    wire.say(Client, &invoke("LIST_AGENT_TEAM_REQ", 7));
    let fields = [("InvokeID", 7.into()), ("More", 1.into())];
    wire.say(Server, &message("LIST_AGENT_TEAM_CONF", &fields));
    wire.say(Server, &invoke("FAILURE_CONF", 7));
    assert_eq!(
        wire.end().exchanges()[1..],
        [(Some(3), Some(4), Confirmed), (Some(3), Some(5), Failed)]
    );
}

#[test]
fn sessions_that_ignore_confirmations_miss_none() {
    let mut wire = Wire::new();
    wire.open();
    wire.say(Client, &open_req(24))
        .say(Server, &open_conf(24, 0x20_0016));
    wire.say(Client, &invoke("HOLD_CALL_REQ", 2));
    wire.say(Client, &invoke("HEARTBEAT_REQ", 3));
    wire.idle(40_000);
    assert_eq!(
        wire.end().exchanges(),
        [
            OPENED,
            (Some(3), None, NotExpected),
            (Some(4), None, Unanswered)
        ]
    );
}

#[test]
fn a_request_whose_answer_lies_in_a_gap_is_not_judged() {
    let mut wire = opened();
    wire.say(Client, &invoke("HOLD_CALL_REQ", 2));
    wire.lose(Server, &invoke("HOLD_CALL_CONF", 2));
    wire.idle(1_000);
    wire.say(Server, &message("SYSTEM_EVENT", &[]));
    wire.idle(40_000).idle(10);
    let story = wire.end();
    assert_eq!(story.exchanges(), [OPENED, (Some(3), None, NotJudged)]);
    assert_eq!(story.breaks(), 1);
}

#[test]
fn nothing_is_judged_with_one_direction() {
    let mut wire = Wire::new();
    wire.open();
    wire.say(Client, &open_req(24));
    wire.say(Client, &invoke("HEARTBEAT_REQ", 2)).idle(40_000);
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [(Some(1), None, NotJudged), (Some(2), None, NotJudged)]
    );
}

#[test]
fn a_refused_client_tries_a_lower_version() {
    let mut wire = Wire::new();
    wire.open().say(Client, &open_req(25));
    let fields = [("InvokeID", 1.into()), ("Status", 1.into())];
    wire.say(Server, &message_at(25, "FAILURE_CONF", &fields));
    wire.say(Client, &open_req(19));
    wire.say(Server, &open_conf(19, 0x16));
    let story = wire.end();
    let versions: Vec<u32> = story.messages().map(|(info, _)| info.version.0).collect();
    assert_eq!(versions, [25, 25, 19, 19]);
    let [session] = story.ended()[..] else {
        panic!("one session")
    };
    assert_eq!(session.version, Some(ProtocolVersion(19)));
    assert_eq!(session.refused, None);
    assert_eq!(session.identity.services_granted, Some(0x16));
}

#[test]
fn a_connection_may_carry_a_second_session() {
    let mut wire = opened();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 5));
    wire.say(
        Client,
        &message("CLOSE_REQ", &[("InvokeID", 9.into()), ("Status", 0.into())]),
    );
    wire.say(Server, &invoke("CLOSE_CONF", 9));
    wire.say(Client, &open_req(15))
        .say(Server, &open_conf(15, 4));
    let story = wire.end();
    let sessions: Vec<u32> = story
        .messages()
        .map(|(info, _)| info.peers.session)
        .collect();
    assert_eq!(sessions, [1, 1, 1, 1, 1, 2, 2]);
    let ended = story.ended();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0].close_status, Some(0));
    assert_eq!(ended[0].end, None);
    assert_eq!(ended[1].version, Some(ProtocolVersion(15)));
    assert!(story.exchanges().contains(&(Some(3), None, SessionEnded)));
}

#[test]
fn a_tls_connection_is_told_as_encrypted() {
    let hello = [&[0x16, 3, 1, 0, 50, 1][..], &[7; 49]].concat();
    for port in [42030, 42027] {
        let mut wire = Wire::new();
        wire.server.set_port(port);
        wire.open().say(Client, &hello).say(Server, &hello);
        let story = wire.end();
        assert_eq!(story.totals.encrypted, 1, "port {port}");
        assert_eq!(story.notices(), [Code::EncryptedSession]);
        assert_eq!(story.ended()[0].content, Content::Encrypted);
        assert_eq!(story.names().len(), 0);
    }
    let mut wire = Wire::new();
    wire.server.set_port(443);
    wire.open().say(Client, &hello).say(Server, &hello);
    assert_eq!(wire.end().notes.len(), 0);
}

#[test]
fn tls_is_told_when_its_first_bytes_come_in_pieces() {
    let hello = [&[0x16, 3, 1, 0, 50, 1][..], &[7; 49]].concat();
    let mut wire = Wire::new();
    wire.open();
    for byte in &hello {
        wire.say(Client, std::slice::from_ref(byte));
    }
    assert_eq!(wire.end().totals.encrypted, 1);
}

#[test]
fn a_hole_elsewhere_does_not_make_an_unusual_port_be_given_up() {
    let mut wire = Wire::new();
    wire.server.set_port(5000);
    wire.open()
        .say(Client, &open_req(24))
        .say(Server, &open_conf(24, 0x16));
    // Another connection waits for data all the while.
    let (server, sequences) = (wire.server, wire.sequences);
    (wire.server, wire.sequences) = ("10.0.0.9:42027".parse().unwrap(), [1, 1]);
    wire.open();
    wire.sequences[0] += 100;
    wire.say(Client, &invoke("HEARTBEAT_REQ", 1));
    (wire.server, wire.sequences) = (server, sequences);
    let count = 4000;
    for id in 0..count {
        wire.say(Client, &invoke("HEARTBEAT_REQ", id));
    }
    let story = wire.end();
    assert_eq!(
        story
            .names()
            .iter()
            .filter(|n| **n == "HEARTBEAT_REQ")
            .count(),
        4001
    );
}

#[test]
fn other_ports_are_told_by_their_content() {
    for (port, options) in [
        (5000, Options::default()),
        (
            5001,
            Options {
                ports: Ports::with(vec![5001]),
                ..Options::default()
            },
        ),
    ] {
        let mut wire = Wire::with(options);
        wire.server.set_port(port);
        wire.open();
        wire.say(Client, &open_req(24))
            .say(Server, &open_conf(24, 0x16));
        let story = wire.end();
        assert_eq!(story.names(), ["OPEN_REQ", "OPEN_CONF"], "port {port}");
        assert_eq!(story.exchanges(), [OPENED]);
    }
}

#[test]
fn other_ports_are_told_by_their_content_byte_by_byte() {
    let mut wire = Wire::new();
    wire.server.set_port(5000);
    wire.open();
    for byte in open_req(24) {
        wire.say(Client, &[byte]);
    }
    for byte in open_conf(24, 0x16) {
        wire.say(Server, &[byte]);
    }
    assert_eq!(wire.end().exchanges(), [OPENED]);
}

#[test]
fn a_forced_version_rules_whatever_the_session_says() {
    let mut wire = Wire::with(Options {
        version: Some(ProtocolVersion(19)),
        ..Options::default()
    });
    wire.open();
    wire.say(Client, &open_req(24))
        .say(Server, &open_conf(24, 0x16));
    let story = wire.end();
    let told: Vec<_> = story
        .messages()
        .map(|(info, _)| (info.version.0, info.version_source))
        .collect();
    assert_eq!(told, [(19, VersionSource::Forced); 2]);
}

#[test]
fn other_ports_joined_late_are_told_by_a_chain_of_messages() {
    let mut wire = Wire::new();
    wire.server.set_port(5000);
    for _ in 0..6 {
        let fields = [
            ("PeripheralID", 5000.into()),
            ("AgentID", "1001".into()),
            ("AgentExtension", "20101".into()),
        ];
        wire.say(Server, &message("AGENT_STATE_EVENT", &fields));
    }
    wire.say(Client, &invoke("HOLD_CALL_REQ", 3));
    let story = wire.end();
    assert_eq!(story.names().len(), 7);
    assert_eq!(
        story.ended()[0].peers.server,
        "10.0.0.5:5000".parse().unwrap()
    );
}

#[test]
fn other_traffic_is_not_cti() {
    for port in [80, 5000] {
        let mut wire = Wire::new();
        wire.server.set_port(port);
        wire.open();
        wire.say(Client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        for number in 0..2000_u32 {
            // A binary protocol with small big-endian numbers.
            let words = [4, number % 300, number, 0, 1, number % 7];
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
            wire.say(Server, &bytes);
        }
        let story = wire.end();
        assert_eq!(story.notes.len(), 0, "port {port}: {:?}", story.names());
        assert_eq!(story.totals.connections, 1);
    }
    // The same, joined late.
    let mut wire = Wire::new();
    wire.server.set_port(5000);
    for number in 0..2000_u32 {
        let words = [4, number % 300, number, 0, 1, number % 7];
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
        wire.say(Server, &bytes);
    }
    assert_eq!(wire.end().notes.len(), 0);
}

/// Messages that a session may consist of, one of each kind that the version has.
fn session_of(version: ProtocolVersion, seed: u64) -> Vec<Generated> {
    let mut random = Random(seed);
    let wish = Wish {
        usual: true,
        ..Wish::default()
    };
    let has = |m: &&Message| versions(m).any(|v| v == version);
    // Which of the two numberings a network recording message follows needs a session to tell.
    let clear = |m: &&'static Message| {
        m.sender != Sender::Either && m.name != "OPEN_REQ" && m.name != "CLOSE_CONF"
    };
    let mut list: Vec<Generated> = published()
        .filter(has)
        .filter(clear)
        .map(|m| generate::message(m, version, &mut random, wish))
        .collect();
    random.shuffle(&mut list);
    list
}

fn side_of(made: &Generated) -> Side {
    match made.message.sender {
        Sender::Server => Server,
        _ => Client,
    }
}

#[test]
fn the_version_of_a_session_joined_late_is_inferred() {
    let (mut all, mut right) = (0, 0);
    for version in (5..=25).map(ProtocolVersion) {
        for seed in 0..4 {
            let list = session_of(version, seed);
            let mut wire = Wire::new();
            for made in &list {
                wire.say(side_of(made), &made.bytes);
            }
            let story = wire.end();
            let label = format!("version {version}, seed {seed}");
            let [session] = story.ended()[..] else {
                panic!("{label}: {} sessions", story.ended().len())
            };
            let VersionSource::Inferred { oldest, newest } = session.version_source else {
                panic!("{label}: {:?}", session.version_source)
            };
            assert!(
                (oldest..=newest).contains(&version.known()),
                "{label}: {oldest} to {newest}"
            );
            assert_eq!(story.notices(), [Code::VersionInferred], "{label}");
            // The first message of a side may have to wait for the next to be believed: the sides are compared each.
            for (side, direction) in [
                (Client, Direction::ClientToServer),
                (Server, Direction::ServerToClient),
            ] {
                let sent: Vec<&Generated> = list.iter().filter(|m| side_of(m) == side).collect();
                let told: Vec<_> = story
                    .messages()
                    .filter(|(info, _)| info.direction == direction)
                    .collect();
                assert_eq!(told.len(), sent.len(), "{label}");
                let mut decoder = Decoder::new();
                for ((info, bytes), made) in told.into_iter().zip(sent) {
                    assert_eq!(bytes, made.bytes, "{label}");
                    let view = decoder.decode_as(bytes, info.version, info.message);
                    // A short field may be just as long as what another version has in its fixed part.
                    all += 1;
                    if view.layout() == made.message.layout(version.known()) {
                        made.assert_equals(&view);
                        right += 1;
                    }
                }
            }
        }
    }
    assert!(right * 100 > all * 99, "{right} of {all}");
}

#[test]
fn network_recording_follows_either_numbering() {
    let other = |name: &str, fields: &[(&str, Value)]| {
        let mut draft = Draft::new(name, ProtocolVersion(24)).unwrap();
        for (field, value) in fields {
            draft.set(field, value).unwrap();
        }
        let message = draft.message();
        draft.number(message.alternative.as_ref().unwrap().number);
        draft.encode().unwrap()
    };
    let id = |id: i64| [("InvokeID", Value::Number(id))];
    type Line<'a> = (Side, &'a str, Vec<(&'a str, Value)>);
    let list: [Line<'_>; 8] = [
        (Client, "START_NETWORK_RECORDING_REQ", id(3).to_vec()),
        (Server, "START_NETWORK_RECORDING_CONF", id(3).to_vec()),
        (Server, "NETWORK_RECORDING_STARTED_EVENT", vec![]),
        (Server, "NETWORK_RECORDING_TARGET_INFO_EVENT", vec![]),
        (Client, "STOP_NETWORK_RECORDING_REQ", id(4).to_vec()),
        (Server, "STOP_NETWORK_RECORDING_CONF", id(4).to_vec()),
        (Server, "NETWORK_RECORDING_ENDED_EVENT", vec![]),
        (Server, "NETWORK_RECORDING_FAILED_EVENT", vec![]),
    ];
    let names: Vec<&str> = list.iter().map(|(_, name, _)| *name).collect();
    for usual in [true, false] {
        let mut wire = opened();
        for (side, name, fields) in &list {
            let bytes = match usual {
                true => message(name, fields),
                false => other(name, fields),
            };
            wire.say(*side, &bytes);
        }
        let story = wire.end();
        assert_eq!(story.names()[2..], names, "usual numbering: {usual}");
        assert_eq!(
            story.exchanges()[1..],
            [(Some(3), Some(4), Confirmed), (Some(7), Some(8), Confirmed)]
        );
    }
}

#[test]
fn team_configuration_travels_under_two_numbers_below_version_19() {
    let untyped = |number: u32, body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap();
        [&length.to_be_bytes(), &number.to_be_bytes(), body].concat()
    };
    let skill_group = |version| {
        let fields = [("RecordType", 0.into()), ("PeripheralNumber", 28401.into())];
        message_at(version, "CONFIG_SKILL_GROUP_EVENT", &fields)
    };
    for version in [15, 18] {
        let mut wire = Wire::new();
        wire.open().say(Client, &open_req(version));
        wire.say(Server, &open_conf(version, 0x16));
        wire.say(Client, &untyped(236, &[0, 0, 0, 7, 0, 0, 0x13, 0x88]));
        wire.say(Server, &untyped(237, &[0, 0, 0x13, 0x88, 0, 0, 0, 9, 0, 0]));
        wire.say(Server, &untyped(238, &[0, 0, 0, 7]));
        wire.say(Server, &skill_group(version));
        let story = wire.end();
        assert_eq!(
            story.names()[2..],
            [
                "TEAM_CONFIG_REQ",
                "TEAM_CONFIG_EVENT",
                "TEAM_CONFIG_CONF",
                "CONFIG_SKILL_GROUP_EVENT"
            ],
            "version {version}"
        );
        assert_eq!(story.exchanges()[1], (Some(3), Some(5), Confirmed));
    }
}

#[test]
fn team_configuration_was_taken_for_configuration_records_until_the_version_was_known() {
    let untyped = |number: u32, body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap();
        [&length.to_be_bytes(), &number.to_be_bytes(), body].concat()
    };
    let agent_state = |version| {
        let fields = [
            ("PeripheralID", 5000.into()),
            ("AgentID", "1001".into()),
            ("AgentExtension", "20101".into()),
        ];
        message_at(version, "AGENT_STATE_EVENT", &fields)
    };
    for (version, name) in [(15, "TEAM_CONFIG_EVENT"), (24, "CONFIG_AGENT_EVENT")] {
        // A body that is no record of a configuration in any version.
        let mut wire = Wire::new();
        wire.say(Server, &agent_state(version));
        wire.say(Server, &untyped(237, &[0, 0, 0x13, 0x88, 0xEE]));
        for _ in 0..12 {
            wire.say(Server, &agent_state(version));
        }
        let story = wire.end();
        assert_eq!(story.names()[1], name, "version {version}");
    }
}

#[test]
fn an_answer_to_an_invoke_id_used_again_went_to_a_request_from_before_a_gap() {
    for reused in [true, false] {
        let mut wire = opened();
        wire.say(Client, &invoke("QUERY_DEVICE_INFO_REQ", 6));
        wire.say(Server, &invoke("QUERY_DEVICE_INFO_CONF", 6));
        wire.say(
            Client,
            &invoke("QUERY_DEVICE_INFO_REQ", if reused { 6 } else { 7 }),
        );
        // Its answer and the next request are not there.
        wire.lose(Server, &invoke("QUERY_DEVICE_INFO_CONF", 6));
        wire.lose(Client, &invoke("QUERY_DEVICE_INFO_REQ", 6));
        wire.say(Client, &invoke("HEARTBEAT_REQ", 8));
        wire.say(
            Server,
            &invoke("QUERY_DEVICE_INFO_CONF", if reused { 6 } else { 7 }),
        );
        let story = wire.end();
        let tied = story.exchanges().contains(&(Some(5), Some(7), Confirmed));
        assert_eq!(tied, !reused, "{:?}", story.exchanges());
    }
}

fn holding() -> Options {
    Options {
        hold_requests: true,
        ..Options::default()
    }
}

#[test]
fn a_held_request_comes_out_in_its_place_with_its_outcome() {
    let mut wire = opened_with(holding());
    wire.say(Client, &invoke("HOLD_CALL_REQ", 2));
    wire.say(Server, &message("SYSTEM_EVENT", &[]));
    let shown = wire.conversations.sink().0.len();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 3));
    assert_eq!(wire.conversations.sink().0.len(), shown);
    wire.say(Server, &invoke("HEARTBEAT_CONF", 3));
    wire.say(Server, &invoke("HOLD_CALL_CONF", 2));
    // All are out, without waiting for the end.
    assert!(wire.conversations.sink().0.len() > shown + 5);
    let story = wire.end();
    let numbers: Vec<u64> = story.messages().map(|(info, _)| info.no).collect();
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    let outcomes: Vec<_> = story
        .messages()
        .filter(|(info, _)| info.message.unwrap().kind == Kind::Request)
        .map(|(info, _)| info.outcome.map(|o| (o.kind, o.answer.map(|a| a.no))))
        .collect();
    assert_eq!(
        outcomes,
        [
            Some((Confirmed, Some(2))),
            Some((Confirmed, Some(7))),
            Some((Confirmed, Some(6)))
        ]
    );
}

#[test]
fn a_held_request_comes_out_after_the_reply_wait() {
    let mut wire = opened_with(holding());
    wire.say(Client, &invoke("HEARTBEAT_REQ", 2));
    wire.idle(29_000);
    let shown = wire.conversations.sink().0.len();
    wire.idle(2_000);
    assert!(wire.conversations.sink().0.len() > shown);
    let story = wire.end();
    let (info, _) = story.messages().last().unwrap();
    assert_eq!(info.outcome.unwrap().kind, Unanswered);
}

#[test]
fn what_is_held_stays_within_its_bound() {
    let mut wire = opened_with(holding());
    wire.say(Client, &invoke("HEARTBEAT_REQ", 2));
    let event = message("CALL_DATA_UPDATE_EVENT", &[]);
    let large = {
        let mut draft = Draft::new("USER_MESSAGE_EVENT", ProtocolVersion(24)).unwrap();
        draft.body(vec![1; 8_000]);
        draft.encode().unwrap()
    };
    let events = limits::MAX_HELD_BYTES / large.len() + 100;
    for _ in 0..events {
        wire.say(Server, &large);
    }
    wire.say(Server, &event);
    let shown = wire.conversations.sink().0.iter();
    let shown = shown.filter(|n| matches!(n, Note::Message(..))).count();
    let held = 4 + events - shown;
    assert!(held * large.len() <= limits::MAX_HELD_BYTES, "{held}");
    wire.say(Server, &invoke("HEARTBEAT_CONF", 2));
    let story = wire.end();
    assert_eq!(story.totals.forced, 1);
    let numbers: Vec<u64> = story.messages().map(|(info, _)| info.no).collect();
    let expected: Vec<u64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
    assert_eq!(story.exchanges()[1].2, Confirmed);
}

#[test]
fn records_of_two_connections_keep_the_order_of_the_capture() {
    let mut wire = opened_with(holding());
    wire.say(Client, &invoke("HEARTBEAT_REQ", 2));
    let (client, sequences) = (wire.client, wire.sequences);
    wire.client = "10.0.1.20:50700".parse().unwrap();
    wire.sequences = [50_000, 60_000];
    wire.open();
    wire.say(Client, &open_req(20))
        .say(Server, &open_conf(20, 4));
    wire.client = client;
    wire.sequences = sequences;
    wire.say(Server, &invoke("HEARTBEAT_CONF", 2));
    let story = wire.end();
    let order: Vec<(u64, u32)> = story
        .messages()
        .map(|(info, _)| (info.no, info.peers.session))
        .collect();
    assert_eq!(order, [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 1)]);
    let mut times: Vec<i64> = story
        .messages()
        .map(|(info, _)| info.time.nanos())
        .collect();
    times.dedup();
    assert!(times.is_sorted());
}
