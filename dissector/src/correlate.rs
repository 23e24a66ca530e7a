//! Pairs each request with what answered it, by session, asking side and InvokeID.

use crate::decode::Decoder;
use crate::limits;
use crate::protocol::{Failure, Kind, Message, MessageType, ProtocolVersion, Value, ValueTable};
use crate::record::Direction;
use crate::sequencer::Place;
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
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

impl FailureCode {
    /// What its table says of the code.
    #[must_use]
    pub fn value(&self) -> Option<&'static Value> {
        self.table?.get(self.code)
    }

    /// The name of the code, such as CF_INVALID_OBJECT_STATE.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        self.value().map(|value| value.text)
    }
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

/// A request as it is remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub part: Part,
    pub place: Place,
    /// Number of its TCP connection.
    pub connection: u32,
    /// No answer is due (CTI_SERVICE_IGNORE_CONF).
    pub ignorable: bool,
    pub state: State,
}

/// What a remembered request has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// No answer yet.
    Waiting,
    /// A first confirmation came and said that more follow.
    Continued,
    /// The reply wait has passed; kept a while to recognise a late answer.
    Expired,
}

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

type Key = (Direction, u32);

/// What finds a request: first what ties answers to it, then what it has come to and what may answer it, then its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tie {
    key: Key,
    state: State,
    /// Type of the message that it asks for.
    reply: Option<u32>,
    no: u64,
}

impl Tie {
    fn of(key: Key, open: &Open) -> Self {
        Self {
            key,
            state: open.state,
            reply: open.part.message.and_then(|m| m.reply).map(|r| r.0),
            no: open.part.no,
        }
    }
}

/// Requests by their ties. Thousands may have the same InvokeID; none of them is looked at for the sake of another one.
#[derive(Debug, Default)]
struct Ties(BTreeSet<Tie>);

impl Ties {
    /// The oldest request, of those that ask for one type of message or, without one, of all.
    fn oldest(&self, key: Key, state: State, reply: Option<u32>) -> Option<u64> {
        let Some(reply) = reply else {
            let firsts = self.by_reply(key, state).map(|(first, _)| first.no);
            return firsts.min();
        };
        let tie = |no| Tie {
            key,
            state,
            reply: Some(reply),
            no,
        };
        let mut range = self.0.range(tie(0)..=tie(u64::MAX));
        range.next().map(|t| t.no)
    }

    /// The newest request, whatever it asks for.
    fn newest(&self, key: Key, state: State) -> Option<u64> {
        let ranges = self.by_reply(key, state);
        let lasts = ranges.filter_map(|(first, end)| self.0.range(first..=end).next_back());
        lasts.map(|t| t.no).max()
    }

    /// First request and end of the ranges in which requests of one state stand: one for each type of message that they ask
    /// for, so a few at most.
    fn by_reply(&self, key: Key, state: State) -> impl Iterator<Item = (Tie, Tie)> {
        let tie = move |reply, no| Tie {
            key,
            state,
            reply,
            no,
        };
        let end = tie(Some(u32::MAX), u64::MAX);
        let mut after = Bound::Included(tie(None, 0));
        std::iter::from_fn(move || {
            let first = *self.0.range((after, Bound::Included(end))).next()?;
            let last = tie(first.reply, u64::MAX);
            after = Bound::Excluded(last);
            Some((first, last))
        })
    }

    /// Requests older than `no` that wait no more.
    fn passed(&self, key: Key, no: u64) -> impl Iterator<Item = u64> {
        let states = [State::Continued, State::Expired].into_iter();
        states
            .flat_map(move |state| self.by_reply(key, state))
            .filter(move |(first, _)| first.no < no)
            .flat_map(move |(first, last)| self.0.range(first..Tie { no, ..last }))
            .map(|t| t.no)
    }
}

/// The remembered requests of one session.
#[derive(Debug, Default)]
struct Requests {
    /// The last InvokeID of each asking side, client first.
    last: [Option<u32>; 2],
    /// Whether a side has gone back in its InvokeIDs, so that it may use them again.
    reuses: [bool; 2],
    /// By number of the message.
    all: BTreeMap<u64, (Key, Open)>,
    /// Those that an answer may find.
    ties: Ties,
    /// Those that no answer finds any more, since something is missing after them.
    cut: Ties,
}

impl Requests {
    fn add(&mut self, key: Key, open: Open) {
        let (asked, invoke_id) = key;
        let side = usize::from(asked == Direction::ServerToClient);
        if let (Some(last), Some(reuses)) = (self.last.get_mut(side), self.reuses.get_mut(side)) {
            *reuses |= last.is_some_and(|last| invoke_id <= last);
            *last = Some(invoke_id);
        }
        self.all.insert(open.part.no, (key, open));
        self.ties.0.insert(Tie::of(key, &open));
    }

    fn remove(&mut self, no: u64) -> Option<Open> {
        let (key, open) = self.all.remove(&no)?;
        let tie = Tie::of(key, &open);
        if !self.ties.0.remove(&tie) {
            self.cut.0.remove(&tie);
        }
        if self.all.is_empty() {
            // An emptied map keeps its memory, and most sessions have no request open most of the time.
            self.all = BTreeMap::new();
            self.ties = Ties::default();
            self.cut = Ties::default();
        }
        Some(open)
    }

    /// Whether an InvokeID may stand for several requests of a side.
    fn reuses(&self, asked: Direction) -> bool {
        let side = usize::from(asked == Direction::ServerToClient);
        self.reuses.get(side).copied().unwrap_or(false)
    }

    fn get(&self, no: u64) -> Option<&Open> {
        self.all.get(&no).map(|(_, open)| open)
    }

    fn set(&mut self, no: u64, state: State) {
        let Some((key, open)) = self.all.get_mut(&no) else {
            return;
        };
        let tie = Tie::of(*key, open);
        open.state = state;
        for ties in [&mut self.ties, &mut self.cut] {
            if ties.0.remove(&tie) {
                ties.0.insert(Tie { state, ..tie });
            }
        }
    }

    /// The oldest request of a state that an answer may belong to, see [`Ties::oldest`]. One that is no longer `whole` is set
    /// aside for good, so that it is not looked at again.
    fn oldest(
        &mut self,
        key: Key,
        state: State,
        reply: Option<u32>,
        whole: impl Fn(&Open) -> bool,
    ) -> Option<u64> {
        loop {
            let no = self.ties.oldest(key, state, reply)?;
            let open = self.get(no)?;
            if whole(open) {
                return Some(no);
            }
            let tie = Tie::of(key, open);
            self.ties.0.remove(&tie);
            self.cut.0.insert(tie);
        }
    }

    /// The newest request that waits.
    fn newest(&self, key: Key) -> Option<&Open> {
        let both = [&self.ties, &self.cut];
        let newest = both.map(|ties| ties.newest(key, State::Waiting));
        self.get(newest.into_iter().flatten().max()?)
    }
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
        let open = *requests.get(no)?;
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
        let both = [&requests.ties, &requests.cut].into_iter();
        let passed: Vec<u64> = both.flat_map(|ties| ties.passed(key, no)).collect();
        for earlier in passed {
            requests.remove(earlier);
        }
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
            let Some(((asked, invoke_id), open)) = requests.all.get(&due.no).copied() else {
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
            .all
            .into_values()
            .filter(|(_, open)| open.state == State::Waiting)
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
            let request = sessions.get(&due.session).and_then(|r| r.all.get(&due.no));
            request.is_some_and(|(_, open)| open.state == State::Waiting)
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
mod tests {
    use super::*;
    use crate::protocol::message_by_name;
    use crate::record::Record;
    use crate::sequencer::Sequencer;

    const WAIT: Duration = Duration::from_secs(30);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    fn request(no: u64, name: &str, second: i64) -> Asked {
        let message = message_by_name(name).unwrap();
        let part = Part {
            no,
            number: message.number,
            message: Some(message),
            time: at(second),
        };
        let place = Sequencer::new(|_: Record<'_>| {}).next_place();
        let open = Open {
            part,
            place,
            connection: 1,
            ignorable: false,
            state: State::Waiting,
        };
        Asked {
            session: 1,
            asked: Direction::ClientToServer,
            invoke_id: 0,
            open,
        }
    }

    fn answer(correlator: &mut Correlator, name: &str, more: bool) -> Option<(u64, OutcomeKind)> {
        let message = message_by_name(name).unwrap();
        let found =
            correlator.answer(1, (Direction::ClientToServer, 0), message, more, |_| true)?;
        Some((found.open.part.no, found.kind))
    }

    #[test]
    fn one_lost_answer_does_not_shift_those_of_later_requests_with_the_same_invoke_id() {
        let mut correlator = Correlator::new(WAIT);
        correlator.ask(request(1, "HEARTBEAT_REQ", 0));
        for (no, second) in [(2, 60), (3, 120), (4, 180)] {
            let lost = correlator.next_expired(at(second)).map(|r| r.open.part.no);
            assert_eq!(lost, (no == 2).then_some(1));
            assert_eq!(correlator.ask(request(no, "HEARTBEAT_REQ", second)), None);
            assert_eq!(
                answer(&mut correlator, "HEARTBEAT_CONF", false),
                Some((no, OutcomeKind::Confirmed))
            );
        }
        assert_eq!(answer(&mut correlator, "HEARTBEAT_CONF", false), None);
    }

    #[test]
    fn a_late_answer_is_still_recognised() {
        let mut correlator = Correlator::new(WAIT);
        correlator.ask(request(1, "HEARTBEAT_REQ", 0));
        assert!(correlator.next_expired(at(31)).is_some());
        assert_eq!(
            answer(&mut correlator, "HEARTBEAT_CONF", false),
            Some((1, OutcomeKind::Late))
        );
    }

    #[test]
    fn a_request_answered_in_part_is_forgotten_at_last() {
        let mut correlator = Correlator::new(WAIT);
        correlator.ask(request(1, "LIST_AGENT_TEAM_REQ", 0));
        assert_eq!(
            answer(&mut correlator, "LIST_AGENT_TEAM_CONF", true),
            Some((1, OutcomeKind::Confirmed))
        );
        correlator.ask(request(2, "LIST_AGENT_TEAM_REQ", 99));
        assert_eq!(
            answer(&mut correlator, "LIST_AGENT_TEAM_CONF", false),
            Some((2, OutcomeKind::Confirmed))
        );
        assert!(correlator.next_expired(at(10_000)).is_none());
        assert!(
            correlator
                .sessions
                .values()
                .all(|r| r.all.is_empty() && r.ties.0.is_empty() && r.cut.0.is_empty())
        );
    }

    #[test]
    fn answered_requests_do_not_count_as_open() {
        let mut correlator = Correlator::new(Duration::from_secs(86_400));
        for no in 1..200_000 {
            correlator.ask(request(no, "HEARTBEAT_REQ", 1));
            assert_eq!(
                answer(&mut correlator, "HEARTBEAT_CONF", false),
                Some((no, OutcomeKind::Confirmed))
            );
            assert!(correlator.next_expired(at(2)).is_none());
        }
        assert_eq!(correlator.open, 0);
        assert!(correlator.waiting.len() < 10_000);
    }

    #[test]
    fn requests_beyond_the_limit_are_given_up_oldest_first() {
        let mut correlator = Correlator::new(WAIT);
        let limit = u64::try_from(limits::MAX_OPEN_REQUESTS).unwrap();
        for no in 1..=limit + 2 {
            correlator.ask(Asked {
                invoke_id: u32::try_from(no).unwrap(),
                ..request(no, "HEARTBEAT_REQ", 1)
            });
        }
        let given_up: Vec<u64> = std::iter::from_fn(|| correlator.next_expired(at(2)))
            .map(|r| r.open.part.no)
            .collect();
        assert_eq!(given_up, [1, 2]);
        assert_eq!(correlator.close_session(1).len(), limits::MAX_OPEN_REQUESTS);
        assert_eq!(correlator.open, 0);
    }
}
