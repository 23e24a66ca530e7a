//! Bounds of what all connections hold together.

use super::*;
use crate::capture::{Flags, PacketId};
use crate::record::Record;

#[derive(Default)]
struct Kinds {
    messages: usize,
    /// Requests without their outcome; and their most.
    open: usize,
    most: usize,
}

impl Sink for Kinds {
    fn record(&mut self, record: Record<'_>) {
        match record {
            Record::Message(..) => {
                self.messages += 1;
                self.open += 1;
            }
            Record::Exchange(_) => self.open -= 1,
            _ => {}
        }
        self.most = self.most.max(self.open);
    }
}

#[test]
fn many_unfinished_messages_took_memory_without_bound() {
    let mut conversations = Conversations::new(Options::default(), Kinds::default());
    let mut packet = 0;
    // Each of many connections begins a message of 12 kB and sends all of it but the last byte.
    let mut message = vec![0; 12_000];
    message[2..8].copy_from_slice(&[0x2E, 0xD8, 0, 0, 0, 25]);
    let mut most = 0;
    for port in 1024..5024 {
        let mut sequence = 1;
        for payload in [&[][..], &message[..6000], &message[6000..11_999]] {
            packet += 1;
            conversations.segment(&Segment {
                packet: PacketId {
                    input: 0,
                    number: packet,
                },
                time: Timestamp::from_nanos(i64::try_from(packet).unwrap()),
                source: ([10, 0, 1, 10], port).into(),
                destination: ([10, 0, 0, 5], 42027).into(),
                sequence: if payload.is_empty() { 0 } else { sequence },
                acknowledgment: 1,
                flags: Flags {
                    syn: payload.is_empty(),
                    ..Flags::default()
                },
                window: 60_000,
                payload,
                missing: 0,
            });
            sequence += u32::try_from(payload.len()).unwrap();
            most = most.max(conversations.state.core.framing);
        }
    }
    let live = conversations.state.connections.values();
    let held: usize = live.map(|l| l.framing()).sum();
    assert_eq!(held, conversations.state.core.framing);
    assert!(conversations.state.core.cut > 0, "the limit was reached");
    assert!(most <= limits::MAX_FRAMING_BYTES);
    let (kinds, totals) = conversations.finish();
    // Every beginning is told as far as it was there.
    assert_eq!(totals.messages, 4000);
    assert_eq!(kinds.messages, 4000);
}

#[test]
fn requests_let_pass_at_the_end_of_the_capture_stay_within_their_bound() {
    let heartbeat = [0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 7];
    let payload = heartbeat.repeat(100);
    let mut conversations = Conversations::new(Options::default(), Kinds::default());
    let mut packet = 0;
    let mut send = |port: u16, answer: bool, sequence: u32, syn: bool, payload: &[u8]| {
        packet += 1;
        let ends = (([10, 0, 1, 10], port).into(), ([10, 0, 0, 5], 42027).into());
        let (source, destination) = if answer { (ends.1, ends.0) } else { ends };
        conversations.segment(&Segment {
            packet: PacketId {
                input: 0,
                number: packet,
            },
            time: Timestamp::from_seconds(0).after(Duration::from_micros(packet)),
            source,
            destination,
            sequence,
            acknowledgment: 1,
            flags: Flags {
                syn,
                ack: answer || !syn,
                ..Flags::default()
            },
            window: 60_000,
            payload,
            missing: 0,
        });
    };
    let ports = 50_000..50_010;
    for port in ports.clone() {
        send(port, false, 0, true, &[]);
        send(port, true, 0, true, &[]);
    }
    // The first byte behind SYN is missing, so all that follows waits.
    for sequence in (2..).step_by(payload.len()).take(150) {
        for port in ports.clone() {
            send(port, false, sequence, false, &payload);
        }
    }
    let (kinds, totals) = conversations.finish();
    assert_eq!(totals.messages, 150_000);
    assert_eq!(kinds.messages, 150_000);
    // The version is undecided at first: so many messages of a session come out before what became of them.
    let slack = 64 * 10;
    assert!(
        kinds.most <= limits::MAX_OPEN_REQUESTS + slack,
        "{}",
        kinds.most
    );
}
