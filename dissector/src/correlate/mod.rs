//! Pairs each request with what answered it, by session, asking side and InvokeID.

mod exchange;
mod requests;

use crate::decode::Decoder;
use crate::limits;
use crate::protocol::{Failure, Kind, Message, ProtocolVersion};
use crate::record::Direction;
use crate::time::Timestamp;
pub use exchange::{Answer, Exchange, FailureCode, Outcome, OutcomeKind, Part};
use foldhash::fast::RandomState;
use requests::Requests;
pub(crate) use requests::{Open, State};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// A request with what it asks by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub session: u32,
    /// Which way it went.
    pub asked: Direction,
    pub invoke_id: u32,
    pub open: Open,
}

/// How an answer was matched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub open: Open,
    pub kind: OutcomeKind,
}

/// A moment at which a request must be looked at again.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: Timestamp,
    session: u32,
    no: u64,
}

/// All remembered requests of all sessions.
#[derive(Debug)]
pub(crate) struct Correlator {
    sessions: HashMap<u32, Requests, RandomState>,
    /// Requests in order of time; answered ones are skipped when their turn comes.
    waiting: VecDeque<Due>,
    /// Requests whose wait is over or that were answered in part, to be forgotten later.
    leaving: VecDeque<Due>,
    /// How many requests wait.
    open: usize,
    wait: Duration,
}

/// For how many reply waits a late answer is still recognised.
const LATE_FACTOR: u32 = 10;

impl Correlator {
    pub(crate) fn new(wait: Duration) -> Self {
        Self {
            sessions: HashMap::default(),
            waiting: VecDeque::new(),
            leaving: VecDeque::new(),
            open: 0,
            wait,
        }
    }

    /// Notes a request; returns an earlier one with the same InvokeID that still waits.
    pub(crate) fn ask(&mut self, request: Asked) -> Option<Part> {
        let Asked {
            session,
            asked,
            invoke_id,
            open,
        } = request;
        let key = (asked, invoke_id);
        let requests = self.sessions.entry(session).or_default();
        let earlier = requests.newest(key).map(|o| o.part);
        requests.add(key, open);
        self.open += 1;
        self.waiting.push_back(Due {
            at: open.part.time.after(self.wait),
            session,
            no: open.part.no,
        });
        self.compact();
        earlier
    }

    /// Finds the request that a message answers and closes it, unless more answers follow.
    ///
    /// Where InvokeIDs are used again, an answer may belong to a request that was not captured, or a request's own answer was
    /// not: then only requests count since which nothing is missing, as `unbroken` tells for a time.
    pub(crate) fn answer(
        &mut self,
        session: u32,
        (asked, invoke_id): (Direction, u32),
        message: &'static Message,
        more_follow: bool,
        unbroken: impl Fn(Timestamp) -> bool,
    ) -> Option<Match> {
        let key = (asked, invoke_id);
        let requests = self.sessions.get_mut(&session)?;
        let unique = !requests.reuses(asked);
        let failure = message.failure == Some(Failure::OfRequest);
        let expects =
            |o: &Open| failure || o.part.message.and_then(|m| m.reply) == Some(message.number);
        let reply = (!failure).then_some(message.number.0);
        let whole = |o: &Open| unique || unbroken(o.part.time);
        let mut oldest = |expected: bool, state: State| {
            let reply = reply.filter(|_| expected);
            requests.oldest(key, state, reply, whole)
        };
        // One that still waits comes before one that was given up: InvokeIDs may be used again. A stray answer goes to the
        // oldest that waits at all.
        let no = oldest(true, State::Waiting)
            .or_else(|| oldest(true, State::Continued))
            .or_else(|| oldest(true, State::Expired))
            .or_else(|| oldest(false, State::Waiting))
            .or_else(|| oldest(false, State::Expired))?;
        let (_, open) = *requests.get(no)?;
        let kind = if failure {
            OutcomeKind::Failed
        } else if !expects(&open) && open.part.message.is_some_and(|m| m.reply.is_some()) {
            OutcomeKind::WrongAnswer
        } else if open.state == State::Expired {
            OutcomeKind::Late
        } else {
            OutcomeKind::Confirmed
        };
        // Answers come in order: what was given up before this request will not be answered any more.
        requests.forget_passed(key, no);
        if open.state == State::Waiting {
            self.open = self.open.saturating_sub(1);
        }
        if more_follow {
            requests.set(no, State::Continued);
            let at = open.part.time.after(self.wait.saturating_mul(LATE_FACTOR));
            self.leaving.push_back(Due { at, session, no });
        } else {
            requests.remove(no);
        }
        Some(Match { open, kind })
    }

    /// The next request whose wait is over at `now`, or whose memory is needed.
    pub(crate) fn next_expired(&mut self, now: Timestamp) -> Option<Asked> {
        while let Some(due) = self.waiting.front().copied() {
            if due.at > now && self.open <= limits::MAX_OPEN_REQUESTS {
                break;
            }
            self.waiting.pop_front();
            let Some(requests) = self.sessions.get_mut(&due.session) else {
                continue;
            };
            let Some(((asked, invoke_id), open)) = requests.get(due.no).copied() else {
                continue;
            };
            if open.state != State::Waiting {
                continue;
            }
            requests.set(due.no, State::Expired);
            self.open = self.open.saturating_sub(1);
            let at = open.part.time.after(self.wait.saturating_mul(LATE_FACTOR));
            self.leaving.push_back(Due { at, ..due });
            return Some(Asked {
                session: due.session,
                asked,
                invoke_id,
                open,
            });
        }
        while let Some(due) = self.leaving.front().copied() {
            if due.at > now && self.leaving.len() <= limits::MAX_OPEN_REQUESTS {
                break;
            }
            self.leaving.pop_front();
            if let Some(requests) = self.sessions.get_mut(&due.session) {
                requests.remove(due.no);
            }
        }
        None
    }

    /// Takes out all requests of a session that still wait, oldest first; the others are forgotten.
    pub(crate) fn close_session(&mut self, session: u32) -> Vec<Asked> {
        let requests = self.sessions.remove(&session).unwrap_or_default();
        let waiting: Vec<Asked> = requests
            .into_waiting()
            .map(|((asked, invoke_id), open)| Asked {
                session,
                asked,
                invoke_id,
                open,
            })
            .collect();
        self.open = self.open.saturating_sub(waiting.len());
        waiting
    }

    /// Drops answered requests from the queue once they are most of it.
    fn compact(&mut self) {
        const SMALL: usize = 4096;
        if self.waiting.len() < SMALL || self.waiting.len() / 2 < self.open {
            return;
        }
        let sessions = &self.sessions;
        self.waiting.retain(|due| {
            let requests = sessions.get(&due.session);
            requests.is_some_and(|r| r.is_waiting(due.no))
        });
    }
}

/// Whether a message can answer a request.
pub(crate) fn is_answer(message: &Message) -> bool {
    matches!(message.kind, Kind::Confirmation | Kind::Response)
        || message.failure == Some(Failure::OfRequest)
}

/// What a failure message says: its first enumerated field, and the peripheral's error where it has one.
pub(crate) fn failure_code(
    decoder: &mut Decoder,
    bytes: &[u8],
    version: ProtocolVersion,
    message: &'static Message,
) -> Option<FailureCode> {
    let view = decoder.decode_as(bytes, version, Some(message));
    let code = view.fixed().find(|f| f.field().table.is_some())?;
    Some(FailureCode {
        code: code.number().bits,
        table: code.field().table,
        peripheral_error: view
            .fixed_named("PeripheralErrorCode")
            .map(|f| f.number().bits),
    })
}

#[cfg(test)]
mod tests;
