//! A filter says what can be read off the message's JSON: random expressions over generated messages, evaluated by the filter and, naively,
//! over the JSON object. `FILTER_CASES` raises the number of expressions per message.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod expression;
#[path = "../generate/mod.rs"]
mod generate;
mod maker;
mod naive;

use cti_dissector::Timestamp;
use cti_dissector::correlate::{Answer, OutcomeKind, Part};
use cti_dissector::decode::Decoder;
use cti_dissector::filter::{self, Filter, FilterErrorKind};
use cti_dissector::finding::{Code, Finding};
use cti_dissector::protocol::{self, MessageType};
use cti_dissector::record::{Direction, MessageInfo, Packets, Peers, Record};
use cti_dissector::render::json::{self, Renderer};
use cti_dissector::session::VersionSource;
use generate::{Random, Wish, message, published, versions};
use maker::Maker;
use serde_json::Value;

fn info(bytes: &[u8], random: &mut Random) -> MessageInfo {
    let number = MessageType(u32::from_be_bytes(bytes[4..8].try_into().unwrap()));
    let message = protocol::message(number);
    let part = Part {
        no: 1,
        number,
        message,
        time: Timestamp::default(),
    };
    let is_answer = message.is_some_and(|m| m.answers.is_some());
    let latency = i64::try_from(random.below(9)).unwrap() * 1_000_000;
    let direction = match random.once_in(2) {
        true => Direction::ClientToServer,
        false => Direction::ServerToClient,
    };
    let finding = random
        .once_in(8)
        .then(|| Finding::new(Code::InvokeIdReused, "again"));
    MessageInfo {
        no: 2,
        time: Timestamp::from_seconds(1_795_428_901),
        peers: Peers {
            session: u32::try_from(random.below(4)).unwrap(),
            client: "10.0.1.10:50412".parse().unwrap(),
            server: "10.0.0.5:42027".parse().unwrap(),
        },
        direction,
        packets: Packets::default(),
        version: protocol::ProtocolVersion(24),
        version_source: VersionSource::Stated,
        number,
        message,
        answers: is_answer.then_some(Answer {
            request: part,
            latency,
            kind: OutcomeKind::Confirmed,
            failure: None,
        }),
        outcome: None,
        findings: finding.into_iter().collect(),
        first_of_session: false,
    }
}

/// What was tried.
#[derive(Debug, Default)]
struct Tried {
    passed: u32,
    failed: u32,
    refused: u32,
}

fn compare(bytes: &[u8], info: &MessageInfo, random: &mut Random, cases: usize, tried: &mut Tried) {
    let mut renderer = Renderer::new(json::Options {
        show_secrets: true,
        ..json::Options::default()
    });
    let options = filter::Options {
        show_secrets: true,
        ..filter::Options::default()
    };
    let mut out = Vec::new();
    renderer.record(&mut out, &Record::Message(info, bytes));
    let json: Value = serde_json::from_slice(&out).unwrap();
    let mut decoder = Decoder::new();
    let view = decoder.decode_as(bytes, info.version, info.message);
    let fixed = view.fixed().map(|f| f.field().name);
    let names: Vec<&'static str> = fixed
        .chain(view.floating().filter_map(|f| f.name()))
        .collect();
    let mut maker = Maker {
        random,
        json,
        names,
    };
    for _ in 0..cases {
        let expr = maker.expr(2);
        let text = expr.written();
        match Filter::with_options(&text, &options) {
            Ok(filter) => {
                let expected = expr.holds(&maker.json);
                let actual = filter.matches(info, bytes, &mut decoder);
                assert_eq!(actual, expected, "{text}\n{}", maker.json);
                match actual {
                    true => tried.passed += 1,
                    false => tried.failed += 1,
                }
            }
            // Values were chosen without a look at types.
            Err(error) => match error.kind() {
                FilterErrorKind::Mismatch { .. }
                | FilterErrorKind::Operator { .. }
                | FilterErrorKind::OutOfRange { .. }
                | FilterErrorKind::UnknownValue { .. }
                | FilterErrorKind::Ambiguous { .. } => tried.refused += 1,
                _ => panic!("{text}: {error}"),
            },
        }
    }
}

#[test]
fn a_filter_says_what_the_json_says() {
    let cases = std::env::var("FILTER_CASES").ok();
    let cases = cases.map_or(40, |n| n.parse().unwrap());
    let mut random = Random(20_261_123);
    let mut tried = Tried::default();
    for definition in published() {
        let versions: Vec<_> = versions(definition).collect();
        for wish in [
            Wish {
                usual: true,
                ..Wish::default()
            },
            Wish::default(),
        ] {
            let version = *random.pick(&versions);
            let made = message(definition, version, &mut random, wish);
            let mut info = info(&made.bytes, &mut random);
            info.version = version;
            info.message = Some(definition);
            compare(&made.bytes, &info, &mut random, cases, &mut tried);
            // Cut, read as another version, and with fields that it should not have.
            let end = 8 + random.below(made.bytes.len() - 7);
            compare(
                &made.bytes[..end],
                &info,
                &mut random,
                cases / 4,
                &mut tried,
            );
            info.version = *random.pick(&versions);
            compare(&made.bytes, &info, &mut random, cases / 4, &mut tried);
            let mut foreign = made.bytes.clone();
            let tag = u8::try_from(1 + random.below(250)).unwrap();
            match version.floating_header() {
                protocol::FloatingHeader::Narrow => foreign.extend([tag, 2, b'x', 0]),
                protocol::FloatingHeader::Wide => foreign.extend([0, tag, 0, 2, b'x', 0]),
            }
            let length = u32::try_from(foreign.len() - 8).unwrap();
            foreign[..4].copy_from_slice(&length.to_be_bytes());
            info.version = version;
            compare(&foreign, &info, &mut random, cases / 4, &mut tried);
        }
    }
    eprintln!("{tried:?}");
    let answered = tried.passed + tried.failed;
    assert!(tried.refused < answered / 2, "{tried:?}");
    assert!(
        tried.passed > answered / 5 && tried.failed > answered / 5,
        "{tried:?}"
    );
}
