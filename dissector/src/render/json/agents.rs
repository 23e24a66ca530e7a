//! Agents as JSON.

use super::Options;
use super::values::{Millis, Moment, Places, Seconds, object};
use crate::analysis::agents::{
    Agent, AgentCall, AgentRequest, Cause, Contradiction, Device, Domain, Period,
};
use crate::protocol::{ValueTable, value_table};
use serde::Serialize;
use std::collections::BTreeSet;

/// A number that a table names.
#[derive(Serialize)]
struct Named {
    value: u32,
    name: Option<&'static str>,
}

impl Named {
    fn of(table: &str, value: u32) -> Self {
        Self::in_table(value_table(table), value)
    }

    fn in_table(table: Option<&'static ValueTable>, value: u32) -> Self {
        let name = table.and_then(|t| t.get(value)).map(|v| v.text);
        Self { value, name }
    }
}

#[derive(Serialize)]
struct AgentRecord<'a> {
    kind: &'static str,
    id: &'a str,
    peripheral: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peripheral_type: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icm_agent_id: Option<u32>,
    extensions: Vec<DeviceRecord<'a>>,
    instruments: Vec<DeviceRecord<'a>>,
    sessions: &'a BTreeSet<u32>,
    first: Moment,
    last: Moment,
    messages: u64,
    domains: Vec<DomainRecord>,
    calls: CallCounts,
    requests: RequestCounts,
    contradictions: Vec<ContradictionRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_list: Option<Vec<CallRecord<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_list: Option<Vec<RequestRecord>>,
}

#[derive(Serialize)]
struct DeviceRecord<'a> {
    name: &'a str,
    from: Moment,
}

#[derive(Serialize)]
struct DomainRecord {
    mrd: Option<u32>,
    logged_in_s: Seconds,
    changes: u64,
    logins: u64,
    logouts: u64,
    states: Vec<StateRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_state: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    periods: Option<Vec<PeriodRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    periods_forgotten: Option<u64>,
}

#[derive(Serialize)]
struct StateRecord {
    state: Named,
    duration_s: Seconds,
    count: u64,
}

#[derive(Serialize)]
struct PeriodRecord {
    state: Named,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonRecord>,
    from: Moment,
    to: Moment,
    duration_s: Seconds,
    ending: &'static str,
    entered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_s: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Named>,
    cause: CauseRecord,
    skill_groups: Vec<u32>,
    sessions: Vec<u32>,
    messages: u64,
    message: u64,
    #[serde(flatten)]
    places: Places,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gap: bool,
}

#[derive(Serialize)]
struct ReasonRecord {
    value: u32,
    meaning: Option<&'static str>,
}

#[derive(Serialize)]
struct CauseRecord {
    by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<u64>,
}

#[derive(Serialize)]
struct CallCounts {
    delivered: u64,
    answered: u64,
    ring_no_answer: u64,
    outgoing: u64,
    ring_s: Seconds,
    talk_s: Seconds,
    consult_s: Seconds,
    hold_s: Seconds,
}

#[derive(Serialize)]
struct RequestCounts {
    count: u64,
    failed: u64,
    unanswered: u64,
}

#[derive(Serialize)]
struct ContradictionRecord {
    what: &'static str,
    state: Named,
    from: Moment,
    to: Moment,
    duration_s: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<u32>,
    message: u64,
}

#[derive(Serialize)]
struct CallRecord<'a> {
    ids: &'a [u32],
    outgoing: bool,
    from: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<Moment>,
    to: Moment,
    ring_s: Seconds,
    talk_s: Seconds,
    consult_s: Seconds,
    hold_s: Seconds,
    holds: u32,
    outcome: &'static str,
    session: u32,
    message: u64,
}

#[derive(Serialize)]
struct RequestRecord {
    time: Moment,
    session: u32,
    message: u64,
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<u32>,
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peripheral_error: Option<u32>,
}

/// Appends an agent; `whole`: with all periods, calls and requests that are kept.
pub fn agent(out: &mut Vec<u8>, agent: &Agent, whole: bool, options: &Options) {
    let record = AgentRecord {
        kind: "agent",
        id: &agent.key.id,
        peripheral: agent.key.peripheral,
        peripheral_type: agent
            .peripheral_type
            .map(|t| Named::of("PeripheralType", t)),
        icm_agent_id: agent.icm_id,
        extensions: devices(&agent.extensions),
        instruments: devices(&agent.instruments),
        sessions: &agent.sessions,
        first: Moment(agent.first),
        last: Moment(agent.last),
        messages: agent.messages,
        domains: agent
            .domains
            .iter()
            .map(|(mrd, d)| domain(agent, *mrd, d, whole, options))
            .collect(),
        calls: CallCounts {
            delivered: agent.calls.delivered,
            answered: agent.calls.answered,
            ring_no_answer: agent.calls.ring_no_answer,
            outgoing: agent.calls.outgoing,
            ring_s: Seconds(agent.calls.ring),
            talk_s: Seconds(agent.calls.talk),
            consult_s: Seconds(agent.calls.consult),
            hold_s: Seconds(agent.calls.hold),
        },
        requests: RequestCounts {
            count: agent.requests.count,
            failed: agent.requests.failed,
            unanswered: agent.requests.unanswered,
        },
        contradictions: agent.contradictions.iter().map(contradiction).collect(),
        call_list: whole.then(|| agent.calls.list.iter().map(call).collect()),
        request_list: whole.then(|| agent.requests.list.iter().map(request).collect()),
    };
    object(out, &record);
}

fn devices(devices: &[Device]) -> Vec<DeviceRecord<'_>> {
    let devices = devices.iter();
    let records = devices.map(|device| DeviceRecord {
        name: &device.name,
        from: Moment(device.from),
    });
    records.collect()
}

fn domain(
    agent: &Agent,
    mrd: u32,
    domain: &Domain,
    whole: bool,
    options: &Options,
) -> DomainRecord {
    let states = domain.totals.iter().map(|(state, total)| StateRecord {
        state: Named::of("AgentState", *state),
        duration_s: Seconds(total.nanos),
        count: total.count,
    });
    let periods = domain.periods.iter();
    DomainRecord {
        mrd: (mrd != 0).then_some(mrd),
        logged_in_s: Seconds(domain.logged_in()),
        changes: domain.changes,
        logins: domain.logins,
        logouts: domain.logouts,
        states: states.collect(),
        last_state: domain
            .periods
            .last()
            .map(|p| Named::of("AgentState", p.state)),
        periods: whole.then(|| periods.map(|p| period(agent, p, options)).collect()),
        periods_forgotten: whole.then(|| domain.periods.forgotten()),
    }
}

fn period(agent: &Agent, period: &Period, options: &Options) -> PeriodRecord {
    let (session, message) = match period.cause {
        Cause::Requested { session, message } => (Some(session), Some(message)),
        _ => (None, None),
    };
    PeriodRecord {
        state: Named::of("AgentState", period.state),
        reason: period.reason.map(|value| ReasonRecord {
            value,
            meaning: agent.reason(period).map(|r| r.meaning),
        }),
        from: Moment(period.from),
        to: Moment(period.to),
        duration_s: Seconds(period.nanos()),
        ending: period.ending.name(),
        entered: period.entered,
        before_s: period.before,
        next: period.next.map(|next| Named::of("AgentState", next)),
        cause: CauseRecord {
            by: period.cause.name(),
            session,
            message,
        },
        skill_groups: period.skill_groups.to_vec(),
        sessions: period.sessions.to_vec(),
        messages: period.messages,
        message: period.message,
        places: Places::new(&period.packets, options.several_inputs),
        gap: period.gap,
    }
}

fn contradiction(found: &Contradiction) -> ContradictionRecord {
    ContradictionRecord {
        what: found.kind.name(),
        state: Named::of("AgentState", found.state),
        from: Moment(found.from),
        to: Moment(found.to),
        duration_s: Seconds(found.to.nanos_since(found.from)),
        call: found.call,
        message: found.message,
    }
}

fn call(call: &AgentCall) -> CallRecord<'_> {
    CallRecord {
        ids: &call.ids,
        outgoing: call.outgoing,
        from: Moment(call.from),
        answered: call.answered.map(Moment),
        to: Moment(call.to),
        ring_s: Seconds(call.ring),
        talk_s: Seconds(call.talk),
        consult_s: Seconds(call.consult),
        hold_s: Seconds(call.hold),
        holds: call.holds,
        outcome: call.outcome.name(),
        session: call.session,
        message: call.message,
    }
}

fn request(request: &AgentRequest) -> RequestRecord {
    let failure = request.failure;
    RequestRecord {
        time: Moment(request.time),
        session: request.session,
        message: request.message,
        name: request.name,
        state: request.state.map(|state| Named::of("AgentState", state)),
        reason: request.reason,
        outcome: request.outcome.map(|o| o.name()),
        answer: request.answer,
        latency_ms: request.latency.map(Millis),
        failure: failure.map(|f| Named::in_table(f.table, f.code)),
        peripheral_error: failure.and_then(|f| f.peripheral_error),
    }
}
