//! Files of ring buffers by their names, and the numbers that are missing between them.

use std::collections::{BTreeMap, BTreeSet};

use cti_dissector::Timestamp;
use cti_dissector::finding::Code;
use cti_dissector::record::Notice;

use super::{Covered, TOLERANCE, clock, duration, notice};
use crate::driver::amount;

/// Where a file stands in the ring that its name speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place<'a> {
    ring: Ring<'a>,
    number: u64,
}

/// What the names of a ring's files have in common: what stands before the number, and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ring<'a> {
    before: &'a str,
    after: &'a str,
    /// Only the programs that write rings name files like this. Other numbers may mean anything: an agent, a day.
    certain: bool,
}

/// A file of a ring that has packets.
struct File<'a> {
    number: u64,
    first: Timestamp,
    last: Timestamp,
    name: &'a str,
}

/// One line for each ring that has holes.
pub(super) fn missing(covered: &[Covered<'_>]) -> Vec<Notice> {
    let mut rings: BTreeMap<Ring<'_>, (BTreeSet<u64>, Vec<File<'_>>)> = BTreeMap::new();
    for capture in covered {
        let Some(Place { ring, number }) = place(capture.name) else {
            continue;
        };
        let (numbers, files) = rings.entry(ring).or_default();
        numbers.insert(number);
        // Without packets, or unread: it is there, though.
        if let (Some(first), Some(last), None) =
            (capture.span.first, capture.span.last, capture.span.copy_of)
        {
            let name = capture.name;
            files.push(File {
                number,
                first,
                last,
                name,
            });
        }
    }
    let holes = rings
        .into_iter()
        .filter_map(|(ring, (numbers, mut files))| {
            files.sort_by_key(|file| (file.first, file.number));
            (ring.certain || is_ring(&files)).then(|| holes(&numbers, &files))?
        });
    holes.collect()
}

/// The line on a ring's holes: steps of its numbers, in the order of time, over numbers that no file has. A step back is
/// no hole: the ring starts again from its first number, or the capture was started anew.
fn holes(numbers: &BTreeSet<u64>, files: &[File<'_>]) -> Option<Notice> {
    let mut holes = files.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        let from = before.number.checked_add(1)?;
        let between = from..after.number;
        if between.is_empty() {
            return None;
        }
        let there = u64::try_from(numbers.range(between.clone()).count()).unwrap_or(u64::MAX);
        let missing = (between.end - between.start).saturating_sub(there);
        (missing > 0).then_some((before, after, missing))
    });
    let (before, after, count) = holes.next()?;
    let more = match holes.count() {
        0 => String::new(),
        1 => " (+1 more hole)".to_owned(),
        n => format!(" (+{n} more holes)"),
    };
    let files = amount(count, "file is", "files are");
    let silence = after.first.nanos_since(before.last).max(0);
    let text = format!(
        "by its numbers, {files} missing between {} and {}: nothing from {} to {} ({}){more}",
        before.name,
        after.name,
        clock(before.last),
        clock(after.first),
        duration(silence)
    );
    Some(notice(Code::CapturesMissing, text))
}

/// Whether files in the order of time behave like a ring's: most numbers go up by one, no two files overlap, and the
/// numbers are not those of a clock, by which files are named too, and of which quiet hours have none.
fn is_ring(files: &[File<'_>]) -> bool {
    const UNITS: [i64; 3] = [60, 3600, 86_400];
    let steps = || {
        files.windows(2).filter_map(|pair| {
            let [before, after] = pair else { return None };
            Some((before, after))
        })
    };
    let by_one = steps()
        .filter(|(before, after)| before.number.checked_add(1) == Some(after.number))
        .count();
    let apart = steps().all(|(before, after)| before.last.nanos_since(after.first) <= TOLERANCE);
    let is_clock = |unit: i64| {
        let unit = unit * 1_000_000_000;
        let mut base = files.first();
        steps().all(|(before, after)| {
            if after.number <= before.number {
                // A new hour or day; from here on the numbers have to agree again.
                base = Some(after);
            }
            base.is_none_or(|base| {
                let steps = after.number.saturating_sub(base.number);
                let expected = i64::try_from(steps)
                    .unwrap_or(i64::MAX)
                    .saturating_mul(unit);
                let elapsed = after.first.nanos_since(base.first);
                elapsed.saturating_sub(expected).saturating_abs() < unit
            })
        })
    };
    by_one >= 2 && by_one * 2 > files.len() - 1 && apart && !UNITS.into_iter().any(is_clock)
}

/// What a file's name says of its place in a ring:
///
/// - dumpcap, Wireshark, editcap: `NAME_00007_20261123101500.pcapng`, or the number last;
/// - `tcpdump -C`, with or without `-W`: `NAME.pcap7`, `NAME.pcap007`, but not the first one, `NAME.pcap`;
/// - others: `NAME-7.pcap`, and without extension.
fn place(path: &str) -> Option<Place<'_>> {
    let name = strip(path, &[".gz", ".zst", ".lz4", ".xz", ".bz2"]);
    const CAPTURE: [&str; 6] = [".pcap", ".pcapng", ".cap", ".ntar", ".dmp", ".trc"];
    let place = |before, digits: &str, after, certain| {
        Some(Place {
            ring: Ring {
                before,
                after,
                certain,
            },
            number: digits.parse().ok()?,
        })
    };
    let (before, digits) = split_digits(name);
    if !digits.is_empty() && strip(before, &CAPTURE) != before {
        return place(before, digits, "", true);
    }
    let stem = strip(name, &CAPTURE);
    let after = name.get(stem.len()..).unwrap_or_default();
    let (before, last) = split_digits(stem);
    if let Some((prefix, other)) = before.strip_suffix('_').map(split_digits)
        && prefix.ends_with('_')
    {
        match (other.len(), last.len()) {
            (5.., 14) if other.len() != 14 => return place(prefix, other, after, true),
            (14, 5..) if last.len() != 14 => return place(prefix, last, after, true),
            _ => {}
        }
    }
    // Dates and times of day are no numbers.
    let is_date = last.len() >= 6 && !last.starts_with('0');
    (!last.is_empty() && !is_date).then(|| place(before, last, after, false))?
}

/// A name without the ending that it has of these.
fn strip<'a>(name: &'a str, endings: &[&str]) -> &'a str {
    let ending = endings.iter().find(|ending| {
        let at = name.len().checked_sub(ending.len());
        at.and_then(|at| name.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    });
    let end = name.len() - ending.map_or(0, |ending| ending.len());
    name.get(..end).unwrap_or(name)
}

/// A text and the digits at its end.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::covered;
    use super::*;

    fn said(names: &[(&str, i64, i64)]) -> Vec<String> {
        let covered: Vec<_> = names.iter().map(|(n, a, b)| covered(n, *a, *b)).collect();
        missing(&covered).into_iter().map(|n| n.text).collect()
    }

    /// Files of these numbers, one after the other, 100 s each.
    fn ring(name: impl Fn(u64) -> String, numbers: &[u64]) -> Vec<String> {
        let names: Vec<String> = numbers.iter().map(|n| name(*n)).collect();
        let files: Vec<_> = (0..)
            .zip(&names)
            .map(|(at, name)| (name.as_str(), at * 100, at * 100 + 99))
            .collect();
        said(&files)
    }

    #[test]
    fn names_tell_ring_and_number() {
        for (name, before, number, certain) in [
            ("d/cti_00007_20261123101500.pcapng", "d/cti_", 7, true),
            ("d/cti_20261123101500_00008.pcapng.gz", "d/cti_", 8, true),
            ("cti_100007_20261123101500.pcapng", "cti_", 100_007, true),
            ("cti.pcap12", "cti.pcap", 12, true),
            ("cti.pcap007.GZ", "cti.pcap", 7, true),
            ("ring-3.pcap", "ring-", 3, false),
            ("ring3", "ring", 3, false),
            ("0", "", 0, false),
            ("cti_0000012.pcap", "cti_", 12, false),
        ] {
            let place = place(name).unwrap();
            assert_eq!(
                (place.ring.before, place.number, place.ring.certain),
                (before, number, certain),
                "{name}"
            );
        }
        for name in [
            "cti.pcap",
            "cti-20261123.pcap",
            "cti-20261123-101500.pcap",
            "99999999999999999999.pcap",
            "",
        ] {
            assert_eq!(place(name), None, "{name}");
        }
    }

    #[test]
    fn a_missing_number_is_told_with_its_neighbours() {
        let dumpcap = |n| format!("cti_{n:05}_20261123101500.pcapng");
        assert_eq!(
            ring(dumpcap, &[7, 9]),
            [
                "by its numbers, 1 file is missing between cti_00007_20261123101500.pcapng and \
              cti_00009_20261123101500.pcapng: nothing from 2026-11-23T10:01:39.000000Z to 2026-11-23T10:01:40.000000Z \
              (1 second)"
            ]
        );
        let said = ring(dumpcap, &[7, 8, 9, 12, 13, 15, 17, 18]);
        assert!(
            said[0].contains("2 files are missing between cti_00009_")
                && said[0].ends_with("(+2 more holes)"),
            "{said:?}"
        );
        assert_eq!(ring(dumpcap, &[1, 2, 3]), [""; 0]);
        // From number 0 to the largest: counted, not walked through.
        assert_eq!(ring(|n| format!("cti.pcap{n}"), &[0, u64::MAX]).len(), 1);
    }

    #[test]
    fn a_ring_that_starts_over_has_no_hole() {
        let tcpdump = |n| format!("cti.pcap{n}");
        assert_eq!(ring(tcpdump, &[7, 8, 9, 0, 1, 2, 3, 4, 5, 6]), [""; 0]);
        assert_eq!(ring(tcpdump, &[7, 8, 0, 1, 2, 4, 5, 6]).len(), 1);
        // In the order of time, numbers may jump though all are there.
        assert_eq!(ring(tcpdump, &[5, 9, 6, 7, 8, 10]), [""; 0]);
    }

    #[test]
    fn numbers_that_are_no_rings_make_no_holes() {
        let named = |name: &'static str| move |n| format!("{name}{n}.pcap");
        // Too few to tell; agents; hosts captured at the same time.
        assert_eq!(ring(named("ring-"), &[1, 3]), [""; 0]);
        assert_eq!(ring(named("agent"), &[1001, 1007, 1013, 1014]), [""; 0]);
        let hosts = [
            ("h1.pcap", 0, 99),
            ("h2.pcap", 1, 99),
            ("h3.pcap", 2, 99),
            ("h5.pcap", 3, 99),
        ];
        assert_eq!(said(&hosts), [""; 0]);
        assert_eq!(ring(named("ring-"), &[1, 2, 3, 5, 6]).len(), 1);
    }

    #[test]
    fn a_quiet_hour_is_no_missing_file() {
        let hour = |n: i64| (n * 3600 + 1800, n * 3600 + 5300);
        let names: Vec<(String, i64)> = [8, 9, 10, 13, 14, 15]
            .iter()
            .map(|n| (format!("cti-{n:02}.pcap"), *n))
            .collect();
        let files: Vec<_> = names
            .iter()
            .map(|(name, n)| (name.as_str(), hour(*n).0, hour(*n).1))
            .collect();
        assert_eq!(said(&files), [""; 0]);
    }

    #[test]
    fn a_file_without_packets_is_not_missing() {
        let mut covered: Vec<_> = [("c.pcap1", 0, 9), ("c.pcap2", 0, 9), ("c.pcap3", 20, 29)]
            .iter()
            .map(|(n, a, b)| covered(n, *a, *b))
            .collect();
        covered[1].span = cti_dissector::capture::Span::default();
        assert!(missing(&covered).is_empty());
    }
}
