//! What became of requests, which a dump tells behind their answers, given to the messages themselves, so that it can be asked for.

use super::Taker;
use crate::correlate::{Answer, Exchange, Outcome, OutcomeKind};
use crate::decode::{Decoder, wire};
use crate::protocol::{Kind, roles};
use crate::record::{MessageInfo, Record, Sink};
use crate::sequencer::{Place, Sequencer};
use crate::session::ignores_confirmations;
use foldhash::fast::RandomState;
use std::collections::{BTreeSet, HashMap};

/// Hands records on.
struct Through<'s, S>(&'s mut S);

impl<S: Sink> Sink for Through<'_, S> {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

/// Holds messages of exchanges until it is known what came of them, where the taker wants that; else all passes as it comes.
pub(super) struct Outcomes<'s, S> {
    sequencer: Sequencer<Through<'s, S>>,
    wanted: bool,
    /// Messages that wait for their exchange, by their numbers.
    open: HashMap<u64, Place, RandomState>,
    /// Sessions that were granted the service by which clients do without confirmations: their requests are not held.
    ignoring: BTreeSet<u32>,
    decoder: Decoder,
    requests: bool,
    exchanges: bool,
}

impl<'s, S: Taker> Outcomes<'s, S> {
    pub fn new(taker: &'s mut S) -> Self {
        Self {
            wanted: taker.wants_outcomes(),
            sequencer: Sequencer::new(Through(taker)),
            open: HashMap::default(),
            ignoring: BTreeSet::new(),
            decoder: Decoder::new(),
            requests: false,
            exchanges: false,
        }
    }

    pub const fn taker(&mut self) -> &mut S {
        self.sequencer.sink().0
    }

    /// The next message; `answers` is the number of the request that it answers.
    pub fn message(&mut self, info: &MessageInfo, bytes: &[u8], answers: Option<u64>) {
        let holds = self.wanted && (answers.is_some() || self.is_awaited(info, bytes));
        if self.wanted {
            self.follow(info, bytes);
        }
        let record = Record::Message(info, bytes);
        let place = self.sequencer.push(record, u8::from(holds));
        if holds {
            self.open.insert(info.no, place);
        }
    }

    /// Whether it is a request whose exchange comes later.
    fn is_awaited(&mut self, info: &MessageInfo, bytes: &[u8]) -> bool {
        let request = info.message.filter(|message| {
            message.kind == Kind::Request && message.layouts.first().is_some_and(|l| l.invoke_id)
        });
        let ignorable = |service: &str| {
            service == "client-control" && self.ignoring.contains(&info.peers.session)
        };
        let awaited = bytes.len() >= wire::HEADER_LEN + 4
            && request.is_some_and(|message| !ignorable(message.service));
        self.requests |= awaited;
        awaited
    }

    fn follow(&mut self, info: &MessageInfo, bytes: &[u8]) {
        if info.number != roles::OPEN_CONF {
            return;
        }
        let view = self.decoder.decode_as(bytes, info.version, info.message);
        let services = view.fixed_named("ServicesGranted").map(|f| f.number().bits);
        if services.is_some_and(ignores_confirmations) {
            self.ignoring.insert(info.peers.session);
        } else {
            self.ignoring.remove(&info.peers.session);
        }
    }

    /// The next exchange: its messages have waited for it.
    pub fn exchange(&mut self, exchange: &Exchange) {
        self.exchanges = true;
        let outcome = exchange.outcome;
        if let Some(place) = exchange.request.and_then(|part| self.open.remove(&part.no)) {
            self.settle(place, |info| info.outcome = Some(outcome));
        }
        if let Some(place) = outcome.answer.and_then(|part| self.open.remove(&part.no)) {
            self.settle(place, |info| {
                info.answers = exchange
                    .request
                    .zip(outcome.latency)
                    .map(|(request, latency)| Answer {
                        request,
                        latency,
                        kind: outcome.kind,
                        failure: outcome.failure,
                    });
            });
        }
        self.sequencer.push(Record::Exchange(exchange), 0);
    }

    /// Any other record.
    pub fn other(&mut self, record: Record<'_>) {
        self.sequencer.push(record, 0);
    }

    fn settle(&mut self, place: Place, change: impl FnOnce(&mut MessageInfo)) {
        self.sequencer.with_message(place, change);
        self.sequencer.answered(place);
    }

    /// Whether there were requests, and nothing of what became of any.
    pub const fn tells_nothing(&self) -> bool {
        self.requests && !self.exchanges
    }

    /// Lets everything go. What became of a request that still waits is not in the dump, which may have been cut or hold a span of time.
    pub fn finish(mut self) {
        let nothing = Outcome {
            kind: OutcomeKind::CaptureEnded,
            answer: None,
            latency: None,
            failure: None,
        };
        let mut open: Vec<Place> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_unstable();
        for place in open {
            self.settle(place, |info| info.outcome = Some(nothing));
        }
        self.sequencer.flush();
    }
}
