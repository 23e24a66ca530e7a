//! Comparing: two inputs, each the bytes of a capture or of a dump.

use crate::input::Bytes;
use crate::program;
use cti_dissector::Timestamp;
use cti_dissector::analysis::Study;
use cti_dissector::conversation::Options;
use cti_dissector::diff::{self, Amounts, Collector, Comparison, OldSide, Profile, Rules};
use cti_dissector::dump::{self, Taker};
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::render::table::Look;
use cti_dissector::render::text::{Differences, is_harmless};
use cti_dissector::select::{Criteria, Selector};
use serde_json::Value;

/// Any change of order counts.
pub(crate) const STRICT: u8 = 1;
/// Old and new stand beside each other.
pub(crate) const BESIDE: u8 = 2;

/// The first byte holds flags, the next four the length of the old side; the rest are the sides.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let flags = bytes.u8();
    let length = usize::try_from(bytes.u32()).unwrap();
    let old = bytes.take(length);
    let new = bytes.rest();
    for side in [old, new] {
        nothing_differs(&compare(side, side, flags), flags);
        if !dump::recognise(side) {
            consistent(&compare(side, &dump_of(side), flags), flags);
        }
    }
    let there = compare(old, new, flags);
    let back = compare(new, old, flags);
    consistent(&there, flags);
    consistent(&back, flags);
    mirrored(&there, &back);
}

/// Takes the records of one side.
struct Side(Study<Collector>);

impl Sink for Side {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl Taker for Side {
    fn begins(&mut self, _: Timestamp) {}
}

/// Reads a side; of a damaged dump, what comes before the damage.
fn read(bytes: &[u8], collector: Collector) -> Collector {
    let selector = Selector::new(Criteria::default());
    let mut side = Side(Study::new(collector, selector));
    if dump::recognise(bytes) {
        if let Err(error) = dump::read(bytes, &mut side) {
            assert!(!error.to_string().contains(char::is_control));
        }
    } else {
        (side, _, _) = program::dissect(bytes, Options::default(), side);
    }
    side.0.finish()
}

fn compare(old: &[u8], new: &[u8], flags: u8) -> Comparison {
    let rules = Rules {
        strict_order: flags & STRICT != 0,
        ..Profile::default().rules().unwrap()
    };
    let (old, collector) = OldSide::then(read(old, diff::old_side(rules)));
    diff::compare(old, read(new, collector))
}

/// The dump of a capture.
pub(crate) fn dump_of(capture: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut renderer = json::Renderer::new(json::Options::default());
    renderer.header(&mut out, "ctishark", "0.1.0", &[]);
    out.push(b'\n');
    let mut write = |record: Record<'_>| {
        renderer.record(&mut out, &record);
        out.push(b'\n');
    };
    program::dissect(capture, Options::default(), &mut write);
    out
}

fn nothing_differs(comparison: &Comparison, flags: u8) {
    let summary = &comparison.summary;
    assert!(!comparison.is_different(), "{summary:?}");
    assert_eq!(summary.old, summary.new);
    assert_eq!(summary.reordered_freely, 0, "{summary:?}");
    consistent(comparison, flags);
}

/// What is told in numbers, in JSON and in text is the same.
fn consistent(comparison: &Comparison, flags: u8) {
    let summary = &comparison.summary;
    let mut all = Amounts::default();
    for of_type in summary.by_type.values() {
        all.missing += of_type.missing;
        all.added += of_type.added;
        all.changed += of_type.changed;
        all.reordered += of_type.reordered;
    }
    assert_eq!(all, summary.messages);
    let mut records = Vec::new();
    for record in json::differences(comparison, (false, true)) {
        let mut line = Vec::new();
        record.write(&mut line);
        let record: Value = serde_json::from_slice(&line).expect("valid JSON");
        records.push(record);
    }
    let count = |change: &str| {
        let of = |r: &&Value| r["kind"] == "difference" && r["change"] == change;
        records.iter().filter(of).count() as u64
    };
    assert_eq!(count("missing"), all.missing);
    assert_eq!(count("added"), all.added);
    assert_eq!(count("changed"), all.changed);
    assert_eq!(count("reordered"), all.reordered);
    let last = records.last().expect("a summary");
    assert_eq!(last["different"], comparison.is_different());
    let text = Differences {
        look: Look {
            zone: jiff::tz::TimeZone::UTC,
            ascii: false,
            colour: false,
            fit: None,
        },
        context: 1,
        limit: 50,
        beside: (flags & BESIDE != 0).then_some(100),
    };
    let mut out = Vec::new();
    text.write(&mut out, comparison);
    let text = std::str::from_utf8(&out).expect("text is UTF-8");
    for c in text.chars() {
        assert!(c == '\n' || is_harmless(c), "{c:?} in {text:?}");
    }
}

/// The other way round, the sides change places. How messages are brought together may differ; that nothing differs may not.
fn mirrored(there: &Comparison, back: &Comparison) {
    let plain = |comparison: &Comparison| {
        let summary = &comparison.summary;
        !comparison.is_different() && summary.reordered_freely == 0 && summary.heartbeats == (0, 0)
    };
    let (one, other) = (&there.summary, &back.summary);
    assert_eq!((one.old, one.new), (other.new, other.old));
    if plain(there) {
        assert!(plain(back), "{other:?}");
    }
}
