//! Tables: for people as aligned text, for spreadsheets and scripts as CSV.

mod fit;

use super::text::{clock, clock::Clock, escape, pen::Paint, pen::Pen, pen::Sign};
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
    /// How well it can be spared where the terminal is too narrow: columns with the highest number are left out first, then those furthest
    /// to the right.
    pub spare: u8,
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
            spare: 0,
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
            spare: 0,
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
            spare: 0,
        }
    }

    /// The same, to be left out before columns with a lower number.
    #[must_use]
    pub const fn spare(mut self, spare: u8) -> Self {
        self.spare = spare;
        self
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
    /// Columns of the terminal that tables are to fit; `None`: nothing is cut.
    pub fit: Option<usize>,
}

/// Appends a heading and rows; columns are as wide as they must be, or as the terminal allows.
pub fn text(out: &mut Vec<u8>, columns: &[Column], rows: &[Vec<Cell>], look: &Look) {
    let mut pieces = Pieces::new(columns);
    pieces.rows(out, rows, look);
    pieces.finish(out, look);
}

/// A table of text that is written piece by piece, as long ones are: columns are as wide as the rows so far need them.
#[derive(Debug)]
pub struct Pieces<'a> {
    /// Those that people see, with their places in a row.
    columns: Vec<(usize, &'a Column)>,
    /// How wide each would like to be.
    wishes: Vec<usize>,
    /// Those that hold nothing but texts so far.
    texts: Vec<bool>,
    /// What was decided when the heading was written.
    head: Option<Head>,
    shortened: bool,
}

/// What holds for a table from its heading on.
#[derive(Debug)]
struct Head {
    /// Which columns are shown.
    stays: Vec<bool>,
    /// Times on this day are shown without it.
    day: Option<Timestamp>,
}

impl<'a> Pieces<'a> {
    /// Nothing written yet.
    #[must_use]
    pub fn new(columns: &'a [Column]) -> Self {
        let columns: Vec<(usize, &Column)> = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !column.csv_only)
            .collect();
        Self {
            wishes: columns
                .iter()
                .map(|(_, column)| column.heading.chars().count())
                .collect(),
            texts: vec![true; columns.len()],
            columns,
            head: None,
            shortened: false,
        }
    }

    /// Appends the next rows; before the first ones the heading.
    pub fn rows(&mut self, out: &mut Vec<u8>, rows: &[Vec<Cell>], look: &Look) {
        let mut pen = Pen {
            out,
            colour: look.colour,
            ascii: look.ascii,
        };
        let headed = self.head.is_some();
        let lines = self.measure(rows, look);
        let stays = self.head.as_ref().map_or(&[][..], |head| &head.stays);
        let kept: Vec<usize> = (0..self.columns.len())
            .filter(|at| stays.get(*at) == Some(&true))
            .collect();
        let wishes: Vec<fit::Wish> = kept.iter().filter_map(|at| self.wish(*at)).collect();
        let widths = match look.fit {
            Some(limit) => fit::widths(&wishes, limit),
            None => wishes.iter().map(|wish| wish.width).collect(),
        };
        let ellipsis = Sign::Ellipsis.text(look.ascii);
        let mut shortened = false;
        let mut line = |pen: &mut Pen<'_>, cells: &[String]| {
            let cells = kept
                .iter()
                .map(|at| cells.get(*at).map_or("", String::as_str));
            for ((cell, width), wish) in cells.zip(&widths).zip(&wishes) {
                let short = fit::shortened(cell, *width, ellipsis);
                shortened |= short != cell;
                let fill = width.saturating_sub(short.chars().count());
                if wish.column.right {
                    pen.spaces(fill);
                }
                pen.put(&short);
                pen.spaces(if wish.column.right { 0 } else { fill } + fit::GAP);
            }
            pen.end_line();
        };
        if !headed {
            let columns = self.columns.iter();
            let heading: Vec<String> = columns.map(|(_, c)| c.heading.to_owned()).collect();
            pen.on(Paint::Label);
            line(&mut pen, &heading);
            pen.off();
        }
        for cells in &lines {
            line(&mut pen, cells);
        }
        self.shortened |= shortened;
    }

    /// The rows as texts. The first ones decide which columns there are.
    fn measure(&mut self, rows: &[Vec<Cell>], look: &Look) -> Vec<Vec<String>> {
        for (at, text) in self.columns.iter().zip(&mut self.texts) {
            let mut cells = rows.iter().filter_map(|row| row.get(at.0));
            *text &= cells.all(Cell::is_text);
        }
        let mut day = self.head.as_ref().and_then(|head| head.day);
        let mut lines = self.shown(rows, day, look);
        let mut wishes = self.wider(&lines);
        if self.head.is_none() {
            let too_wide = |wishes: &[usize]| look.fit.is_some_and(|fit| fit::total(wishes) > fit);
            if too_wide(&wishes) {
                day = one_day(rows, look);
                lines = self.shown(rows, day, look);
                wishes = self.wider(&lines);
            }
            self.wishes = wishes;
            let all: Vec<fit::Wish> = (0..self.columns.len())
                .filter_map(|at| self.wish(at))
                .collect();
            let stays = match look.fit {
                Some(limit) => fit::choose(&all, limit),
                None => vec![true; all.len()],
            };
            let is_time = |row: &Vec<Cell>, at| matches!(row.get(at), Some(Cell::Time(_)));
            let mut shown = self.columns.iter().zip(&stays);
            let has_times =
                shown.any(|((at, _), stays)| *stays && rows.iter().any(|row| is_time(row, *at)));
            self.head = Some(Head {
                stays,
                day: day.filter(|_| has_times),
            });
        } else {
            self.wishes = wishes;
        }
        lines
    }

    fn shown(&self, rows: &[Vec<Cell>], day: Option<Timestamp>, look: &Look) -> Vec<Vec<String>> {
        let mut clock = Clock::default();
        let cells = |row: &Vec<Cell>, clock: &mut Clock| {
            let cells = self.columns.iter().map(|(index, _)| {
                row.get(*index)
                    .map_or_else(String::new, |cell| cell.show(look, clock, day))
            });
            cells.collect()
        };
        rows.iter().map(|row| cells(row, &mut clock)).collect()
    }

    /// How wide the columns would like to be with some more lines.
    fn wider(&self, lines: &[Vec<String>]) -> Vec<usize> {
        let width = |(index, before): (usize, &usize)| {
            let cells = lines.iter().filter_map(|line| line.get(index));
            cells
                .map(|c| c.chars().count())
                .max()
                .unwrap_or(0)
                .max(*before)
        };
        self.wishes.iter().enumerate().map(width).collect()
    }

    fn wish(&self, at: usize) -> Option<fit::Wish> {
        Some(fit::Wish {
            column: *self.columns.get(at)?.1,
            width: *self.wishes.get(at)?,
            text: *self.texts.get(at)?,
            first: at == 0,
        })
    }

    /// Says below the table what was left out of it to make it fit.
    pub fn finish(&self, out: &mut Vec<u8>, look: &Look) {
        let (Some(head), Some(limit)) = (&self.head, look.fit) else {
            return;
        };
        let gone = self.columns.iter().zip(&head.stays);
        let gone: Vec<&str> = gone
            .filter(|((_, column), stays)| !**stays && !column.heading.is_empty())
            .map(|((_, column), _)| column.heading)
            .collect();
        if gone.is_empty() && head.day.is_none() && !self.shortened {
            return;
        }
        let mut pen = Pen {
            out,
            colour: look.colour,
            ascii: look.ascii,
        };
        pen.on(Paint::Dim);
        pen.put(&format!("made to fit {limit} columns"));
        if !gone.is_empty() {
            pen.put(&format!(", without {}", gone.join(", ")));
        }
        if let Some(day) = head.day {
            pen.put("; times are of ");
            clock::date(&mut pen, Clock::default().day(&look.zone, day));
        }
        pen.put("; --wide shows all");
        pen.off();
        pen.end_line();
    }
}

/// A time on the day of all times in some rows, if there is but one.
fn one_day(rows: &[Vec<Cell>], look: &Look) -> Option<Timestamp> {
    let mut clock = Clock::default();
    let mut times = rows.iter().flatten().filter_map(|cell| match cell {
        Cell::Time(time) => Some(*time),
        _ => None,
    });
    let first = times.next()?;
    let day = clock.day(&look.zone, first);
    times
        .all(|time| clock.day(&look.zone, time) == day)
        .then_some(first)
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
        self.show(look, &mut Clock::default(), None)
    }

    /// Whether it is a text, or nothing.
    const fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Missing | Self::Text(_) | Self::Ready(_) | Self::Many(_)
        )
    }

    /// A time on the same day as `today` is shown without it.
    fn show(&self, look: &Look, clock: &mut Clock, today: Option<Timestamp>) -> String {
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
                let today = today.map(|today| clock.day(&look.zone, today));
                let day = clock.day(&look.zone, *time);
                if today != Some(day) {
                    clock::date(&mut pen, day);
                    pen.put(" ");
                }
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
mod tests;
