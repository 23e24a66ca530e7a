//! Requests and answers of a session, and what becomes of requests without one.

use super::connection::{Facts, Live, SessionState};
use super::core::Core;
use crate::correlate::{self, Answer, Asked, Exchange, Open, Outcome, OutcomeKind, Part, State};
use crate::decode::{Decoder, wire};
use crate::finding::{Code, Finding};
use crate::protocol::{self, Kind, Message, ProtocolVersion};
use crate::record::{MessageInfo, Record, Sink};
use crate::time::Timestamp;

impl<S: Sink> Core<S> {
    /// Ties a message to its exchange. Returns the exchange that it completes.
    pub(super) fn correlate(
        &mut self,
        state: &mut SessionState,
        facts: &Facts,
        connection: u32,
        info: &mut MessageInfo,
        bytes: &[u8],
        holds: &mut u8,
    ) -> Option<(Exchange, Option<Open>)> {
        let message = info.message?;
        if !message.layouts.first().is_some_and(|l| l.invoke_id) {
            return None;
        }
        let invoke_id = invoke_id(bytes)?;
        let session = state.session.peers.session;
        let part = Part {
            no: info.no,
            number: info.number,
            message: Some(message),
            time: info.time,
        };
        if message.kind == Kind::Request {
            let ignorable =
                state.session.ignores_confirmations() && message.service == "client-control";
            let holding = self.options.hold_requests && !ignorable;
            // The place that the message will have: nothing is pushed in between.
            let place = self.sequencer.next_place();
            let open = Open {
                part,
                place,
                connection,
                ignorable,
                state: State::Waiting,
            };
            state.session.counts.requests.made += 1;
            self.totals.requests.made += 1;
            let request = Asked {
                session,
                asked: info.direction,
                invoke_id,
                open,
            };
            if let Some(earlier) = self.correlator.ask(request) {
                let text = format!(
                    "InvokeID {invoke_id} is that of #{}, which is still open",
                    earlier.no
                );
                info.findings
                    .push(Finding::at(Code::InvokeIdReused, wire::HEADER_LEN, text));
            }
            *holds += u8::from(holding);
            return None;
        }
        if !correlate::is_answer(message) {
            return None;
        }
        let failure = (message.failure.is_some())
            .then(|| correlate::failure_code(&mut self.decoder, bytes, info.version, message))
            .flatten();
        let asked = info.direction.reverse();
        let more = more_follow(&mut self.decoder, bytes, info.version, message);
        let unbroken =
            |since| !facts.gap_since(asked, since) && !facts.gap_since(info.direction, since);
        let key = (asked, invoke_id);
        let matched = self
            .correlator
            .answer(session, key, message, more, unbroken);
        let (kind, open) =
            matched.map_or((OutcomeKind::NoRequest, None), |m| (m.kind, Some(m.open)));
        let latency = open.map(|o| info.time.nanos_since(o.part.time));
        let outcome = Outcome {
            kind,
            answer: Some(part),
            latency,
            failure,
        };
        if let (Some(open), Some(latency)) = (open, latency) {
            info.answers = Some(Answer {
                request: open.part,
                latency,
                kind,
                failure,
            });
        }
        // Otherwise it has been counted: with the first part of its answer, or as unanswered.
        if let Some(open) = open.filter(|open| open.state == State::Waiting) {
            state.session.counts.requests.settle(kind, &open.part);
            self.totals.requests.settle(kind, &open.part);
        }
        match kind {
            OutcomeKind::WrongAnswer => {
                let asked = open.and_then(|o| o.part.message).map_or("?", |m| m.name);
                let text = format!("answers {asked}, which asks for another message");
                info.findings.push(Finding::new(Code::WrongAnswer, text));
            }
            OutcomeKind::NoRequest => {
                let text = format!("no open request has InvokeID {invoke_id}");
                info.findings.push(Finding::at(
                    Code::AnswerWithoutRequest,
                    wire::HEADER_LEN,
                    text,
                ));
            }
            _ => {}
        }
        let exchange = Exchange {
            session,
            asked,
            invoke_id,
            request: open.map(|o| o.part),
            outcome,
            time: info.time,
        };
        Some((exchange, open))
    }

    pub(super) fn next_expired(&mut self, now: Timestamp) -> Option<Asked> {
        self.correlator.next_expired(now)
    }

    /// The wait for an answer is over.
    pub(super) fn unanswered(&mut self, live: Option<&mut Live>, request: Asked, now: Timestamp) {
        let Open {
            part, ignorable, ..
        } = request.open;
        let early = now < part.time.after(self.options.reply_wait);
        let kind = match &live {
            _ if ignorable => OutcomeKind::NotExpected,
            _ if early => {
                self.given_up += 1;
                OutcomeKind::NotJudged
            }
            Some(live) if live.facts.gap_since(request.asked.reverse(), part.time) => {
                OutcomeKind::NotJudged
            }
            Some(live) if !(live.spoke.0 && live.spoke.1) => OutcomeKind::NotJudged,
            _ => OutcomeKind::Unanswered,
        };
        let state = live
            .and_then(|l| l.session.as_deref_mut())
            .filter(|s| s.session.peers.session == request.session);
        self.settle(state, request, kind, now);
    }

    /// Tells what became of a request that got no answer.
    pub(super) fn settle(
        &mut self,
        state: Option<&mut SessionState>,
        request: Asked,
        kind: OutcomeKind,
        time: Timestamp,
    ) {
        let part = &request.open.part;
        self.totals.requests.settle(kind, part);
        if let Some(state) = state {
            state.session.counts.requests.settle(kind, part);
        }
        let Asked {
            session,
            asked,
            invoke_id,
            open,
        } = request;
        let outcome = Outcome {
            kind,
            answer: None,
            latency: None,
            failure: None,
        };
        if !open.ignorable {
            self.sequencer
                .with_message(open.place, |info| info.outcome = Some(outcome));
            if self.options.hold_requests {
                self.sequencer.answered(open.place);
            }
        }
        let exchange = Exchange {
            session,
            asked,
            invoke_id,
            request: Some(open.part),
            outcome,
            time,
        };
        self.sequencer.push(Record::Exchange(&exchange), 0);
    }
}

/// The first field of the body.
fn invoke_id(bytes: &[u8]) -> Option<u32> {
    let body = bytes.get(wire::HEADER_LEN..wire::HEADER_LEN + 4)?;
    wire::number(protocol::WireType::UInt, body).map(|n| n.bits)
}

/// Whether a confirmation says that more of them follow.
fn more_follow(
    decoder: &mut Decoder,
    bytes: &[u8],
    version: ProtocolVersion,
    message: &'static Message,
) -> bool {
    let Some(index) = message.layout(version.known()).and_then(|l| l.more) else {
        return false;
    };
    decoder
        .decode_as(bytes, version, Some(message))
        .fixed_at(index)
        .is_some_and(|f| f.number().bits != 0)
}
