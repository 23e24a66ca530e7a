//! Cuts captures in memory as the program cuts files, and tells what a selection finds in them.

use crate::traffic::wire::Memory;
use cti_dissector::Timestamp;
use cti_dissector::capture::{
    Capture, Layers, Packet, PacketId, Peeled, SaveCompression, SaveFormat, Saver,
};
use cti_dissector::conversation::{Conversations, Options};
use cti_dissector::correlate::OutcomeKind;
use cti_dissector::extract::{Choice, Widened};
use cti_dissector::record::{Record, Sink};
use cti_dissector::select::{Criteria, Selector};
use cti_dissector::session::VersionSource;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// A packet that owns its bytes.
#[derive(Debug, Clone)]
pub struct Owned {
    pub id: PacketId,
    pub time: Timestamp,
    pub interface: u32,
    pub link_type: u32,
    pub data: Vec<u8>,
    pub original_len: u32,
}

pub fn packets(file: &[u8]) -> Vec<Owned> {
    let mut packets = Vec::new();
    each(file, |packet| {
        packets.push(Owned {
            id: packet.id,
            time: packet.time,
            interface: packet.interface,
            link_type: packet.link_type,
            data: packet.data.to_vec(),
            original_len: packet.original_len,
        });
    });
    packets
}

pub fn each(file: &[u8], mut call: impl FnMut(&Packet<'_>)) {
    let mut capture = Capture::new(vec![Box::new(Memory(file.to_vec()))]);
    while let Some(packet) = capture.next_packet().unwrap() {
        call(&packet);
    }
}

fn saver() -> Saver<Vec<u8>> {
    Saver::new(Vec::new(), SaveFormat::PcapNg, SaveCompression::None).unwrap()
}

pub fn saved(packets: &[Owned]) -> Vec<u8> {
    let mut saver = saver();
    for packet in packets {
        saver
            .packet(&Packet {
                id: packet.id,
                time: packet.time,
                interface: packet.interface,
                link_type: packet.link_type,
                data: &packet.data,
                original_len: packet.original_len,
            })
            .unwrap();
    }
    saver.finish().unwrap()
}

/// What a sink makes of a capture, and whether it has fragments.
pub fn dissect<S: Sink>(file: &[u8], options: &Options, sink: S) -> (S, bool) {
    let mut layers = Layers::new();
    let mut conversations = Conversations::new(options.clone(), sink);
    each(file, |packet| {
        if let Peeled::Tcp(segment) = layers.segment(packet) {
            conversations.segment(&segment);
        }
    });
    (conversations.finish().0, layers.counts().fragments > 0)
}

/// How often the result was made, and what was kept.
#[derive(Debug, Default)]
pub struct Effort {
    pub rounds: usize,
    pub widened: Widened,
}

/// Does what the program does.
pub fn extract(
    file: &[u8],
    options: &Options,
    criteria: impl Fn() -> Criteria,
) -> (Vec<u8>, Effort) {
    let choice = Choice::new(Selector::new(criteria()), false, options.reply_wait);
    let (choice, fragments) = dissect(file, options, choice);
    let mut cut = choice.finish(fragments);
    let mut effort = Effort::default();
    loop {
        effort.rounds += 1;
        if cut.must_look() {
            each(file, |packet| cut.look(packet));
            cut.looked();
        }
        let mut saver = saver();
        each(file, |packet| {
            if cut.keeps(packet) {
                saver.packet(packet).unwrap();
            }
        });
        let result = saver.finish().unwrap();
        let mut more = false;
        if cut.must_prove() {
            let proof = cut.proof(Selector::new(criteria()));
            (cut, more) = dissect(&result, options, proof).0.finish();
        }
        if !more {
            effort.widened = cut.widened();
            return (result, effort);
        }
    }
}

/// A message as it is told, but for what numbers it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    pub time: Timestamp,
    pub ends: (SocketAddr, SocketAddr),
    pub name: Option<&'static str>,
    pub version: (u32, &'static str, Option<(u8, u8)>),
    pub answers: Option<(u32, Timestamp, &'static str)>,
    pub bytes: Vec<u8>,
}

/// What a selection finds: messages, and answers to those of them that are requests.
struct Found {
    selector: Selector,
    requests: BTreeSet<u64>,
    messages: Vec<Told>,
    answers: Vec<(Timestamp, u32, Timestamp, &'static str)>,
}

impl Sink for Found {
    fn record(&mut self, record: Record<'_>) {
        let selected = self.selector.accepts(&record);
        match record {
            Record::Message(info, bytes) if selected => {
                self.requests.insert(info.no);
                let inferred = match info.version_source {
                    VersionSource::Inferred { oldest, newest } => Some((oldest, newest)),
                    _ => None,
                };
                self.messages.push(Told {
                    time: info.time,
                    ends: info.peers.ends(info.direction),
                    name: info.message.map(|m| m.name),
                    version: (info.version.0, info.version_source.name(), inferred),
                    answers: info
                        .answers
                        .map(|a| (a.request.number.0, a.request.time, a.kind.name())),
                    bytes: bytes.to_vec(),
                });
            }
            Record::Exchange(exchange) => {
                let answered = |kind| {
                    matches!(
                        kind,
                        OutcomeKind::Confirmed
                            | OutcomeKind::Failed
                            | OutcomeKind::Late
                            | OutcomeKind::WrongAnswer
                    )
                };
                let outcome = exchange.outcome;
                if let (Some(request), Some(answer)) = (exchange.request, outcome.answer)
                    && answered(outcome.kind)
                    && self.requests.contains(&request.no)
                {
                    let (asked, at) = (request.time, answer.time);
                    self.answers
                        .push((asked, answer.number.0, at, outcome.kind.name()));
                }
            }
            _ => {}
        }
    }
}

pub fn find(
    file: &[u8],
    options: &Options,
    criteria: Criteria,
) -> (Vec<Told>, impl PartialEq + use<>) {
    let found = Found {
        selector: Selector::new(criteria),
        requests: BTreeSet::new(),
        messages: Vec::new(),
        answers: Vec::new(),
    };
    let mut found = dissect(file, options, found).0;
    found.messages.sort();
    found.answers.sort();
    (found.messages, found.answers)
}
