//! Any capture, redacted: what is written can be read, tells the same messages, and none of the texts.

use crate::input::Bytes;
use crate::memory::Memory;
use crate::program::{dissect, dissect_watching};
use cti_dissector::capture::{
    Capture, Layers, Note, NoteKind, Packet, SaveCompression, SaveFormat, Saver,
};
use cti_dissector::conversation::Options;
use cti_dissector::decode::{Decoder, FieldValue};
use cti_dissector::protocol::privacy::{self, Treatment};
use cti_dissector::record::{Record, Sink};
use cti_dissector::redact::{self, Learner, Policy, Report};
use std::io::Cursor;

/// What is encrypted is left out.
pub(crate) const DROP: u8 = 1;
/// What is not CTI is kept.
pub(crate) const KEEP: u8 = 2;

/// The first byte holds flags, the rest is the capture.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let flags = bytes.u8();
    let capture = bytes.rest();
    let (one, report) = redacted(capture, flags, [1; 32]);
    let (other, _) = redacted(capture, flags, [2; 32]);
    assert_eq!(one.len(), other.len(), "the key decides about values only");
    let mut packets = 0;
    each_packet(&one, true, |_| packets += 1);
    assert_eq!(packets, report.packets);
    let before = tell(capture);
    let after = [tell(&one), tell(&other)];
    // Packets whose headers are damaged are left out, and with them messages.
    let all_kept = flags & (KEEP | DROP) == KEEP && segments(capture) == segments(&one);
    if all_kept && report.reshaped == 0 {
        for after in &after {
            assert_eq!(types(&before), types(after));
        }
    }
    if before.len() == after[0].len() {
        nothing_left(&before, &after);
    }
}

/// The capture that `redact` writes by a key, and what it says of it.
fn redacted(capture: &[u8], flags: u8, key: [u8; 32]) -> (Vec<u8>, Report) {
    let mut policy = Policy::default();
    for class in ["none", "variable_name"] {
        policy.redact(class).unwrap();
    }
    let options = redact::Options {
        drop_encrypted: flags & DROP != 0,
        keep_other: flags & KEEP != 0,
        ..redact::Options::default()
    };
    let learner = Learner::new(policy, key, options, Cursor::new(Vec::new()));
    let (learner, ..) =
        dissect_watching(capture, Options::default(), learner, |learner, segment| {
            learner.segment(segment);
        });
    let mut redactor = learner.finish().unwrap();
    each_packet(capture, false, |packet| redactor.look(packet));
    redactor.looked();
    let mut saver = Saver::new(Vec::new(), SaveFormat::PcapNg, SaveCompression::None).unwrap();
    each_packet(capture, false, |packet| {
        if let Some(packet) = redactor.packet(packet).unwrap() {
            saver.packet(&packet).unwrap();
        }
    });
    (saver.finish().unwrap(), redactor.report().clone())
}

fn each_packet(bytes: &[u8], sound: bool, mut call: impl FnMut(&Packet<'_>)) {
    let mut capture = Capture::new(vec![Box::new(Memory {
        bytes: bytes.into(),
        piece: usize::MAX,
        reopenable: true,
    })]);
    loop {
        match capture.next_packet() {
            Ok(Some(packet)) => call(&packet),
            Ok(None) => break,
            Err(error) => assert!(!sound, "{error}"),
        }
    }
    let is_damage = |note: &Note| matches!(note.kind, NoteKind::CutOff { .. });
    assert!(!sound || !capture.notes().iter().any(is_damage));
}

/// A message: its type and bytes, and where in it the texts are that may not stay, with what is done about each.
struct Told {
    number: u32,
    bytes: Vec<u8>,
    texts: Vec<(std::ops::Range<usize>, Treatment)>,
}

fn tell(capture: &[u8]) -> Vec<Told> {
    let (tellers, ..) = dissect(capture, Options::default(), Teller::default());
    tellers.told
}

#[derive(Default)]
struct Teller {
    told: Vec<Told>,
    decoder: Decoder,
}

impl Sink for Teller {
    fn record(&mut self, record: Record<'_>) {
        let Record::Message(info, bytes) = record else {
            return;
        };
        let view = self.decoder.decode_as(bytes, info.version, info.message);
        let texts = view.floating().filter_map(|field| {
            let class = privacy::of_tag(field.tag())?;
            let is_text = matches!(
                field.value(),
                FieldValue::Text(_)
                    | FieldValue::Bytes(_)
                    | FieldValue::NamedVariable { .. }
                    | FieldValue::NamedArray { .. }
            );
            is_text.then(|| (field.data_range(), class.treatment))
        });
        self.told.push(Told {
            number: info.number.0,
            texts: texts.collect(),
            bytes: bytes.to_vec(),
        });
    }
}

/// Segments in a capture, copies included.
fn segments(capture: &[u8]) -> u64 {
    let mut layers = Layers::new();
    each_packet(capture, false, |packet| {
        let _ = layers.segment(packet);
    });
    let counts = layers.counts();
    counts.tcp + counts.duplicates
}

/// Types and lengths of all messages. Their order may depend on packets that are not there any more.
fn types(told: &[Told]) -> Vec<(u32, usize)> {
    let mut types: Vec<_> = told.iter().map(|m| (m.number, m.bytes.len())).collect();
    types.sort_unstable();
    types
}

/// No text is what it was by more than chance: that does not depend on the key.
fn nothing_left(before: &[Told], after: &[Vec<Told>; 2]) {
    let [one, other] = after;
    for ((before, one), other) in before.iter().zip(one).zip(other) {
        for (range, treatment) in &before.texts {
            let (Some(original), Some(fake), Some(again)) = (
                before.bytes.get(range.clone()),
                one.bytes.get(range.clone()),
                other.bytes.get(range.clone()),
            ) else {
                continue;
            };
            let stays = |byte: &u8| match treatment {
                Treatment::Pseudonym | Treatment::Keep => !byte.is_ascii_alphanumeric(),
                Treatment::Mask => !byte.is_ascii_alphanumeric() || b"xX0".contains(byte),
                Treatment::Secret => matches!(byte, 0 | b'x'),
            };
            let words = original.split(|byte| !byte.is_ascii_alphanumeric());
            let longest = words.map(<[u8]>::len).max().unwrap_or(0);
            if longest >= LEAST && !original.iter().all(stays) {
                assert!(
                    original != fake || original != again,
                    "{} of message {}",
                    String::from_utf8_lossy(original),
                    before.number
                );
            }
        }
    }
}

/// Letters of a word that do not stay by chance with two keys.
const LEAST: usize = 5;
