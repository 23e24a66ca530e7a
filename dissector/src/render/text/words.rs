//! Pieces of the timeline as words of their own, for documents that have another place for each.

use super::pen::Pen;
use super::{TextOptions, exchange, message, sessions, story};
use crate::analysis::StateChange;
use crate::correlate::{Outcome, OutcomeKind};
use crate::decode::MessageView;
use crate::record::{MessageInfo, Record};
use crate::session::Session;

/// The fields of a message that its line in the timeline shows; passwords are masked.
#[must_use]
pub fn gist(info: &MessageInfo, view: &MessageView<'_>, change: Option<StateChange>) -> String {
    let options = TextOptions::default();
    written(|pen| message::gist(pen, &options, info, view, change))
}

/// How long a message took to answer its request, and what it says if it refuses; `None` for messages that answer none.
#[must_use]
pub fn answer(info: &MessageInfo) -> Option<String> {
    let answer = info.answers.as_ref()?;
    let known = answer.kind != OutcomeKind::NoRequest;
    known.then(|| written(|pen| exchange::said(pen, answer)))
}

/// What became of a request.
#[must_use]
pub fn outcome(outcome: &Outcome) -> String {
    written(|pen| exchange::became(pen, outcome))
}

/// What the timeline tells on the line of a record that is no message; `None` where it has no line.
#[must_use]
pub fn aside(record: &Record<'_>) -> Option<String> {
    let told = !matches!(record, Record::Message(..)) && story::has_line(record);
    told.then(|| written(|pen| story::told(pen, *record)))
}

/// What the list of sessions says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionWords {
    /// The protocol version and how it is known.
    pub version: String,
    /// The names that the client gave, and the agent it is for.
    pub who: String,
    /// The services that were granted, or else asked for.
    pub services: String,
    /// How it ended.
    pub end: String,
}

/// What the list of sessions says of one that has ended.
#[must_use]
pub fn session(session: &Session) -> SessionWords {
    SessionWords {
        version: written(|pen| sessions::version(pen, session)),
        who: written(|pen| sessions::who(pen, session)),
        services: written(|pen| sessions::services(pen, session)),
        end: written(|pen| story::end(pen, session)),
    }
}

/// What is written without colours, without spaces around it.
pub(in crate::render) fn written(write: impl FnOnce(&mut Pen<'_>)) -> String {
    let mut out = Vec::new();
    write(&mut Pen {
        out: &mut out,
        colour: false,
        ascii: false,
    });
    // What is no UTF-8 was escaped.
    String::from_utf8_lossy(&out).trim().to_owned()
}
