//! The checks of all fuzz targets, on stable Rust and within seconds: on the seeds, on what fuzzing has found, on what once
//! broke something, and on these with small changes that are always the same. `CTISHARK_FUZZ=N` makes N times as many changes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use ctishark_fuzz_checks::mutate::mutate;
use ctishark_fuzz_checks::seeds::{self, Seed};
use ctishark_fuzz_checks::{Random, TARGETS, found, program, regressions};
use serde_json::Value;

/// Says at which input a check failed.
struct Trying<'a>(&'a str, &'a str, Option<&'a [u8]>);

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(target, name, changed) = self;
            eprintln!("{target} failed at {name}");
            if let Some(bytes) = changed {
                let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
                eprintln!("changed to {hex}");
            }
        }
    }
}

fn inputs(target: &str) -> Vec<Seed> {
    let seeds = seeds::of(target);
    assert!(seeds.len() > 20, "{target} has seeds");
    [seeds, found(target), regressions(target)].concat()
}

/// Changed inputs, each with the name of the one it was.
fn changed(inputs: &[Seed], count: usize) -> impl Iterator<Item = (&str, Vec<u8>)> {
    let factor = std::env::var("CTISHARK_FUZZ").map_or(1, |n| n.parse().unwrap());
    let mut random = Random(1);
    (0..count * factor).map(move |_| {
        let (name, bytes) = &inputs[random.below(inputs.len())];
        let (_, other) = &inputs[random.below(inputs.len())];
        (name.as_str(), mutate(bytes, other, &mut random))
    })
}

fn replay(target: &str, changes: usize) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let inputs = inputs(target);
    for (name, bytes) in &inputs {
        let _trying = Trying(target, name, None);
        check(bytes);
    }
    for (name, bytes) in changed(&inputs, changes) {
        let _trying = Trying(target, name, Some(&bytes));
        check(&bytes);
    }
}

#[test]
fn capture() {
    replay("capture", 400);
}

#[test]
fn layers() {
    replay("layers", 1000);
}

#[test]
fn reassembly() {
    replay("reassembly", 1000);
}

#[test]
fn decode() {
    replay("decode", 1500);
}

#[test]
fn scenario() {
    replay("scenario", 300);
}

#[test]
fn analyses() {
    replay("analyses", 300);
}

#[test]
fn program() {
    replay("program", 150);
}

#[test]
fn redact() {
    replay("redact", 150);
}

#[test]
fn filter() {
    replay("filter", 2000);
}

#[test]
fn diff() {
    replay("diff", 150);
}

#[test]
fn every_target_is_replayed() {
    let here = include_str!("replay.rs");
    for (target, _) in TARGETS {
        assert!(here.contains(&format!("replay(\"{target}\", ")), "{target}");
    }
}

#[test]
fn json_of_changed_captures_keeps_to_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let inputs = inputs("program");
    let mut records = 0;
    for (name, bytes) in changed(&inputs, 60) {
        let _trying = Trying("schema", name, Some(&bytes));
        let (flags, capture) = bytes.split_first().unwrap_or((&0, &[]));
        for record in program::run(capture, *flags) {
            if let Err(error) = schema.validate(&record) {
                panic!("{error}: {record}");
            }
            records += 1;
        }
    }
    assert!(records > 500, "{records} records");
}
