//! Segments in, records out: sessions, versions, exchanges, order.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod exchanges;
#[path = "../generate/mod.rs"]
mod generate;
mod order;
mod sessions;
mod versions;

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
