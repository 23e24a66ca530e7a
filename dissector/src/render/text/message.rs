//! The line of a message.

use super::clock::{self, Clock};
use super::pen::{Paint, Pen, Sign};
use super::{Hints, TextOptions, exchange, fields};
use crate::analysis::StateChange;
use crate::correlate::OutcomeKind;
use crate::decode::{MessageView, Reading};
use crate::finding::{Code, Finding, Severity};
use crate::protocol::{Kind, roles};
use crate::record::{Direction, MessageInfo};
use crate::session::VersionSource;
use crate::time::Timestamp;
use std::io::Write as _;

/// Columns of the message's number.
const NUMBER: usize = 6;
/// Columns of the session's number.
const SESSION: usize = 4;
/// Columns of the message's name.
const NAME: usize = 21;
/// Columns of the message's name on the line that shows the peers.
const SHORT_NAME: usize = 9;

/// The columns that all lines begin with: number, time, session.
pub(super) fn columns(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    clock: &mut Clock,
    no: Option<u64>,
    time: Option<Timestamp>,
    session: Option<u32>,
    previous: Option<Timestamp>,
) {
    let start = pen.out.len();
    pen.on(Paint::Dim);
    let coded = pen.out.len() - start;
    if let Some(no) = no {
        pen.put("#");
        pen.number(no);
        // A number that fills its columns still needs a space behind it.
        let used = pen.out.len() - start - coded;
        pen.spaces(NUMBER.saturating_sub(used).max(1));
    } else {
        pen.spaces(NUMBER);
    }
    match time {
        Some(time) => clock.write(pen, &options.time, time, previous),
        None => pen.spaces(clock::width(&options.time)),
    }
    pen.off();
    pen.spaces(2);
    if let Some(session) = session {
        let start = pen.out.len();
        pen.put("S");
        pen.number(session.into());
        let used = pen.out.len() - start;
        pen.spaces(SESSION.saturating_sub(used).max(1));
    } else {
        pen.spaces(SESSION);
    }
}

/// Writes the line of a message, its end included.
pub(super) fn line(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    clock: &mut Clock,
    info: &MessageInfo,
    view: &MessageView<'_>,
    hints: Hints,
) {
    columns(
        pen,
        options,
        clock,
        Some(info.no),
        Some(info.time),
        Some(info.peers.session),
        hints.previous,
    );
    let arrow = match info.direction {
        Direction::ClientToServer => Sign::ToServer,
        Direction::ServerToClient => Sign::ToClient,
    };
    let mut width = NAME;
    if info.first_of_session {
        // Writing into a vector cannot fail.
        let _ = write!(pen.out, "{} ", info.peers.client);
        pen.sign(arrow);
        let _ = write!(pen.out, " {}", info.peers.server);
        width = SHORT_NAME;
    } else {
        pen.sign(arrow);
    }
    pen.spaces(2);
    name(pen, info, width);
    pen.spaces(2);
    version(pen, info, view);
    fields::leading(pen, options, info, view);
    exchange::answer(pen, info);
    fields::others(pen, options, info, view, hints.change);
    if view.message().is_none() || view.reading() == Reading::Unknown {
        body_size(pen, view);
    }
    exchange::outcome(pen, info);
    findings(pen, info, view);
    pen.end_line();
}

/// Writes what a message says: its fields as on its line, without all that stands around them.
pub(super) fn gist(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    info: &MessageInfo,
    view: &MessageView<'_>,
    change: Option<StateChange>,
) {
    version(pen, info, view);
    fields::leading(pen, options, info, view);
    fields::others(pen, options, info, view, change);
    if view.message().is_none() || view.reading() == Reading::Unknown {
        body_size(pen, view);
    }
}

/// The message's name in the colour of its kind.
fn name(pen: &mut Pen<'_>, info: &MessageInfo, width: usize) {
    let Some(message) = info.message else {
        pen.on(Paint::Doubtful);
        pen.put("TYPE_");
        pen.number(info.number.0.into());
        pen.off();
        let digits = info.number.0.checked_ilog10().unwrap_or(0) + 1;
        let used = 5 + usize::try_from(digits).unwrap_or(0);
        pen.spaces(width.saturating_sub(used));
        return;
    };
    let paint = match message.kind {
        _ if message.failure.is_some() => Paint::Bad,
        Kind::Request => Paint::Request,
        Kind::Confirmation | Kind::Response => Paint::Answer,
        Kind::Event | Kind::Indication => Paint::Event,
    };
    pen.painted(paint, message.name);
    pen.spaces(width.saturating_sub(message.name.len()));
}

/// The version, where a session begins: as OPEN_REQ states it, and how it is known if it is not from there.
fn version(pen: &mut Pen<'_>, info: &MessageInfo, view: &MessageView<'_>) {
    let stated = (info.number == roles::OPEN_REQ)
        .then(|| view.fixed_named("VersionNumber"))
        .flatten();
    if let Some(stated) = stated.map(|f| f.number().bits) {
        pen.put("v");
        pen.number(stated.into());
        if stated != info.version.0 {
            pen.put(" read as v");
            pen.number(info.version.0.into());
        }
        pen.spaces(1);
        return;
    }
    if !info.first_of_session {
        return;
    }
    pen.on(Paint::Doubtful);
    pen.put("v");
    match info.version_source {
        VersionSource::Inferred { oldest, newest } if oldest != newest => {
            pen.number(oldest.into());
            pen.sign(Sign::Range);
            pen.number(newest.into());
            pen.put(" inferred");
        }
        source => {
            pen.number(info.version.0.into());
            pen.put(match source {
                VersionSource::Stated => "",
                VersionSource::Forced => " forced",
                VersionSource::Inferred { .. } => " inferred",
                VersionSource::Undecided => " assumed",
            });
        }
    }
    pen.off();
    pen.spaces(2);
}

/// Where there is nothing to show of a body, how long it is.
fn body_size(pen: &mut Pen<'_>, view: &MessageView<'_>) {
    let Some((_, rest)) = view.unread() else {
        return;
    };
    separate(pen);
    pen.on(Paint::Dim);
    pen.count(rest.len());
    pen.put(" bytes not decoded");
    pen.off();
}

/// Puts two spaces between parts of a line; where a padded name stands before, its spaces are enough.
pub(super) fn separate(pen: &mut Pen<'_>) {
    while !pen.out.ends_with(b"  ") {
        pen.spaces(1);
    }
}

/// The first finding that matters, and how many more there are.
fn findings(pen: &mut Pen<'_>, info: &MessageInfo, view: &MessageView<'_>) {
    let mut shown = info
        .findings
        .iter()
        .chain(view.findings())
        .filter(|f| matters(info, f));
    let Some(first) = shown.next() else { return };
    separate(pen);
    pen.on(match first.code.severity() {
        Severity::Error => Paint::Bad,
        _ => Paint::Doubtful,
    });
    pen.put("! ");
    pen.put(first.code.name());
    pen.off();
    pen.put(" ");
    pen.escaped(first.text.as_bytes());
    let more = shown.count();
    if more > 0 {
        pen.put(" (+");
        pen.count(more);
        pen.put(" more)");
    }
}

/// Whether a finding deserves room on the line; the line may say it already in other words.
fn matters(info: &MessageInfo, finding: &Finding) -> bool {
    let said = finding.code == Code::WrongAnswer
        && info
            .answers
            .is_some_and(|a| a.kind == OutcomeKind::WrongAnswer);
    finding.code.severity() > Severity::Info && !said
}
