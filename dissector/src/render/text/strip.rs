//! States over time on one line: a character for each stretch of time, below it the times.

use super::clock::{self, Clock};
use super::pen::{Paint, Pen};
use crate::analysis::agents::{Domain, state, state_name};
use crate::render::table::Look;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Columns between two times of the axis; a date and a time of day fit.
const TICK: usize = 20;

/// The span of time that a strip shows, and its columns.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Columns.
    pub width: usize,
}

impl Span {
    /// The beginning of a column (of the end, for one behind the last).
    fn at(&self, column: usize) -> Timestamp {
        let whole = i128::from(self.to.nanos_since(self.from)).max(0);
        let share = |n: usize| i128::try_from(n).unwrap_or(0);
        let offset = whole * share(column) / share(self.width).max(1);
        let nanos = i128::from(self.from.nanos()) + offset;
        Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// The column in which a time lies.
    fn column(&self, time: Timestamp) -> usize {
        let whole = i128::from(self.to.nanos_since(self.from)).max(1);
        let offset = i128::from(time.nanos_since(self.from)).clamp(0, whole);
        let width = i128::try_from(self.width).unwrap_or(0);
        usize::try_from(offset * width / whole).unwrap_or(0)
    }

    /// The state that takes most of each column; `None` where none is known.
    #[must_use]
    pub fn cells(&self, domain: &Domain) -> Vec<Option<u32>> {
        let mut times: Vec<BTreeMap<u32, i64>> = vec![BTreeMap::new(); self.width];
        for period in &domain.periods {
            if period.to < self.from || period.from > self.to {
                continue;
            }
            let last = self.column(period.to).min(self.width.saturating_sub(1));
            for column in self.column(period.from)..=last {
                let start = self.at(column).max(period.from);
                let end = self.at(column.saturating_add(1)).min(period.to);
                let length = end.nanos_since(start);
                if let Some(cell) = times.get_mut(column)
                    && length > 0
                {
                    let time = cell.entry(period.state).or_default();
                    *time = time.saturating_add(length);
                }
            }
        }
        let most = |cell: BTreeMap<u32, i64>| cell.into_iter().max_by_key(|(_, time)| *time);
        let states = times.into_iter().map(most);
        states.map(|of| of.map(|(state, _)| state)).collect()
    }
}

/// The character of a state, and of one that is not known.
const fn glyph(of: Option<u32>, ascii: bool) -> &'static str {
    let Some(of) = of else { return " " };
    match (of, ascii) {
        (state::LOGOUT, false) => "·",
        (state::LOGOUT, true) => ".",
        (state::LOGIN, _) => ":",
        (state::NOT_READY, false) => "░",
        (state::NOT_READY, true) => "n",
        (state::AVAILABLE, false) => "▒",
        (state::AVAILABLE, true) => "a",
        (state::RESERVED, false) => "▄",
        (state::RESERVED, true) => "r",
        (state::TALKING, false) => "█",
        (state::TALKING, true) => "T",
        (state::HOLD, false) => "▀",
        (state::HOLD, true) => "H",
        (state::WORK_READY | state::WORK_NOT_READY, false) => "▓",
        (state::WORK_READY | state::WORK_NOT_READY, true) => "w",
        (state::BUSY_OTHER, false) => "▌",
        (state::BUSY_OTHER, true) => "b",
        (state::UNKNOWN, _) => "?",
        (_, false) => "▐",
        (_, true) => "o",
    }
}

/// Writes the states of a domain, without a line end.
pub(super) fn states(pen: &mut Pen<'_>, domain: &Domain, span: &Span) {
    for cell in span.cells(domain) {
        pen.put(glyph(cell, pen.ascii));
    }
}

/// Writes what the characters mean, for the states that a domain has.
pub(super) fn legend<'a>(pen: &mut Pen<'_>, domains: impl Iterator<Item = &'a Domain>) {
    let mut shown: BTreeMap<u32, String> = BTreeMap::new();
    for of in domains.flat_map(|d| d.totals.keys()) {
        let name = state_name(*of).map_or_else(|| of.to_string(), str::to_owned);
        shown.entry(*of).or_insert(name);
    }
    let mut by_glyph: Vec<(&str, Vec<String>)> = Vec::new();
    for (of, name) in shown {
        let sign = glyph(Some(of), pen.ascii);
        match by_glyph.iter_mut().find(|(s, _)| *s == sign) {
            Some((_, names)) => names.push(name),
            None => by_glyph.push((sign, vec![name])),
        }
    }
    pen.on(Paint::Dim);
    for (index, (sign, names)) in by_glyph.iter().enumerate() {
        if index > 0 {
            pen.put("  ");
        }
        pen.put(sign);
        pen.put(" ");
        pen.put(&names.join("/"));
    }
    pen.put("  blank: not known");
    pen.off();
}

/// Writes two lines below a strip, each behind `indent` spaces: marks, and their times.
pub(super) fn axis(pen: &mut Pen<'_>, span: &Span, indent: usize, look: &Look, clock: &mut Clock) {
    let marks: Vec<usize> = (0..span.width).step_by(TICK).collect();
    pen.on(Paint::Dim);
    pen.spaces(indent);
    for (index, column) in marks.iter().enumerate() {
        pen.put("|");
        let next = marks.get(index.saturating_add(1));
        pen.spaces(next.map_or(0, |next| next - column - 1));
    }
    pen.off();
    pen.end_line();
    pen.on(Paint::Dim);
    pen.spaces(indent);
    let days = clock.day(&look.zone, span.from) != clock.day(&look.zone, span.to);
    let fine = span.to.nanos_since(span.from) < 60_000_000_000;
    for (index, column) in marks.iter().enumerate() {
        let time = span.at(*column);
        let mut label = Vec::new();
        let mut inner = Pen {
            out: &mut label,
            colour: false,
            ascii: true,
        };
        clock.short(&mut inner, &look.zone, time, fine);
        let mut text = String::from_utf8(label).unwrap_or_default();
        if days {
            let mut date = Vec::new();
            let mut inner = Pen {
                out: &mut date,
                colour: false,
                ascii: true,
            };
            clock::date(&mut inner, clock.day(&look.zone, time));
            let date = String::from_utf8(date).unwrap_or_default();
            text = format!("{} {text}", date.get(5..).unwrap_or_default());
        }
        pen.put(&text);
        if let Some(next) = marks.get(index.saturating_add(1)) {
            pen.spaces((next - column).saturating_sub(text.len()));
        }
    }
    pen.off();
    pen.end_line();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::agents::{Cause, Ending, Period, Total};
    use crate::record::Packets;
    use smallvec::SmallVec;

    fn domain(periods: &[(u32, i64, i64)]) -> Domain {
        let mut domain = Domain::default();
        for (state, from, to) in periods {
            domain.totals.insert(*state, Total::default());
            domain.periods.add(Period {
                state: *state,
                reason: None,
                from: Timestamp::from_seconds(*from),
                to: Timestamp::from_seconds(*to),
                ending: Ending::Changed,
                entered: true,
                before: None,
                next: None,
                skill_groups: SmallVec::new(),
                message: 1,
                packets: Packets::default(),
                sessions: SmallVec::new(),
                messages: 1,
                cause: Cause::Unknown,
                gap: false,
            });
        }
        domain
    }

    fn strip(domain: &Domain, from: i64, to: i64, width: usize, ascii: bool) -> String {
        let mut out = Vec::new();
        let span = Span {
            from: Timestamp::from_seconds(from),
            to: Timestamp::from_seconds(to),
            width,
        };
        let mut pen = Pen {
            out: &mut out,
            colour: false,
            ascii,
        };
        states(&mut pen, domain, &span);
        pen.end_line();
        legend(&mut pen, [domain].into_iter());
        pen.end_line();
        let look = Look {
            zone: jiff::tz::TimeZone::UTC,
            ascii,
            colour: false,
            fit: None,
        };
        axis(&mut pen, &span, 0, &look, &mut Clock::default());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_column_has_the_state_that_takes_most_of_it() {
        let domain = domain(&[(2, 100, 130), (3, 130, 140), (4, 140, 179), (1, 185, 200)]);
        insta::assert_snapshot!(strip(&domain, 100, 200, 10, true), @r"
        nnnaTTTT..
        . LOGOUT  n NOT_READY  a AVAILABLE  T TALKING  blank: not known
        |
        00:01:40
        ");
        insta::assert_snapshot!(strip(&domain, 80, 280, 40, false), @r"
            ░░░░░░▒▒████████ ···
        · LOGOUT  ░ NOT_READY  ▒ AVAILABLE  █ TALKING  blank: not known
        |                   |
        00:01:20            00:03:00
        ");
    }

    #[test]
    fn short_states_count_together() {
        let turns: Vec<(u32, i64, i64)> = (0..10)
            .flat_map(|n| {
                [
                    (4, n * 10, n * 10 + 3),
                    (10, n * 10 + 3, n * 10 + 7),
                    (4, n * 10 + 7, n * 10 + 10),
                ]
            })
            .collect();
        assert!(strip(&domain(&turns), 0, 100, 5, true).starts_with("TTTTT\n"));
    }

    #[test]
    fn a_span_without_length_and_one_of_all_times_are_no_trouble() {
        let domain = domain(&[(2, 100, 100)]);
        assert!(strip(&domain, 100, 100, 10, true).starts_with('\n'));
        assert!(strip(&domain, i64::MIN, i64::MAX, 10, true).starts_with('\n'));
        assert!(strip(&domain, 100, 200, 0, true).starts_with('\n'));
    }
}
