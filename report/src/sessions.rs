//! Sessions, as the page shows them.

use crate::shown::{Style, grouped};
use cti_dissector::render::text::words::{self, SessionWords};
use cti_dissector::session::{self, Content};

/// A row of the table.
pub(crate) struct Session {
    pub number: u32,
    pub first: String,
    pub duration: String,
    pub client: String,
    pub server: String,
    pub words: SessionWords,
    pub messages: String,
    pub requests: String,
    /// Requests that failed, requests without an answer, missing bytes.
    pub faults: [Count; 3],
    /// It has messages that can be shown.
    pub readable: bool,
}

/// A number that is bad unless it is 0.
pub(crate) struct Count {
    pub text: String,
    pub bad: bool,
}

impl Count {
    pub fn new(number: u64) -> Self {
        Self {
            text: grouped(number),
            bad: number > 0,
        }
    }
}

impl Session {
    pub fn new(session: &session::Session, style: &Style) -> Self {
        let counts = &session.counts;
        Self {
            number: session.peers.session,
            first: style.moment(session.first),
            duration: style.duration(session.last.nanos_since(session.first)),
            client: session.peers.client.to_string(),
            server: session.peers.server.to_string(),
            words: words::session(session),
            messages: grouped(counts.from_client.saturating_add(counts.from_server)),
            requests: grouped(counts.requests.made),
            faults: [
                counts.requests.failed,
                counts.requests.unanswered,
                counts.missing,
            ]
            .map(Count::new),
            readable: session.content == Content::Cti,
        }
    }
}
