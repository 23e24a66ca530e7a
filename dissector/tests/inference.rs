//! Sessions without OPEN_REQ: the version is inferred, and right wherever the messages can tell it.
//!
//! The usual run is a sample. docs/protocol.md has the figures of a larger one and the command for it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod generate;
mod traffic;

use cti_dissector::capture::{Flags, PacketId, Segment};
use cti_dissector::conversation::{Conversations, Options};
use cti_dissector::protocol::{NEWEST, OLDEST, ProtocolVersion, floating};
use cti_dissector::session::VersionSource;
use ctishark_fixtures::Side;
use generate::Random;
use std::ops::AddAssign;
use traffic::check::{Story, percent, same_fields};
use traffic::{Said, Taste, talk};

/// Lets the dissector see messages of one connection, a segment each.
fn dissect(said: &[&Said]) -> Story {
    let mut conversations = Conversations::new(Options::default(), Story::default());
    let (client, server) = (
        ([10, 0, 1, 10], 50_000).into(),
        ([10, 0, 0, 5], 42_027).into(),
    );
    let mut sequences = [1_000_u32, 2_000];
    for (number, message) in (1..).zip(said) {
        let [own, other] = match message.side {
            Side::Client => [0, 1],
            Side::Server => [1, 0],
        };
        let ends = [client, server];
        conversations.segment(&Segment {
            packet: PacketId { input: 0, number },
            time: message.time,
            source: ends[own],
            destination: ends[other],
            sequence: sequences[own],
            acknowledgment: sequences[other],
            flags: Flags {
                ack: true,
                ..Flags::default()
            },
            window: 60_000,
            payload: &message.bytes,
            missing: 0,
        });
        let length = u32::try_from(message.bytes.len()).unwrap();
        sequences[own] = sequences[own].wrapping_add(length);
    }
    conversations.finish().0
}

/// What was counted of sessions.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    sessions: usize,
    /// The true version is in the range told, and all fields are as it has them.
    right: usize,
    /// The range told has no version that the tables alone could exclude.
    narrow: usize,
    /// The range told is one version.
    single: usize,
    /// The messages are the same in every version, and it was told so.
    undecided: usize,
    /// Messages that were not found: the first ones, where nothing confirms them.
    untold: usize,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.right += other.right;
        self.narrow += other.narrow;
        self.single += other.single;
        self.undecided += other.undecided;
        self.untold += other.untold;
    }
}

/// The versions that have the same layouts as `version` for all these messages: nothing can tell them apart.
fn alike(said: &[&Said], version: u8) -> Vec<u8> {
    let same = |other: &u8| said.iter().all(|s| is_alike(s, version, *other));
    (OLDEST..=NEWEST).filter(same).collect()
}

fn is_alike(said: &Said, version: u8, other: u8) -> bool {
    let message = said.message;
    let (Some(one), Some(two)) = (message.layout(version), message.layout(other)) else {
        return false;
    };
    let places = |layout: &'static cti_dissector::protocol::Layout| {
        let fields = layout.fixed.iter();
        fields
            .map(|f| (f.name, f.offset, f.wire))
            .collect::<Vec<_>>()
    };
    let header = |v: u8| ProtocolVersion(v.into()).floating_header();
    let mut decoder = cti_dissector::decode::Decoder::new();
    let view = decoder.decode_as(&said.bytes, ProtocolVersion(version.into()), Some(message));
    let has_floating = view.floating().count() > 0;
    let known = view.floating().all(|f| {
        let usage = message.floating(f.tag());
        usage.is_none_or(|u| u.exists_at(other))
            && floating(f.tag()).is_none_or(|field| {
                field.since.is_none_or(|s| s <= other) && field.until.is_none_or(|u| other <= u)
            })
    });
    message.since.is_none_or(|s| s <= other)
        && places(one) == places(two)
        && (!has_floating || header(version) == header(other))
        && known
}

fn judge(said: &[&Said], version: u8, show: bool) -> Figures {
    let story = dissect(said);
    let session = story.sessions.first();
    let (used, source) = session.map_or((None, VersionSource::Undecided), |s| {
        (s.version, s.version_source)
    });
    let range = match source {
        VersionSource::Inferred { oldest, newest } => oldest..=newest,
        _ => OLDEST..=NEWEST,
    };
    let mut wrong = 0;
    let mut told = story.messages.iter().peekable();
    let mut untold = 0;
    for message in said {
        let Some((info, bytes)) = told.next_if(|(_, bytes)| *bytes == message.bytes) else {
            untold += 1;
            if show {
                println!(
                    "v{version} UNTOLD {} {:02x?}",
                    message.message.name, message.bytes
                );
            }
            continue;
        };
        let truth = (ProtocolVersion(version.into()), message.message);
        if !same_fields(bytes, truth, (info.version, info.message)) {
            wrong += 1;
            if show {
                let name = info.message.map_or("?", |m| m.name);
                println!(
                    "v{version} as {used:?} {source:?}: {} as {name} v{} {bytes:02x?}",
                    message.message.name, info.version
                );
            }
        }
    }
    assert!(told.next().is_none(), "false message in version {version}");
    let right = range.contains(&version) && wrong == 0;
    if !right && show {
        println!(
            "v{version} as {used:?} {source:?}: {wrong} of {} wrong",
            said.len()
        );
    }
    let alike = alike(said, version);
    let narrow = range
        .clone()
        .all(|v| alike.contains(&v) || alike.first() < Some(&v) && Some(&v) < alike.last());
    Figures {
        sessions: 1,
        right: usize::from(right),
        narrow: usize::from(narrow),
        single: usize::from(range.clone().count() == 1),
        undecided: usize::from(source == VersionSource::Undecided),
        untold,
    }
}

/// How a session is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Both,
    Client,
    Server,
}

/// Sessions of one version, each as far as `lengths` says.
fn measure(
    version: u8,
    seed: u64,
    lengths: &[usize],
    odd: bool,
    heard: Heard,
    show: bool,
) -> Vec<Figures> {
    let mut random = Random(seed << 16 | u64::from(version));
    let most = lengths.iter().max().copied().unwrap_or(0);
    let taste = Taste {
        messages: 4 * most + 40,
        connections: 1,
        joined: 0,
        odd,
        ..Taste::USUAL
    };
    let talk = talk(ProtocolVersion(version.into()), taste, &mut random);
    let is_heard = |s: &&Said| match heard {
        Heard::Both => true,
        Heard::Client => s.side == Side::Client,
        Heard::Server => s.side == Side::Server,
    };
    let all: Vec<&Said> = talk.said.iter().filter(is_heard).collect();
    let begin = random.below(all.len().saturating_sub(most) + 1);
    lengths
        .iter()
        .map(|length| judge(&all[begin..(begin + length).min(all.len())], version, show))
        .collect()
}

const LENGTHS: [usize; 6] = [1, 2, 5, 10, 20, 50];

#[test]
fn the_version_is_right_in_999_of_1000_sessions_of_ten_messages() {
    let mut all = Figures::default();
    for version in OLDEST..=NEWEST {
        for seed in 0..25 {
            let heard = [Heard::Both, Heard::Both, Heard::Client, Heard::Server];
            let index = usize::try_from(seed).unwrap() % heard.len();
            let odd = index == 1;
            for figures in measure(version, 10_000 + seed, &[10, 20], odd, heard[index], true) {
                all += figures;
            }
        }
    }
    assert!(all.sessions >= 1000, "{all:?}");
    assert!(all.right * 1000 >= all.sessions * 999, "{all:?}");
    assert!(all.narrow * 100 >= all.sessions * 97, "{all:?}");
    assert!(all.untold * 100 <= all.sessions, "{all:?}");
}

#[test]
#[ignore = "takes minutes; prints the figures of the documentation"]
fn figures() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |n| n.parse().unwrap());
    let sessions = number("INFERENCE_SESSIONS", 1000);
    let show = number("INFERENCE_SHOW", 0) > 0;
    for (heard, odd) in [
        (Heard::Both, false),
        (Heard::Both, true),
        (Heard::Client, false),
        (Heard::Server, false),
    ] {
        println!("\n{heard:?}, any values {odd}: sessions right (as narrow as the tables allow)\n");
        println!("| version | 1 message | 2 | 5 | 10 | 20 | 50 |\n|---|---|---|---|---|---|---|");
        let mut sums = [Figures::default(); LENGTHS.len()];
        let row = |figures: &[Figures]| -> String {
            let cell = |f: &Figures| {
                let narrow = percent(f.narrow, f.sessions);
                format!(
                    "{} ({narrow}, {} untold) |",
                    percent(f.right, f.sessions),
                    f.untold
                )
            };
            figures.iter().map(cell).collect()
        };
        for version in OLDEST..=NEWEST {
            let mut all = [Figures::default(); LENGTHS.len()];
            for seed in 0..sessions {
                for (sum, figures) in all
                    .iter_mut()
                    .zip(measure(version, seed, &LENGTHS, odd, heard, show))
                {
                    *sum += figures;
                }
            }
            println!("| {version} | {}", row(&all));
            for (sum, figures) in sums.iter_mut().zip(all) {
                *sum += figures;
            }
        }
        println!("| all | {}", row(&sums));
    }
}
