//! Pairs each request with what answered it, by session, asking side and InvokeID.

use crate::decode::Decoder;
use crate::limits;
use crate::protocol::{Failure, Kind, Message, MessageType, ProtocolVersion, ValueTable};
use crate::record::Direction;
use crate::sequencer::Place;
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// What became of a request, or how an answer came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutcomeKind {
    /// Answered by its confirmation.
    Confirmed,
    /// Answered by a failure message.
    Failed,
    /// Answered after the reply wait had passed.
    Late,
    /// Answered by a message of another kind than it asks for.
    WrongAnswer,
    /// No answer within the reply wait.
    Unanswered,
    /// No answer, but none is due: the session was granted CTI_SERVICE_IGNORE_CONF.
    NotExpected,
    /// No answer, but its absence proves nothing: bytes are missing, or only one direction was captured.
    NotJudged,
    /// No answer before the session ended.
    SessionEnded,
    /// No answer before the capture ended, the reply wait not being over.
    CaptureEnded,
    /// An answer whose request is not there.
    NoRequest,
}

impl OutcomeKind {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Late => "late",
            Self::WrongAnswer => "wrong_answer",
            Self::Unanswered => "unanswered",
            Self::NotExpected => "not_expected",
            Self::NotJudged => "not_judged",
            Self::SessionEnded => "session_ended",
            Self::CaptureEnded => "capture_ended",
            Self::NoRequest => "no_request",
        }
    }
}

/// What a failure message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureCode {
    /// Status or failure code.
    pub code: u32,
    /// The table of its names.
    pub table: Option<&'static ValueTable>,
    /// Detail from the peripheral, where the message carries it.
    pub peripheral_error: Option<u32>,
}

/// A message that takes part in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Number of the message.
    pub no: u64,
    /// Its type.
    pub number: MessageType,
    /// Its definition.
    pub message: Option<&'static Message>,
    /// When it came.
    pub time: Timestamp,
}

/// The request that a message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The request.
    pub request: Part,
    /// Nanoseconds from request to answer.
    pub latency: i64,
    /// What the answer says.
    pub kind: OutcomeKind,
    /// For a failure: what it says.
    pub failure: Option<FailureCode>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// In a word.
    pub kind: OutcomeKind,
    /// The answer.
    pub answer: Option<Part>,
    /// Nanoseconds from request to answer.
    pub latency: Option<i64>,
    /// For a failure: what it says.
    pub failure: Option<FailureCode>,
}

/// A request and what became of it; or an answer without request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Number of the session.
    pub session: u32,
    /// Which way the request went (servers ask too).
    pub asked: Direction,
    /// What ties request and answer together.
    pub invoke_id: u32,
    /// The request; `None` for an answer without one.
    pub request: Option<Part>,
    /// What became of it.
    pub outcome: Outcome,
    /// When that was certain.
    pub time: Timestamp,
}

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub part: Part,
    pub place: Place,
    /// Number of its TCP connection.
    pub connection: u32,
    /// No answer is due (CTI_SERVICE_IGNORE_CONF).
    pub ignorable: bool,
    /// The reply wait has passed; kept a while to recognise a late answer.
    pub expired: bool,
    /// A first confirmation came and said that more follow.
    pub continued: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    session: u32,
    asked: Direction,
    invoke_id: u32,
}

/// All open requests of all sessions.
#[derive(Debug)]
pub(crate) struct Correlator {
    open: HashMap<Key, VecDeque<Open>, RandomState>,
    /// Requests in order of time; answered ones are skipped when their turn comes.
    queue: VecDeque<(Timestamp, Key, u64)>,
    /// Requests whose wait is over, to be forgotten later.
    expired: VecDeque<(Timestamp, Key, u64)>,
    wait: Duration,
}

/// How an answer was matched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub open: Open,
    pub kind: OutcomeKind,
}

/// For how many reply waits a late answer is still recognised.
const LATE_FACTOR: u32 = 10;

impl Correlator {
    pub(crate) fn new(wait: Duration) -> Self {
        Self {
            open: HashMap::default(),
            queue: VecDeque::new(),
            expired: VecDeque::new(),
            wait,
        }
    }

    /// Notes a request; returns an earlier one with the same InvokeID that is still open.
    pub(crate) fn ask(
        &mut self,
        session: u32,
        asked: Direction,
        invoke_id: u32,
        open: Open,
    ) -> Option<Part> {
        let key = Key {
            session,
            asked,
            invoke_id,
        };
        let entry = self.open.entry(key).or_default();
        let earlier = entry
            .iter()
            .rev()
            .find(|o| !o.expired && !o.continued)
            .map(|o| o.part);
        entry.push_back(open);
        self.queue
            .push_back((open.part.time.after(self.wait), key, open.part.no));
        earlier
    }

    /// Finds the request that a message answers and closes it, unless more answers follow.
    pub(crate) fn answer(
        &mut self,
        session: u32,
        asked: Direction,
        invoke_id: u32,
        message: &'static Message,
        more_follow: bool,
    ) -> Option<Match> {
        let key = Key {
            session,
            asked,
            invoke_id,
        };
        let entry = self.open.get_mut(&key)?;
        let failure = message.failure == Some(Failure::OfRequest);
        let expects = |o: &Open| o.part.message.and_then(|m| m.reply) == Some(message.number);
        // The oldest request that expects this very answer; a failure or a stray answer goes to the oldest of all.
        let index = entry
            .iter()
            .position(|o| expects(o) && !failure)
            .or_else(|| entry.iter().position(|o| !o.continued))
            // A failure in place of the parts that should follow.
            .or_else(|| failure.then_some(0))?;
        let open = *entry.get(index)?;
        let kind = if failure {
            OutcomeKind::Failed
        } else if !expects(&open) && open.part.message.is_some_and(|m| m.reply.is_some()) {
            OutcomeKind::WrongAnswer
        } else if open.expired {
            OutcomeKind::Late
        } else {
            OutcomeKind::Confirmed
        };
        if more_follow {
            if let Some(open) = entry.get_mut(index) {
                open.continued = true;
            }
        } else {
            entry.remove(index);
            if entry.is_empty() {
                self.open.remove(&key);
            }
        }
        Some(Match { open, kind })
    }

    /// The next request whose wait is over at `now`, or whose memory is needed.
    pub(crate) fn next_expired(&mut self, now: Timestamp) -> Option<(u32, Direction, u32, Open)> {
        while let Some((deadline, key, no)) = self.queue.front().copied() {
            let full = self.queue.len() > limits::MAX_OPEN_REQUESTS;
            if deadline > now && !full {
                break;
            }
            self.queue.pop_front();
            if let Some(open) = self.find(key, no)
                && !open.continued
            {
                open.expired = true;
                let open = *open;
                self.expired.push_back((
                    open.part.time.after(self.wait.saturating_mul(LATE_FACTOR)),
                    key,
                    no,
                ));
                return Some((key.session, key.asked, key.invoke_id, open));
            }
        }
        while let Some((deadline, key, no)) = self.expired.front().copied() {
            if deadline > now && self.expired.len() <= limits::MAX_OPEN_REQUESTS {
                break;
            }
            self.expired.pop_front();
            self.forget(key, no);
        }
        None
    }

    /// Takes out all open requests of a session, oldest first.
    pub(crate) fn close_session(&mut self, session: u32) -> Vec<(u32, Direction, u32, Open)> {
        // Sessions end rarely and the queue is in order of time; the map's order must not reach the output.
        let keys: Vec<(Key, u64)> = self
            .queue
            .iter()
            .filter(|(_, key, _)| key.session == session)
            .map(|(_, key, no)| (*key, *no))
            .collect();
        let mut open = Vec::new();
        for (key, no) in keys {
            if let Some(found) = self.find(key, no).copied() {
                self.forget(key, no);
                if !found.continued {
                    open.push((key.session, key.asked, key.invoke_id, found));
                }
            }
        }
        self.queue.retain(|(_, key, _)| key.session != session);
        let expired: Vec<(Key, u64)> = self
            .expired
            .iter()
            .filter(|(_, key, _)| key.session == session)
            .map(|(_, key, no)| (*key, *no))
            .collect();
        for (key, no) in expired {
            self.forget(key, no);
        }
        self.expired.retain(|(_, key, _)| key.session != session);
        open
    }

    fn find(&mut self, key: Key, no: u64) -> Option<&mut Open> {
        self.open
            .get_mut(&key)?
            .iter_mut()
            .find(|o| o.part.no == no && !o.expired)
    }

    fn forget(&mut self, key: Key, no: u64) {
        if let Some(entry) = self.open.get_mut(&key) {
            entry.retain(|o| o.part.no != no);
            if entry.is_empty() {
                self.open.remove(&key);
            }
        }
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
