//! Sessions from their beginning to their end, and what some messages mean for them.

use super::connection::{Facts, Live, Phase, SessionState};
use super::core::Core;
use crate::capture::PacketId;
use crate::correlate::OutcomeKind;
use crate::finding::Code;
use crate::protocol::roles;
use crate::reassembly::{Connection, DirectionStats, End, Side};
use crate::record::{MessageInfo, Notice, Peers, Record, Sink};
use crate::session::{Content, Counts, Evidence, Identity, ServerBy, Session, VersionSource};
use crate::time::Timestamp;
use std::time::Duration;

/// Capture time after which a session's version is decided on what there is.
const INFERENCE_WAIT: Duration = Duration::from_secs(10);

impl<S: Sink> Core<S> {
    /// Begins a session on a connection.
    pub(super) fn begin(
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
            peers: Peers {
                session: number,
                client: connection.endpoint(server.other()),
                server: connection.endpoint(server),
            },
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
            unsettled: Vec::new(),
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
    pub(super) fn turn(
        &mut self,
        state: &mut SessionState,
        facts: &Facts,
        connection: &Connection,
    ) {
        let Some((server, by)) = facts.server else {
            return;
        };
        let session = &mut state.session;
        session.server_by = by;
        let address = connection.endpoint(server);
        if session.peers.server != address {
            session.peers = Peers {
                session: session.peers.session,
                client: connection.endpoint(server.other()),
                server: address,
            };
        }
    }

    /// What some messages mean for their session.
    pub(super) fn follow_session(
        &mut self,
        state: &mut SessionState,
        info: &MessageInfo,
        bytes: &[u8],
    ) {
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
        live.session = Some(Box::new(state));
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
            live.session = Some(Box::new(state));
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
        for (side, stats) in [(Side::First, first), (Side::Second, second)] {
            if let Some(packet) = stats.first_conflict {
                let sender = live.facts.direction(side).sender();
                let text = conflict(sender, stats.conflicting_bytes, packet);
                notice(self, Code::ConflictingRetransmission, text);
            }
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
        self.session_over(*state, &live.facts, time, Some(end));
    }

    /// Tells a session's end; requests still open get no answer any more.
    pub(super) fn session_over(
        &mut self,
        mut state: SessionState,
        facts: &Facts,
        time: Timestamp,
        end: Option<End>,
    ) {
        let number = state.session.peers.session;
        for request in self.correlator.close_session(number) {
            let kind = match end {
                _ if request.open.ignorable => OutcomeKind::NotExpected,
                Some(End::CaptureEnded | End::Evicted) => OutcomeKind::CaptureEnded,
                _ if facts.gap_since(request.asked.reverse(), request.open.part.time) => {
                    OutcomeKind::NotJudged
                }
                _ => OutcomeKind::SessionEnded,
            };
            self.settle(Some(&mut state), request, kind, time);
        }
        state.session.end = end;
        state.session.ended_by = match end {
            Some(End::Finished(side) | End::Reset(side)) => Some(facts.direction(side)),
            _ => None,
        };
        self.sequencer.push(Record::SessionEnded(&state.session), 0);
    }
}

/// What to say of bytes that the sender's packets carried again with another value.
fn conflict(sender: &str, bytes: u64, first: PacketId) -> String {
    let bytes = match bytes {
        1 => "1 byte was".to_owned(),
        _ => format!("{bytes} bytes were"),
    };
    let number = first.number;
    let file = match first.input {
        0 => String::new(),
        input => format!(" of file {}", u64::from(input) + 1),
    };
    format!("{bytes} sent again by the {sender} with another value, first in packet {number}{file}")
}
