//! Counts over a whole capture: messages by type, session and time, how long answers take, what fails, and heartbeats. Messages are not decoded
//! for it, but for the failures that servers report.

mod latency;
mod slices;

pub use latency::{BANDS, Latencies};
pub use slices::{Slice, Slices};

use super::{Analysis, Seen};
use crate::correlate::{self, Exchange, FailureCode, Outcome, OutcomeKind, Part};
use crate::decode::Decoder;
use crate::limits;
use crate::protocol::{self, Failure, Message, MessageType, roles};
use crate::record::{Direction, MessageInfo, Peers, Record};
use crate::session::{Identity, Session};
use crate::tally::Tally;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Latencies of a type that are kept one by one.
const KEPT_BY_TYPE: usize = 4096;
/// Latencies of a session that are kept one by one.
const KEPT_BY_SESSION: usize = 64;

/// Messages and their bytes, headers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.messages = self.messages.saturating_add(other.messages);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// A type of message in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeKey {
    /// MessageType on the wire.
    pub number: u32,
    /// Its name; empty for types that no table knows.
    pub name: &'static str,
    /// Which way.
    pub direction: Direction,
}

/// A type of request, and who asks.
pub type RequestKey = TypeKey;

/// What became of the requests of a type or session.
#[derive(Debug, Clone)]
pub struct Responses {
    /// Requests.
    pub requests: Tally,
    /// Of those without an answer in time, answered afterwards, by whatever.
    pub late: u64,
    /// From request to answer, of all answers: failures and late ones too.
    pub latencies: Latencies,
}

/// What a failure says, and what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailureKey {
    /// Name of the request; `None` for failures that answer none.
    pub request: Option<&'static str>,
    /// Name of the message that says so.
    pub by: &'static str,
    /// Its code.
    pub code: Option<u32>,
    /// PeripheralErrorCode, unless 0.
    pub peripheral_error: Option<u32>,
}

/// How often something failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed {
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// The code with its table.
    pub code: Option<FailureCode>,
}

/// Heartbeats of a session.
#[derive(Debug, Clone)]
pub struct Heartbeats {
    /// From one to the next (nanoseconds).
    pub intervals: Latencies,
    /// Without an answer, though there was time for one: the reply wait, or half an interval when the session ended before.
    pub lost: u64,
    last: Option<Timestamp>,
}

/// What was counted in a session.
#[derive(Debug, Clone)]
pub struct SessionStatistics {
    /// Its ends; `None` for all sessions beyond the limit.
    pub peers: Option<Peers>,
    /// Who the client says it is: its first name in OPEN_REQ or OPEN_CONF.
    pub who: Option<String>,
    /// IdleTimeout in seconds, as the client asked for it.
    pub idle_timeout: Option<u32>,
    /// From the client.
    pub from_client: Count,
    /// From the server.
    pub from_server: Count,
    /// Its requests, whoever asked.
    pub responses: Responses,
    /// Its heartbeats.
    pub heartbeats: Heartbeats,
    /// What became of them.
    pub beats: Responses,
}

/// Counts over a capture.
#[derive(Debug)]
pub struct Statistics {
    /// From clients.
    pub from_client: Count,
    /// From servers.
    pub from_server: Count,
    /// By type and direction.
    pub types: BTreeMap<TypeKey, Count>,
    /// Types beyond [`limits::MAX_STATISTICS_ROWS`].
    pub other_types: Count,
    /// By session.
    pub sessions: BTreeMap<u32, SessionStatistics>,
    /// Sessions beyond [`limits::MAX_STATISTICS_SESSIONS`].
    pub other_sessions: Option<Box<SessionStatistics>>,
    /// By time.
    pub slices: Option<Slices>,
    /// By type of request.
    pub responses: BTreeMap<RequestKey, Responses>,
    /// Requests of types beyond [`limits::MAX_STATISTICS_ROWS`].
    pub other_responses: Responses,
    /// All answered requests, by how long it took: up to each of [`BANDS`], and beyond.
    pub bands: [u64; BANDS.len() + 1],
    /// Failures.
    pub failures: BTreeMap<FailureKey, Failed>,
    /// Failures beyond [`limits::MAX_STATISTICS_ROWS`].
    pub other_failures: u64,
    /// Answers whose request is not there.
    pub answers_without_request: u64,
    /// Time of the first message counted.
    pub first: Option<Timestamp>,
    /// Time of the last message counted.
    pub last: Option<Timestamp>,
    /// Requests answered in part, of which further parts may come.
    in_part: BTreeSet<u64>,
    /// Requests without an answer in time, to which one may come.
    given_up: BTreeSet<u64>,
    decoder: Decoder,
}

impl Responses {
    fn new(keep: usize) -> Self {
        Self {
            requests: Tally::default(),
            late: 0,
            latencies: Latencies::new(keep),
        }
    }

    /// Counts an answer, or that there is none; `late`: the request was counted before, without an answer.
    fn add(&mut self, outcome: &Outcome, request: &Part, late: bool) {
        if late {
            self.late = self.late.saturating_add(1);
        } else {
            count(&mut self.requests, outcome, request);
        }
        if let Some(latency) = outcome.latency {
            self.latencies.add(latency);
        }
    }
}

fn count(requests: &mut Tally, outcome: &Outcome, request: &Part) {
    requests.made = requests.made.saturating_add(1);
    requests.settle(outcome.kind, request);
}

impl SessionStatistics {
    fn new(peers: Option<Peers>) -> Self {
        Self {
            peers,
            who: None,
            idle_timeout: None,
            from_client: Count::default(),
            from_server: Count::default(),
            responses: Responses::new(KEPT_BY_SESSION),
            heartbeats: Heartbeats {
                intervals: Latencies::new(KEPT_BY_SESSION),
                lost: 0,
                last: None,
            },
            beats: Responses::new(KEPT_BY_SESSION),
        }
    }
}

impl Statistics {
    /// Nothing counted yet; slices of time only when their length (nanoseconds) is given.
    #[must_use]
    pub fn new(interval: Option<i64>) -> Self {
        Self {
            from_client: Count::default(),
            from_server: Count::default(),
            types: BTreeMap::new(),
            other_types: Count::default(),
            sessions: BTreeMap::new(),
            other_sessions: None,
            slices: interval.map(Slices::new),
            responses: BTreeMap::new(),
            other_responses: Responses::new(KEPT_BY_TYPE),
            bands: [0; BANDS.len() + 1],
            failures: BTreeMap::new(),
            other_failures: 0,
            answers_without_request: 0,
            first: None,
            last: None,
            in_part: BTreeSet::new(),
            given_up: BTreeSet::new(),
            decoder: Decoder::new(),
        }
    }

    /// All messages.
    #[must_use]
    pub fn total(&self) -> Count {
        let mut total = self.from_client;
        total.add(&self.from_server);
        total
    }

    /// All requests, over all types.
    #[must_use]
    pub fn requests(&self) -> Tally {
        let mut all = self.other_responses.requests;
        for responses in self.responses.values() {
            all.add(&responses.requests);
        }
        all
    }

    fn session(&mut self, number: u32, peers: Option<Peers>) -> &mut SessionStatistics {
        let known = self.sessions.contains_key(&number);
        if !known && self.sessions.len() >= limits::MAX_STATISTICS_SESSIONS {
            return self
                .other_sessions
                .get_or_insert_with(|| Box::new(SessionStatistics::new(None)));
        }
        self.sessions
            .entry(number)
            .or_insert_with(|| SessionStatistics::new(peers))
    }

    /// The next message that counts.
    pub fn message(&mut self, info: &MessageInfo, bytes: &[u8]) {
        let one = Count {
            messages: 1,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        self.first = Some(self.first.map_or(info.time, |first| first.min(info.time)));
        self.last = Some(self.last.map_or(info.time, |last| last.max(info.time)));
        match info.direction {
            Direction::ClientToServer => self.from_client.add(&one),
            Direction::ServerToClient => self.from_server.add(&one),
        }
        let key = TypeKey {
            number: info.number.0,
            name: info.message.map_or("", |m| m.name),
            direction: info.direction,
        };
        let full = self.types.len() >= limits::MAX_STATISTICS_ROWS;
        match self.types.get_mut(&key) {
            Some(count) => count.add(&one),
            None if full => self.other_types.add(&one),
            None => {
                self.types.insert(key, one);
            }
        }
        if let Some(slices) = &mut self.slices {
            slices.at(info.time).direction(info.direction).add(&one);
        }
        let session = self.session(info.peers.session, Some(info.peers));
        match info.direction {
            Direction::ClientToServer => session.from_client.add(&one),
            Direction::ServerToClient => session.from_server.add(&one),
        }
        let is_beat = info
            .message
            .is_some_and(|m| m.number == roles::HEARTBEAT_REQ);
        if is_beat && session.peers.is_some() {
            let beats = &mut session.heartbeats;
            if let Some(last) = beats.last.replace(info.time) {
                beats.intervals.add(info.time.nanos_since(last));
            }
        }
        if let Some(message) = info.message
            && message.failure == Some(Failure::Reported)
        {
            let code = correlate::failure_code(&mut self.decoder, bytes, info.version, message);
            self.failed(None, message.name, code, info.time);
        }
    }

    /// The next record of another kind that counts.
    pub fn other(&mut self, record: &Record<'_>) {
        if let Record::Exchange(exchange) = record {
            self.exchange(exchange);
        }
    }

    /// What a session says of itself, whether it is selected or not.
    pub fn about(&mut self, session: &Session) {
        if let Some(known) = self.sessions.get_mut(&session.peers.session) {
            known.who = who(&session.identity);
            known.idle_timeout = session.identity.idle_timeout;
        }
    }

    fn failed(
        &mut self,
        request: Option<&'static str>,
        by: &'static str,
        code: Option<FailureCode>,
        time: Timestamp,
    ) {
        let key = FailureKey {
            request,
            by,
            code: code.map(|c| c.code),
            peripheral_error: code.and_then(|c| c.peripheral_error).filter(|c| *c != 0),
        };
        if let Some(failed) = self.failures.get_mut(&key) {
            failed.count = failed.count.saturating_add(1);
            failed.first = failed.first.min(time);
            failed.last = failed.last.max(time);
        } else if self.failures.len() < limits::MAX_STATISTICS_ROWS {
            let failed = Failed {
                count: 1,
                first: time,
                last: time,
                code,
            };
            self.failures.insert(key, failed);
        } else {
            self.other_failures = self.other_failures.saturating_add(1);
        }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        let Some(request) = exchange.request else {
            self.answers_without_request = self.answers_without_request.saturating_add(1);
            return;
        };
        if self.is_further_part(exchange, request.no, request.message) {
            return;
        }
        let outcome = &exchange.outcome;
        let kind = outcome.kind;
        let late = self.is_late(kind, request.no);
        let name = request.message.map_or("", |m| m.name);
        let key = RequestKey {
            number: request.number.0,
            name,
            direction: exchange.asked,
        };
        if !self.responses.contains_key(&key) && self.responses.len() >= limits::MAX_STATISTICS_ROWS
        {
            self.other_responses.add(outcome, &request, late);
        } else {
            let responses = self.responses.entry(key);
            let responses = responses.or_insert_with(|| Responses::new(KEPT_BY_TYPE));
            responses.add(outcome, &request, late);
        }
        if let Some(latency) = outcome.latency
            && let Some(band) = self.bands.get_mut(latency::band(latency))
        {
            *band = band.saturating_add(1);
        }
        if let Some(slices) = self.slices.as_mut().filter(|_| !late) {
            count(&mut slices.at(request.time).requests, outcome, &request);
        }
        let session = self.session(exchange.session, None);
        session.responses.add(outcome, &request, late);
        if request
            .message
            .is_some_and(|m| m.number == roles::HEARTBEAT_REQ)
        {
            session.beats.add(outcome, &request, late);
            let waited = exchange.time.nanos_since(request.time);
            let interval = session.heartbeats.intervals.quantile(500);
            let lost = match kind {
                OutcomeKind::Unanswered => true,
                OutcomeKind::SessionEnded => interval.is_some_and(|i| waited >= i / 2),
                _ => false,
            };
            let beats = &mut session.heartbeats;
            beats.lost = beats.lost.saturating_add(u64::from(lost));
        }
        if kind == OutcomeKind::Failed {
            let by = outcome.answer.and_then(|a| a.message);
            let by = by.map_or("", |m| m.name);
            self.failed(Some(name), by, outcome.failure, request.time);
        }
    }

    /// Some answers come in parts, each of which is told as an exchange. The first one counts.
    fn is_further_part(
        &mut self,
        exchange: &Exchange,
        no: u64,
        message: Option<&'static Message>,
    ) -> bool {
        if exchange.outcome.kind != OutcomeKind::Confirmed || !comes_in_parts(message) {
            return false;
        }
        if self.in_part.len() >= limits::MAX_OPEN_REQUESTS {
            self.in_part.pop_first();
        }
        !self.in_part.insert(no)
    }

    /// Whether a request that now has an answer, of any kind, has been counted as one without.
    fn is_late(&mut self, kind: OutcomeKind, no: u64) -> bool {
        match kind {
            OutcomeKind::Unanswered | OutcomeKind::NotExpected | OutcomeKind::NotJudged => {
                if self.given_up.len() >= limits::MAX_OPEN_REQUESTS {
                    self.given_up.pop_first();
                }
                self.given_up.insert(no);
                false
            }
            OutcomeKind::Late => true,
            _ => self.given_up.remove(&no),
        }
    }
}

/// The first name of a client, cut where it is longer than any may be.
fn who(identity: &Identity) -> Option<String> {
    const LONGEST: usize = 64;
    let names = [
        &identity.client_id,
        &identity.client_signature,
        &identity.agent_id,
        &identity.agent_extension,
    ];
    let name = names.into_iter().flatten().next()?;
    Some(name.chars().take(LONGEST).collect())
}

/// Whether the answer to a request may come in several messages.
fn comes_in_parts(request: Option<&'static Message>) -> bool {
    let reply: Option<MessageType> = request.and_then(|m| m.reply);
    reply
        .and_then(protocol::message)
        .is_some_and(|m| m.layouts.iter().any(|l| l.more.is_some()))
}

impl Analysis for Statistics {
    fn message(&mut self, seen: &Seen<'_>) {
        if seen.selected {
            Self::message(self, seen.info, seen.view.bytes());
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        self.other(record);
    }

    fn judged(&mut self, record: &Record<'_>, selected: bool) {
        match record {
            Record::SessionBegan(session) | Record::SessionEnded(session) => self.about(session),
            record if selected => self.other(record),
            _ => {}
        }
    }
}
