//! Inputs to start from, made of the fixtures: what a real capture, stream or scenario looks like to each target.

use crate::capture::{REOPENABLE, TWO};
use crate::decode::{LOSSY, MIDSTREAM, SENDER, SERVER, UNVERSIONED};
use crate::diff::{self, BESIDE, STRICT};
use crate::filter::EXAMPLES;
use crate::layers::LINK_TYPES;
use crate::memory::Memory;
use crate::program::{HOLD, SECRETS, VERSION};
use crate::reassembly;
use crate::redact::{DROP, KEEP};
use cti_dissector::capture::{Capture, Layers, Packet, Peeled};
use ctishark_fixtures::{Scenario, Side};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A seed: its name and its bytes.
pub type Seed = (String, Vec<u8>);

/// Packets of a capture that become a seed; more only make it slow.
const MOST_PACKETS: usize = 40;

/// The seeds of a target; none for a name that is no target.
#[must_use]
pub fn of(target: &str) -> Vec<Seed> {
    match target {
        "capture" => captures(),
        "layers" => layers(),
        "reassembly" => segments(),
        "decode" => [vectors(), streams()].concat(),
        "scenario" => scenarios(),
        "program" | "analyses" => flagged(&[0, HOLD, HOLD | SECRETS, VERSION | 0xC0]),
        "redact" => flagged(&[KEEP, 0, KEEP, DROP]),
        "filter" => filters(),
        "diff" => pairs(),
        _ => Vec::new(),
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name)
}

/// Files of a folder by name, in order.
fn files(name: &str, keep: impl Fn(&str) -> bool) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder(name)).expect("the fixtures are there");
    let mut files: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (name.into_owned(), path)
        })
        .filter(|(name, _)| keep(name))
        .collect();
    files.sort();
    files
}

fn capture_files() -> Vec<Seed> {
    files("captures", |name| name.contains(".pcap"))
        .into_iter()
        .map(|(name, path)| (name, fs::read(path).expect("a readable capture")))
        .collect()
}

fn captures() -> Vec<Seed> {
    let files = capture_files();
    let alone = files
        .iter()
        .filter(|(_, bytes)| bytes.len() < 4_500)
        .map(|(name, bytes)| (name.clone(), [&[0, 7, 0][..], bytes].concat()));
    let rings: Vec<&Seed> = files.iter().filter(|f| f.0.starts_with("ring")).collect();
    let merged = rings.windows(2).map(|pair| {
        let [(first, one), (_, two)] = pair else {
            unreachable!()
        };
        // The second one begins where a 256th of the whole ends: fill the first one up with what is no packet.
        let len = (one.len() + two.len()).next_multiple_of(256);
        let share = (one.len() * 256).div_ceil(len).min(255);
        let mut bytes = vec![TWO | REOPENABLE, 0, share as u8];
        bytes.extend_from_slice(one);
        bytes.resize(3 + len * share / 256, 0);
        bytes.extend_from_slice(two);
        (format!("{first}-merged"), bytes)
    });
    alone.chain(merged).collect()
}

fn filters() -> Vec<Seed> {
    let examples = EXAMPLES.iter().enumerate();
    examples
        .map(|(number, text)| (format!("example-{number}"), text.as_bytes().to_vec()))
        .collect()
}

fn flagged(flags: &[u8]) -> Vec<Seed> {
    capture_files()
        .into_iter()
        .zip(flags.iter().cycle())
        .map(|((name, bytes), flags)| (name, [&[*flags][..], &bytes].concat()))
        .collect()
}

/// Each capture with the next one by name, and each with a dump, of itself or of the next one; two runs of the same among them.
fn pairs() -> Vec<Seed> {
    let captures: Vec<Seed> = capture_files()
        .into_iter()
        .filter(|(_, bytes)| bytes.len() < 12_000)
        .collect();
    let pair = |flags: u8, old: &[u8], new: &[u8]| {
        let length = (old.len() as u32).to_be_bytes();
        [&[flags][..], &length, old, new].concat()
    };
    let mut seeds = Vec::new();
    for (number, two) in captures.windows(2).enumerate() {
        let [(name, old), (_, new)] = two else {
            unreachable!()
        };
        let (flags, new) = match number % 4 {
            0 => (0, new.clone()),
            1 => (STRICT, new.clone()),
            2 => (BESIDE, diff::dump_of(old)),
            _ => (STRICT | BESIDE, diff::dump_of(new)),
        };
        seeds.push((format!("{name}-{number}"), pair(flags, old, &new)));
    }
    let of = |name: &str| captures.iter().find(|(of, _)| of.starts_with(name));
    if let Some(((_, old), (_, new))) = of("release-old").zip(of("release-new")) {
        seeds.push(("release".to_owned(), pair(0, old, new)));
    }
    seeds
}

/// Goes through the packets of a capture.
fn packets(bytes: &[u8], mut visit: impl FnMut(&Packet<'_>)) {
    let mut capture = Capture::new(vec![Box::new(Memory {
        bytes: bytes.into(),
        piece: usize::MAX,
        reopenable: true,
    })]);
    let mut left = MOST_PACKETS;
    while let Ok(Some(packet)) = capture.next_packet()
        && left > 0
    {
        visit(&packet);
        left -= 1;
    }
}

fn layers() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, bytes) in capture_files() {
        let mut seed = Vec::new();
        packets(&bytes, |packet| {
            let place = LINK_TYPES.iter().position(|l| *l == packet.link_type);
            if seed.is_empty() {
                seed.push(place.unwrap_or_default() as u8);
            }
            let cut = packet.original_len as usize - packet.data.len();
            seed.extend_from_slice(&(packet.data.len() as u16).to_be_bytes());
            seed.extend_from_slice(&[1, cut.min(255) as u8]);
            seed.extend_from_slice(packet.data);
        });
        seeds.push((name, seed));
    }
    seeds
}

fn segments() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, bytes) in capture_files() {
        let mut seed = vec![reassembly::TRUE];
        let mut layers = Layers::new();
        packets(&bytes, |packet| {
            if let Peeled::Tcp(segment) = layers.segment(packet) {
                seed.extend(reassembly::encode(&segment));
            }
        });
        seeds.push((name, seed));
    }
    seeds
}

/// The message vectors, eight of a version in a stream.
fn vectors() -> Vec<Seed> {
    let text = fs::read_to_string(folder("vectors/messages.ndjson")).expect("the vectors");
    let mut versions: BTreeMap<u8, Vec<Vec<u8>>> = BTreeMap::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).expect("a record");
        let version = record["version"].as_u64().expect("a version") as u8;
        let digits = record["hex"].as_str().expect("hex").as_bytes();
        let bytes = digits
            .chunks(2)
            .map(|pair| {
                let pair = std::str::from_utf8(pair).expect("digits");
                u8::from_str_radix(pair, 16).expect("digits")
            })
            .collect();
        versions.entry(version).or_default().push(bytes);
    }
    let mut seeds = Vec::new();
    for (version, messages) in versions {
        for (number, messages) in messages.chunks(8).enumerate() {
            let mut seed = vec![
                version,
                [0, MIDSTREAM, UNVERSIONED | MIDSTREAM][number % 3],
                0,
            ];
            seed.push(number as u8);
            seed.extend(messages.concat());
            seeds.push((format!("vectors-{version}-{number}"), seed));
        }
    }
    seeds
}

/// What each side of a scenario says.
fn streams() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, path) in files("scenarios", |name| name.ends_with(".scn")) {
        let scenario = Scenario::load(&path).expect("a scenario");
        for (side, flags) in [
            (Side::Client, SENDER | LOSSY),
            (Side::Server, SENDER | SERVER | LOSSY | MIDSTREAM),
        ] {
            let mut version = 24;
            let mut stream = Vec::new();
            for sent in scenario.messages() {
                if sent.side == side && sent.connection == 0 && stream.len() < 2_000 {
                    let content = sent.payload.message.as_ref();
                    version = content.map_or(version, |content| content.version.0);
                    stream.extend(sent.payload.bytes);
                }
            }
            let mut seed = vec![version as u8, flags, 1, stream.len() as u8];
            seed.extend(stream);
            seeds.push((format!("{name}-{side:?}"), seed));
        }
    }
    seeds
}

/// Scenarios with what they include written in.
fn scenarios() -> Vec<Seed> {
    files("scenarios", |name| name.ends_with(".scn"))
        .into_iter()
        .map(|(name, path)| {
            let text = fs::read_to_string(&path).expect("a scenario");
            (name, with_includes(&text).into_bytes())
        })
        .collect()
}

fn with_includes(text: &str) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        match line.trim().strip_prefix("include ") {
            Some(name) => {
                let path = folder("scenarios").join(name.trim());
                let text = fs::read_to_string(path).expect("an included file");
                whole.push_str(&with_includes(&text));
            }
            None => {
                whole.push_str(line);
                whole.push('\n');
            }
        }
    }
    whole
}
