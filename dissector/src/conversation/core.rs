//! Messages, sessions and exchanges of all connections, on their way to the sink.

use super::connection::{Facts, Live, Phase, SessionState};
use super::{Options, Totals};
use crate::correlate::{self, Answer, Correlator, Exchange, Open, Outcome, OutcomeKind, Part};
use crate::decode::{Decoder, wire};
use crate::finding::{Code, Finding};
use crate::framing::{Break, Framed, Output};
use crate::limits;
use crate::protocol::{self, Kind, Message, NEWEST, ProtocolVersion, roles};
use crate::reassembly::{Connection, DirectionStats, End, Side};
use crate::record::{BreakRecord, Direction, MessageInfo, Notice, Peers, Record, Sink};
use crate::sequencer::Sequencer;
use crate::session::{
    Content, Counts, Evidence, Identity, ServerBy, Session, VersionSource, resolve,
};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Capture time after which a session's version is decided on what there is.
const INFERENCE_WAIT: Duration = Duration::from_secs(10);

pub(super) struct Core<S> {
    pub(super) options: Options,
    pub(super) totals: Totals,
    sequencer: Sequencer<S>,
    correlator: Correlator,
    decoder: Decoder,
    /// Sessions whose version is not decided: deadline and connection.
    inferring: VecDeque<(Timestamp, u32)>,
    /// Gaps that came about because a reassembly buffer was full, and connections no longer followed for their number.
    pub(super) full_buffers: u64,
    pub(super) evicted: u64,
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
        session: &mut Option<SessionState>,
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
                    None if facts.early.len() < 8 => facts.early.push((from, details)),
                    None => {}
                }
            }
        }
    }

    fn message(
        &mut self,
        facts: &mut Facts,
        session: &mut Option<SessionState>,
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
            self.session_over(old, facts, framed.time, None);
        }
        if session.is_none() {
            *session = Some(self.begin(facts, connection, from, framed.time, Content::Cti));
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
            evidence.add(&mut self.decoder, framed.bytes, message);
            let (version, source) = evidence.verdict();
            state.session.version = Some(version);
            state.session.version_source = source;
        }
        let mut info = MessageInfo {
            no,
            time: framed.time,
            peers: Arc::clone(&state.session.peers),
            direction,
            packets: framed.packets.to_vec(),
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
        let exchange = self.correlate(state, connection.id.0, &mut info, framed.bytes, &mut holds);
        self.follow_session(state, &info, framed.bytes);
        let place = self
            .sequencer
            .push(Record::Message(&info, framed.bytes), holds);
        if let Some((exchange, request)) = exchange {
            if let Some(request) = request {
                let outcome = exchange.outcome;
                self.sequencer
                    .with_message(request.place, |info| info.outcome = Some(outcome));
                if self.options.hold_requests
                    && !request.ignorable
                    && !request.expired
                    && !request.continued
                {
                    self.sequencer.answered(request.place);
                }
            }
            self.sequencer.push(Record::Exchange(&exchange), 0);
        }
        if state.undecided {
            state.waiting.push(place);
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
            .is_some_and(|e| e.messages() > 4 * limits::MAX_INFERENCE_MESSAGES)
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

    /// Begins a session on a connection.
    fn begin(
        &mut self,
        facts: &mut Facts,
        connection: &Connection,
        from: Side,
        time: Timestamp,
        content: Content,
    ) -> SessionState {
        self.totals.sessions += 1;
        let number = u32::try_from(self.totals.sessions).unwrap_or(u32::MAX);
        // Where nothing else tells, the sender of the first bytes is the client.
        let (server, server_by) = facts.server.unwrap_or((from.other(), ServerBy::Messages));
        facts.server = Some((server, server_by));
        let forced = self.options.version;
        let is_cti = content == Content::Cti;
        let undecided = is_cti && forced.is_none();
        let session = Session {
            peers: Arc::new(Peers {
                session: number,
                client: connection.endpoint(server.other()),
                server: connection.endpoint(server),
            }),
            connection: connection.id.0,
            server_by,
            content,
            version: forced.filter(|_| is_cti),
            version_source: if forced.is_some() {
                VersionSource::Forced
            } else {
                VersionSource::Undecided
            },
            identity: Identity::default(),
            first: time,
            last: time,
            counts: Counts::default(),
            close_status: None,
            refused: None,
            end: None,
            ended_by: None,
        };
        let began = self
            .sequencer
            .push(Record::SessionBegan(&session), u8::from(is_cti));
        if undecided {
            self.inferring
                .push_back((time.after(INFERENCE_WAIT), connection.id.0));
        }
        let mut state = SessionState {
            session,
            evidence: undecided.then(Evidence::default),
            waiting: Vec::new(),
            began,
            undecided,
            renumbered: None,
            closed: false,
            messages: 0,
        };
        if is_cti && !undecided {
            self.announce(&mut state);
        }
        state
    }

    /// A better proof has shown which end is the server.
    fn turn(&mut self, state: &mut SessionState, facts: &Facts, connection: &Connection) {
        let Some((server, by)) = facts.server else {
            return;
        };
        let session = &mut state.session;
        session.server_by = by;
        let address = connection.endpoint(server);
        if session.peers.server != address {
            session.peers = Arc::new(Peers {
                session: session.peers.session,
                client: connection.endpoint(server.other()),
                server: address,
            });
        }
    }

    /// Lets the session's beginning pass, now that what there is to know of it is known.
    fn announce(&mut self, state: &mut SessionState) {
        let session = &state.session;
        self.sequencer
            .with_session(state.began, |began| *began = session.clone());
        self.sequencer.answered(state.began);
    }

    /// OPEN_REQ states the version, which rules the session from here on, this message included.
    fn open_req(&mut self, state: &mut SessionState, bytes: &[u8], findings: &mut Vec<Finding>) {
        let forced = self.options.version;
        // VersionNumber stands at the same place in every version, so any version serves to read it.
        let any = ProtocolVersion(NEWEST.into());
        let stated = self
            .decoder
            .decode(bytes, any)
            .fixed_named("VersionNumber")
            .map(|f| f.number().bits);
        let Some(stated) = stated.map(ProtocolVersion) else {
            return;
        };
        if !stated.is_known() {
            let text = format!(
                "version {stated} is not known; decoded as version {}",
                stated.known()
            );
            findings.push(Finding::at(Code::VersionUnknown, 12, text));
        }
        let version = forced.unwrap_or(stated);
        let view = self.decoder.decode(bytes, version);
        state.session.opened(&view);
        if forced.is_none() {
            state.session.version = Some(version);
            state.session.version_source = VersionSource::Stated;
            state.evidence = None;
            if state.undecided {
                state.undecided = false;
                self.release(state);
            }
        }
    }

    /// Decides a session's version on what was weighed so far and lets its messages pass.
    pub(super) fn decide_version(&mut self, state: &mut SessionState) {
        if !state.undecided {
            return;
        }
        state.undecided = false;
        let (code, text) = match (state.session.version, state.session.version_source) {
            (Some(version), VersionSource::Inferred { oldest, newest }) if oldest == newest => (
                Code::VersionInferred,
                format!("version {version} inferred from the messages"),
            ),
            (_, VersionSource::Inferred { oldest, newest }) => (
                Code::VersionInferred,
                format!("version {oldest} to {newest} inferred from the messages"),
            ),
            _ => (
                Code::VersionUndecided,
                format!("the messages do not tell the version; {NEWEST} is assumed"),
            ),
        };
        let notice = Notice {
            code,
            text,
            time: Some(state.session.first),
            session: Some(state.session.peers.session),
        };
        self.release(state);
        self.sequencer.push(Record::Notice(&notice), 0);
    }

    /// The version is decided: the messages that waited for it pass.
    fn release(&mut self, state: &mut SessionState) {
        self.announce(state);
        let version = state
            .session
            .version
            .unwrap_or(ProtocolVersion(NEWEST.into()));
        let source = state.session.version_source;
        for place in std::mem::take(&mut state.waiting) {
            self.sequencer.with_message(place, |info| {
                info.version = version;
                info.version_source = source;
            });
            self.sequencer.answered(place);
        }
    }

    pub(super) fn next_overdue_inference(&mut self, now: Timestamp) -> Option<u32> {
        let (deadline, connection) = *self.inferring.front()?;
        if deadline > now && self.inferring.len() <= limits::MAX_OPEN_REQUESTS {
            return None;
        }
        self.inferring.pop_front();
        Some(connection)
    }

    /// Ties a message to its exchange. Returns the exchange that it completes.
    fn correlate(
        &mut self,
        state: &mut SessionState,
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
                expired: false,
                continued: false,
            };
            state.session.counts.requests += 1;
            self.totals.requests += 1;
            if let Some(earlier) = self
                .correlator
                .ask(session, info.direction, invoke_id, open)
            {
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
        let matched = self
            .correlator
            .answer(session, asked, invoke_id, message, more);
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
        match kind {
            OutcomeKind::Failed => {
                state.session.counts.failed += 1;
                self.totals.failed += 1;
            }
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

    /// What some messages mean for their session.
    fn follow_session(&mut self, state: &mut SessionState, info: &MessageInfo, bytes: &[u8]) {
        match info.number {
            roles::OPEN_CONF => {
                let view = self.decoder.decode(bytes, info.version);
                state.session.granted(&view);
            }
            roles::CLOSE_REQ => {
                let view = self.decoder.decode(bytes, info.version);
                state.session.close_status = view.fixed_named("Status").map(|f| f.number().bits);
            }
            roles::CLOSE_CONF => state.closed = true,
            roles::FAILURE_CONF => {
                let opened = info
                    .answers
                    .is_some_and(|a| a.request.number == roles::OPEN_REQ);
                if opened && state.session.identity.services_granted.is_none() {
                    let failure = info.answers.and_then(|a| a.failure);
                    state.session.refused = failure.map(|f| f.code);
                }
            }
            _ => {}
        }
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
            peers: Arc::clone(&state.session.peers),
            direction,
            details,
        };
        self.sequencer.push(Record::Break(&record), 0);
    }

    pub(super) fn next_expired(&mut self, now: Timestamp) -> Option<(u32, Direction, u32, Open)> {
        self.correlator.next_expired(now)
    }

    /// The wait for an answer is over.
    pub(super) fn unanswered(
        &mut self,
        live: Option<&mut Live>,
        session: u32,
        asked: Direction,
        invoke_id: u32,
        open: Open,
        now: Timestamp,
    ) {
        let early = now < open.part.time.after(self.options.reply_wait);
        let kind = match &live {
            _ if open.ignorable => OutcomeKind::NotExpected,
            _ if early => OutcomeKind::NotJudged,
            Some(live) if live.facts.gap_since(asked.reverse(), open.part.time) => {
                OutcomeKind::NotJudged
            }
            Some(live) if !(live.spoke.0 && live.spoke.1) => OutcomeKind::NotJudged,
            _ => OutcomeKind::Unanswered,
        };
        let state = live
            .and_then(|l| l.session.as_mut())
            .filter(|s| s.session.peers.session == session);
        self.settle(state, session, asked, invoke_id, open, kind, now);
    }

    #[expect(clippy::too_many_arguments, reason = "an exchange has so many sides")]
    fn settle(
        &mut self,
        state: Option<&mut SessionState>,
        session: u32,
        asked: Direction,
        invoke_id: u32,
        open: Open,
        kind: OutcomeKind,
        time: Timestamp,
    ) {
        if kind == OutcomeKind::Unanswered {
            self.totals.unanswered += 1;
            if let Some(state) = state {
                state.session.counts.unanswered += 1;
            }
        }
        let outcome = Outcome {
            kind,
            answer: None,
            latency: None,
            failure: None,
        };
        self.sequencer
            .with_message(open.place, |info| info.outcome = Some(outcome));
        if self.options.hold_requests && !open.ignorable {
            self.sequencer.answered(open.place);
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

    /// A connection shows itself to be encrypted.
    pub(super) fn encrypted(&mut self, live: &mut Live, connection: &Connection, time: Timestamp) {
        self.totals.encrypted += 1;
        let from = live
            .facts
            .server
            .map_or(Side::First, |(server, _)| server.other());
        let state = self.begin(&mut live.facts, connection, from, time, Content::Encrypted);
        let notice = Notice {
            code: Code::EncryptedSession,
            text: format!(
                "TLS between {} and {}: messages cannot be read",
                state.session.peers.client, state.session.peers.server
            ),
            time: Some(time),
            session: Some(state.session.peers.session),
        };
        self.sequencer.push(Record::Notice(&notice), 0);
        live.session = Some(state);
    }

    /// A connection is over.
    pub(super) fn ended(
        &mut self,
        live: &mut Live,
        connection: &Connection,
        time: Timestamp,
        end: End,
        stats: [DirectionStats; 2],
    ) {
        let [first, second] = stats;
        let spoken = live.phase != Phase::Ignored && live.is_expected();
        if live.session.is_none() && spoken && first.segments + second.segments > 0 {
            let from = live
                .facts
                .server
                .map_or(Side::First, |(server, _)| server.other());
            let state = self.begin(
                &mut live.facts,
                connection,
                from,
                connection.since,
                Content::Nothing,
            );
            live.session = Some(state);
        }
        let Some(mut state) = live.session.take() else {
            return;
        };
        let number = state.session.peers.session;
        let notice = |core: &mut Self, code, text| {
            let notice = Notice {
                code,
                text,
                time: Some(time),
                session: Some(number),
            };
            core.sequencer.push(Record::Notice(&notice), 0);
        };
        let conflicting = first.conflicting_bytes + second.conflicting_bytes;
        if conflicting > 0 {
            let text = format!("{conflicting} bytes were sent again with another value");
            notice(self, Code::ConflictingRetransmission, text);
        }
        if state.session.content == Content::Cti && (first.segments == 0 || second.segments == 0) {
            notice(
                self,
                Code::OneDirection,
                "only one direction was captured".to_owned(),
            );
        }
        self.decide_version(&mut state);
        let told_at_its_end = state.session.content == Content::Nothing;
        if told_at_its_end || matches!(end, End::Finished(_) | End::Reset(_)) {
            state.session.last = state.session.last.max(time);
        }
        self.session_over(state, &live.facts, time, Some(end));
    }

    /// Tells a session's end; requests still open get no answer any more.
    fn session_over(
        &mut self,
        mut state: SessionState,
        facts: &Facts,
        time: Timestamp,
        end: Option<End>,
    ) {
        let number = state.session.peers.session;
        for (session, asked, invoke_id, open) in self.correlator.close_session(number) {
            let kind = match end {
                _ if open.ignorable => OutcomeKind::NotExpected,
                Some(End::CaptureEnded | End::Evicted) => OutcomeKind::CaptureEnded,
                _ if facts.gap_since(asked.reverse(), open.part.time) => OutcomeKind::NotJudged,
                _ => OutcomeKind::SessionEnded,
            };
            self.settle(
                Some(&mut state),
                session,
                asked,
                invoke_id,
                open,
                kind,
                time,
            );
        }
        state.session.end = end;
        state.session.ended_by = match end {
            Some(End::Finished(side) | End::Reset(side)) => Some(facts.direction(side)),
            _ => None,
        };
        self.sequencer.push(Record::SessionEnded(&state.session), 0);
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
