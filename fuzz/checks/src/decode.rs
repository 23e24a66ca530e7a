//! Framing and decoding: one direction's bytes, cut into runs, some of them lost.

use crate::input::{Bytes, Random};
use crate::message;
use cti_dissector::Timestamp;
use cti_dissector::capture::PacketId;
use cti_dissector::decode::{Decoder, HEADER_LEN};
use cti_dissector::framing::{ENOUGH, FOREIGN_PORT, Framer, Judge, Output};
use cti_dissector::limits;
use cti_dissector::protocol::{ProtocolVersion, Sender};
use cti_dissector::reassembly::{DataRun, Side};

/// The stream begins in the middle.
pub(crate) const MIDSTREAM: u8 = 1;
/// On a port that says nothing.
pub(crate) const FOREIGN: u8 = 2;
/// Who sends is known; with [`SERVER`], the server.
pub(crate) const SENDER: u8 = 4;
/// The server sends.
pub(crate) const SERVER: u8 = 8;
/// Some runs are lost.
pub(crate) const LOSSY: u8 = 16;
/// The version is not known to framing.
pub(crate) const UNVERSIONED: u8 = 32;

/// The first byte is the version, the second flags, the third and fourth choose how the stream is cut. The rest is the stream.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let version = ProtocolVersion(u32::from(bytes.u8()) % 40);
    let flags = bytes.u8();
    let seed = u64::from(bytes.u16());
    let stream = bytes.rest();
    let pieces = pieces(stream.len(), seed, flags & LOSSY != 0);
    let told = frame(stream, &pieces, version, flags);
    if flags & (MIDSTREAM | LOSSY) == 0 {
        let whole = frame(stream, &[(stream.len(), false)], version, flags);
        if !whole.lost_step {
            assert_eq!(told, whole, "cutting the stream must not matter");
        }
    }
    let mut decoder = Decoder::new();
    let mut random = Random(seed);
    for bytes in &told.messages {
        message::check(&mut decoder, bytes, version);
        // The same message with less or more than its own bytes.
        for _ in 0..4 {
            let len = random.below(bytes.len() + 1);
            message::check(&mut decoder, &bytes[..len], version);
        }
        let mut longer = bytes.clone();
        longer.extend_from_slice(&stream[..stream.len().min(random.below(64))]);
        message::check(&mut decoder, &longer, version);
    }
}

/// Runs of the stream: length, and whether it is lost.
fn pieces(len: usize, seed: u64, lossy: bool) -> Vec<(usize, bool)> {
    let mut random = Random(seed);
    let longest = [1, 9, 100, 1460, usize::MAX][random.below(5)].min(len);
    let mut pieces = Vec::new();
    let mut left = len;
    while left > 0 {
        let piece = (1 + random.below(longest)).min(left);
        pieces.push((piece, lossy && random.below(8) == 0));
        left -= piece;
    }
    pieces
}

/// What framing gave.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    messages: Vec<Vec<u8>>,
    lost_step: bool,
}

/// Frames a stream and checks that every byte of it is accounted for, at its place.
fn frame(stream: &[u8], pieces: &[(usize, bool)], version: ProtocolVersion, flags: u8) -> Told {
    let required = if flags & FOREIGN == 0 {
        ENOUGH
    } else {
        FOREIGN_PORT
    };
    let mut framer = if flags & MIDSTREAM == 0 {
        Framer::in_step()
    } else {
        Framer::searching(required)
    };
    let mut decoder = Decoder::new();
    let mut judge = Judge {
        decoder: &mut decoder,
        version: (flags & UNVERSIONED == 0).then_some(version),
        sender: match flags & (SENDER | SERVER) {
            SENDER => Some(Sender::Client),
            0 | SERVER => None,
            _ => Some(Sender::Server),
        },
    };
    let mut account = Account::default();
    let mut at = 0;
    for (index, &(len, lost)) in pieces.iter().enumerate() {
        let bytes = &stream[at..at + len];
        at += len;
        let time = Timestamp::from_seconds(index as i64);
        if lost {
            account.lost += len as u64;
            framer.gap(len as u64, time, &mut judge, &mut |o| account.take(o));
        } else {
            account.captured.extend_from_slice(bytes);
            let run = DataRun {
                from: Side::First,
                time,
                packet: PacketId {
                    input: 0,
                    number: index as u64 + 1,
                },
                bytes,
                sequence: (at - len) as u32,
                segment_start: true,
            };
            framer.push(&run, &mut judge, &mut |o| account.take(o));
        }
        let most = limits::MAX_SEARCH + limits::MAX_FRAMED_LENGTH + 2 * HEADER_LEN + len;
        assert!(framer.buffered() <= most);
    }
    framer.finish(&mut judge, &mut |o| account.take(o));
    assert_eq!(account.at, account.captured.len(), "no byte is dropped");
    assert_eq!(account.missing, account.lost);
    account.told
}

#[derive(Default)]
struct Account {
    /// All that was pushed, without what was lost.
    captured: Vec<u8>,
    lost: u64,
    /// Bytes accounted for.
    at: usize,
    missing: u64,
    told: Told,
}

impl Account {
    fn take(&mut self, output: Output<'_>) {
        match output {
            Output::Message(framed) => {
                let place = self.captured.get(self.at..self.at + framed.bytes.len());
                assert_eq!(Some(framed.bytes), place, "a message is where it was");
                assert!(framed.bytes.len() >= HEADER_LEN);
                assert!(!framed.packets.is_empty());
                assert!(framed.packets.is_sorted());
                self.at += framed.bytes.len();
                self.told.messages.push(framed.bytes.to_vec());
            }
            Output::Break(broken) => {
                assert!(broken.missing + broken.skipped > 0 || broken.resumed);
                self.at += usize::try_from(broken.skipped).unwrap();
                self.missing += broken.missing;
                self.told.lost_step = true;
            }
        }
    }
}
