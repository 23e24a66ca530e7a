//! What the captures of one run tell about each other: copies, overlaps, and files missing from a ring buffer.
//!
//! Time alone never says that a file is missing: nights are quiet. Only numbers do.

mod ring;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use cti_dissector::Timestamp;
use cti_dissector::capture::{Capture, Span};
use cti_dissector::finding::Code;
use cti_dissector::record::Notice;

use crate::driver::amount;

/// Captures that overlap by less do so by their last packets' being a little late (nanoseconds).
const TOLERANCE: i64 = 1_000_000_000;

/// Remarks of one kind that are made in words; for a thousand captures there may be a thousand.
const REMARKS: usize = 5;

/// One capture: its name and what it covers.
struct Covered<'a> {
    name: &'a str,
    span: Span,
}

/// What the captures tell about each other, once all have been read.
pub fn notices(capture: &Capture) -> Vec<Notice> {
    let spans = capture.spans().zip(0_u32..);
    let covered: Vec<Covered<'_>> = spans
        .map(|(span, index)| Covered {
            name: capture.name(index).unwrap_or_default(),
            span,
        })
        .collect();
    let overlaps = copies(&covered).into_iter().chain(overlap(&covered));
    overlaps.chain(ring::missing(&covered)).collect()
}

/// The words of notices for a person: of each kind not more than a few.
pub fn lines(notices: &[Notice]) -> Vec<String> {
    let mut counts: BTreeMap<Code, usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for notice in notices {
        let count = counts.entry(notice.code).or_default();
        *count += 1;
        if *count <= REMARKS {
            lines.push(notice.text.clone());
        }
    }
    for (code, count) in counts {
        if count > REMARKS {
            let more = count - REMARKS;
            lines.push(format!("{more} more of {code}; --format json lists them"));
        }
    }
    lines
}

fn notice(code: Code, text: String) -> Notice {
    Notice {
        code,
        text,
        time: None,
        session: None,
    }
}

/// One line on captures that were left out.
fn copies(covered: &[Covered<'_>]) -> Option<Notice> {
    let mut left_out = covered.iter().filter(|c| c.span.copy_of.is_some());
    let first = left_out.next()?;
    let more = match left_out.count() {
        0 => String::new(),
        n => format!(" (+{n} more such captures)"),
    };
    let mut other = first;
    // A copy that was found before a larger one of them points there by way of the first.
    while let Some(next) = other.span.copy_of.and_then(|index| {
        let index = usize::try_from(index).ok()?;
        covered.get(index)
    }) {
        other = next;
    }
    let (copy, of) = (first.name, other.name);
    let text = if copy == of {
        format!("{copy} was named more than once; it is read once{more}")
    } else {
        format!("{copy} holds nothing but what {of} holds too; it is read once{more}")
    };
    Some(notice(Code::CaptureRepeated, text))
}

/// One line on captures that cover the same time.
fn overlap(covered: &[Covered<'_>]) -> Option<Notice> {
    let mut spans: Vec<_> = covered
        .iter()
        .filter(|c| c.span.copy_of.is_none())
        .filter_map(|c| Some((c.span.first?, c.span.last?, c.name)))
        .collect();
    spans.sort_by_key(|(first, last, _)| (*first, *last));
    let mut ends: BinaryHeap<Reverse<Timestamp>> = BinaryHeap::new();
    let mut at_once = 0;
    let mut involved = BTreeSet::new();
    // The one that reaches furthest so far, and the largest overlap of two.
    let mut furthest: Option<(usize, Timestamp, &str)> = None;
    let mut largest: Option<(i64, &str, &str, Timestamp, Timestamp)> = None;
    for (index, (first, last, name)) in spans.into_iter().enumerate() {
        while ends
            .peek()
            .is_some_and(|Reverse(end)| end.nanos_since(first) <= TOLERANCE)
        {
            ends.pop();
        }
        ends.push(Reverse(last));
        at_once = at_once.max(ends.len());
        if let Some((other, end, other_name)) = furthest {
            let to = end.min(last);
            let length = to.nanos_since(first);
            if length > TOLERANCE {
                involved.extend([other, index]);
                if largest.is_none_or(|(most, ..)| length > most) {
                    largest = Some((length, other_name, name, first, to));
                }
            }
        }
        if furthest.is_none_or(|(_, end, _)| last > end) {
            furthest = Some((index, last, name));
        }
    }
    let (length, one, two, from, to) = largest?;
    let pair = format!(
        "{one} and {two}, from {} to {} ({})",
        clock(from),
        clock(to),
        duration(length)
    );
    let text = match involved.len() {
        0..=2 => format!("captures overlap in time and were merged: {pair}"),
        n => format!(
            "{n} captures overlap in time and were merged, up to {at_once} at once; longest {pair}"
        ),
    };
    Some(notice(Code::CapturesOverlap, text))
}

/// A point in time as JSON has it.
fn clock(time: Timestamp) -> String {
    jiff::Timestamp::from_nanosecond(time.nanos().into())
        .map_or_else(|_| time.nanos().to_string(), |time| format!("{time:.6}"))
}

/// A length of time in words, to the second.
fn duration(nanos: i64) -> String {
    let seconds = Duration::from_nanos(nanos.unsigned_abs()).as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => amount(seconds, "second", "seconds"),
        (0, 0, m) => format!("{m}m {}s", seconds % 60),
        (0, h, m) => format!("{h}h {m}m"),
        (d, h, _) => format!("{d}d {h}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn covered(name: &str, first: i64, last: i64) -> Covered<'_> {
        let at = |seconds| Some(Timestamp::from_seconds(1_795_428_000 + seconds));
        Covered {
            name,
            span: Span {
                first: at(first),
                last: at(last),
                packets: 1,
                copy_of: None,
            },
        }
    }

    fn text(notice: Option<Notice>) -> String {
        notice.map(|n| n.text).unwrap_or_default()
    }

    #[test]
    fn captures_of_several_places_get_one_line() {
        let captures = [
            covered("b", 65, 300),
            covered("a", 0, 250),
            covered("c", 300, 400),
        ];
        assert_eq!(
            text(overlap(&captures)),
            "captures overlap in time and were merged: a and b, from 2026-11-23T10:01:05.000000Z to \
             2026-11-23T10:04:10.000000Z (3m 5s)"
        );
        let names: Vec<String> = (0..500).map(|n| format!("f{n}")).collect();
        let many: Vec<_> = (0..)
            .zip(&names)
            .map(|(n, name)| covered(name, n, 4000 - n))
            .collect();
        let said = text(overlap(&many));
        assert!(
            said.starts_with("500 captures overlap in time and were merged, up to 500 at once; longest f0 and f1, "),
            "{said}"
        );
    }

    #[test]
    fn a_ring_whose_files_touch_does_not_overlap() {
        let ring = [
            covered("a", 0, 100),
            covered("b", 99, 200),
            covered("c", 200, 201),
        ];
        assert!(overlap(&ring).is_none());
        let empty = Covered {
            name: "d",
            span: Span::default(),
        };
        assert!(overlap(&[covered("a", 0, 100), empty]).is_none());
    }

    #[test]
    fn copies_get_one_line() {
        let mut captures = ["part", "whole", "copy"].map(|name| covered(name, 0, 9));
        captures[0].span.copy_of = Some(1);
        assert_eq!(
            text(copies(&captures)),
            "part holds nothing but what whole holds too; it is read once"
        );
        captures[2].span.copy_of = Some(0);
        assert_eq!(
            text(copies(&captures)),
            "part holds nothing but what whole holds too; it is read once (+1 more such captures)"
        );
        assert!(overlap(&captures).is_none());
        let mut twice = ["a", "a"].map(|name| covered(name, 0, 9));
        twice[1].span.copy_of = Some(0);
        assert_eq!(
            text(copies(&twice)),
            "a was named more than once; it is read once"
        );
    }

    #[test]
    fn a_thousand_remarks_of_a_kind_become_a_few() {
        let notices: Vec<_> = (0..1000)
            .map(|n| notice(Code::PacketsCut, format!("file {n}")))
            .chain([notice(Code::CaptureCutOff, "cut".to_owned())])
            .collect();
        assert_eq!(
            lines(&notices),
            [
                "file 0",
                "file 1",
                "file 2",
                "file 3",
                "file 4",
                "cut",
                "995 more of packets_cut; --format json lists them"
            ]
        );
    }
}
