//! Bars of histograms, and the headings of statistics.

use super::clock::{self, Clock};
use super::pen::{Paint, Pen};
use crate::analysis::Statistics;
use crate::render::table::Look;
use crate::time::Timestamp;

/// How bars are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Bars {
    ascii: bool,
    width: usize,
}

impl Bars {
    /// Bars of at most `width` columns.
    #[must_use]
    pub const fn new(ascii: bool, width: usize) -> Self {
        Self { ascii, width }
    }

    /// A bar for a value; the longest one is for `most`. What is not 0 has a bar.
    #[must_use]
    pub fn bar(&self, value: u64, most: u64) -> String {
        const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
        let parts: u128 = if self.ascii { 1 } else { 8 };
        let width = u128::try_from(self.width).unwrap_or(0) * parts;
        let Some(length) = (u128::from(value) * width).checked_div(most.into()) else {
            return String::new();
        };
        let length = length.max(u128::from(value > 0)).min(width);
        let whole = usize::try_from(length / parts).unwrap_or(0);
        if self.ascii {
            return "#".repeat(whole);
        }
        let rest = usize::try_from(length % parts).unwrap_or(0);
        let rest = EIGHTHS.get(rest).copied().unwrap_or_default();
        format!("{}{rest}", "█".repeat(whole))
    }
}

/// Writes what stands above and between the tables of statistics.
#[derive(Debug)]
pub struct Heading {
    look: Look,
    clock: Clock,
}

impl Heading {
    /// Nothing written yet.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self {
            look,
            clock: Clock::default(),
        }
    }

    /// How it looks.
    #[must_use]
    pub const fn look(&self) -> &Look {
        &self.look
    }

    fn pen<'a>(&self, out: &'a mut Vec<u8>) -> Pen<'a> {
        Pen {
            out,
            colour: self.look.colour,
            ascii: self.look.ascii,
        }
    }

    /// One line about everything that was counted, and one about requests.
    pub fn summary(&mut self, out: &mut Vec<u8>, of: &Statistics) {
        let total = of.total();
        let mut pen = self.pen(out);
        let sessions = u64::try_from(of.sessions.len()).unwrap_or(u64::MAX);
        let (messages, bytes) = (total.messages, total.bytes);
        pen.put(&format!(
            "{}, {bytes} bytes, {}",
            amount(messages, "message", "messages"),
            amount(sessions, "session", "sessions")
        ));
        if let (Some(first), Some(last)) = (of.first, of.last) {
            pen.put(", ");
            self.moment(&mut pen, first);
            pen.put(" to ");
            self.moment(&mut pen, last);
            let nanos = last.nanos_since(first);
            pen.put(" (");
            clock::duration(&mut pen, nanos);
            if nanos >= 1_000_000_000 {
                let tenths = u128::from(total.messages) * 10_000_000_000
                    / u128::from(nanos.unsigned_abs()).max(1);
                if tenths > 0 {
                    pen.put(&format!(", {}.{} a second", tenths / 10, tenths % 10));
                }
            }
            pen.put(")");
        }
        pen.end_line();
        let requests = of.requests();
        pen.put(&format!(
            "{}: {} answered, {} failed, {} unanswered",
            amount(requests.made, "request", "requests"),
            requests.answered,
            requests.failed,
            requests.unanswered
        ));
        for (count, what) in [
            (requests.open, "open at the end of the capture"),
            (requests.not_judged, "not judged"),
        ] {
            if count > 0 {
                pen.put(&format!(", {count} {what}"));
            }
        }
        if of.answers_without_request > 0 {
            let stray = of.answers_without_request;
            let answers = amount(stray, "answer", "answers");
            pen.put(&format!("; {answers} without request"));
        }
        pen.end_line();
    }

    fn moment(&mut self, pen: &mut Pen<'_>, time: Timestamp) {
        clock::date(pen, self.clock.day(&self.look.zone, time));
        pen.put(" ");
        let zone = self.look.zone.clone();
        self.clock.short(pen, &zone, time, false);
    }

    /// The heading of a section.
    pub fn section(&self, out: &mut Vec<u8>, title: &str, note: Option<&str>) {
        let mut pen = self.pen(out);
        pen.end_line();
        pen.painted(Paint::Label, title);
        if let Some(note) = note {
            pen.put(&format!(": {note}"));
        }
        pen.end_line();
    }
}

fn amount(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_never_too_long() {
        let bars = Bars::new(true, 10);
        assert_eq!(bars.bar(10, 10), "##########");
        assert_eq!(bars.bar(5, 10), "#####");
        assert_eq!(bars.bar(1, 1000), "#");
        assert_eq!(bars.bar(0, 10), "");
        assert_eq!(bars.bar(0, 0), "");
        assert_eq!(bars.bar(u64::MAX, 1), "##########");
        let bars = Bars::new(false, 2);
        assert_eq!(bars.bar(16, 16), "██");
        assert_eq!(bars.bar(11, 16), "█▍");
        assert_eq!(bars.bar(1, 1000), "▏");
    }
}
