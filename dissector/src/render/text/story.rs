//! The lines between messages: missing bytes, sessions that begin or end in a special way, notices.

use super::clock::Clock;
use super::pen::{Paint, Pen, Sign};
use super::{Hints, TextOptions, message, time};
use crate::finding::Code;
use crate::framing::{Break, BreakCause};
use crate::protocol;
use crate::reassembly::End;
use crate::record::{BreakRecord, Direction, Notice, Record};
use crate::session::{Content, Session, VersionSource};
use std::io::Write as _;

/// Whether the timeline has a line for a record that is no message.
pub(super) fn has_line(record: &Record<'_>) -> bool {
    match record {
        // One without content is told when it has ended: until then there might have been some.
        Record::SessionBegan(session) => is_special(session) && session.content != Content::Nothing,
        // The line of the session's beginning says these.
        Record::Notice(notice) => !matches!(
            notice.code,
            Code::EncryptedSession | Code::VersionInferred | Code::VersionUndecided
        ),
        // The message's own line says how much of it is missing.
        Record::Break(broken) => {
            let details = &broken.details;
            !(details.within_message && details.resumed && details.skipped == 0)
        }
        // An exchange is told on the lines of its messages.
        Record::Exchange(_) => false,
        _ => true,
    }
}

/// Whether a session begins in another way than by OPEN_REQ.
fn is_special(session: &Session) -> bool {
    session.content != Content::Cti
        || matches!(
            session.version_source,
            VersionSource::Inferred { .. } | VersionSource::Undecided
        )
}

/// Writes the line of a record that is no message.
pub(super) fn line(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    clock: &mut Clock,
    record: Record<'_>,
    hints: Hints,
) {
    let session = match record {
        Record::SessionBegan(session) | Record::SessionEnded(session) => {
            Some(session.peers.session)
        }
        Record::Break(broken) => Some(broken.peers.session),
        Record::Notice(notice) => notice.session,
        Record::Message(..) | Record::Exchange(_) => None,
    };
    message::columns(
        pen,
        options,
        clock,
        None,
        time(&record),
        session,
        hints.previous,
    );
    pen.on(Paint::Dim);
    pen.sign(Sign::Aside);
    pen.off();
    pen.spaces(2);
    told(pen, record);
    pen.end_line();
}

/// What the line of a record that is no message tells.
pub(super) fn told(pen: &mut Pen<'_>, record: Record<'_>) {
    match record {
        Record::SessionBegan(session) => began(pen, session),
        Record::SessionEnded(session) => ended(pen, session),
        Record::Break(broken) => self::broken(pen, broken),
        Record::Notice(notice) => self::notice(pen, notice),
        Record::Message(..) | Record::Exchange(_) => {}
    }
}

fn began(pen: &mut Pen<'_>, session: &Session) {
    // Writing into a vector cannot fail.
    let _ = write!(pen.out, "{} ", session.peers.client);
    pen.sign(Sign::ToServer);
    let _ = write!(pen.out, " {}  ", session.peers.server);
    pen.on(Paint::Doubtful);
    match (session.content, session.version_source) {
        (Content::Encrypted, _) => pen.put("encrypted (TLS): its messages cannot be read"),
        (Content::Nothing, _) => {}
        (Content::Cti, VersionSource::Inferred { oldest, newest }) => {
            pen.put("no OPEN_REQ captured: version ");
            pen.number(oldest.into());
            if oldest != newest {
                pen.put(" to ");
                pen.number(newest.into());
            }
            pen.put(" inferred from the messages");
        }
        (Content::Cti, _) => {
            pen.put("no OPEN_REQ captured: the messages do not tell the version");
            if let Some(version) = session.version {
                pen.put(", ");
                pen.number(version.0.into());
                pen.put(" assumed");
            }
        }
    }
    pen.off();
}

/// How a session ended, in a few words.
pub(super) fn end(pen: &mut Pen<'_>, session: &Session) {
    let by = session.ended_by.map_or("either side", |d| match d {
        Direction::ClientToServer => "the client",
        Direction::ServerToClient => "the server",
    });
    let how = match session.end {
        Some(End::Finished(_)) => "closed by ",
        Some(End::Reset(_)) => "reset by ",
        Some(End::Replaced) => "replaced by a new connection of the same ports",
        Some(End::Evicted) => "no longer followed: too many connections",
        Some(End::CaptureEnded) => "still open when the capture ended",
        None => "the connection goes on with a new session",
    };
    pen.put(how);
    if matches!(session.end, Some(End::Finished(_) | End::Reset(_))) {
        pen.put(by);
    }
    if session.close_status.is_some() {
        pen.put(" after CLOSE_REQ");
    }
}

fn ended(pen: &mut Pen<'_>, session: &Session) {
    if session.content == Content::Nothing {
        // Writing into a vector cannot fail.
        let _ = write!(pen.out, "{} ", session.peers.client);
        pen.sign(Sign::ToServer);
        let _ = write!(pen.out, " {}  ", session.peers.server);
        pen.painted(Paint::Doubtful, "nothing that could be read as CTI");
        pen.put(", ");
    }
    pen.on(Paint::Dim);
    if !matches!(session.end, Some(End::CaptureEnded | End::Evicted)) {
        pen.put("ended: ");
    }
    end(pen, session);
    if session.content != Content::Cti {
        pen.off();
        return;
    }
    let counts = &session.counts;
    let messages = counts.from_client.saturating_add(counts.from_server);
    pen.put(", ");
    counted(pen, messages, "message");
    pen.off();
    if let Some(status) = session.refused {
        pen.put(", ");
        pen.painted(Paint::Bad, "refused");
        pen.put(" ");
        match protocol::value_table("StatusCode").and_then(|t| t.get(status)) {
            Some(value) => pen.put(value.text),
            None => pen.number(status.into()),
        }
    }
    for (count, what) in [(counts.failed, "failed"), (counts.unanswered, "unanswered")] {
        if count > 0 {
            pen.put(", ");
            pen.on(Paint::Bad);
            pen.number(count);
            pen.put(" ");
            pen.put(what);
            pen.off();
        }
    }
    if counts.missing > 0 {
        pen.put(", ");
        pen.on(Paint::Doubtful);
        counted(pen, counts.missing, "byte");
        pen.put(" missing");
        pen.off();
    }
    if counts.skipped > 0 {
        pen.put(", ");
        pen.on(Paint::Doubtful);
        counted(pen, counts.skipped, "byte");
        pen.put(" skipped");
        pen.off();
    }
}

fn counted(pen: &mut Pen<'_>, count: u64, what: &str) {
    pen.number(count);
    pen.put(" ");
    pen.put(what);
    if count != 1 {
        pen.put("s");
    }
}

fn broken(pen: &mut Pen<'_>, record: &BreakRecord) {
    let Break {
        cause,
        missing,
        skipped,
        resumed,
        ..
    } = record.details;
    let from = record.direction.sender();
    pen.on(Paint::Doubtful);
    match cause {
        BreakCause::CutMessage => {
            pen.put("ends inside a message from the ");
            pen.put(from);
            pen.put(": ");
            counted(pen, skipped, "byte");
            pen.put(" of it captured");
            pen.off();
            return;
        }
        BreakCause::Gap => {
            pen.put("gap: ");
            counted(pen, missing, "byte");
            pen.put(" from the ");
            pen.put(from);
            pen.put(" missing");
        }
        BreakCause::MidStream => {
            pen.put("starts in mid-stream: ");
            counted(pen, skipped, "byte");
            pen.put(" from the ");
            pen.put(from);
            pen.put(" skipped");
        }
        BreakCause::BadHeader => {
            pen.put("bad header from the ");
            pen.put(from);
        }
    }
    if missing > 0 && cause != BreakCause::Gap {
        pen.put("; ");
        counted(pen, missing, "byte");
        pen.put(" missing");
    }
    match (resumed, skipped) {
        (true, _) if cause == BreakCause::MidStream => {}
        (true, 0) => pen.put("; resumed at once"),
        (true, _) => {
            pen.put("; resumed after skipping ");
            counted(pen, skipped, "byte");
        }
        (false, 0) => pen.put("; no message found after it"),
        (false, _) if cause == BreakCause::MidStream => pen.put("; no message found"),
        (false, _) => {
            pen.put("; no message found in ");
            counted(pen, skipped, "byte");
        }
    }
    pen.off();
}

fn notice(pen: &mut Pen<'_>, notice: &Notice) {
    pen.finding(notice.code, &notice.text);
}
