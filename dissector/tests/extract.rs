//! Cutting captures down: what was selected is found in what is left, as it was, whatever is wrong with the capture.
//!
//! `EXTRACT_ROUNDS` makes it a long run; with `--nocapture` it tells how much was kept and how often more than usual.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod extracting;
mod generate;
mod traffic;

use cti_dissector::Timestamp;
use cti_dissector::conversation::Options;
use cti_dissector::decode::{Decoder, FieldValue};
use cti_dissector::encode::{Draft, Value};
use cti_dissector::filter::Filter;
use cti_dissector::protocol::{NEWEST, OLDEST, ProtocolVersion, message_by_name};
use cti_dissector::record::{Record, Sink};
use cti_dissector::select::Criteria;
use ctishark_fixtures::Side;
use extracting::{Owned, Told, dissect, extract, find, packets, saved};
use generate::Random;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use traffic::wire::{self, MILLION};
use traffic::{Said, Talk, Taste, talk};

/// What is asked for.
#[derive(Debug, Clone)]
enum Wish {
    Filter(String),
    Failures,
    Between(Timestamp, Timestamp),
    Session(u16),
    Call(u32),
    Agent(String),
    Number(u32),
}

impl Wish {
    fn criteria(&self) -> Criteria {
        let mut criteria = Criteria::default();
        match self {
            Self::Filter(text) => criteria.filter = Some(Filter::parse(text).unwrap()),
            Self::Failures => criteria.only_failures = true,
            Self::Between(from, to) => (criteria.from, criteria.to) = (Some(*from), Some(*to)),
            Self::Session(port) => {
                let text = format!("src == {port} || dst == {port}");
                criteria.filter = Some(Filter::parse(&text).unwrap());
            }
            Self::Call(call) => criteria.calls = vec![*call],
            Self::Agent(agent) => criteria.agents = vec![agent.clone()],
            Self::Number(session) => criteria.sessions = BTreeSet::from([*session]),
        }
        criteria
    }

    fn hold_requests(&self) -> bool {
        match self {
            Self::Filter(text) => Filter::parse(text).unwrap().asks_for_outcomes(),
            Self::Failures => true,
            _ => false,
        }
    }

    /// One of many.
    fn any(random: &mut Random, packets: &[Owned]) -> Self {
        let pick = |random: &mut Random| packets[random.below(packets.len())].time;
        match random.below(10) {
            0 => Self::Filter(String::from("name matches \"^CALL_\"")),
            1 => Self::Filter(String::from("name matches \"_REQ$\"")),
            2 => Self::Filter(String::from("name matches \"_CONF$\"")),
            3 => {
                let lengths = (0..12).map(|n| (n * 24 + random.below(24)).to_string());
                let lengths: Vec<String> = lengths.collect();
                Self::Filter(format!("length in {{{}}}", lengths.join(", ")))
            }
            4 => Self::Filter(format!("InvokeID & 31 == {}", random.below(32))),
            5 => Self::Filter(String::from(
                "status in {failed, unanswered} || latency_ms > 100",
            )),
            6 => Self::Failures,
            7 => Self::Session(50_000 + u16::try_from(random.below(2)).unwrap()),
            // A single packet's messages.
            8 => {
                let time = pick(random);
                Self::Between(time, time)
            }
            _ => {
                let (one, other) = (pick(random), pick(random));
                Self::Between(one.min(other), one.max(other))
            }
        }
    }
}

/// Longer than what a version is inferred from.
const LONG: Taste = Taste {
    messages: 1200,
    ..Taste::USUAL
};

const TASTES: [Taste; 5] = [
    LONG,
    Taste {
        opened: true,
        ..Taste::USUAL
    },
    Taste { joined: 15, ..LONG },
    Taste {
        odd: true,
        hostile: true,
        ..LONG
    },
    Taste {
        invoke_ids: 64,
        opened: true,
        ..Taste::USUAL
    },
];

/// Ways to damage a capture.
const DAMAGES: usize = 7;

fn damaged(damage: usize, talk: &traffic::Talk, random: &mut Random) -> Vec<Owned> {
    let snaplen = match damage {
        5 => 96,
        6 => 200,
        _ => 262_144,
    };
    let whole = packets(&wire::file(&wire::scenario(talk, snaplen)));
    match damage {
        1 => wire::lose(&whole, MILLION / 100, random),
        2 => wire::lose(&whole, MILLION / 5, random),
        3 => wire::lose_bursts(&whole, MILLION / 20, random),
        4 => whole[whole.len() / 2..].to_vec(),
        _ => whole,
    }
}

/// Tells the first message in which two lists differ.
fn assert_same(name: &str, found: &[Told], wanted: &[Told]) {
    let mut pairs = wanted.iter().zip(found);
    let (one, other) = pairs
        .find(|(one, other)| one != other)
        .map_or((None, None), |(one, other)| (Some(one), Some(other)));
    let counts = (wanted.len(), found.len());
    assert!(
        wanted == found,
        "{name}: {counts:?}\nwanted {one:?}\nfound  {other:?}"
    );
}

#[test]
fn what_was_selected_is_found_as_it_was_in_damaged_captures() {
    let rounds = std::env::var("EXTRACT_ROUNDS").map_or(1, |n| n.parse().unwrap());
    let mut compared = 0;
    for round in 0..rounds {
        for (number, taste) in TASTES.into_iter().enumerate() {
            for damage in 0..DAMAGES {
                let seed = (round * TASTES.len() + number) * DAMAGES + damage;
                let mut random = Random(0xE7 << 40 | u64::try_from(seed).unwrap());
                let versions = usize::from(NEWEST - OLDEST) + 1;
                let version = u32::from(OLDEST) + u32::try_from(random.below(versions)).unwrap();
                let talk = talk(ProtocolVersion(version), taste, &mut random);
                let packets = damaged(damage, &talk, &mut random);
                let file = saved(&packets);
                for _ in 0..2 {
                    let wish = Wish::any(&mut random, &packets);
                    let options = Options {
                        hold_requests: wish.hold_requests(),
                        ..Options::default()
                    };
                    let wanted = find(&file, &options, wish.criteria());
                    let (result, effort) = extract(&file, &options, || wish.criteria());
                    let found = find(&result, &options, wish.criteria());
                    let kept = extracting::packets(&result).len();
                    println!(
                        "{seed}: taste {number}, damage {damage}, {wish:?}: {} messages, {kept} of {} packets, {effort:?}",
                        wanted.0.len(),
                        packets.len(),
                    );
                    assert_same(&format!("{seed} {wish:?}"), &found.0, &wanted.0);
                    assert!(found.1 == wanted.1, "{seed} {wish:?}: other answers");
                    compared += wanted.0.len();
                }
            }
        }
    }
    assert!(compared > 5_000, "{compared}");
}

/// What can be asked of a capture.
#[derive(Default)]
struct Asked {
    decoder: Decoder,
    wishes: Vec<Wish>,
    calls: BTreeSet<u32>,
    agents: BTreeSet<String>,
    times: Vec<Timestamp>,
}

impl Sink for Asked {
    fn record(&mut self, record: Record<'_>) {
        match record {
            Record::Message(info, bytes) => {
                self.times.push(info.time);
                let view = self.decoder.decode_as(bytes, info.version, info.message);
                let call = view.fixed_named("ConnectionCallID");
                self.calls.extend(call.map(|f| f.number().bits));
                for field in view.floating() {
                    if let (Some("AgentID"), FieldValue::Text(text)) = (field.name(), field.value())
                    {
                        self.agents
                            .insert(String::from_utf8_lossy(text).into_owned());
                    }
                }
            }
            Record::SessionEnded(session) => {
                self.wishes.push(Wish::Number(session.peers.session));
                self.wishes.push(Wish::Session(session.peers.client.port()));
            }
            _ => {}
        }
    }
}

/// At most so many of a kind, spread over all there are.
fn some<T: Clone>(all: impl IntoIterator<Item = T>, most: usize) -> Vec<T> {
    let all: Vec<T> = all.into_iter().collect();
    let step = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(step).collect()
}

/// Sessions, calls, agents, types, filters, times and single messages.
fn wishes(file: &[u8]) -> Vec<Wish> {
    let (asked, _) = dissect(file, &Options::default(), Asked::default());
    let mut wishes = some(asked.wishes, 6);
    wishes.extend(some(asked.calls, 4).into_iter().map(Wish::Call));
    wishes.extend(some(asked.agents, 4).into_iter().map(Wish::Agent));
    for time in some(asked.times.iter().copied(), 6) {
        wishes.push(Wish::Between(time, time));
    }
    for (from, to) in asked
        .times
        .iter()
        .zip(asked.times.iter().skip(asked.times.len() / 4))
        .step_by(20)
    {
        wishes.push(Wish::Between(*from, *to));
    }
    wishes.push(Wish::Failures);
    for text in [
        "name matches \"^CALL_\"",
        "name == AGENT_STATE_EVENT",
        "name matches \"_REQ$\"",
        "name matches \"_CONF$\"",
        "InvokeID == 5",
        "length > 60 && length < 120",
        "latency_ms > 5",
        "status == unanswered",
        "direction == client-to-server",
        "findings",
    ] {
        wishes.push(Wish::Filter(text.to_owned()));
    }
    wishes
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn whatever_is_selected_of_the_example_captures_is_found_as_it_was() {
    let mut compared = 0;
    for path in fixtures() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let file = std::fs::read(&path).unwrap();
        for wish in wishes(&file) {
            let options = Options {
                hold_requests: wish.hold_requests(),
                ..Options::default()
            };
            let wanted = find(&file, &options, wish.criteria());
            let (result, effort) = extract(&file, &options, || wish.criteria());
            println!("{name} {wish:?}: {} messages, {effort:?}", wanted.0.len());
            if matches!(wish, Wish::Number(_)) {
                // Sessions are counted anew.
                let found = find(&result, &options, Criteria::default()).0;
                let missing = wanted.0.iter().find(|message| !found.contains(message));
                assert_eq!(missing, None, "{name} {wish:?}");
            } else {
                let found = find(&result, &options, wish.criteria());
                assert_same(&format!("{name} {wish:?}"), &found.0, &wanted.0);
                assert!(found.1 == wanted.1, "{name} {wish:?}: other answers");
            }
            compared += wanted.0.len();
        }
    }
    assert!(compared > 10_000, "{compared}");
}

#[test]
fn a_message_far_from_all_others_that_are_kept_was_not_believed() {
    const SECOND: i64 = 1_000_000_000;
    let message = |name: &str, id: i64| {
        let mut draft = Draft::new(name, ProtocolVersion(24)).unwrap();
        draft.set("InvokeID", &Value::from(id)).unwrap();
        if name == "OPEN_REQ" {
            draft.set("VersionNumber", &Value::from(24)).unwrap();
        }
        draft.encode().unwrap()
    };
    // Larger than a sequence number may jump, before and behind three messages in one packet.
    let mut filler = vec![0; 12_000];
    filler[2..8].copy_from_slice(&[0x2E, 0xD8, 0, 0, 3, 132]);
    let fill = || std::iter::repeat_n(filler.clone(), 900);
    let lone = ["HOLD_CALL_CONF", "RETRIEVE_CALL_CONF", "CLEAR_CALL_CONF"];
    let lone: Vec<u8> = lone.iter().flat_map(|name| message(name, 77)).collect();
    let payloads = fill().chain([lone]).chain(fill());
    let from_server = payloads.map(|bytes| (Side::Server, bytes));
    let opening = [
        (Side::Client, message("OPEN_REQ", 1)),
        (Side::Server, message("OPEN_CONF", 1)),
    ];
    let said = (0..).zip(opening.into_iter().chain(from_server));
    let talk = Talk {
        version: ProtocolVersion(24),
        connections: 1,
        opened: true,
        said: said
            .map(|(number, (side, bytes))| Said {
                connection: 0,
                side,
                time: Timestamp::from_nanos((1_795_428_000 + number) * SECOND),
                message: message_by_name("HOLD_CALL_CONF").unwrap(),
                bytes,
                answers: None,
                joined: false,
            })
            .collect(),
    };
    let file = wire::file(&wire::scenario(&talk, 262_144));
    let options = Options::default();
    let wish = Wish::Filter(String::from("name == RETRIEVE_CALL_CONF"));
    let wanted = find(&file, &options, wish.criteria());
    assert_eq!(wanted.0.len(), 1);
    let (result, effort) = extract(&file, &options, || wish.criteria());
    assert_same(
        "far",
        &find(&result, &options, wish.criteria()).0,
        &wanted.0,
    );
    assert_eq!(effort.rounds, 1, "{effort:?}");
    let kept = extracting::packets(&result).len();
    assert!(kept < 100, "{kept} of {}", extracting::packets(&file).len());
}
