//! Requests about agents, and which of them brought a state about.

use super::model::{AgentRequest, Cause, Period, Requests, state};
use super::states::{Told, counting_reason};
use crate::analysis::Seen;
use crate::correlate::{Exchange, OutcomeKind};
use crate::protocol::{self, Kind, types};
use crate::record::Direction;
use crate::time::Timestamp;
use std::collections::VecDeque;

/// Requests for a state that may still take effect.
const MAX_ASKED: usize = 8;
/// Within this time a request takes effect, unless the agent is on a call.
const EFFECT: i64 = 30_000_000_000;
/// A login leads to NOT_READY (or AVAILABLE) by itself within this time.
const LOGIN_EFFECT: i64 = 10_000_000_000;

/// A request for a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    message: u64,
    session: u32,
    time: Timestamp,
    state: u32,
    reason: Option<u32>,
    /// The agent was on a call, so that it may take effect at its end only.
    later: bool,
    done: bool,
}

/// A message as a request; `None` when it is none of a client.
pub(super) fn request(seen: &Seen<'_>) -> Option<AgentRequest> {
    let message = seen.info.message?;
    let asks = message.kind == Kind::Request && seen.info.direction == Direction::ClientToServer;
    asks.then(|| AgentRequest {
        time: seen.info.time,
        session: seen.info.peers.session,
        message: seen.info.no,
        name: message.name,
        state: seen.number("AgentState"),
        reason: seen.number("EventReasonCode").filter(|reason| *reason != 0),
        outcome: None,
        answer: None,
        latency: None,
        failure: None,
    })
}

/// Takes note of a request of this message. Whether the list grew.
pub(super) fn note(
    requests: &mut Requests,
    asked: &mut VecDeque<Asked>,
    request: AgentRequest,
    seen: &Seen<'_>,
    present: Option<u32>,
    most: usize,
) -> bool {
    requests.count = requests.count.saturating_add(1);
    if let Some(state) = request
        .state
        .filter(|_| seen.is(types::SET_AGENT_STATE_REQ))
    {
        if asked.len() >= MAX_ASKED {
            asked.pop_front();
        }
        let on_call = |s| {
            matches!(
                s,
                state::TALKING
                    | state::HOLD
                    | state::RESERVED
                    | state::WORK_READY
                    | state::WORK_NOT_READY
            )
        };
        asked.push_back(Asked {
            message: request.message,
            session: request.session,
            time: request.time,
            state,
            reason: counting_reason(state, request.reason),
            later: present.is_some_and(on_call),
            done: false,
        });
    }
    requests.list.push(request, most)
}

/// Takes over a request that was made before its agent was known. Whether the list grew.
pub(super) fn note_early(requests: &mut Requests, request: AgentRequest, most: usize) -> bool {
    requests.count = requests.count.saturating_add(1);
    if let Some(outcome) = request.outcome {
        count(requests, outcome);
    }
    requests.list.push(request, most)
}

/// What became of a request.
pub(super) fn settle(
    requests: &mut Requests,
    asked: &mut VecDeque<Asked>,
    no: u64,
    exchange: &Exchange,
) {
    let kind = exchange.outcome.kind;
    count(requests, kind);
    if matches!(kind, OutcomeKind::Failed | OutcomeKind::WrongAnswer) {
        asked.retain(|a| a.message != no);
    }
    let mut latest = requests.list.iter_mut().rev();
    if let Some(request) = latest.find(|r| r.message == no) {
        settle_one(request, exchange);
    }
}

/// What became of a request, where it is told.
pub(super) fn settle_one(request: &mut AgentRequest, exchange: &Exchange) {
    let outcome = &exchange.outcome;
    request.outcome = Some(outcome.kind);
    request.answer = outcome.answer.map(|a| a.no);
    request.latency = outcome.latency;
    request.failure = outcome.failure;
}

const fn count(requests: &mut Requests, outcome: OutcomeKind) {
    match outcome {
        OutcomeKind::Failed | OutcomeKind::WrongAnswer => {
            requests.failed = requests.failed.saturating_add(1);
        }
        OutcomeKind::Unanswered | OutcomeKind::SessionEnded => {
            requests.unanswered = requests.unanswered.saturating_add(1);
        }
        _ => {}
    }
}

/// What brought a new state about.
pub(super) fn cause(
    asked: &mut VecDeque<Asked>,
    told: &Told<'_>,
    before: Option<&Period>,
    peripheral_type: Option<u32>,
) -> Cause {
    if told.asked {
        return Cause::Unknown;
    }
    let age = |a: &Asked| told.time.nanos_since(a.time);
    let wanted = |a: &&mut Asked| {
        !a.done
            && a.state == told.state
            && (a.reason.is_none() || a.reason == told.reason)
            && (a.later || age(a) <= EFFECT)
    };
    if let Some(request) = asked.iter_mut().rev().find(wanted) {
        request.done = true;
        return Cause::Requested {
            session: request.session,
            message: request.message,
        };
    }
    let system = told
        .reason
        .and_then(|code| protocol::reason_on(peripheral_type, code, told.state));
    if let Some(reason) = system {
        return Cause::System(reason);
    }
    // A login takes an agent to NOT_READY without another word.
    let login = |a: &&Asked| {
        a.state == state::LOGIN && told.state == state::NOT_READY && age(a) <= LOGIN_EFFECT
    };
    if let Some(request) = asked.iter().rev().find(login) {
        return Cause::Requested {
            session: request.session,
            message: request.message,
        };
    }
    let by_call = |s| {
        matches!(
            s,
            state::TALKING
                | state::HOLD
                | state::RESERVED
                | state::WORK_READY
                | state::WORK_NOT_READY
        )
    };
    if by_call(told.state) || before.is_some_and(|p| by_call(p.state)) {
        return Cause::Call;
    }
    Cause::Unknown
}

/// Whether a login was asked for by the request that brought a state about.
pub(super) fn asked_for_login(asked: &VecDeque<Asked>, cause: &Cause) -> bool {
    let Cause::Requested { message, .. } = cause else {
        return false;
    };
    let mut requests = asked.iter();
    requests.any(|a| a.message == *message && a.state == state::LOGIN)
}
