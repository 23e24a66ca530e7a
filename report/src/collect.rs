//! Gathers what the page shows of sessions and messages.

use crate::calls::CallSheets;
use crate::limits;
use crate::messages::{Messages, Packed};
use crate::shown::Style;
use cti_dissector::analysis::{Analysis, Seen};
use cti_dissector::record::{Notice, Record};
use cti_dissector::session::{Content, Session};
use cti_dissector::triage::Problem;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// An analysis that gathers sessions, messages and remarks for the page.
pub struct Collector {
    /// The user asked for some messages only.
    selective: bool,
    /// Sessions with a selected message.
    touched: BTreeSet<u32>,
    messages: Messages,
    sessions: Vec<Session>,
    more_sessions: u64,
    /// Connections without any readable byte.
    empty: u64,
    notices: Vec<Notice>,
    more_notices: u64,
}

/// What was gathered.
pub struct Collected {
    pub(crate) messages: Packed,
    pub(crate) sessions: Vec<Session>,
    pub(crate) more_sessions: u64,
    pub(crate) empty: u64,
    pub(crate) notices: Vec<Notice>,
    pub(crate) more_notices: u64,
}

impl Collected {
    /// The numbers of messages that findings and calls point at, and that were left out because they came too late; the most important ones
    /// where there are too many. A collector that is told of them in a second run keeps them.
    #[must_use]
    pub fn missing(&self, problems: &[Problem], calls: &CallSheets) -> BTreeSet<u64> {
        if self.messages.left_out == 0 {
            return BTreeSet::new();
        }
        let problems = problems.iter().take(limits::MAX_FINDINGS);
        let of_findings = problems.flat_map(|p| p.examples.iter().filter_map(|e| e.message));
        let mut missing = BTreeSet::new();
        for no in of_findings.chain(calls.named()) {
            if missing.len() >= limits::MAX_FURTHER_MESSAGES {
                break;
            }
            if !self.messages.has(no) {
                missing.insert(no);
            }
        }
        missing
    }
}

impl Collector {
    /// Nothing seen yet. The first `most` messages are kept, and those with the numbers in `also`; `selective` when the user asked for some
    /// messages only: others are left out, and sessions without any of them.
    #[must_use]
    pub fn new(
        most: usize,
        also: BTreeSet<u64>,
        selective: bool,
        several_inputs: bool,
        zone: TimeZone,
    ) -> Self {
        Self {
            selective,
            touched: BTreeSet::new(),
            messages: Messages::new(Style::new(zone), most, also, several_inputs),
            sessions: Vec::new(),
            more_sessions: 0,
            empty: 0,
            notices: Vec::new(),
            more_notices: 0,
        }
    }

    /// What was gathered. Call after the last record.
    #[must_use]
    pub fn finish(mut self) -> Collected {
        self.sessions.sort_by_key(|s| s.peers.session);
        Collected {
            messages: self.messages.finish(),
            sessions: self.sessions,
            more_sessions: self.more_sessions,
            empty: self.empty,
            notices: self.notices,
            more_notices: self.more_notices,
        }
    }

    fn wants(&self, session: u32) -> bool {
        !self.selective || self.touched.contains(&session)
    }

    fn ended(&mut self, session: &Session) {
        if !self.wants(session.peers.session) {
            return;
        }
        if session.content == Content::Nothing {
            self.empty += 1;
        } else if self.sessions.len() < limits::MAX_SESSIONS {
            self.sessions.push(session.clone());
        } else {
            self.more_sessions += 1;
        }
    }
}

impl Analysis for Collector {
    fn message(&mut self, seen: &Seen<'_>) {
        // One more than can be listed tells all that matters.
        if self.selective && seen.selected && self.touched.len() <= limits::MAX_SESSIONS {
            self.touched.insert(seen.info.peers.session);
        }
        self.messages.message(seen);
    }

    fn record(&mut self, record: &Record<'_>) {
        let session = match record {
            Record::Exchange(exchange) => {
                self.messages.exchange(exchange);
                return;
            }
            Record::SessionEnded(session) => {
                self.ended(session);
                Some(session.peers.session)
            }
            Record::SessionBegan(session) => Some(session.peers.session),
            Record::Break(broken) => Some(broken.peers.session),
            Record::Notice(notice) => {
                if notice.session.is_none_or(|session| self.wants(session)) {
                    if self.notices.len() < limits::MAX_REMARKS {
                        self.notices.push((*notice).clone());
                    } else {
                        self.more_notices += 1;
                    }
                }
                notice.session
            }
            _ => return,
        };
        if session.is_none_or(|session| self.wants(session)) {
            self.messages.aside(record);
        }
    }
}
