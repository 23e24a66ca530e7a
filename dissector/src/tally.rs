//! Counts requests by what became of them, so that the numbers add up to that of the requests.

use crate::correlate::{OutcomeKind, Part};
use crate::protocol::roles;

/// Whether a request counts as unanswered: no answer came within the reply wait, or before the session ended. That end is what a CLOSE_REQ
/// asks for.
#[must_use]
pub fn is_unanswered(kind: OutcomeKind, request: &Part) -> bool {
    match kind {
        OutcomeKind::Unanswered => true,
        OutcomeKind::SessionEnded => request.number != roles::CLOSE_REQ,
        _ => false,
    }
}

/// How many requests were made, and what became of them: `made` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Requests.
    pub made: u64,
    /// Answered in time by a message that refuses nothing.
    pub answered: u64,
    /// Answered in time by a failure.
    pub failed: u64,
    /// Not answered within the reply wait, or before their session ended. An answer that came later changes nothing.
    pub unanswered: u64,
    /// Without an answer when the capture ended, the reply wait not being over.
    pub open: u64,
    /// Without an answer, which proves nothing: none was due, bytes are missing, or only one direction was captured.
    pub not_judged: u64,
}

impl Tally {
    /// Counts what became of a request. To be told once for each request: not for further parts of an answer, nor for answers that come when
    /// the wait for them is over.
    pub fn settle(&mut self, kind: OutcomeKind, request: &Part) {
        let count = match kind {
            OutcomeKind::Confirmed | OutcomeKind::WrongAnswer => &mut self.answered,
            OutcomeKind::Failed => &mut self.failed,
            _ if is_unanswered(kind, request) => &mut self.unanswered,
            OutcomeKind::CaptureEnded => &mut self.open,
            OutcomeKind::Unanswered
            | OutcomeKind::SessionEnded
            | OutcomeKind::NotExpected
            | OutcomeKind::NotJudged => &mut self.not_judged,
            // Counted before as unanswered; and no request at all.
            OutcomeKind::Late | OutcomeKind::NoRequest => return,
        };
        *count = count.saturating_add(1);
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        let both = [
            (&mut self.made, other.made),
            (&mut self.answered, other.answered),
            (&mut self.failed, other.failed),
            (&mut self.unanswered, other.unanswered),
            (&mut self.open, other.open),
            (&mut self.not_judged, other.not_judged),
        ];
        for (ours, theirs) in both {
            *ours = ours.saturating_add(theirs);
        }
    }

    /// The counts with the names that they have in output, in its order.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("requests", self.made),
            ("answered", self.answered),
            ("failed", self.failed),
            ("unanswered", self.unanswered),
            ("open", self.open),
            ("not_judged", self.not_judged),
        ]
    }
}
