//! Captures that lack packets: nothing false is told, and hardly anything of what is there is lost.
//!
//! The usual run is a sample. docs/architecture.md has the figures of a larger one and the command for it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod generate;
mod traffic;

use cti_dissector::protocol::{NEWEST, OLDEST, ProtocolVersion};
use generate::Random;
use traffic::check::{Check, Figures};
use traffic::wire::{self, Piece, Wire};
use traffic::{Talk, Taste, talk};

/// What happens to a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// Packets are missing, each with this probability (in millionths).
    Single(usize),
    /// The same share is missing, in bursts.
    Bursts(usize),
    /// Packets are missing, others come late or twice.
    Disorder(usize),
    /// The first half is missing.
    FirstHalf,
    /// One direction is missing, and packets of the other.
    OneDirection(usize),
    /// Packets are cut at so many bytes.
    Snaplen(usize),
}

/// The same traffic in several ways: usual, seen from the beginning, in full segments, with any values, with hostile texts.
const TASTES: [(&str, Taste); 6] = [
    ("usual", Taste::USUAL),
    (
        "opened",
        Taste {
            opened: true,
            ..Taste::USUAL
        },
    ),
    (
        "bulk",
        Taste {
            joined: 15,
            ..Taste::USUAL
        },
    ),
    (
        "any values",
        Taste {
            odd: true,
            ..Taste::USUAL
        },
    ),
    (
        "hostile",
        Taste {
            hostile: true,
            joined: 10,
            ..Taste::USUAL
        },
    ),
    (
        "few InvokeIDs",
        Taste {
            invoke_ids: 64,
            ..Taste::USUAL
        },
    ),
];

const DAMAGES: [(&str, Damage); 13] = [
    ("whole", Damage::Single(0)),
    ("0.1 %", Damage::Single(1_000)),
    ("1 %", Damage::Single(10_000)),
    ("5 %", Damage::Single(50_000)),
    ("20 %", Damage::Single(200_000)),
    ("first half", Damage::FirstHalf),
    ("bursts, 5 %", Damage::Bursts(50_000)),
    ("disorder, 0 %", Damage::Disorder(0)),
    ("disorder, 5 %", Damage::Disorder(50_000)),
    ("one direction, 5 %", Damage::OneDirection(50_000)),
    ("one direction, 20 %", Damage::OneDirection(200_000)),
    ("snap length 96", Damage::Snaplen(96)),
    ("snap length 200", Damage::Snaplen(200)),
];

fn damaged(talk: &Talk, whole: &Wire, damage: Damage, random: &mut Random) -> Vec<Piece> {
    match damage {
        Damage::Single(share) => wire::lose(&whole.pieces, share, random),
        Damage::Bursts(share) => wire::lose_bursts(&whole.pieces, share, random),
        Damage::Disorder(share) => {
            let kept = wire::lose(&whole.pieces, share, random);
            wire::disorder(&kept, random)
        }
        Damage::FirstHalf => whole.pieces[whole.pieces.len() / 2..].to_vec(),
        Damage::OneDirection(share) => {
            let server = random.once_in(2);
            let is_heard = |piece: &&Piece| (piece.source.port() == 42027) == server;
            let heard: Vec<Piece> = whole.pieces.iter().filter(is_heard).cloned().collect();
            wire::lose(&heard, share, random)
        }
        Damage::Snaplen(bytes) => wire::capture(talk, bytes).pieces,
    }
}

/// Runs every damage on sessions of every version, `rounds` times, with one taste.
fn measure(
    taste: Taste,
    seed: u64,
    rounds: u64,
    step: usize,
    damages: &[(&'static str, Damage)],
) -> Vec<(&'static str, Figures)> {
    let mut table: Vec<(&str, Figures)> = damages
        .iter()
        .map(|(label, _)| (*label, Figures::default()))
        .collect();
    for version in (OLDEST..=NEWEST).step_by(step) {
        for round in 0..rounds {
            let mut random = Random(seed << 32 | u64::from(version) << 16 | round);
            let talk = talk(ProtocolVersion(version.into()), taste, &mut random);
            let whole = wire::capture(&talk, 262_144);
            for ((_, damage), (_, figures)) in damages.iter().zip(&mut table) {
                let pieces = damaged(&talk, &whole, *damage, &mut random);
                let check = Check {
                    talk: &talk,
                    wire: &whole,
                    pieces: &pieces,
                    disordered: matches!(damage, Damage::Disorder(_)),
                };
                *figures += check.run();
            }
        }
    }
    table
}

/// Thresholds for packets lost at random, one by one: nothing false, and at least 99 % of what is there.
fn assert_sound(name: &str, table: &[(&str, Figures)], share: usize) {
    for (label, figures) in table {
        let row = format!("{name}\n{}\n{}", Figures::TITLE, figures.row(label));
        assert_eq!(figures.false_messages + figures.false_parts, 0, "{row}");
        assert_eq!(figures.wrong_pairs, 0, "{row}");
        assert_eq!(figures.wrong_gaps, 0, "{row}");
        assert!(
            figures.whole > 100 && figures.told_share() >= share,
            "{row}"
        );
        // A message before the version is certain may be read by another one.
        assert!(figures.misread * 200 <= figures.told, "{row}");
    }
}

const NINETY_NINE: usize = 990_000;

#[test]
fn lost_packets_leave_nothing_false_and_little_undecoded() {
    for (seed, (name, taste)) in (1..).zip(TASTES) {
        let table = measure(taste, 100 + seed, 1, 5, &DAMAGES[..6]);
        assert_sound(name, &table, NINETY_NINE);
    }
}

#[test]
fn bursts_disorder_and_missing_directions_leave_nothing_false() {
    let table = measure(Taste::USUAL, 200, 1, 5, &DAMAGES[6..11]);
    assert_sound("usual", &table, NINETY_NINE);
}

#[test]
fn packets_cut_by_the_snap_length_leave_nothing_false() {
    // Of full segments only the beginning is there, so that hardly any boundary is seen: fewer messages can be found.
    let table = measure(Taste::USUAL, 300, 1, 5, &DAMAGES[11..]);
    assert_sound("usual", &table, 980_000);
}

#[test]
#[ignore = "takes minutes; prints the figures of the documentation"]
fn figures() {
    let rounds = std::env::var("LOSS_ROUNDS").map_or(20, |n| n.parse().unwrap());
    let only = std::env::var("LOSS_ONLY").unwrap_or_default();
    for (seed, (name, taste)) in (1..)
        .zip(TASTES)
        .filter(|(_, (name, _))| only.is_empty() || *name == only)
    {
        println!("\n{name}\n\n{}", Figures::TITLE);
        for (label, figures) in measure(taste, seed, rounds, 1, &DAMAGES) {
            println!("{}", figures.row(label));
        }
    }
}
