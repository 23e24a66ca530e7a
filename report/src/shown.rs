//! Values as the page shows them: the same words as in the program's other output.

use cti_dissector::Timestamp;
use cti_dissector::render::table::{Cell, Look};
use cti_dissector::render::text::is_harmless;
use jiff::tz::TimeZone;

/// How the page shows times and texts.
#[derive(Debug, Clone)]
pub(crate) struct Style(Look);

impl Style {
    /// Times in this zone.
    pub fn new(zone: TimeZone) -> Self {
        Self(Look {
            zone,
            ascii: false,
            colour: false,
            fit: None,
        })
    }

    /// A cell of a table.
    pub fn cell(&self, cell: &Cell) -> String {
        cell.shown(&self.0)
    }

    /// Date and time of day.
    pub fn moment(&self, time: Timestamp) -> String {
        self.cell(&Cell::Time(time))
    }

    /// The same, apart.
    pub fn day_and_time(&self, time: Timestamp) -> (String, String) {
        let moment = self.moment(time);
        match moment.split_once(' ') {
            Some((day, time)) => (day.to_owned(), time.to_owned()),
            None => (String::new(), moment),
        }
    }

    /// From one time to another; the day is said once where it is the same.
    pub fn span(&self, first: Timestamp, last: Timestamp) -> String {
        let (first_day, first_time) = self.day_and_time(first);
        if first == last {
            return format!("{first_day} {first_time}");
        }
        let (last_day, last_time) = self.day_and_time(last);
        if first_day == last_day {
            format!("{first_day} {first_time} to {last_time}")
        } else {
            format!("{first_day} {first_time} to {last_day} {last_time}")
        }
    }

    /// A length of time.
    pub fn duration(&self, nanos: i64) -> String {
        self.cell(&Cell::Seconds(nanos))
    }

    /// How far local time is ahead of UTC (seconds).
    pub fn offset_seconds(&self, time: Timestamp) -> i64 {
        let moment = jiff::Timestamp::from_nanosecond(time.nanos().into()).unwrap_or_default();
        self.0.zone.to_offset(moment).seconds().into()
    }

    /// The time zone in words: its name, and how far it is from UTC at a time.
    pub fn zone(&self, time: Timestamp) -> String {
        let zone = &self.0.zone;
        let moment = jiff::Timestamp::from_nanosecond(time.nanos().into()).unwrap_or_default();
        let offset = zone.to_offset(moment);
        match zone.iana_name() {
            _ if zone == &TimeZone::UTC => "UTC".to_owned(),
            Some("UTC" | "Etc/UTC" | "Zulu" | "Etc/Zulu") => "UTC".to_owned(),
            Some(name) if offset.seconds() == 0 => format!("{name} (UTC)"),
            Some(name) => format!("{name} (UTC{offset})"),
            None => format!("UTC{offset}"),
        }
    }
}

/// Text of a capture, with what controls, reorders or hides made visible.
pub(crate) fn shown(text: &str) -> String {
    let look = Look {
        zone: TimeZone::UTC,
        ascii: false,
        colour: false,
        fit: None,
    };
    Cell::Text(text.to_owned()).shown(&look)
}

/// A number with a comma for every three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with its noun.
pub(crate) fn amount(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// The characters that the script must make visible, as the inside of a class of a regular expression of JavaScript.
pub(crate) fn harmful_class() -> String {
    let mut class = String::new();
    let mut first: Option<u32> = None;
    for code in 0..=0x11_0000 {
        // Surrogates have no place in text that was UTF-8; what stands for them there was replaced.
        let harmful = char::from_u32(code).is_some_and(|c| !is_harmless(c));
        match (harmful, first) {
            (true, None) => first = Some(code),
            (false, Some(start)) => {
                class.push_str(&format!("\\u{{{start:x}}}-\\u{{{:x}}}", code - 1));
                first = None;
            }
            _ => {}
        }
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(amount(1, "call", "calls"), "1 call");
    }

    #[test]
    fn the_script_and_the_program_agree_on_what_is_harmful() {
        let class = harmful_class();
        assert!(
            class.starts_with("\\u{0}-\\u{1f}\\u{7f}-\\u{a0}\\u{ad}-\\u{ad}"),
            "{class}"
        );
        assert!(class.contains("\\u{2028}-\\u{202f}"), "{class}");
        assert!(class.ends_with("\\u{e0000}-\\u{10ffff}"), "{class}");
    }

    #[test]
    fn a_span_of_one_day_says_the_day_once() {
        let style = Style::new(TimeZone::UTC);
        let at = |seconds| Timestamp::from_seconds(seconds);
        assert_eq!(style.span(at(0), at(0)), "1970-01-01 00:00:00.000000");
        assert_eq!(
            style.span(at(0), at(61)),
            "1970-01-01 00:00:00.000000 to 00:01:01.000000"
        );
        assert_eq!(
            style.span(at(0), at(86_400)),
            "1970-01-01 00:00:00.000000 to 1970-01-02 00:00:00.000000"
        );
        assert_eq!(style.zone(at(0)), "UTC");
    }
}
