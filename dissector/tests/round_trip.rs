//! Messages made from the tables, in every version, decode to what they were made from and encode to the same bytes again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod again;
mod generate;

use again::again;
use cti_dissector::decode::{Decoder, MAX_MESSAGE, Reading};
use cti_dissector::finding::Code;
use cti_dissector::protocol::{FloatingHeader, ProtocolVersion};
use generate::{Generated, Random, Wish, assert_tiles, published, versions};

/// Every published message in every version that has it.
fn each(rounds: u64, mut check: impl FnMut(&Generated)) {
    let mut count = 0;
    for message in published() {
        for version in versions(message) {
            for round in 0..rounds {
                let seed = u64::from(message.number.0) << 16 | u64::from(version.0) << 8 | round;
                let made = generate::message(message, version, &mut Random(seed), Wish::default());
                check(&made);
                count += 1;
            }
        }
    }
    assert!(count > 2000 * rounds, "{count} messages only");
}

#[test]
fn every_message_comes_back_in_every_version() {
    let mut decoder = Decoder::new();
    each(6, |made| {
        let view = decoder.decode(&made.bytes, made.version);
        assert_eq!(view.reading(), Reading::Usual, "{}", made.label());
        made.assert_equals(&view);
        assert_eq!(view.unread(), None, "{}", made.label());
        assert_tiles(&view, &made.label());
        let odd = view.findings().iter().find(|f| match f.code {
            Code::UnknownValue => false,
            Code::MessageTooLong => made.bytes.len() <= MAX_MESSAGE,
            _ => true,
        });
        assert_eq!(odd, None, "{}", made.label());
        assert_eq!(again(&view), made.bytes, "{}", made.label());
    });
}

#[test]
fn every_prefix_accounts_for_every_byte() {
    let mut decoder = Decoder::new();
    each(1, |made| {
        // Long ones are cut at every byte of their fixed part and first fields, and here and there behind.
        let ends = (0..made.bytes.len()).filter(|end| *end < 120 || end % 7 == 0);
        for end in ends {
            let prefix = &made.bytes[..end];
            let view = decoder.decode(prefix, made.version);
            assert_tiles(&view, &made.label());
            if view.unread().is_some() {
                assert!(!view.findings().is_empty(), "{} cut to {end}", made.label());
            }
        }
    });
}

/// Changes the length of the floating field whose tag stands at `at`; false when the length cannot change so.
fn change_length(bytes: &mut [u8], at: usize, version: ProtocolVersion, by: i32) -> bool {
    let place = match version.floating_header() {
        FloatingHeader::Narrow => at + 1,
        FloatingHeader::Wide => at + 3,
    };
    match u8::try_from(i32::from(bytes[place]) + by) {
        Ok(length) => {
            bytes[place] = length;
            true
        }
        Err(_) => false,
    }
}

#[test]
fn a_field_length_off_by_one_loses_no_byte() {
    let mut decoder = Decoder::new();
    each(1, |made| {
        let tags: Vec<usize> = decoder
            .decode(&made.bytes, made.version)
            .floating()
            .map(|f| f.range().start)
            .collect();
        for (index, at) in tags.iter().enumerate().take(40) {
            for by in [-1, 1] {
                let mut bytes = made.bytes.clone();
                if !change_length(&mut bytes, *at, made.version, by) {
                    continue;
                }
                let view = decoder.decode(&bytes, made.version);
                assert_tiles(&view, &made.label());
                if index + 1 == tags.len() {
                    assert!(!view.findings().is_empty(), "{}", made.label());
                }
            }
        }
    });
}

#[test]
fn bytes_behind_the_last_field_are_reported() {
    let mut decoder = Decoder::new();
    each(1, |made| {
        let mut bytes = made.bytes.clone();
        // A tag without the rest of its field.
        bytes.push(0);
        let view = decoder.decode(&bytes, made.version);
        assert_tiles(&view, &made.label());
        let told = |code| view.findings().iter().any(|f| f.code == code);
        assert!(
            told(Code::UnreadBytes) || told(Code::OtherLayout) || told(Code::OtherVersionLayout),
            "{}",
            made.label()
        );
    });
}
