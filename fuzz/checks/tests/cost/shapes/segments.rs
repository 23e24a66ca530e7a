//! Segments, fragments and connections.

use super::{HEARTBEAT, heartbeats, opened};
use crate::wire::{ACK, FIN, RST, SYN, Tcp, Wire, data, named, reply, tcp};

pub(super) fn reversed(n: usize) -> Vec<u8> {
    let mut wire = opened();
    // As many as the buffer takes at a time, so that all wait for the first one.
    for block in 0..n.div_ceil(1_000) {
        let last = (n - block * 1_000).min(1_000);
        for index in (0..last).rev() {
            let sequence = 1 + (block * 1_000 + index) * HEARTBEAT.len();
            wire.tcp(data(sequence as u32, &HEARTBEAT));
        }
    }
    wire.bytes
}

pub(super) fn overlapping(n: usize) -> Vec<u8> {
    let stream = heartbeats(n + 1);
    let mut wire = opened();
    for block in (0..n).step_by(500) {
        let indices = block..n.min(block + 500);
        let odd_first = indices.clone().skip(1).step_by(2).chain(indices.step_by(2));
        for index in odd_first {
            let at = index * 12;
            wire.tcp(data(1 + at as u32, &stream[at..at + 18]));
        }
    }
    wire.bytes
}

pub(super) fn holes(n: usize) -> Vec<u8> {
    let mut wire = opened();
    for index in 0..n {
        wire.tcp(data(1 + index as u32 * 24, &HEARTBEAT));
    }
    wire.bytes
}

pub(super) fn claims(n: usize) -> Vec<u8> {
    let mut wire = opened();
    wire.tcp(data(1, &HEARTBEAT));
    for index in 0..1_500 {
        wire.tcp(data(100 + index * 24, &HEARTBEAT));
    }
    for _ in 0..n {
        wire.tcp(Tcp {
            missing: 40_000,
            ..data(100, b"x")
        });
    }
    wire.bytes
}

pub(super) fn one_byte_segments(n: usize) -> Vec<u8> {
    let mut wire = opened();
    for (at, byte) in heartbeats(n / 12).iter().enumerate() {
        wire.tcp(data(1 + at as u32, &[*byte]));
    }
    wire.bytes
}

pub(super) fn retransmissions(n: usize) -> Vec<u8> {
    let mut wire = opened();
    let stream = heartbeats(100);
    for index in 0..n {
        let at = index % 50 * 24;
        wire.tcp(data(1 + at as u32, &stream[at..at + 24]));
    }
    wire.bytes
}

pub(super) fn losses(n: usize) -> Vec<u8> {
    let mut wire = opened();
    let event = named("QUERY_AGENT_STATE_REQ", 24, 1);
    for index in 0..n as u32 {
        wire.tcp(data(1 + index * 1_000, &event));
        wire.tcp(Tcp {
            acknowledgment: 1 + index * 1_000 + 500,
            ..reply(1, &[])
        });
    }
    wire.bytes
}

/// Sends a datagram of up to 64 KiB in pieces of eight bytes, in an order of its own.
fn pieces(n: usize, order: impl Fn(usize) -> Vec<usize>) -> Vec<u8> {
    let mut wire = Wire::new();
    let mut left = n;
    let mut id = 0;
    while left > 0 {
        let count = left.min(8_000);
        left -= count;
        id += 1;
        let datagram = [tcp(&data(1, &[])), vec![0; count * 8 - 20]].concat();
        for index in order(count) {
            let at = index * 8;
            wire.fragment(id, at, index + 1 < count, &datagram[at..at + 8]);
        }
    }
    wire.bytes
}

pub(super) fn fragments(n: usize) -> Vec<u8> {
    pieces(n, |count| {
        let odd = (1..count).step_by(2);
        odd.chain((0..count).step_by(2)).collect()
    })
}

pub(super) fn overlapping_fragments(n: usize) -> Vec<u8> {
    // All but the last one, over and over; then the last one.
    pieces(n, |count| {
        let again = (0..count - 1).map(|index| index / 2 * 2 % (count - 1));
        let all = 0..count;
        again.chain(all).collect()
    })
}

pub(super) fn unfinished_datagrams(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    wire.tcp(data(1, &HEARTBEAT));
    for id in 0..n {
        wire.fragment(id as u16, 1_000, true, &[0; 64]);
    }
    wire.bytes
}

pub(super) fn open_connections(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    let open = named("OPEN_REQ", 24, 1);
    for client in 0..n as u32 {
        wire.open(client, 42_027);
        wire.tcp(Tcp {
            client,
            ..data(1, &open)
        });
    }
    wire.bytes
}

pub(super) fn syn_flood(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    for client in 0..n as u32 {
        wire.tcp(Tcp {
            client,
            flags: SYN,
            ..data(0, &[])
        });
    }
    wire.bytes
}

pub(super) fn port_reuse(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    let open = named("OPEN_REQ", 24, 1);
    for round in 0..n as u32 {
        let sequence = round.wrapping_mul(0x1000_0001);
        let segment = Tcp {
            client: round % 10,
            ..data(sequence, &[])
        };
        let next = sequence.wrapping_add(1);
        wire.tcp(Tcp {
            flags: SYN,
            ..segment
        });
        wire.tcp(Tcp {
            sequence: next,
            payload: &open,
            ..segment
        });
        wire.tcp(Tcp {
            sequence: next.wrapping_add(open.len() as u32),
            flags: [RST, FIN | ACK][round as usize % 2],
            ..segment
        });
    }
    wire.bytes
}

pub(super) fn one_waits(n: usize) -> Vec<u8> {
    let mut wire = opened();
    wire.open(1, 42_027);
    // Behind a hole.
    wire.tcp(data(100, &HEARTBEAT));
    for index in 0..n {
        wire.tcp(Tcp {
            client: 1,
            ..data(1 + (index * 12) as u32, &HEARTBEAT)
        });
    }
    wire.bytes
}
