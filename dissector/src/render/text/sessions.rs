//! The list of sessions as a table.

use super::clock::{self, Clock};
use super::pen::{Pen, Sign};
use super::story;
use crate::protocol;
use crate::session::{Content, Session, VersionSource};
use jiff::tz::TimeZone;

/// What the table looks like.
#[derive(Debug, Clone)]
pub struct TableOptions {
    /// Time zone of the times.
    pub zone: TimeZone,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// The heading is told from the rows by an ANSI escape sequence.
    pub colour: bool,
}

/// Columns whose cells stand at their right end.
const NUMBERS: [&str; 5] = ["MESSAGES", "REQUESTS", "FAILED", "UNANSWERED", "MISSING"];
const HEADING: [&str; 14] = [
    "SESSION",
    "FIRST",
    "DURATION",
    "CLIENT",
    "SERVER",
    "VERSION",
    "WHO",
    "MESSAGES",
    "REQUESTS",
    "FAILED",
    "UNANSWERED",
    "MISSING",
    "END",
    "SERVICES",
];

/// Appends a table of sessions with a heading; columns are as wide as they must be.
pub fn table(out: &mut Vec<u8>, sessions: &[Session], options: &TableOptions) {
    let mut clock = Clock::default();
    let rows: Vec<Vec<String>> = sessions
        .iter()
        .map(|s| row(s, options, &mut clock))
        .collect();
    let widths: Vec<usize> = HEADING
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|c| c.chars().count());
            cells.max().unwrap_or(0).max(heading.len())
        })
        .collect();
    let mut pen = Pen {
        out,
        colour: options.colour,
        ascii: options.ascii,
    };
    let heading: Vec<String> = HEADING.iter().map(|h| (*h).to_owned()).collect();
    pen.on(super::pen::Paint::Label);
    line(&mut pen, &heading, &widths);
    pen.off();
    for row in &rows {
        line(&mut pen, row, &widths);
    }
}

fn line(pen: &mut Pen<'_>, cells: &[String], widths: &[usize]) {
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let fill = width.saturating_sub(cell.chars().count());
        let right = HEADING.get(column).is_some_and(|h| NUMBERS.contains(h));
        if right {
            pen.spaces(fill);
        }
        pen.put(cell);
        pen.spaces(if right { 2 } else { fill + 2 });
    }
    pen.end_line();
}

fn row(session: &Session, options: &TableOptions, clock: &mut Clock) -> Vec<String> {
    let counts = &session.counts;
    let cell = |write: &mut dyn FnMut(&mut Pen<'_>)| {
        let mut out = Vec::new();
        write(&mut Pen {
            out: &mut out,
            colour: false,
            ascii: options.ascii,
        });
        String::from_utf8(out).unwrap_or_default()
    };
    let number = |n: u64| n.to_string();
    vec![
        format!("S{}", session.peers.session),
        cell(&mut |pen| {
            clock::date(pen, clock.day(&options.zone, session.first));
            pen.put(" ");
            let mode = super::TimeMode::Absolute(options.zone.clone());
            clock.write(pen, &mode, session.first, None);
        }),
        cell(&mut |pen| clock::duration(pen, session.last.nanos_since(session.first))),
        session.peers.client.to_string(),
        session.peers.server.to_string(),
        cell(&mut |pen| version(pen, session)),
        cell(&mut |pen| who(pen, session)),
        number(counts.from_client + counts.from_server),
        number(counts.requests),
        number(counts.failed),
        number(counts.unanswered),
        number(counts.missing),
        cell(&mut |pen| story::end(pen, session)),
        cell(&mut |pen| services(pen, session)),
    ]
}

fn version(pen: &mut Pen<'_>, session: &Session) {
    match (session.content, session.version_source, session.version) {
        (Content::Encrypted, ..) => pen.put("TLS"),
        (_, VersionSource::Inferred { oldest, newest }, _) => {
            pen.number(oldest.into());
            if oldest != newest {
                pen.sign(Sign::Range);
                pen.number(newest.into());
            }
            pen.put(" inferred");
        }
        (_, VersionSource::Undecided, Some(_)) => pen.put("?"),
        (_, source, Some(version)) => {
            pen.number(version.0.into());
            if source == VersionSource::Forced {
                pen.put(" forced");
            }
        }
        (_, _, None) => pen.put("-"),
    }
}

/// The client's identity: the names it gave, and the agent it is for.
fn who(pen: &mut Pen<'_>, session: &Session) {
    let identity = &session.identity;
    let names = [
        &identity.client_id,
        &identity.client_signature,
        &identity.agent_id,
        &identity.agent_extension,
    ];
    let mut shown: Vec<&str> = Vec::new();
    for name in names.into_iter().flatten() {
        if !shown.contains(&name.as_str()) {
            shown.push(name);
        }
    }
    for (index, name) in shown.iter().enumerate() {
        if index > 0 {
            pen.put("/");
        }
        pen.word(name.as_bytes(), 32);
    }
    if shown.is_empty() {
        pen.put("-");
    }
}

fn services(pen: &mut Pen<'_>, session: &Session) {
    if session.content != Content::Cti {
        pen.put("-");
        return;
    }
    let identity = &session.identity;
    let (mask, note) = match (identity.services_granted, identity.services_requested) {
        (Some(granted), _) => (granted, ""),
        (None, Some(requested)) => (requested, " (asked for)"),
        (None, None) => {
            pen.put("-");
            return;
        }
    };
    let mut first = true;
    for bit in protocol::value_table("CTIServiceMask")
        .into_iter()
        .flat_map(|t| t.bits(mask))
    {
        if !first {
            pen.put("|");
        }
        first = false;
        pen.put(bit.short);
    }
    if first {
        pen.put("none");
    }
    pen.put(note);
}
