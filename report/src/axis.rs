//! A span of time from left to right.

use crate::shown::Style;
use cti_dissector::Timestamp;

/// Marks below a span, at most.
const MARKS: i64 = 8;

/// Distances between marks that people count in (seconds).
const STEPS: [i64; 20] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800,
];

/// A span of time and how it lies on a width of 100 percent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    from: Timestamp,
    to: Timestamp,
}

/// A time that is written below the span.
pub(crate) struct Mark {
    /// Percent of the width.
    pub at: String,
    pub text: String,
    /// It is so far to the right that its text must end there.
    pub last: bool,
}

impl Axis {
    pub const fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to }
    }

    /// Where a time lies, in thousandths of a percent.
    fn at(&self, time: Timestamp) -> i64 {
        let whole = i128::from(self.to.nanos_since(self.from)).max(1);
        let part = i128::from(time.nanos_since(self.from)).clamp(0, whole);
        i64::try_from(part * 100_000 / whole).unwrap_or(0)
    }

    /// Beginning and width of a stretch of time, in thousandths of a percent.
    pub fn stretch(&self, from: Timestamp, to: Timestamp) -> (i64, i64) {
        let start = self.at(from);
        (start, self.at(to).max(start) - start)
    }

    /// Times on whole minutes, hours or whatever suits.
    pub fn marks(&self, style: &Style) -> Vec<Mark> {
        let length = self.to.nanos_since(self.from).max(1);
        let second = 1_000_000_000;
        let fits = |step: &&i64| length / (**step * second) < MARKS;
        let Some(step) = STEPS.iter().find(fits) else {
            return Vec::new();
        };
        let offset = style.offset_seconds(self.from);
        let local = self.from.nanos().div_euclid(second) + offset;
        let mut next = local.div_euclid(*step) * step;
        let mut marks = Vec::new();
        while i64::try_from(marks.len()).unwrap_or(MARKS) <= MARKS {
            let time = Timestamp::from_seconds(next - offset);
            next += step;
            if time < self.from {
                continue;
            }
            if time > self.to {
                break;
            }
            let (day, clock) = style.day_and_time(time);
            let text = match step {
                0..60 => clock.get(..8),
                60..86_400 => clock.get(..5),
                _ => day.get(5..),
            };
            marks.push(Mark {
                at: percent(self.at(time)),
                last: self.at(time) > 93_000,
                text: text.unwrap_or(&clock).to_owned(),
            });
        }
        marks
    }
}

/// Thousandths of a percent as SVG has them.
pub(crate) fn percent(thousandths: i64) -> String {
    format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn marks(from: i64, to: i64) -> Vec<String> {
        let axis = Axis::new(Timestamp::from_seconds(from), Timestamp::from_seconds(to));
        let marks = axis.marks(&Style::new(TimeZone::UTC));
        marks
            .iter()
            .map(|m| format!("{} {}", m.text, m.at))
            .collect()
    }

    #[test]
    fn marks_stand_on_times_that_people_count_in() {
        assert_eq!(
            marks(3, 38),
            [
                "00:00:05 5.714%",
                "00:00:10 20.000%",
                "00:00:15 34.285%",
                "00:00:20 48.571%",
                "00:00:25 62.857%",
                "00:00:30 77.142%",
                "00:00:35 91.428%"
            ]
        );
        assert_eq!(marks(0, 7200).len(), 5);
        assert_eq!(marks(0, 7200)[1], "00:30 25.000%");
        assert_eq!(marks(0, 3 * 86_400)[1], "12:00 16.666%");
        assert_eq!(marks(5, 5), ["00:00:05 0.000%"]);
        assert!(marks(i64::MIN / 2_000_000_000, i64::MAX / 2_000_000_000).is_empty());
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let axis = Axis::new(Timestamp::from_seconds(10), Timestamp::from_seconds(20));
        let at = Timestamp::from_seconds;
        assert_eq!(axis.stretch(at(12), at(15)), (20_000, 30_000));
        assert_eq!(axis.stretch(at(0), at(99)), (0, 100_000));
        assert_eq!(axis.stretch(at(15), at(12)), (50_000, 0));
    }
}
