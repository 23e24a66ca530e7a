//! Statistics as tables, one for each section.

mod columns;

use super::table::{self, Cell, Column, Look};
use super::text::{Bars, Heading};
use crate::analysis::stats::{
    BANDS, Count, Failed, FailureKey, Latencies, Responses, SessionStatistics, Slice, Statistics,
};
use crate::protocol;
use crate::record::Direction;
use columns::{
    BAR, DIRECTION, FAILURES, HEARTBEATS, INTERVAL, LATENCY, RESPONSE_TIME, SESSION, TYPE,
};

/// A part of the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Messages by type.
    Type,
    /// Messages by direction.
    Direction,
    /// Messages by session.
    Session,
    /// Messages by slice of time.
    Interval,
    /// How long answers take, by type of request, with quantiles.
    Latency,
    /// Service response times, by type of request.
    ResponseTime,
    /// Failures by request and code.
    Failures,
    /// Heartbeats by session.
    Heartbeats,
}

impl Section {
    /// All sections in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Type,
        Self::Direction,
        Self::Session,
        Self::Interval,
        Self::Latency,
        Self::ResponseTime,
        Self::Failures,
        Self::Heartbeats,
    ];

    /// What it shows, as a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Type => "messages by type",
            Self::Direction => "messages by direction",
            Self::Session => "messages by session",
            Self::Interval => "messages by time",
            Self::Latency => "how long answers take",
            Self::ResponseTime => "service response time",
            Self::Failures => "failures",
            Self::Heartbeats => "heartbeats",
        }
    }

    /// Its columns.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Type => &TYPE,
            Self::Direction => &DIRECTION,
            Self::Session => &SESSION,
            Self::Interval => &INTERVAL,
            Self::Latency => &LATENCY,
            Self::ResponseTime => &RESPONSE_TIME,
            Self::Failures => &FAILURES,
            Self::Heartbeats => &HEARTBEATS,
        }
    }

    /// Its rows. A bar is drawn in the first column without a key where `bars` are given; CSV has none.
    #[must_use]
    pub fn rows(self, of: &Statistics, bars: Option<Bars>) -> Vec<Vec<Cell>> {
        match self {
            Self::Type => types(of, bars),
            Self::Direction => directions(of, bars),
            Self::Session => sessions(of, bars),
            Self::Interval => intervals(of, bars),
            Self::Latency => latency(of),
            Self::ResponseTime => response_time(of),
            Self::Failures => failures(of, bars.is_some()),
            Self::Heartbeats => heartbeats(of, bars.is_some()),
        }
    }
}

/// The last cell of a row: a bar, in text only.
fn with_bar(mut row: Vec<Cell>, bars: Option<Bars>, value: u64, most: u64) -> Vec<Cell> {
    if let Some(bars) = bars {
        row.push(Cell::Text(bars.bar(value, most)));
    }
    row
}

fn share(part: u64, whole: u64) -> Cell {
    if whole == 0 {
        return Cell::Missing;
    }
    let thousandths = u128::from(part) * 100_000 / u128::from(whole);
    u32::try_from(thousandths).map_or(Cell::Missing, |t| Cell::Percent(f64::from(t) / 1000.0))
}

fn millis(nanos: Option<i64>) -> Cell {
    nanos.map_or(Cell::Missing, Cell::Millis)
}

fn seconds(nanos: Option<i64>) -> Cell {
    nanos.map_or(Cell::Missing, Cell::Seconds)
}

fn name(number: u32, name: &str) -> Cell {
    if name.is_empty() {
        Cell::Text(format!("type {number}"))
    } else {
        Cell::Text(name.to_owned())
    }
}

/// Messages by type, the most frequent first.
fn types(of: &Statistics, bars: Option<Bars>) -> Vec<Vec<Cell>> {
    let total = of.total();
    let mut rows: Vec<_> = of.types.iter().collect();
    rows.sort_by(|a, b| b.1.messages.cmp(&a.1.messages).then(a.0.cmp(b.0)));
    let most = rows.first().map_or(0, |(_, c)| c.messages);
    let row = |number: Cell, name: Cell, direction: Cell, count: &Count| {
        let row = vec![
            number,
            name,
            direction,
            Cell::Number(count.messages),
            share(count.messages, total.messages),
            Cell::Number(count.bytes),
            count
                .bytes
                .checked_div(count.messages)
                .map_or(Cell::Missing, Cell::Number),
        ];
        with_bar(row, bars, count.messages, most)
    };
    let mut cells: Vec<Vec<Cell>> = rows
        .iter()
        .map(|(key, count)| {
            let direction = Cell::Text(key.direction.name().to_owned());
            let number = Cell::Number(key.number.into());
            row(number, name(key.number, key.name), direction, count)
        })
        .collect();
    if of.other_types.messages > 0 {
        let other = Cell::Text(String::from("other types"));
        cells.push(row(Cell::Missing, other, Cell::Missing, &of.other_types));
    }
    cells
}

fn directions(of: &Statistics, bars: Option<Bars>) -> Vec<Vec<Cell>> {
    let total = of.total();
    let most = of.from_client.messages.max(of.from_server.messages);
    [
        (Direction::ClientToServer, of.from_client),
        (Direction::ServerToClient, of.from_server),
    ]
    .into_iter()
    .map(|(direction, count)| {
        let row = vec![
            Cell::Text(direction.name().to_owned()),
            Cell::Number(count.messages),
            share(count.messages, total.messages),
            Cell::Number(count.bytes),
        ];
        with_bar(row, bars, count.messages, most)
    })
    .collect()
}

/// All sessions, those beyond the limit as one without number.
pub(super) fn all_sessions(
    of: &Statistics,
) -> impl Iterator<Item = (Option<u32>, &SessionStatistics)> {
    let numbered = of.sessions.iter().map(|(number, s)| (Some(*number), s));
    numbered.chain(of.other_sessions.iter().map(|s| (None, &**s)))
}

fn sessions(of: &Statistics, bars: Option<Bars>) -> Vec<Vec<Cell>> {
    let messages = |s: &SessionStatistics| s.from_client.messages + s.from_server.messages;
    let most = all_sessions(of).map(|(_, s)| messages(s)).max();
    all_sessions(of)
        .map(|(number, s)| {
            let (requests, times) = (&s.responses.requests, &s.responses.latencies);
            let row = vec![
                session(number, bars.is_some()),
                Cell::text(s.peers.map(|p| p.client.to_string())),
                Cell::text(s.peers.map(|p| p.server.to_string())),
                Cell::text(s.who.clone()),
                Cell::Number(messages(s)),
                Cell::Number(s.from_client.messages),
                Cell::Number(s.from_server.messages),
                Cell::Number(s.from_client.bytes + s.from_server.bytes),
                Cell::Number(requests.made),
                Cell::Number(requests.answered),
                Cell::Number(requests.failed),
                Cell::Number(requests.unanswered),
                Cell::Number(requests.open),
                Cell::Number(requests.not_judged),
                millis(times.quantile(500)),
                millis(times.quantile(990)),
                millis(times.max()),
            ];
            with_bar(row, bars, messages(s), most.unwrap_or(0))
        })
        .collect()
}

fn session(number: Option<u32>, text: bool) -> Cell {
    match number {
        Some(number) if text => Cell::Text(format!("S{number}")),
        Some(number) => Cell::Number(number.into()),
        None => Cell::Text(String::from("others")),
    }
}

fn intervals(of: &Statistics, bars: Option<Bars>) -> Vec<Vec<Cell>> {
    let Some(slices) = &of.slices else {
        return Vec::new();
    };
    let messages = |s: &Slice| s.from_client.messages + s.from_server.messages;
    let most = slices.iter().map(|(_, s)| messages(&s)).max().unwrap_or(0);
    slices
        .iter()
        .map(|(from, s)| {
            let row = vec![
                Cell::Time(from),
                Cell::Number(messages(&s)),
                Cell::Number(s.from_client.messages),
                Cell::Number(s.from_server.messages),
                Cell::Number(s.from_client.bytes + s.from_server.bytes),
                Cell::Number(s.requests.made),
                Cell::Number(s.requests.answered),
                Cell::Number(s.requests.failed),
                Cell::Number(s.requests.unanswered),
                Cell::Number(s.requests.open),
                Cell::Number(s.requests.not_judged),
            ];
            with_bar(row, bars, messages(&s), most)
        })
        .collect()
}

/// The types of requests by name; those beyond the limit as one without type.
pub(super) fn all_responses(
    of: &Statistics,
) -> impl Iterator<Item = (Option<u32>, &'static str, Direction, &Responses)> {
    let mut rows: Vec<_> = of.responses.iter().collect();
    rows.sort_by_key(|(key, _)| (key.name.is_empty(), key.name, key.number, key.direction));
    let rows = rows
        .into_iter()
        .map(|(key, r)| (Some(key.number), key.name, key.direction, r));
    let others = (of.other_responses.requests.made > 0).then_some((
        None,
        "other requests",
        Direction::ClientToServer,
        &of.other_responses,
    ));
    rows.chain(others)
}

fn latency(of: &Statistics) -> Vec<Vec<Cell>> {
    all_responses(of)
        .map(|(number, request, asked, r)| {
            let times = &r.latencies;
            vec![
                number.map_or(Cell::Missing, |n| Cell::Number(n.into())),
                name(number.unwrap_or(0), request),
                Cell::Text(asked.sender().to_owned()),
                Cell::Number(r.requests.made),
                Cell::Number(r.requests.answered),
                Cell::Number(r.requests.failed),
                Cell::Number(r.requests.unanswered),
                Cell::Number(r.late),
                Cell::Number(r.requests.open),
                Cell::Number(r.requests.not_judged),
                millis(times.min()),
                millis(times.quantile(500)),
                millis(times.quantile(900)),
                millis(times.quantile(990)),
                millis(times.max()),
            ]
        })
        .collect()
}

fn response_time(of: &Statistics) -> Vec<Vec<Cell>> {
    all_responses(of)
        .filter(|(.., r)| r.latencies.count() > 0)
        .map(|(number, request, asked, r)| {
            let times: &Latencies = &r.latencies;
            vec![
                number.map_or(Cell::Missing, |n| Cell::Number(n.into())),
                name(number.unwrap_or(0), request),
                Cell::Text(asked.sender().to_owned()),
                Cell::Number(times.count()),
                seconds(times.min()),
                seconds(times.max()),
                seconds(times.average()),
                Cell::Seconds(times.sum()),
            ]
        })
        .collect()
}

/// Failures, the most frequent first.
pub(super) fn all_failures(of: &Statistics) -> Vec<(&FailureKey, &Failed)> {
    let mut rows: Vec<_> = of.failures.iter().collect();
    rows.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(b.0)));
    rows
}

/// What to look at for a failure: by its peripheral's error, or else by its code.
pub(super) fn hint(key: &FailureKey) -> Option<&'static str> {
    let peripheral = key
        .peripheral_error
        .and_then(protocol::peripheral_error)
        .and_then(|e| e.hint);
    peripheral.or_else(|| {
        let code = key.code?;
        if key.by.starts_with("CONTROL_FAILURE") {
            protocol::hint_for_control_failure(code)
        } else {
            protocol::hint_for_status(code)
        }
    })
}

fn failures(of: &Statistics, text: bool) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = all_failures(of)
        .into_iter()
        .map(|(key, failed)| {
            let value = failed.code.and_then(|c| c.value());
            let meaning = key.peripheral_error.and_then(protocol::peripheral_error);
            vec![
                Cell::text(Some(key.request.unwrap_or(key.by))),
                Cell::Text(key.by.to_owned()),
                key.code.map_or(Cell::Missing, |c| Cell::Number(c.into())),
                Cell::text(value.map(|v| v.text)),
                Cell::text(value.and_then(|v| v.label)),
                match (key.peripheral_error, meaning) {
                    (Some(code), Some(error)) if text => {
                        Cell::Text(format!("{code} {}", error.meaning))
                    }
                    (code, _) => code.map_or(Cell::Missing, |c| Cell::Number(c.into())),
                },
                Cell::text(meaning.map(|m| m.meaning)),
                Cell::Number(failed.count),
                Cell::Time(failed.first),
                Cell::Time(failed.last),
                Cell::text(hint(key)),
            ]
        })
        .collect();
    if of.other_failures > 0 {
        let mut row = vec![Cell::Missing; FAILURES.len()];
        if let Some(cell) = row.first_mut() {
            *cell = Cell::Text(String::from("others"));
        }
        if let Some(cell) = row.get_mut(7) {
            *cell = Cell::Number(of.other_failures);
        }
        rows.push(row);
    }
    rows
}

fn heartbeats(of: &Statistics, text: bool) -> Vec<Vec<Cell>> {
    const FOR_EVER: u32 = u32::MAX;
    all_sessions(of)
        .filter(|(_, s)| s.beats.requests.made > 0)
        .map(|(number, s)| {
            let times = &s.beats.latencies;
            let every = &s.heartbeats.intervals;
            let idle = s.idle_timeout.filter(|t| *t != FOR_EVER);
            vec![
                session(number, text),
                Cell::text(s.who.clone()),
                Cell::Number(s.beats.requests.made),
                seconds(every.quantile(500)),
                seconds(every.min()),
                seconds(every.max()),
                idle.map_or(Cell::Missing, |t| Cell::Number(t.into())),
                Cell::Number(s.beats.requests.answered),
                millis(times.quantile(500)),
                millis(times.max()),
                Cell::Number(s.heartbeats.lost),
            ]
        })
        .collect()
}

/// Appends statistics as text: a line about all, then the sections.
pub fn text(out: &mut Vec<u8>, of: &Statistics, sections: &[Section], look: &Look, width: usize) {
    let mut heading = Heading::new(look.clone());
    let bars = Bars::new(look.ascii, width.clamp(60, 200) / 4);
    heading.summary(out, of);
    for section in sections {
        let rows = section.rows(of, Some(bars));
        let note = match section {
            Section::Interval => interval_note(of, heading.look()),
            _ if rows.is_empty() => Some(String::from("none")),
            _ => None,
        };
        heading.section(out, section.title(), note.as_deref());
        if rows.is_empty() {
            continue;
        }
        table::text(out, section.columns(), &rows, look);
        if *section == Section::Latency {
            bands(out, of, bars, look);
        }
    }
}

fn interval_note(of: &Statistics, look: &Look) -> Option<String> {
    let slices = of.slices.as_ref()?;
    let width = Cell::Seconds(slices.width()).shown(look);
    Some(if slices.coarsened() {
        format!("slices of {width}, since shorter ones would be too many")
    } else {
        format!("slices of {width}")
    })
}

/// A histogram of all answers by how long they took.
fn bands(out: &mut Vec<u8>, of: &Statistics, bars: Bars, look: &Look) {
    let most = of.bands.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return;
    }
    let first = of.bands.iter().position(|n| *n > 0).unwrap_or(0);
    let last = of.bands.iter().rposition(|n| *n > 0).unwrap_or(0);
    let bound = |at: usize| {
        let nanos = BANDS.get(at).copied().unwrap_or_default();
        Cell::Millis(i64::try_from(nanos).unwrap_or(i64::MAX)).shown(look)
    };
    let rows: Vec<Vec<Cell>> = of
        .bands
        .iter()
        .enumerate()
        .filter(|(at, _)| (first..=last).contains(at))
        .map(|(at, count)| {
            let label = if at < BANDS.len() {
                format!("up to {}", bound(at))
            } else {
                format!("over {}", bound(at.saturating_sub(1)))
            };
            let row = vec![Cell::Text(label), Cell::Number(*count)];
            with_bar(row, Some(bars), *count, most)
        })
        .collect();
    out.push(b'\n');
    let columns = [
        Column::left("ANSWERED IN", "band"),
        Column::right("COUNT", "count"),
        BAR,
    ];
    table::text(out, &columns, &rows, look);
}

/// Appends one section as CSV.
pub fn csv(out: &mut Vec<u8>, of: &Statistics, section: Section) {
    let columns: Vec<Column> = section
        .columns()
        .iter()
        .copied()
        .filter(|column| !column.key.is_empty())
        .collect();
    table::csv_heading(out, &columns);
    table::csv_rows(out, &section.rows(of, None));
}
