//! Redacted traffic: nothing of what was said is left, and yet the same messages are told.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod generate;
mod pieces;
mod traffic;

use cti_dissector::decode::{Decoder, FieldValue};
use cti_dissector::protocol::privacy::{self, Treatment};
use cti_dissector::protocol::{NEWEST, OLDEST, ProtocolVersion};
use cti_dissector::redact::Policy;
use etherparse::{Ipv4Header, TcpHeader};
use generate::Random;
use pieces::{KEY, Owned, packet_of, read, redacted};
use std::collections::BTreeMap;
use traffic::check::Story;
use traffic::wire::{self, Piece};
use traffic::{Taste, talk};

/// What must be the same of a story and the redacted one.
fn shape(story: &Story) -> Vec<String> {
    let mut decoder = Decoder::new();
    let mut shape: Vec<String> = story
        .messages
        .iter()
        .map(|(info, bytes)| {
            let view = decoder.decode_as(bytes, info.version, info.message);
            let fixed: Vec<_> = view
                .fixed()
                .filter(|f| privacy::of_fixed(f.field().name).is_none())
                .map(|f| (f.field().name, f.number().bits))
                .collect();
            let floating: Vec<_> = view.floating().map(|f| (f.tag(), f.range())).collect();
            let findings: Vec<_> = view.findings().iter().map(|f| f.code).collect();
            let own: Vec<_> = info.findings.iter().map(|f| f.code).collect();
            let answers = info.answers.map(|a| (a.request.no, a.kind));
            // What does not fit its layout may have letters where numbers are due.
            let fixed = if findings.is_empty() { fixed } else { Vec::new() };
            format!(
                "{} {:?} {} {:?} {:?} {} {:?} {answers:?} {own:?} {findings:?} {fixed:?} {floating:?} {:?}",
                info.no,
                info.time,
                info.peers.session,
                info.direction,
                info.number,
                info.version,
                info.message.map(|m| m.name),
                view.unread().map(|(at, _)| at),
            )
        })
        .collect();
    shape.extend(story.breaks.iter().map(|b| format!("{:?}", b.details)));
    shape.extend(story.exchanges.iter().map(|e| format!("{e:?}")));
    shape.extend(story.sessions.iter().map(|s| {
        format!(
            "{} {:?} {:?} {:?} {:?} {:?}",
            s.peers.session, s.version, s.counts, s.first, s.last, s.end
        )
    }));
    shape
}

/// The ways in which a text may stand in a file.
fn encodings(text: &[u8]) -> Vec<Vec<u8>> {
    let reversed: Vec<u8> = text.iter().rev().copied().collect();
    let wide = |first: bool| -> Vec<u8> {
        text.iter()
            .flat_map(|b| if first { [*b, 0] } else { [0, *b] })
            .collect()
    };
    let hex: String = text.iter().map(|b| format!("{b:02x}")).collect();
    let mut all = vec![
        text.to_vec(),
        reversed,
        wide(true),
        wide(false),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    let digits: Vec<u8> = text
        .iter()
        .filter(|b| b.is_ascii_digit())
        .map(|b| b - b'0')
        .collect();
    // Fewer packed bytes turn up by chance.
    if digits.len() == text.len() && digits.len() >= 13 {
        let packed = |swap: bool| -> Vec<u8> {
            digits
                .chunks_exact(2)
                .map(|pair| {
                    let (high, low) = if swap { (1, 0) } else { (0, 1) };
                    pair[high] << 4 | pair[low]
                })
                .collect()
        };
        all.extend([packed(false), packed(true)]);
    }
    all
}

/// Texts of fields that are redacted, with their class.
fn secrets(story: &Story) -> Vec<(Treatment, u64, u16, Vec<u8>)> {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for (info, bytes) in &story.messages {
        let view = decoder.decode_as(bytes, info.version, info.message);
        for field in view.floating() {
            let Some(class) = privacy::of_tag(field.tag()) else {
                continue;
            };
            let text = match field.value() {
                FieldValue::Text(text) | FieldValue::Bytes(text) => text,
                FieldValue::NamedVariable { value, .. } | FieldValue::NamedArray { value, .. } => {
                    value
                }
                _ => continue,
            };
            if class.treatment != Treatment::Keep {
                found.push((class.treatment, info.no, field.tag(), text.to_vec()));
            }
        }
    }
    found
}

/// Redacts what is left of some traffic and compares.
fn check(pieces: &[Piece], label: &str, known: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> usize {
    let packets: Vec<Owned> = pieces.iter().map(packet_of).collect();
    let (out, report) = redacted(&packets, Policy::default(), KEY);
    let before = read(&packets, Story::default());
    let after = read(&out, Story::default());
    let (one, other) = (shape(&before), shape(&after));
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other, "{label}");
    }
    assert_eq!(one.len(), other.len(), "{label}");
    assert_eq!(report.reshaped, 0, "{label}");
    assert_eq!(
        report.messages,
        u64::try_from(before.messages.len()).unwrap()
    );
    for packet in &out {
        assert_sums(&packet.data, packet.original_len);
    }

    let originals = secrets(&before);
    let fakes = secrets(&after);
    assert_eq!(originals.len(), fakes.len(), "{label}");
    let bytes: Vec<u8> = out.iter().flat_map(|p| p.data.clone()).collect();
    let mut payload = Vec::new();
    for (_, message) in &after.messages {
        payload.extend_from_slice(message);
    }
    for ((treatment, no, tag, original), (_, _, _, fake)) in originals.iter().zip(&fakes) {
        assert_eq!(original.len(), fake.len(), "{label} #{no} {tag}");
        // A single keyed digit is masked, others of one character are not worth telling apart.
        if original.len() == 1 {
            continue;
        }
        let says_something = original.iter().any(u8::is_ascii_alphanumeric);
        if *treatment == Treatment::Pseudonym {
            if says_something {
                assert_ne!(original, fake, "{label} #{no} {tag}");
            }
            // The same value is the same fake everywhere, and no two have the same.
            if let Some(known) = known.insert(original.clone(), fake.clone()) {
                assert_eq!(known, *fake, "{label} #{no} {tag}");
            }
        }
        let distinctive = original.len() >= 9 && original.iter().any(|b| !b"0xX".contains(b));
        if distinctive && says_something {
            for encoding in encodings(original) {
                for place in [&bytes, &payload] {
                    assert!(
                        !contains(place, &encoding),
                        "{label} #{no} {tag}: {:?} is still there",
                        String::from_utf8_lossy(original)
                    );
                }
            }
        }
    }
    originals.len()
}

fn contains(place: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(place, what).is_some()
}

/// Check sums are right where they can be.
fn assert_sums(data: &[u8], original_len: u32) {
    let (ip, rest) = Ipv4Header::from_slice(&data[14..]).unwrap();
    assert_eq!(ip.header_checksum, ip.calc_header_checksum());
    if usize::try_from(original_len) == Ok(data.len()) {
        let (tcp, payload) = TcpHeader::from_slice(rest).unwrap();
        assert_eq!(tcp.checksum, tcp.calc_checksum_ipv4(&ip, payload).unwrap());
    }
}

#[test]
fn nothing_that_was_said_is_left_and_all_of_it_is_told() {
    let tastes = [
        Taste::USUAL,
        Taste {
            opened: true,
            ..Taste::USUAL
        },
        Taste {
            odd: true,
            ..Taste::USUAL
        },
        Taste {
            joined: 15,
            ..Taste::USUAL
        },
    ];
    let mut values = 0;
    let mut known = BTreeMap::new();
    for version in (OLDEST..=NEWEST).step_by(3) {
        for (number, taste) in (0_u64..).zip(tastes) {
            let seed = u64::from(version) * 31 + number * 7 + 1;
            let mut random = Random(seed);
            let taste = Taste {
                messages: 150,
                ..taste
            };
            let said = talk(ProtocolVersion(version.into()), taste, &mut random);
            let whole = wire::capture(&said, 65_535);
            let label = format!("v{version} taste {number}");
            values += check(&whole.pieces, &label, &mut known);
            let lost = wire::lose(&whole.pieces, 20_000, &mut random);
            let mixed = wire::disorder(&lost, &mut random);
            values += check(&mixed, &format!("{label} disorder"), &mut known);
        }
    }
    assert!(values > 20_000, "{values}");
    let mut originals = BTreeMap::new();
    for (original, fake) in &known {
        if let Some(other) = originals.insert(fake, original) {
            panic!("{other:x?} and {original:x?} both became {fake:x?}");
        }
    }
}

#[test]
fn cut_packets_tell_no_more_than_whole_ones() {
    for (version, snaplen) in [(9, 96), (18, 200), (24, 120)] {
        let mut random = Random(version);
        let version = ProtocolVersion(u32::try_from(version).unwrap());
        let said = talk(version, Taste::USUAL, &mut random);
        let cut = wire::capture(&said, snaplen);
        let packets: Vec<Owned> = cut.pieces.iter().map(packet_of).collect();
        let (out, _) = redacted(&packets, Policy::default(), KEY);
        let whole = wire::capture(&said, 65_535);
        let packets: Vec<Owned> = whole.pieces.iter().map(packet_of).collect();
        let story = read(&packets, Story::default());
        let bytes: Vec<u8> = out.iter().flat_map(|p| p.data.clone()).collect();
        for (_, no, tag, original) in secrets(&story) {
            if original.len() >= 9 && original.iter().any(|b| !b"0xX".contains(b)) {
                for encoding in encodings(&original) {
                    assert!(!contains(&bytes, &encoding), "#{no} {tag}");
                }
            }
        }
    }
}

#[test]
fn messages_within_texts_are_no_way_out() {
    // Texts hold whole messages, and with bytes lost these may be taken for messages.
    let taste = Taste {
        hostile: true,
        joined: 10,
        messages: 200,
        ..Taste::USUAL
    };
    for seed in 1..6 {
        let mut random = Random(seed);
        let said = talk(ProtocolVersion(24), taste, &mut random);
        let whole = wire::capture(&said, 65_535);
        let packets: Vec<Owned> = whole.pieces.iter().map(packet_of).collect();
        let story = read(&packets, Story::default());
        let lost = wire::lose(&whole.pieces, 50_000, &mut random);
        let packets: Vec<Owned> = lost.iter().map(packet_of).collect();
        let (out, _) = redacted(&packets, Policy::default(), KEY);
        let bytes: Vec<u8> = out.iter().flat_map(|p| p.data.clone()).collect();
        for (_, no, tag, original) in secrets(&story) {
            let text = original.iter().all(|b| (0x20..0x7f).contains(b));
            if text && original.len() >= 9 && original.iter().any(|b| !b"0xX".contains(b)) {
                for encoding in encodings(&original) {
                    assert!(!contains(&bytes, &encoding), "seed {seed} #{no} {tag}");
                }
            }
        }
    }
}

#[test]
fn what_is_kept_stays_as_it_was() {
    let mut random = Random(5);
    let said = talk(ProtocolVersion(24), Taste::USUAL, &mut random);
    let whole = wire::capture(&said, 65_535);
    let packets: Vec<Owned> = whole.pieces.iter().map(packet_of).collect();
    let mut policy = Policy::default();
    for class in privacy::classes() {
        policy.keep(class.name).unwrap();
    }
    let (out, _) = redacted(&packets, policy, KEY);
    assert_eq!(out.len(), packets.len());
    for (one, other) in packets.iter().zip(&out) {
        assert_eq!(one.data, other.data);
    }
}
