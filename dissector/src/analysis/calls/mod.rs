//! The book of calls: follows each call by its IDs over sessions, peripherals and servers, and tells how it went.
//!
//! A call is known by ConnectionCallID and PeripheralID ([`CallId`]). Each ID is a leg of it. Calls become one where consultation, transfer,
//! conference, a renaming by CALL_DATA_UPDATE_EVENT, the router's key ([`RouterKey`]) or CallReferenceID says so; NULL IDs say nothing. The
//! same event seen by several sessions, or told once for each party or monitor, is one [`Step`] that names all its messages. A call ID that
//! begins again after its call was over is another call; one that is told again after a lost session or an offline peripheral is not.
//!
//! [`Calls`] is an [`Analysis`]: give it to a [`Study`](super::Study), with what takes each [`Call`] when it is over. A call that is over stays
//! for [`CALL_GRACE`](crate::limits::CALL_GRACE), since another one may still join it. Everything is bounded; see [`Reached`].
//!
//! ```
//! use cti_dissector::analysis::calls::{Call, CallOptions, Calls};
//!
//! let mut rows = Vec::new();
//! let calls = Calls::new(CallOptions { stories: false, in_order: true }, |call: Call| rows.push(call));
//! // ... as an analysis of a study, then:
//! let (_, reached) = calls.finish();
//! assert_eq!(reached.told_early, 0);
//! ```

mod answers;
mod around;
mod book;
mod call;
mod desks;
mod effects;
mod events;
mod join;
mod leg;
mod open;
mod parties;
mod party;
mod presence;
mod requests;
mod story;
mod telling;
#[cfg(test)]
mod tests;
mod variables;

pub(super) use around::did_not_answer;
pub(super) use book::Book;
pub use call::{Call, CallId, FailedRequest, Feature, Outcome, RouterKey, Times, cause_name};
pub use party::{ConnectionState, Party, PartyKind, StateChange};
pub use story::{AgentChange, Answered, Setting, Sighting, Step, StepKind};

use super::{Analysis, Seen};
use crate::protocol::{Kind, types};
use crate::reassembly::End;
use crate::record::{Direction, Record};

/// What is wanted of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallOptions {
    /// With their stories: [`Call::steps`] and [`Call::variables`]. Without, much less is kept.
    pub stories: bool,
    /// In order of their beginning: calls that are over wait for older ones, within
    /// [`MAX_WAITING_CALLS`](crate::limits::MAX_WAITING_CALLS). Otherwise each comes as soon as nothing can join it any more.
    pub in_order: bool,
}

/// Which limits were reached, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached {
    /// Calls that were told before they were over, because of [`MAX_CALLS`](crate::limits::MAX_CALLS).
    pub told_early: u64,
    /// Calls that were not joined to another one, because of [`MAX_CALL_LEGS`](crate::limits::MAX_CALL_LEGS).
    pub not_joined: u64,
    /// Calls that came out of order, because of [`MAX_WAITING_CALLS`](crate::limits::MAX_WAITING_CALLS).
    pub out_of_order: u64,
    /// Steps that are in no story, because of [`MAX_CALL_STEPS`](crate::limits::MAX_CALL_STEPS) and
    /// [`MAX_STORY_BYTES`](crate::limits::MAX_STORY_BYTES).
    pub steps_left_out: u64,
}

/// Takes calls as they are told.
pub trait CallSink {
    /// The next call.
    fn call(&mut self, call: Call);
}

impl<F: FnMut(Call)> CallSink for F {
    fn call(&mut self, call: Call) {
        self(call);
    }
}

/// Follows all calls of a capture.
#[derive(Debug)]
pub struct Calls<S> {
    book: Book,
    sink: S,
}

impl<S: CallSink> Calls<S> {
    /// No call seen yet.
    #[must_use]
    pub fn new(options: CallOptions, sink: S) -> Self {
        let mut book = Book::default();
        book.options = options;
        Self { book, sink }
    }

    /// Keeps stories only of calls that go by a name ([`Call::goes_by`]); the others are told without.
    #[must_use]
    pub fn only(mut self, name: &str) -> Self {
        self.book.only = Some(name.to_owned());
        self
    }

    /// What takes the calls.
    pub const fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Tells the calls that are left, after the last record; gives back what takes them, and which limits were reached.
    #[must_use]
    pub fn finish(mut self) -> (S, Reached) {
        self.book.finish();
        self.pass_on();
        (self.sink, self.book.reached)
    }

    fn pass_on(&mut self) {
        for call in self.book.ready.drain(..) {
            self.sink.call(call);
        }
    }
}

impl<S: CallSink> Analysis for Calls<S> {
    fn message(&mut self, seen: &Seen<'_>) {
        self.book.message(seen);
        self.pass_on();
    }

    fn record(&mut self, record: &Record<'_>) {
        self.book.record(record);
    }
}

impl Book {
    /// Takes in whatever is not a message.
    pub(super) fn record(&mut self, record: &Record<'_>) {
        match record {
            Record::Exchange(exchange) => self.exchange(exchange),
            // A session that is there when the capture ends was not lost.
            Record::SessionEnded(session)
                if !matches!(session.end, None | Some(End::CaptureEnded)) =>
            {
                self.session_ended(session.peers.session, session.last);
            }
            Record::Break(record) if record.direction == Direction::ServerToClient => {
                self.broke(record.peers.session, record.details.time);
            }
            _ => {}
        }
    }

    /// Takes in a message, and tells the calls whose time has come by then.
    pub(super) fn message(&mut self, seen: &Seen<'_>) {
        self.touched = None;
        self.take_in(seen);
        self.expire(seen.info.time);
    }

    fn take_in(&mut self, seen: &Seen<'_>) {
        let Some(message) = seen.info.message else {
            return;
        };
        let news = self.desks.note(seen);
        match message.number {
            types::AGENT_STATE_EVENT => {
                if let Some(news) = news {
                    self.agent(seen, news);
                }
            }
            types::SYSTEM_EVENT => self.system(seen),
            types::AGENT_PRE_CALL_EVENT
            | types::AGENT_PRE_CALL_ABORT_EVENT
            | types::CALL_TRANSLATION_ROUTE_EVENT => self.announced(seen),
            _ if seen.info.answers.is_some() => self.answer(seen),
            _ => match message.kind {
                Kind::Event => self.event(seen),
                Kind::Request | Kind::Indication => self.request(seen),
                Kind::Confirmation | Kind::Response => {}
            },
        }
    }
}
