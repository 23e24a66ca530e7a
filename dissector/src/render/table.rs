//! Tables: for people as aligned text, for spreadsheets and scripts as CSV.

use super::text::{clock, clock::Clock, escape, pen::Paint, pen::Pen};
use crate::time::Timestamp;
use jiff::tz::TimeZone;
use std::io::Write as _;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its heading in text.
    pub heading: &'static str,
    /// Its name in CSV, snake_case; with a unit where its cells have one, such as `talk_s`.
    pub key: &'static str,
    /// Its cells stand at their right end.
    pub right: bool,
    /// It is too wide for people: in CSV only.
    pub csv_only: bool,
}

impl Column {
    /// A column of texts.
    #[must_use]
    pub const fn left(heading: &'static str, key: &'static str) -> Self {
        Self {
            heading,
            key,
            right: false,
            csv_only: false,
        }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn right(heading: &'static str, key: &'static str) -> Self {
        Self {
            heading,
            key,
            right: true,
            csv_only: false,
        }
    }

    /// A column that only CSV has.
    #[must_use]
    pub const fn csv(key: &'static str) -> Self {
        Self {
            heading: "",
            key,
            right: false,
            csv_only: true,
        }
    }
}

/// What stands in a row below a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing: a dash in text, empty in CSV.
    Missing,
    /// Text, ours or the capture's; it is made harmless.
    Text(String),
    /// Text that is harmless on a terminal already; `-` stands for nothing.
    Ready(String),
    /// A number.
    Number(u64),
    /// A share in percent.
    Percent(f64),
    /// A point in time: date and time of day in text, RFC 3339 in UTC in CSV.
    Time(Timestamp),
    /// Nanoseconds: with a fitting unit in text, as seconds in CSV.
    Seconds(i64),
    /// Nanoseconds: with a fitting unit in text, as milliseconds in CSV.
    Millis(i64),
    /// Several texts: with commas in text, with semicolons in CSV.
    Many(Vec<String>),
}

impl Cell {
    /// A text, or nothing.
    #[must_use]
    pub fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Missing, |text| Self::Text(text.into()))
    }

    /// Several texts, or nothing.
    #[must_use]
    pub fn many<T: ToString>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(|t| t.to_string()).collect();
        if texts.is_empty() {
            Self::Missing
        } else {
            Self::Many(texts)
        }
    }
}

/// What a table looks like in text.
#[derive(Debug, Clone)]
pub struct Look {
    /// Time zone of the times.
    pub zone: TimeZone,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// The heading is told from the rows by an ANSI escape sequence.
    pub colour: bool,
}

/// Appends a heading and rows; columns are as wide as they must be.
pub fn text(out: &mut Vec<u8>, columns: &[Column], rows: &[Vec<Cell>], look: &Look) {
    Pieces::new(columns).rows(out, rows, look);
}

/// A table of text that is written piece by piece, as long ones are: columns are as wide as the rows so far need them.
#[derive(Debug)]
pub struct Pieces<'a> {
    columns: &'a [Column],
    widths: Vec<usize>,
    headed: bool,
}

impl<'a> Pieces<'a> {
    /// Nothing written yet.
    #[must_use]
    pub fn new(columns: &'a [Column]) -> Self {
        let shown = columns.iter().filter(|column| !column.csv_only);
        Self {
            columns,
            widths: shown.map(|c| c.heading.chars().count()).collect(),
            headed: false,
        }
    }

    /// Appends the next rows; before the first ones the heading.
    pub fn rows(&mut self, out: &mut Vec<u8>, rows: &[Vec<Cell>], look: &Look) {
        let mut clock = Clock::default();
        let shown: Vec<(usize, &Column)> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !column.csv_only)
            .collect();
        let lines: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                shown
                    .iter()
                    .map(|(index, _)| {
                        row.get(*index)
                            .map_or_else(String::new, |cell| cell.show(look, &mut clock))
                    })
                    .collect()
            })
            .collect();
        for (index, width) in self.widths.iter_mut().enumerate() {
            let cells = lines.iter().filter_map(|line| line.get(index));
            *width = (*width).max(cells.map(|c| c.chars().count()).max().unwrap_or(0));
        }
        let widths = &self.widths;
        let mut pen = Pen {
            out,
            colour: look.colour,
            ascii: look.ascii,
        };
        let line = |pen: &mut Pen<'_>, cells: &[String]| {
            for ((cell, width), (_, column)) in cells.iter().zip(widths).zip(&shown) {
                let fill = width.saturating_sub(cell.chars().count());
                if column.right {
                    pen.spaces(fill);
                }
                pen.put(cell);
                pen.spaces(if column.right { 2 } else { fill + 2 });
            }
            pen.end_line();
        };
        if !self.headed {
            self.headed = true;
            let heading: Vec<String> = shown.iter().map(|(_, c)| c.heading.to_owned()).collect();
            pen.on(Paint::Label);
            line(&mut pen, &heading);
            pen.off();
        }
        for cells in &lines {
            line(&mut pen, cells);
        }
    }
}

/// Appends the first line of CSV: the names of the columns.
pub fn csv_heading(out: &mut Vec<u8>, columns: &[Column]) {
    record(out, columns.iter().map(|column| column.key.to_owned()));
}

/// Appends rows as CSV (RFC 4180, with line feeds).
pub fn csv_rows(out: &mut Vec<u8>, rows: &[Vec<Cell>]) {
    for row in rows {
        record(out, row.iter().map(Cell::csv));
    }
}

fn record(out: &mut Vec<u8>, fields: impl Iterator<Item = String>) {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(out);
    // Writing to memory cannot fail.
    let _ = writer.write_record(fields);
    let _ = writer.flush();
}

impl Cell {
    /// What stands in the cell of a text table.
    #[must_use]
    pub fn shown(&self, look: &Look) -> String {
        self.show(look, &mut Clock::default())
    }

    fn show(&self, look: &Look, clock: &mut Clock) -> String {
        let mut out = Vec::new();
        let mut pen = Pen {
            out: &mut out,
            colour: false,
            ascii: look.ascii,
        };
        match self {
            Self::Missing => pen.put("-"),
            Self::Text(text) => pen.escaped(text.as_bytes()),
            Self::Ready(text) => pen.put(text),
            Self::Number(number) => pen.number(*number),
            Self::Percent(share) => {
                let _ = write!(pen.out, "{share:.1}%");
            }
            Self::Time(time) => {
                clock::date(&mut pen, clock.day(&look.zone, *time));
                pen.put(" ");
                let mode = super::text::TimeMode::Absolute(look.zone.clone());
                clock.write(&mut pen, &mode, *time, None);
            }
            Self::Seconds(nanos) | Self::Millis(nanos) => clock::duration(&mut pen, *nanos),
            Self::Many(texts) => {
                for (index, text) in texts.iter().enumerate() {
                    if index > 0 {
                        pen.put(",");
                    }
                    pen.escaped(text.as_bytes());
                }
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    fn csv(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Ready(text) if text == "-" => String::new(),
            Self::Text(text) | Self::Ready(text) => harmless(text),
            Self::Number(number) => number.to_string(),
            Self::Percent(share) => format!("{share:.3}"),
            Self::Time(time) => {
                let time = jiff::Timestamp::from_nanosecond(time.nanos().into());
                time.unwrap_or_default().to_string()
            }
            Self::Seconds(nanos) => decimal(*nanos, 1_000_000_000),
            Self::Millis(nanos) => decimal(*nanos, 1_000_000),
            Self::Many(texts) => {
                let texts: Vec<String> = texts.iter().map(|t| harmless(t)).collect();
                texts.join(";")
            }
        }
    }
}

/// Nanoseconds in a unit, with three to nine decimals as needed.
fn decimal(nanos: i64, unit: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (nanos, unit) = (nanos.unsigned_abs(), unit.unsigned_abs());
    let digits = unit.ilog10().try_into().unwrap_or(9);
    let fraction = format!("{:0digits$}", nanos % unit);
    let fraction = fraction.trim_end_matches('0');
    format!("{sign}{}.{fraction:0<3}", nanos / unit)
}

/// Text that neither a terminal nor a spreadsheet takes for a command: control characters and such are escaped, and what a spreadsheet would
/// take for a formula gets an apostrophe in front. Numbers with a sign, as phone numbers have it, stay as they are.
fn harmless(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if escape::is_harmless(c) {
            clean.push(c);
        } else {
            clean.extend(c.escape_default());
        }
    }
    let formula = match clean.chars().next() {
        Some('=' | '@') => true,
        Some('+' | '-') => clean
            .chars()
            .skip(1)
            .any(|c| !c.is_ascii_digit() && !matches!(c, ' ' | '.' | '/' | '-')),
        _ => false,
    };
    if formula {
        clean.insert(0, '\'');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv_of(cell: Cell) -> String {
        let mut out = Vec::new();
        csv_rows(&mut out, &[vec![cell]]);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_quotes_what_needs_it_and_disarms_formulas() {
        let text = |t: &str| csv_of(Cell::Text(t.into()));
        assert_eq!(text("a,b"), "\"a,b\"\n");
        assert_eq!(text("say \"hi\""), "\"say \"\"hi\"\"\"\n");
        assert_eq!(text("=1+1"), "'=1+1\n");
        assert_eq!(text("@SUM(A1)"), "'@SUM(A1)\n");
        assert_eq!(text("-2+cmd|' /C calc'!A0"), "'-2+cmd|' /C calc'!A0\n");
        assert_eq!(text("+49 89 1234"), "+49 89 1234\n");
        assert_eq!(
            text("a\r\n\u{202e}b\u{1b}[2J"),
            "a\\r\\n\\u{202e}b\\u{1b}[2J\n"
        );
    }

    #[test]
    fn csv_numbers_have_a_point_and_no_unit() {
        assert_eq!(csv_of(Cell::Seconds(1_500_000_000)), "1.500\n");
        assert_eq!(csv_of(Cell::Seconds(-20_000)), "-0.00002\n");
        assert_eq!(csv_of(Cell::Millis(34_100_001)), "34.100001\n");
        assert_eq!(
            csv_of(Cell::Time(Timestamp::from_nanos(1_795_428_901_203_417_000))),
            "2026-11-23T10:15:01.203417Z\n"
        );
        assert_eq!(csv_of(Cell::many(["a", "b"])), "a;b\n");
    }

    #[test]
    fn text_aligns_columns_and_shows_hostile_text_as_text() {
        let columns = [Column::left("WHO", "who"), Column::right("COUNT", "count")];
        let rows = [
            vec![Cell::Text("a\u{1b}b".into()), Cell::Number(7)],
            vec![Cell::Missing, Cell::Number(1234567)],
        ];
        let look = Look {
            zone: TimeZone::UTC,
            ascii: false,
            colour: false,
        };
        let mut out = Vec::new();
        text(&mut out, &columns, &rows, &look);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "WHO       COUNT\na\\x1bb        7\n-       1234567\n"
        );
    }
}
