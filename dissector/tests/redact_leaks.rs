//! What a redacted capture says of the values that were in it: nothing, in no encoding, wherever they stood.
//!
//! Every message of the tables is sent with values in every field, and among them the values of others, spelled in all ways in which a
//! text may stand in a file. A pseudonym may be another value by chance; but what stays the same whatever the key was taken
//! over. So the capture is redacted by several keys, and only what they agree on is searched.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

mod generate;
mod pieces;
mod traffic;

use cti_dissector::Timestamp;
use cti_dissector::decode::{Decoder, FieldValue};
use cti_dissector::protocol::privacy;
use cti_dissector::protocol::{NEWEST, OLDEST, ProtocolVersion, Sender};
use cti_dissector::redact::Policy;
use ctishark_fixtures::Side;
use generate::{Random, Wish, published};
use pieces::{packet_of, read, redacted};
use std::collections::{BTreeSet, HashSet};
use traffic::check::Story;
use traffic::wire::{self, Piece};
use traffic::{Said, Talk};

/// Keys that must agree on what is searched: a digit is the same by chance in one of ten captures, four of them with so many keys
/// hardly ever.
const KEYS: u8 = 4;
/// The shortest value that is searched.
const LEAST: usize = 4;

const ALPHABETS: [&[u8]; 4] = [
    b"0123456789",
    b"abcdefghijklmnopqrstuvwyz",
    b"ABCDEFGHIJKLMNOPQRSTUVWYZ",
    b"0123456789ABCDEFabcdefghij+-. @",
];

/// A value that somebody may want to keep to themselves.
fn value(random: &mut Random) -> Vec<u8> {
    let alphabet = *random.pick(&ALPHABETS);
    let length = LEAST + random.below(14);
    (0..length).map(|_| *random.pick(alphabet)).collect()
}

/// The ways in which a text may stand in a file.
fn encodings(text: &[u8]) -> Vec<Vec<u8>> {
    let wide = |first: bool| -> Vec<u8> {
        text.iter()
            .flat_map(|b| if first { [*b, 0] } else { [0, *b] })
            .collect()
    };
    let hex: String = text.iter().map(|b| format!("{b:02x}")).collect();
    let mut all = vec![
        text.to_vec(),
        text.iter().rev().copied().collect(),
        text.to_ascii_uppercase(),
        text.to_ascii_lowercase(),
        wide(true),
        wide(false),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        base64(text),
    ];
    if text.iter().all(u8::is_ascii_digit) {
        let digits: Vec<u8> = text.iter().map(|b| b - b'0').collect();
        let packed = |high: usize, low: usize| -> Vec<u8> {
            let pairs = digits.chunks_exact(2);
            pairs.map(|pair| pair[high] << 4 | pair[low]).collect()
        };
        all.extend([packed(0, 1), packed(1, 0), digits]);
        let number: Option<u64> = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok());
        if let Some(number) = number.filter(|n| *n > 0xff_ffff) {
            let bytes = number.to_be_bytes();
            let zeros = bytes.iter().take_while(|b| **b == 0).count();
            all.push(bytes[zeros..].to_vec());
            all.push(bytes[zeros..].iter().rev().copied().collect());
        }
    }
    // Four bytes that are no text turn up by chance.
    all.retain(|e| e.len() > LEAST || e.is_ascii() && e.len() == text.len());
    all
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = bytes.chunks_exact(3).flat_map(|three| {
        let number = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        [18, 12, 6, 0].map(|shift| DIGITS[(number >> shift) as usize & 63])
    });
    whole.collect()
}

/// Every published message of a version several times, with values of others in its texts.
fn hostile(version: ProtocolVersion, random: &mut Random) -> Talk {
    let pool: Vec<Vec<u8>> = (0..200).map(|_| value(random)).collect();
    let mut said = Vec::new();
    let exists = |since: Option<u8>| since.is_none_or(|since| since <= version.known());
    for round in 0..3 {
        for message in published().filter(|m| exists(m.since)) {
            let secret = random.pick(&pool);
            let spelled = encodings(secret);
            // Once as it is, then spelled in some way.
            let smuggled = match round {
                0 => secret.clone(),
                _ => random.pick(&spelled).clone(),
            };
            let fixed = [("VersionNumber", i64::from(version.0)), ("More", 0)];
            let wish = Wish {
                fixed: &fixed,
                usual: true,
                lifelike: round == 0,
                entries: 3,
                smuggled: &smuggled,
            };
            let made = generate::message(message, version, random, wish);
            said.push(Said {
                connection: 0,
                side: match message.sender {
                    Sender::Client => Side::Client,
                    _ => Side::Server,
                },
                time: Timestamp::from_nanos(
                    1_795_428_000_000_000_000 + said.len() as i64 * 1_000_000,
                ),
                message,
                bytes: made.bytes,
                answers: None,
                joined: random.once_in(4),
            });
        }
    }
    // What travels with the next message needs one behind it.
    for side in [Side::Client, Side::Server] {
        if let Some(last) = said.iter_mut().rfind(|s| s.side == side) {
            last.joined = false;
        }
    }
    Talk {
        version,
        connections: 1,
        opened: false,
        said,
    }
}

/// Texts of all fields, and the words of them.
fn originals(said: &[Said], version: ProtocolVersion) -> BTreeSet<Vec<u8>> {
    let mut decoder = Decoder::new();
    let mut found = BTreeSet::new();
    for one in said {
        let view = decoder.decode(&one.bytes, version);
        for field in view.floating() {
            let texts = match field.value() {
                FieldValue::Text(text) | FieldValue::Bytes(text) => vec![text],
                FieldValue::NamedVariable { name, value }
                | FieldValue::NamedArray { name, value, .. } => vec![name, value],
                _ => continue,
            };
            for text in texts {
                found.insert(text.to_vec());
                for word in text.split(|b| !b.is_ascii_alphanumeric()) {
                    found.insert(word.to_vec());
                }
            }
        }
    }
    found.retain(|text| {
        let tells = |b: &u8| b.is_ascii_alphanumeric() && !b"xX0".contains(b);
        // One letter between signs can be the same by chance.
        text.len() >= LEAST && text.iter().filter(|b| tells(b)).count() >= LEAST
    });
    found
}

/// The stretches on which all keys agree.
fn agreed(pieces: &[Piece], policy: &Policy) -> Vec<Vec<u8>> {
    let packets: Vec<_> = pieces.iter().map(packet_of).collect();
    let outputs: Vec<_> = (0..KEYS)
        .map(|key| redacted(&packets, policy.clone(), [key; 32]).0)
        .collect();
    let mut stretches = Vec::new();
    for (index, first) in outputs[0].iter().enumerate() {
        let mut stretch = Vec::new();
        for (at, byte) in first.data.iter().enumerate() {
            if outputs.iter().all(|o| o[index].data[at] == *byte) {
                stretch.push(*byte);
            } else {
                stretches.push(std::mem::take(&mut stretch));
            }
        }
        stretches.push(stretch);
    }
    stretches.retain(|stretch| stretch.len() >= LEAST);
    stretches
}

/// Everything is replaced that can be.
fn strict() -> Policy {
    let mut policy = Policy::default();
    for class in privacy::classes() {
        policy.redact(class.name).unwrap();
    }
    policy
}

/// Values of which some encoding is still there.
fn left(stretches: &[Vec<u8>], originals: &BTreeSet<Vec<u8>>) -> Vec<String> {
    let beginnings: HashSet<&[u8]> = stretches.iter().flat_map(|s| s.windows(LEAST)).collect();
    let mut left = Vec::new();
    for original in originals {
        for encoding in encodings(original) {
            let Some(beginning) = encoding.get(..LEAST) else {
                continue;
            };
            // What punctuation and zeros spell says nothing.
            let tells = encoding
                .iter()
                .any(|b| b.is_ascii_alphanumeric() && !b"xX0".contains(b));
            if !tells && encoding.iter().all(|b| matches!(b, 0 | 0x20..=0x7e)) {
                continue;
            }
            let is_there = || {
                let mut all = stretches.iter();
                all.any(|s| memchr::memmem::find(s, &encoding).is_some())
            };
            if beginnings.contains(beginning) && is_there() {
                let text = String::from_utf8_lossy(original);
                left.push(format!("{text:?} as {encoding:02x?}"));
            }
        }
    }
    left
}

#[test]
fn a_leak_would_be_found() {
    let mut random = Random(3);
    let version = ProtocolVersion(24);
    let talk = hostile(version, &mut random);
    let mut policy = strict();
    policy.keep("DNIS").unwrap();
    let originals = originals(&talk.said, version);
    let stretches = agreed(&wire::capture(&talk, 65_535).pieces, &policy);
    assert!(left(&stretches, &originals).len() > 3);
}

#[test]
fn no_value_is_left_in_any_encoding() {
    let mut searched = 0;
    for version in (OLDEST..=NEWEST).step_by(4) {
        let mut random = Random(u64::from(version));
        let version = ProtocolVersion(version.into());
        let talk = hostile(version, &mut random);
        let story = read(
            &wire::capture(&talk, 65_535)
                .pieces
                .iter()
                .map(packet_of)
                .collect::<Vec<_>>(),
            Story::default(),
        );
        assert_eq!(story.messages.len(), talk.said.len(), "v{version}");
        let originals = originals(&talk.said, version);
        searched += originals.len();
        for snaplen in [65_535, 150] {
            let wire = wire::capture(&talk, snaplen);
            let lost = wire::lose(&wire.pieces, 30_000, &mut random);
            for pieces in [wire.pieces, lost] {
                let stretches = agreed(&pieces, &strict());
                let left = left(&stretches, &originals);
                assert!(left.is_empty(), "v{version} {snaplen}: {left:#?}");
            }
        }
    }
    assert!(searched > 2_000, "{searched}");
}
