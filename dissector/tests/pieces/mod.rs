//! Segments as packets, read and redacted, for tests.

#![allow(dead_code, reason = "shared by tests that need parts of it")]

use crate::traffic::wire::Piece;
use cti_dissector::capture::{Layers, Packet, PacketId, Peeled};
use cti_dissector::conversation::{Conversations, Options};
use cti_dissector::redact::{self, Learner, Policy, Report};
use etherparse::{Ethernet2Header, Ipv4Header, TcpHeader};
use std::io::Cursor;
use std::net::IpAddr;

/// A packet that owns its bytes.
pub struct Owned {
    pub id: PacketId,
    pub time: cti_dissector::Timestamp,
    pub data: Vec<u8>,
    pub original_len: u32,
}

impl Owned {
    fn packet(&self) -> Packet<'_> {
        Packet {
            id: self.id,
            time: self.time,
            interface: 0,
            link_type: 1,
            data: &self.data,
            original_len: self.original_len,
        }
    }
}

/// The Ethernet frame of a segment.
pub fn packet_of(piece: &Piece) -> Owned {
    let (IpAddr::V4(source), IpAddr::V4(destination)) = (piece.source.ip(), piece.destination.ip())
    else {
        panic!("no IPv4")
    };
    let mut tcp = TcpHeader::new(
        piece.source.port(),
        piece.destination.port(),
        piece.sequence,
        piece.window,
    );
    tcp.acknowledgment_number = piece.acknowledgment;
    let flags = piece.flags;
    (tcp.syn, tcp.fin, tcp.rst, tcp.ack) = (flags.syn, flags.fin, flags.rst, flags.ack);
    let whole = 20 + piece.payload.len() + usize::try_from(piece.missing).unwrap();
    let mut ip = Ipv4Header::new(
        u16::try_from(whole).unwrap(),
        64,
        etherparse::IpNumber::TCP,
        source.octets(),
        destination.octets(),
    )
    .unwrap();
    ip.header_checksum = ip.calc_header_checksum();
    tcp.checksum = tcp.calc_checksum_ipv4(&ip, &piece.payload).unwrap();
    let ethernet = Ethernet2Header {
        source: [2, 0, 0, 0, 0, 1],
        destination: [2, 0, 0, 0, 0, 2],
        ether_type: etherparse::EtherType::IPV4,
    };
    let data = [
        &ethernet.to_bytes()[..],
        &ip.to_bytes(),
        &tcp.to_bytes(),
        &piece.payload,
    ]
    .concat();
    Owned {
        id: PacketId {
            input: 0,
            number: piece.packet,
        },
        time: piece.time,
        original_len: u32::try_from(data.len()).unwrap() + piece.missing,
        data,
    }
}

pub fn read<S: cti_dissector::record::Sink>(packets: &[Owned], sink: S) -> S {
    let mut layers = Layers::new();
    let mut conversations = Conversations::new(Options::default(), sink);
    for owned in packets {
        if let Peeled::Tcp(segment) = layers.segment(&owned.packet()) {
            conversations.segment(&segment);
        }
    }
    conversations.finish().0
}

/// The key of tests.
pub const KEY: [u8; 32] = *b"a key that is made for the tests";

pub fn redacted(packets: &[Owned], policy: Policy, key: [u8; 32]) -> (Vec<Owned>, Report) {
    let spool = Cursor::new(Vec::new());
    let learner = Learner::new(policy, key, redact::Options::default(), spool);
    let mut redactor = read(packets, learner).finish().unwrap();
    let mut out = Vec::new();
    for owned in packets {
        if let Some(packet) = redactor.packet(&owned.packet()).unwrap() {
            out.push(Owned {
                id: packet.id,
                time: packet.time,
                data: packet.data.to_vec(),
                original_len: packet.original_len,
            });
        }
    }
    (out, redactor.report().clone())
}
