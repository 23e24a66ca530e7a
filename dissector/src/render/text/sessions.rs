//! The list of sessions as a table.

use super::pen::{Pen, Sign};
use super::story;
use crate::protocol;
use crate::render::table::{Cell, Column};
use crate::session::{Content, Session, VersionSource};

/// The columns of the table.
pub const COLUMNS: [Column; 17] = [
    Column::left("SESSION", "session"),
    Column::left("FIRST", "first"),
    Column::left("DURATION", "duration_s").spare(4),
    Column::left("CLIENT", "client"),
    Column::left("SERVER", "server").spare(5),
    Column::left("VERSION", "version").spare(7),
    Column::left("WHO", "who"),
    Column::right("MESSAGES", "messages").spare(3),
    Column::right("REQUESTS", "requests").spare(6),
    Column::csv("answered"),
    Column::right("FAILED", "failed").spare(1),
    Column::right("UNANSWERED", "unanswered").spare(2),
    Column::csv("open"),
    Column::csv("not_judged"),
    Column::right("MISSING", "missing_bytes").spare(8),
    Column::left("END", "end").spare(1),
    Column::left("SERVICES", "services").spare(9),
];

/// The row of a session.
#[must_use]
pub fn row(session: &Session, ascii: bool) -> Vec<Cell> {
    let counts = &session.counts;
    let requests = &counts.requests;
    let cell = |write: &mut dyn FnMut(&mut Pen<'_>)| {
        let mut out = Vec::new();
        write(&mut Pen {
            out: &mut out,
            colour: false,
            ascii,
        });
        // What is written by a pen is harmless already.
        Cell::Ready(String::from_utf8_lossy(&out).into_owned())
    };
    vec![
        Cell::Text(format!("S{}", session.peers.session)),
        Cell::Time(session.first),
        Cell::Seconds(session.last.nanos_since(session.first)),
        Cell::Text(session.peers.client.to_string()),
        Cell::Text(session.peers.server.to_string()),
        cell(&mut |pen| version(pen, session)),
        cell(&mut |pen| who(pen, session)),
        Cell::Number(counts.from_client + counts.from_server),
        Cell::Number(requests.made),
        Cell::Number(requests.answered),
        Cell::Number(requests.failed),
        Cell::Number(requests.unanswered),
        Cell::Number(requests.open),
        Cell::Number(requests.not_judged),
        Cell::Number(counts.missing),
        cell(&mut |pen| story::end(pen, session)),
        cell(&mut |pen| services(pen, session)),
    ]
}

/// The protocol version and how it is known.
pub(super) fn version(pen: &mut Pen<'_>, session: &Session) {
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
pub(super) fn who(pen: &mut Pen<'_>, session: &Session) {
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

/// The services that were granted, or else asked for.
pub(super) fn services(pen: &mut Pen<'_>, session: &Session) {
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
