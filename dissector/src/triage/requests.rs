//! Requests and how they were answered.

use super::waits::Waits;
use super::{Code, Context, Detector, Sighting, Sightings, hints, known, thresholds, words};
use crate::analysis::Seen;
use crate::correlate::{Answer, Exchange, OutcomeKind};
use crate::finding::{self, Severity};
use crate::limits;
use crate::protocol::{self, MessageType, roles, types};
use crate::record::Direction;
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hasher};

/// Requests of a kind that are remembered by time.
const MAX_RECENT: usize = limits::MAX_TRIAGE_KEPT;

/// ControlFailureCode of a request that the server has already.
const SAID_DUPLICATE: u32 = 72;

/// Unanswered requests of a session that are counted together.
const MAX_SILENCES: usize = 128;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Unanswered::default()),
        Box::new(Failures::default()),
        Box::new(Rejections),
        Box::new(Duplicates::default()),
        Box::new(Mismatches),
    ]
}

/// The name of a request.
pub(super) fn name(number: MessageType) -> &'static str {
    protocol::message(number).map_or("request", |m| m.name)
}

/// Whether a request moves a call.
pub(super) const fn controls_a_call(number: MessageType) -> bool {
    matches!(
        number,
        types::ALTERNATE_CALL_REQ
            | types::ANSWER_CALL_REQ
            | types::CLEAR_CALL_REQ
            | types::CLEAR_CONNECTION_REQ
            | types::CONFERENCE_CALL_REQ
            | types::CONSULTATION_CALL_REQ
            | types::DEFLECT_CALL_REQ
            | types::HOLD_CALL_REQ
            | types::MAKE_CALL_REQ
            | types::MAKE_PREDICTIVE_CALL_REQ
            | types::RECONNECT_CALL_REQ
            | types::RETRIEVE_CALL_REQ
            | types::TRANSFER_CALL_REQ
            | types::SEND_DTMF_SIGNAL_REQ
            | types::SUPERVISE_CALL_REQ
    )
}

/// Whether a request makes one call of two, or a second call: its failure has a finding of its own.
pub(super) const fn joins_calls(number: MessageType) -> bool {
    matches!(
        number,
        types::TRANSFER_CALL_REQ | types::CONFERENCE_CALL_REQ | types::CONSULTATION_CALL_REQ
    )
}

/// Whether a request changes nothing.
fn only_asks(number: MessageType) -> bool {
    let name = name(number);
    name.starts_with("QUERY_") || name.starts_with("SNAPSHOT_")
}

/// Requests answered by a message of another kind.
#[derive(Debug)]
struct Mismatches;

impl Detector for Mismatches {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let (Some(request), Some(answer), OutcomeKind::WrongAnswer) = (
            &exchange.request,
            &exchange.outcome.answer,
            exchange.outcome.kind,
        ) else {
            return;
        };
        let (asked, said) = (name(request.number), name(answer.number));
        let text = format!(
            "InvokeID {}, answered by #{}",
            exchange.invoke_id, answer.no
        );
        out.push(
            Sighting::of_part(Code::WrongAnswer, exchange.session, request, around, text)
                .group(format!("{asked} answered by {said}")),
        );
    }
}

/// Requests without an answer.
#[derive(Debug, Default)]
struct Unanswered {
    /// The latest ones by session.
    recent: BTreeMap<u32, VecDeque<Timestamp>>,
}

impl Detector for Unanswered {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let (Some(request), OutcomeKind::Unanswered) = (&exchange.request, exchange.outcome.kind)
        else {
            return;
        };
        // These have findings of their own; what the server asks is looked at elsewhere.
        let own = [
            roles::OPEN_REQ,
            roles::HEARTBEAT_REQ,
            types::SET_CALL_DATA_REQ,
        ];
        if own.contains(&request.number) || exchange.asked == Direction::ServerToClient {
            return;
        }
        if self.recent.len() >= MAX_RECENT && !self.recent.contains_key(&exchange.session) {
            self.recent.pop_first();
        }
        let recent = self.recent.entry(exchange.session).or_default();
        let thresholds = around.thresholds();
        if recent.len() >= MAX_SILENCES {
            recent.pop_front();
        }
        recent.push_back(request.time);
        while recent
            .front()
            .is_some_and(|first| first.after(thresholds.unanswered_window) < request.time)
        {
            recent.pop_front();
        }
        let many = thresholds::reaches(recent.len(), thresholds.unanswered);
        let severe = many || controls_a_call(request.number);
        let severity = if severe {
            Severity::Error
        } else {
            Severity::Warn
        };
        let name = name(request.number);
        let ask = around.known().asked.get(request.no);
        let about = ask.map(known::Ask::about).filter(|a| !a.is_empty());
        let about = about.map_or_else(String::new, |about| format!(", {about}"));
        let mut sighting = Sighting::of_part(
            Code::Unanswered,
            exchange.session,
            request,
            around,
            format!("InvokeID {}{about}", exchange.invoke_id),
        )
        .group(format!("{name} not answered"))
        .severity(severity);
        if let Some(ask) = ask {
            sighting.agent.clone_from(&ask.agent);
            sighting.call = ask.call;
        }
        out.push(sighting);
    }
}

/// What failed control requests have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    request: u32,
    code: u32,
    error: u32,
}

/// Control requests that fail.
#[derive(Debug, Default)]
struct Failures {
    /// Failed, while it is open whether the same succeeds at once: by session, request, whom it is about, and number.
    open: Waits<(u32, u32, String, u64), (Sighting, Kind)>,
    /// How often each request was asked and answered.
    asked: BTreeMap<u32, u64>,
    /// How often each kind of failure came.
    failed: BTreeMap<Kind, (u64, String)>,
}

impl Failures {
    fn due(&mut self, around: &Context, out: &mut Sightings) {
        while let Some((_, (sighting, _), _)) = self.open.due(around.now()) {
            out.push(sighting);
        }
    }

    fn answered(
        &mut self,
        answer: &Answer,
        seen: &Seen<'_>,
        around: &Context,
        out: &mut Sightings,
    ) {
        let number = answer.request.number;
        if protocol::message(number).is_none_or(|m| m.kind != protocol::Kind::Request) {
            return;
        }
        *self.asked.entry(number.0).or_default() += 1;
        let session = seen.info.peers.session;
        let Some(ask) = around.known().asked.get(answer.request.no) else {
            return;
        };
        let about = ask.about();
        let Some(failure) = answer.failure else {
            let same = |key: &(u32, u32, String, u64)| {
                key.0 == session && key.1 == number.0 && key.2 == about
            };
            let mut failed = self.open.take_all(|key, _| same(key));
            // One failure and then success is a hand that was too quick; several are not.
            let only = failed.len() == 1;
            for (_, (sighting, _)) in &mut failed {
                if only {
                    sighting.severity = Severity::Info;
                    sighting.text.push_str(", then confirmed");
                }
            }
            for (_, (sighting, _)) in failed {
                out.push(sighting);
            }
            return;
        };
        let is_login = number == types::SET_AGENT_STATE_REQ && ask.state == Some(known::LOGIN);
        if is_login || joins_calls(number) || !seen.is(types::CONTROL_FAILURE_CONF) {
            return;
        }
        let kind = Kind {
            request: number.0,
            code: failure.code,
            error: failure.peripheral_error.unwrap_or_default(),
        };
        let group = format!("{} failed: {}", name(number), words::failure(&failure));
        if self.failed.len() < MAX_RECENT || self.failed.contains_key(&kind) {
            let entry = self.failed.entry(kind).or_insert((0, group.clone()));
            entry.0 += 1;
        }
        let states = ask.states().map_or_else(String::new, |s| format!("; {s}"));
        let said = known::text(seen, "Text").map_or_else(String::new, |t| format!(", \"{t}\""));
        let mut sighting = Sighting::of_part(
            Code::ControlFailure,
            session,
            &answer.request,
            around,
            format!("{about}{said}{states}"),
        )
        .group(group);
        if only_asks(number) {
            sighting.severity = Severity::Info;
        }
        sighting.hint = hints::failure(&failure);
        sighting.agent.clone_from(&ask.agent);
        sighting.call = ask.call;
        let until = seen.info.time.after(around.thresholds().failure_retry);
        self.open.add(
            (session, number.0, about, answer.request.no),
            until,
            (sighting, kind),
        );
    }
}

impl Detector for Failures {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        self.due(around, out);
        if let Some(answer) = seen.info.answers {
            self.answered(&answer, seen, around, out);
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        while let Some((_, (sighting, _), _)) = self.open.drain() {
            out.push(sighting);
        }
        let thresholds = around.thresholds();
        for (kind, (failed, group)) in &self.failed {
            let asked = self.asked.get(&kind.request).copied().unwrap_or_default();
            let share = failed.saturating_mul(100);
            let limit = asked.saturating_mul(thresholds.failure_percent);
            if asked >= thresholds.failure_least && share > limit {
                out.set_severity(Code::ControlFailure, group.clone(), Severity::Error);
                let hint = format!("{failed} of {asked} such requests");
                out.hint(Code::ControlFailure, group, hint);
            }
        }
    }
}

/// Requests that the server refuses before it tries.
#[derive(Debug)]
struct Rejections;

impl Detector for Rejections {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let Some(answer) = seen.info.answers.filter(|_| seen.is(types::FAILURE_CONF)) else {
            return;
        };
        let number = answer.request.number;
        let own = [roles::OPEN_REQ, roles::HEARTBEAT_REQ, types::CLOSE_REQ];
        let (Some(failure), false) = (answer.failure, own.contains(&number)) else {
            return;
        };
        let ask = around.known().asked.get(answer.request.no);
        let is_login = number == types::SET_AGENT_STATE_REQ
            && ask.is_some_and(|ask| ask.state == Some(known::LOGIN));
        if is_login || joins_calls(number) {
            return;
        }
        let session = seen.info.peers.session;
        let version = seen.info.version.0;
        let about = ask.map(known::Ask::about).filter(|a| !a.is_empty());
        let about = about.map_or_else(String::new, |about| format!(", {about}"));
        let mut sighting = Sighting::of_part(
            Code::RequestRejected,
            session,
            &answer.request,
            around,
            format!("{}{about}, session of version {version}", name(number)),
        )
        .group(format!("requests refused: {}", words::failure(&failure)));
        sighting.hint = hints::failure(&failure);
        if let Some(ask) = ask {
            sighting.agent.clone_from(&ask.agent);
            sighting.call = ask.call;
        }
        out.push(sighting);
    }
}

/// A request that came a moment ago.
#[derive(Debug)]
struct Recent {
    time: Timestamp,
    session: u32,
    number: MessageType,
    /// Of its bytes but for the InvokeID.
    hash: u64,
}

/// The same request twice.
#[derive(Debug, Default)]
struct Duplicates {
    recent: VecDeque<Recent>,
    hasher: foldhash::fast::FixedState,
}

impl Duplicates {
    fn hash(&self, seen: &Seen<'_>) -> u64 {
        let id = seen.view.fixed_named("InvokeID").map(|f| f.range());
        let bytes = seen.view.bytes();
        let mut hasher = self.hasher.build_hasher();
        let (before, after) = id.map_or((bytes.len(), bytes.len()), |r| (r.start, r.end));
        hasher.write(bytes.get(..before).unwrap_or_default());
        hasher.write(bytes.get(after..).unwrap_or_default());
        hasher.finish()
    }
}

impl Detector for Duplicates {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let info = seen.info;
        let Some(message) = info.message else {
            return;
        };
        let asks =
            message.kind == protocol::Kind::Request && info.direction == Direction::ClientToServer;
        // Digits repeat on purpose; who only asks changes nothing by asking again.
        let changes = matches!(message.service, "client-control" | "call-data-update")
            && message.number != types::SEND_DTMF_SIGNAL_REQ
            && !only_asks(message.number);
        if asks && changes {
            let window = around.thresholds().duplicate_request;
            while self
                .recent
                .front()
                .is_some_and(|r| r.time.after(window) < info.time)
                || self.recent.len() >= limits::MAX_TOUCHED
            {
                self.recent.pop_front();
            }
            let hash = self.hash(seen);
            let session = info.peers.session;
            let earlier = self
                .recent
                .iter()
                .find(|r| r.session == session && r.number == message.number && r.hash == hash);
            if let Some(earlier) = earlier {
                let after = words::span(info.time.nanos_since(earlier.time));
                out.push(
                    Sighting::of(
                        Code::DuplicateRequest,
                        seen,
                        format!("{} again after {after}", message.name),
                    )
                    .group(format!("S{session} sends the same request twice")),
                );
            }
            self.recent.push_back(Recent {
                time: info.time,
                session,
                number: message.number,
                hash,
            });
        }
        let said_so = info.answers.and_then(|a| a.failure.map(|f| (a.request, f)));
        if let Some((request, failure)) = said_so
            && seen.is(types::CONTROL_FAILURE_CONF)
            && failure.code == SAID_DUPLICATE
        {
            let session = info.peers.session;
            out.push(
                Sighting::of_part(
                    Code::DuplicateRequest,
                    session,
                    &request,
                    around,
                    format!(
                        "{}, which the server calls a duplicate",
                        name(request.number)
                    ),
                )
                .group(format!("S{session} sends the same request twice")),
            );
        }
        if asks
            && info
                .findings
                .iter()
                .any(|f| f.code == finding::Code::InvokeIdReused)
        {
            let id = seen.raw("InvokeID").unwrap_or_default();
            let session = info.peers.session;
            out.push(
                Sighting::of(
                    Code::DuplicateRequest,
                    seen,
                    format!("{} with InvokeID {id}, which is still open", message.name),
                )
                .group(format!("S{session} uses one InvokeID for two requests")),
            );
        }
    }
}
