//! Damaged captures, and pcapng made of little else than its blocks.

use super::{HEARTBEAT, opened, talk};
use crate::wire::{Wire, data};

pub(super) fn damaged_records(n: usize) -> Vec<u8> {
    let mut wire = opened();
    for index in 0..n {
        let at = wire.bytes.len();
        wire.tcp(data(1 + (index * 12) as u32, &HEARTBEAT));
        if index % 2 == 1 {
            wire.bytes[at + 8] = 0xFF;
            wire.bytes[at + 11] = 0xFF;
        }
    }
    wire.bytes
}

pub(super) fn nonsense(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    // What could be the header of a long record at every fourth byte, but for what follows that record.
    let word = 0x0003_FFFF_u32.to_le_bytes();
    wire.bytes.extend(word.repeat(n / 4));
    wire.bytes
}

/// A pcapng block.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &len, body, &len].concat()
}

fn section() -> Vec<u8> {
    let body = [
        &0x1A2B_3C4D_u32.to_le_bytes()[..],
        &[1, 0, 0, 0],
        &[0xFF; 8],
    ];
    block(0x0A0D_0D0A, &body.concat())
}

fn interface(options: &[u8]) -> Vec<u8> {
    block(1, &[&[101, 0, 0, 0, 0, 0, 4, 0][..], options].concat())
}

/// The packets of a pcap as blocks of a pcapng, all of one interface.
fn packets(pcap: &[u8], interface: u32) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    let mut rest = &pcap[24..];
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let len = word(8) as usize;
        let micros = u64::from(word(0)) * 1_000_000 + u64::from(word(4));
        let words = [
            interface,
            (micros >> 32) as u32,
            micros as u32,
            word(8),
            word(12),
        ];
        let mut body = words.map(u32::to_le_bytes).concat();
        body.extend(&rest[16..16 + len]);
        body.resize(body.len().next_multiple_of(4), 0);
        blocks.push(block(6, &body));
        rest = &rest[16 + len..];
    }
    blocks
}

fn conversation(n: usize) -> Vec<u8> {
    talk(std::iter::repeat_n(HEARTBEAT.to_vec(), n))
}

pub(super) fn interfaces(n: usize) -> Vec<u8> {
    let mut file = section();
    for _ in 0..n {
        file.extend(interface(&[]));
    }
    file.extend(packets(&conversation(n), n as u32 - 1).concat());
    file
}

pub(super) fn sections(n: usize) -> Vec<u8> {
    let mut file = Vec::new();
    for packet in packets(&conversation(n), 0) {
        file.extend([section(), interface(&[]), packet].concat());
    }
    file
}

pub(super) fn options(n: usize) -> Vec<u8> {
    let options = [0xCC, 0, 0, 0].repeat(n);
    let mut file = [section(), interface(&options)].concat();
    file.extend(packets(&conversation(n / 100), 0).concat());
    file
}

pub(super) fn damaged_blocks(n: usize) -> Vec<u8> {
    let mut file = [section(), interface(&[])].concat();
    for (index, mut packet) in packets(&conversation(n), 0).into_iter().enumerate() {
        if index % 2 == 1 {
            packet[4] = 0xFF;
            packet[7] = 0xFF;
        }
        file.extend(packet);
    }
    file
}
