//! Messages and breaks of all connections, on their way to the sink.

use super::connection::{Facts, SessionState};
use super::versions::Unsettled;
use super::{Options, Totals};
use crate::correlate::{Correlator, State};
use crate::decode::{Decoder, wire};
use crate::finding::{Code, Finding};
use crate::framing::{Break, Framed, Output};
use crate::limits;
use crate::protocol::{self, NEWEST, ProtocolVersion, roles};
use crate::reassembly::{Connection, Side};
use crate::record::{BreakRecord, Direction, MessageInfo, Notice, Packets, Record, Sink};
use crate::sequencer::Sequencer;
use crate::session::{Content, Session, WEIGHED_MESSAGES, resolve};
use crate::time::Timestamp;
use std::collections::VecDeque;

pub(super) struct Core<S> {
    pub(super) options: Options,
    pub(super) totals: Totals,
    pub(super) sequencer: Sequencer<S>,
    pub(super) correlator: Correlator,
    pub(super) decoder: Decoder,
    /// Sessions whose version is not decided: deadline and connection.
    pub(super) inferring: VecDeque<(Timestamp, u32)>,
    /// Gaps that came about because a reassembly buffer was full, and connections no longer followed for their number.
    pub(super) full_buffers: u64,
    pub(super) evicted: u64,
    /// Memory that the framers of all connections take (bytes).
    pub(super) framing: usize,
    /// Messages cut and searches given up to stay within a limit.
    pub(super) cut: u64,
    /// Requests that were given up to stay within a limit.
    pub(super) given_up: u64,
}

impl<S: Sink> Core<S> {
    pub(super) fn new(options: Options, sink: S) -> Self {
        let correlator = Correlator::new(options.reply_wait);
        Self {
            options,
            totals: Totals::default(),
            sequencer: Sequencer::new(sink),
            correlator,
            decoder: Decoder::new(),
            inferring: VecDeque::new(),
            full_buffers: 0,
            evicted: 0,
            framing: 0,
            cut: 0,
            given_up: 0,
        }
    }

    pub(super) const fn sink(&mut self) -> &mut S {
        self.sequencer.sink()
    }

    pub(super) const fn totals(&self) -> Totals {
        let mut totals = self.totals;
        totals.forced = self.sequencer.forced();
        totals
    }

    pub(super) fn finish(mut self) -> (S, Totals) {
        self.sequencer.flush();
        for (count, text) in [
            (
                self.sequencer.forced(),
                "records were shown before everything was known about them",
            ),
            (
                self.full_buffers,
                "holes were given up because the buffer for data behind them was full",
            ),
            (
                self.given_up,
                "requests were given up because too many were open",
            ),
            (
                self.cut,
                "messages were cut or searches given up because too much was held",
            ),
            (
                self.evicted,
                "connections were no longer followed because there were too many",
            ),
        ] {
            if count > 0 {
                let text = format!("{count} {text}");
                let notice = Notice {
                    code: Code::BufferLimit,
                    text,
                    time: None,
                    session: None,
                };
                self.sequencer.push(Record::Notice(&notice), 0);
            }
        }
        let totals = self.totals();
        (self.sequencer.into_sink(), totals)
    }

    /// Takes what framing tells about one direction of a connection.
    pub(super) fn framed(
        &mut self,
        facts: &mut Facts,
        session: &mut Option<Box<SessionState>>,
        connection: &Connection,
        from: Side,
        output: Output<'_>,
    ) {
        match output {
            Output::Message(framed) => self.message(facts, session, connection, from, framed),
            Output::Break(details) => {
                if details.missing > 0 {
                    facts.note_gap(from, details.time);
                }
                match session {
                    Some(session) => self.broken(session, facts.direction(from), details),
                    None => facts.note_early(from, details),
                }
            }
        }
    }

    fn message(
        &mut self,
        facts: &mut Facts,
        session: &mut Option<Box<SessionState>>,
        connection: &Connection,
        from: Side,
        framed: Framed<'_>,
    ) {
        let Ok((_, header)) = wire::header(framed.bytes) else {
            return;
        };
        let number = header.number;
        facts.learn_from(from, protocol::message(number));
        if number == roles::OPEN_REQ
            && let Some(old) = session.take_if(|s| s.closed)
        {
            self.session_over(*old, facts, framed.time, None);
        }
        if session.is_none() {
            let begun = self.begin(facts, connection, from, framed.time, Content::Cti);
            *session = Some(Box::new(begun));
            if let Some(session) = session {
                for (side, details) in std::mem::take(&mut facts.early) {
                    self.broken(session, facts.direction(side), details);
                }
            }
        }
        let Some(state) = session else { return };
        let direction = facts.direction(from);
        if facts
            .server
            .is_some_and(|(_, by)| by != state.session.server_by)
        {
            self.turn(state, facts, connection);
        }
        self.totals.messages += 1;
        let no = self.totals.messages;
        let mut findings = Vec::new();
        if framed.unconfirmed {
            let text = "bytes are missing before and behind it; its place was found by its content";
            findings.push(Finding::new(Code::PlaceInferred, text));
        }
        if number == roles::OPEN_REQ {
            self.open_req(state, framed.bytes, &mut findings);
        }
        let sender = facts.sender(from).unwrap_or(protocol::Sender::Either);
        let (message, renumbered) = resolve(
            &mut self.decoder,
            framed.bytes,
            number,
            sender,
            state.sure_version(),
            state.renumbered,
        );
        state.renumbered = renumbered.or(state.renumbered);
        if let Some(evidence) = &mut state.evidence {
            evidence.add(&mut self.decoder, framed.bytes, number);
            let (version, source) = evidence.verdict();
            if !state.undecided && state.session.version != Some(version) {
                let text = format!("from here on version {version}: the messages say so by now");
                findings.push(Finding::new(Code::VersionInferred, text));
            }
            state.session.version = Some(version);
            state.session.version_source = source;
        }
        let mut info = MessageInfo {
            no,
            time: framed.time,
            peers: state.session.peers,
            direction,
            packets: Packets::new(framed.packets, framed.sequence),
            version: state
                .session
                .version
                .unwrap_or(ProtocolVersion(NEWEST.into())),
            version_source: state.session.version_source,
            number,
            message,
            answers: None,
            outcome: None,
            findings,
            first_of_session: state.messages == 0,
        };
        state.messages += 1;
        self.count(&mut state.session, direction, framed);
        let mut holds = u8::from(state.undecided);
        let exchange = self.correlate(
            state,
            facts,
            connection.id.0,
            &mut info,
            framed.bytes,
            &mut holds,
        );
        self.follow_session(state, &info, framed.bytes);
        let place = self.sequencer.next_place();
        let unsettled = Some(state.renumbered)
            .filter(|_| state.undecided)
            .and_then(|r| Unsettled::of(&mut self.decoder, &info, framed.bytes, r, place));
        self.sequencer
            .push(Record::Message(&info, framed.bytes), holds);
        if let Some((exchange, request)) = exchange {
            // What is not held must not learn its outcome just because something else holds it.
            if let Some(request) = request.filter(|request| !request.ignorable) {
                let outcome = exchange.outcome;
                self.sequencer
                    .with_message(request.place, |info| info.outcome = Some(outcome));
                if self.options.hold_requests && request.state == State::Waiting {
                    self.sequencer.answered(request.place);
                }
            }
            self.sequencer.push(Record::Exchange(&exchange), 0);
        }
        if state.undecided {
            state.waiting.push(place);
            state.unsettled.extend(unsettled);
            let enough = state
                .evidence
                .as_ref()
                .is_none_or(|e| e.is_enough() || e.messages() >= limits::MAX_INFERENCE_MESSAGES);
            if enough {
                self.decide_version(state);
            }
        }
        if state
            .evidence
            .as_ref()
            .is_some_and(|e| e.messages() > WEIGHED_MESSAGES)
        {
            state.evidence = None;
        }
    }

    fn count(&mut self, session: &mut Session, direction: Direction, framed: Framed<'_>) {
        let bytes = u64::try_from(framed.bytes.len()).unwrap_or(0);
        let counts = &mut session.counts;
        match direction {
            Direction::ClientToServer => counts.from_client += 1,
            Direction::ServerToClient => counts.from_server += 1,
        }
        counts.bytes += bytes;
        self.totals.message_bytes += bytes;
        session.last = framed.time;
    }

    fn broken(&mut self, state: &mut SessionState, direction: Direction, details: Break) {
        let counts = &mut state.session.counts;
        counts.breaks += 1;
        counts.missing += details.missing;
        counts.skipped += details.skipped;
        self.totals.breaks += 1;
        self.totals.missing += details.missing;
        self.totals.skipped += details.skipped;
        let record = BreakRecord {
            peers: state.session.peers,
            direction,
            details,
        };
        self.sequencer.push(Record::Break(&record), 0);
    }
}
