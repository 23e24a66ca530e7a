//! Capture files: any bytes, compressed or not, one file or two that are merged.

use crate::input::Bytes;
use crate::memory::Memory;
use cti_dissector::Timestamp;
use cti_dissector::capture::{Capture, Input, Note, NoteKind, Packet, PacketId};
use cti_dissector::limits;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Two inputs instead of one.
pub(crate) const TWO: u8 = 1;
/// Inputs that can be opened again.
pub(crate) const REOPENABLE: u8 = 2;

/// The first byte holds `TWO` and `REOPENABLE`, the second the most bytes that one read gives (0: all), the third, of two
/// inputs, the share of the bytes that the first one gets (in 256ths). The rest are the inputs.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let (flags, piece, share) = (bytes.u8(), usize::from(bytes.u8()), bytes.u8());
    let files: Vec<Arc<[u8]>> = if flags & TWO != 0 {
        let rest = bytes.rest();
        let (first, second) = rest.split_at(rest.len() * usize::from(share) / 256);
        vec![first.into(), second.into()]
    } else {
        vec![bytes.rest().into()]
    };
    let reopenable = flags & REOPENABLE != 0;
    let whole = read(&files, usize::MAX, reopenable);
    if piece > 0 {
        let pieces = read(&files, piece, reopenable);
        // Of what a decoder has decoded before it comes upon damage, some decoders keep the last to themselves.
        if !whole.is_damaged() && !pieces.is_damaged() {
            assert_eq!(whole, pieces, "the size of reads must not matter");
        }
    }
}

/// What reading gave.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    packets: u64,
    /// Of all packets with all they have.
    hash: u64,
    errors: Vec<String>,
    notes: Vec<Note>,
}

impl Told {
    /// Compressed data was damaged.
    fn is_damaged(&self) -> bool {
        let damaged = |note: &Note| matches!(note.kind, NoteKind::CompressionDamaged { .. });
        self.notes.iter().any(damaged) || self.errors.iter().any(|e| e.contains("data is damaged"))
    }
}

fn read(files: &[Arc<[u8]>], piece: usize, reopenable: bool) -> Told {
    let input = |bytes: &Arc<[u8]>| -> Box<dyn Input> {
        Box::new(Memory {
            bytes: Arc::clone(bytes),
            piece,
            reopenable,
        })
    };
    let mut capture = Capture::new(files.iter().map(input).collect());
    let mut last: HashMap<u32, (PacketId, Timestamp)> = HashMap::new();
    let mut hash = DefaultHasher::new();
    let (mut packets, mut errors) = (0, Vec::new());
    loop {
        match capture.next_packet() {
            Ok(Some(packet)) => {
                packets += 1;
                (packet.id, packet.time, packet.interface).hash(&mut hash);
                (packet.link_type, packet.original_len, packet.data).hash(&mut hash);
                check_packet(&packet, &mut last);
            }
            Ok(None) => break,
            Err(error) => {
                errors.push(error.to_string());
                assert!(errors.len() <= files.len(), "an input fails once");
            }
        }
    }
    assert!(
        matches!(capture.next_packet(), Ok(None)),
        "the end is the end"
    );
    assert_eq!(capture.progress().packets, packets);
    let most: usize = files.iter().map(|file| file.len()).sum();
    assert!(capture.progress().bytes <= most as u64);
    let notes = capture.notes();
    // One note for each kind of trouble, and one for each unknown link type.
    assert!(notes.len() <= files.len() * (4 + limits::UNKNOWN_LINK_TYPES));
    for note in &notes {
        assert!(capture.name(note.input).is_some());
        assert!(!note.to_string().contains(char::is_control));
    }
    Told {
        packets,
        hash: hash.finish(),
        errors,
        notes,
    }
}

fn check_packet(packet: &Packet<'_>, last: &mut HashMap<u32, (PacketId, Timestamp)>) {
    assert!(packet.data.len() <= limits::MAX_PACKET);
    let before = last.insert(packet.id.input, (packet.id, packet.time));
    let number = before.map_or(0, |(id, _)| id.number);
    assert_eq!(packet.id.number, number + 1, "packets are counted by input");
}
