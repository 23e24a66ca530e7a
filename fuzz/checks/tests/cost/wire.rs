//! Captures written packet by packet: whatever a hostile sender, or a broken tool, may put into them.

use cti_dissector::encode::{Draft, Value};
use cti_dissector::protocol::ProtocolVersion;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// A pcap of raw IP packets.
pub struct Wire {
    pub bytes: Vec<u8>,
    /// Time of the next packet in microseconds; each takes one.
    pub micros: u64,
}

/// A segment to be; from client to server unless `answer`.
#[derive(Clone, Copy)]
pub struct Tcp<'a> {
    /// Which client: its address and port.
    pub client: u32,
    pub server_port: u16,
    pub answer: bool,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub payload: &'a [u8],
    /// Bytes that the IP header promises beyond the payload.
    pub missing: u16,
}

/// A client's segment with data.
pub const fn data(sequence: u32, payload: &[u8]) -> Tcp<'_> {
    Tcp {
        client: 0,
        server_port: 42_027,
        answer: false,
        sequence,
        acknowledgment: 1,
        flags: ACK,
        payload,
        missing: 0,
    }
}

/// A server's segment with data.
pub const fn reply(sequence: u32, payload: &[u8]) -> Tcp<'_> {
    let mut segment = data(sequence, payload);
    segment.answer = true;
    segment
}

impl Wire {
    pub fn new() -> Self {
        let mut bytes = Vec::new();
        for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
            bytes.extend(word.to_le_bytes());
        }
        Self {
            bytes,
            micros: 1_700_000_000_000_000,
        }
    }

    pub fn packet(&mut self, data: &[u8], original: usize) {
        let words = [
            (self.micros / 1_000_000) as u32,
            (self.micros % 1_000_000) as u32,
            data.len() as u32,
            original as u32,
        ];
        self.bytes.extend(words.map(u32::to_le_bytes).concat());
        self.bytes.extend(data);
        self.micros += 1;
    }

    pub fn tcp(&mut self, segment: Tcp<'_>) {
        let packet = ip(
            segment.client,
            segment.answer,
            6,
            &tcp(&segment),
            segment.missing,
        );
        let original = packet.len() + usize::from(segment.missing);
        self.packet(&packet, original);
    }

    /// Handshake of a connection; data begins at 1 on both sides.
    pub fn open(&mut self, client: u32, server_port: u16) {
        let syn = Tcp {
            client,
            server_port,
            flags: SYN,
            sequence: 0,
            ..data(0, &[])
        };
        self.tcp(syn);
        self.tcp(Tcp {
            answer: true,
            flags: SYN | ACK,
            ..syn
        });
    }

    /// A fragment of a datagram.
    pub fn fragment(&mut self, id: u16, offset: usize, more: bool, payload: &[u8]) {
        let mut packet = ip(0, false, 6, payload, 0);
        packet[4..6].copy_from_slice(&id.to_be_bytes());
        let field = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
        packet[6..8].copy_from_slice(&field.to_be_bytes());
        self.packet(&packet, packet.len());
    }
}

/// TCP header and payload.
pub fn tcp(segment: &Tcp<'_>) -> Vec<u8> {
    let client = 1024 + (segment.client % 60_000) as u16;
    let ports = match segment.answer {
        false => [client, segment.server_port],
        true => [segment.server_port, client],
    };
    let mut bytes = ports.map(u16::to_be_bytes).concat();
    bytes.extend(segment.sequence.to_be_bytes());
    bytes.extend(segment.acknowledgment.to_be_bytes());
    bytes.extend([0x50, segment.flags, 0xFF, 0xFF, 0, 0, 0, 0]);
    bytes.extend(segment.payload);
    bytes
}

fn ip(client: u32, answer: bool, protocol: u8, payload: &[u8], missing: u16) -> Vec<u8> {
    let total = 20 + payload.len() as u16 + missing;
    let mut bytes = vec![0x45, 0];
    bytes.extend(total.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    let client = (0x0A01_0000 + client / 60_000).to_be_bytes();
    let server = [10, 0, 0, 5];
    let (source, destination) = if answer {
        (server, client)
    } else {
        (client, server)
    };
    bytes.extend(source);
    bytes.extend(destination);
    bytes.extend(payload);
    bytes
}

/// A message of any type and body.
pub fn message(number: u32, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32;
    [&length.to_be_bytes()[..], &number.to_be_bytes(), body].concat()
}

/// A message by name, with an InvokeID where it has one.
pub fn named(name: &str, version: u32, invoke_id: u32) -> Vec<u8> {
    let mut draft = Draft::new(name, ProtocolVersion(version)).unwrap();
    // Events have none.
    let _ = draft.set("InvokeID", &Value::Number(invoke_id.into()));
    draft.encode().unwrap()
}

/// A message by name with these bytes as its floating part.
pub fn with_tail(name: &str, version: u32, tail: &[u8]) -> Vec<u8> {
    let mut bytes = named(name, version, 1);
    bytes.extend(tail);
    let length = (bytes.len() - 8) as u32;
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes
}
