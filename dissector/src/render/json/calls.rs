//! Calls and their stories as JSON.

use super::Options;
use super::values::{Millis, Moment, Places, Seconds, object};
use crate::analysis::calls::{self, Answered, FailedRequest, Party, Setting, Step};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize)]
struct Call<'a> {
    kind: &'static str,
    call: u64,
    first: Moment,
    last: Moment,
    duration_s: Seconds,
    ids: Vec<Id>,
    router_keys: Vec<String>,
    references: &'a [String],
    sessions: &'a BTreeSet<u32>,
    first_message: u64,
    last_message: u64,
    messages: u64,
    ani: Option<&'a str>,
    dnis: Option<&'a str>,
    dialed_number: Option<&'a str>,
    call_type: Option<Named>,
    outcome: &'static str,
    features: Vec<&'static str>,
    cause: Option<Named>,
    ended_by: Option<&'a str>,
    talk_s: Seconds,
    hold_s: Seconds,
    queue_s: Seconds,
    ring_s: Seconds,
    answered_after_s: Option<Seconds>,
    transfers: u32,
    conferences: u32,
    agents: Vec<&'a str>,
    skill_groups: &'a BTreeSet<u32>,
    parties: Vec<Device<'a>>,
    changed: &'a BTreeSet<String>,
    failed_requests: Vec<Failed>,
    failed_request_count: u64,
    findings: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_left_out: Option<u64>,
}

#[derive(Serialize)]
struct Id {
    peripheral: Option<u32>,
    id: u32,
}

#[derive(Serialize)]
struct Named {
    value: u32,
    name: Option<&'static str>,
}

#[derive(Serialize)]
struct Device<'a> {
    device: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    agent: Option<&'a str>,
    caller: bool,
    talk_s: Seconds,
    consult_s: Seconds,
    hold_s: Seconds,
    ring_s: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct Failed {
    message: u64,
    name: &'static str,
    outcome: &'static str,
    failure: Option<Named>,
    peripheral_error: Option<u32>,
}

#[derive(Serialize)]
struct StepRecord<'a> {
    kind: &'static str,
    call: u64,
    step: u64,
    time: Moment,
    #[serde(rename = "type")]
    of: &'static str,
    name: &'static str,
    id: Option<Id>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    cause: Option<Named>,
    states: Vec<State<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<Agent<'a>>,
    settings: Vec<Set<'a>>,
    details: BTreeMap<&'static str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<Answer>,
    findings: Vec<&'static str>,
    notes: &'a [String],
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct State<'a> {
    device: &'a str,
    from: Option<&'static str>,
    to: &'static str,
    after_s: Seconds,
}

#[derive(Serialize)]
struct Agent<'a> {
    agent: &'a str,
    from: Option<&'a str>,
    to: &'a str,
    reason: Option<u32>,
    after_s: Seconds,
}

#[derive(Serialize)]
struct Set<'a> {
    name: &'a str,
    value: Option<&'a str>,
    was: Option<&'a str>,
}

#[derive(Serialize)]
struct Answer {
    message: Option<u64>,
    latency_ms: Option<Millis>,
    outcome: &'static str,
    failure: Option<Named>,
    peripheral_error: Option<u32>,
}

#[derive(Serialize)]
struct Message {
    no: u64,
    time: Moment,
    session: u32,
    direction: &'static str,
    #[serde(flatten)]
    places: Places,
}

fn named(table: &str, value: u32) -> Named {
    let known = crate::protocol::value_table(table).and_then(|t| t.get(value));
    Named {
        value,
        name: known.map(|v| v.short),
    }
}

fn cause(value: u32) -> Named {
    let known = crate::protocol::value_table("EventCause").and_then(|t| t.get(value));
    Named {
        value,
        name: known.map(|v| v.text),
    }
}

fn failure(code: &crate::correlate::FailureCode) -> Named {
    Named {
        value: code.code,
        name: code.name(),
    }
}

fn id(id: &calls::CallId) -> Id {
    Id {
        peripheral: id.peripheral,
        id: id.id,
    }
}

/// Appends the row of a call.
pub fn call(out: &mut Vec<u8>, call: &calls::Call) {
    record(out, call, false);
}

/// Appends the row of a call and, as records of their own, the steps of its story; `next` puts each record behind the one before.
pub fn story(
    out: &mut Vec<u8>,
    call: &calls::Call,
    options: &Options,
    mut next: impl FnMut(&mut Vec<u8>, &dyn Fn(&mut Vec<u8>)),
) {
    next(out, &|out| record(out, call, true));
    for (number, step) in (1u64..).zip(&call.steps) {
        next(out, &|out| self::step(out, call, number, step, options));
    }
}

fn record(out: &mut Vec<u8>, call: &calls::Call, with_story: bool) {
    let record = Call {
        kind: "call",
        call: call.no,
        first: Moment(call.first),
        last: Moment(call.last),
        duration_s: Seconds(call.duration()),
        ids: call.ids.iter().map(id).collect(),
        router_keys: call.router_keys.iter().map(ToString::to_string).collect(),
        references: &call.references,
        sessions: &call.sessions,
        first_message: call.first_message,
        last_message: call.last_message,
        messages: call.messages,
        ani: call.ani.as_deref(),
        dnis: call.dnis.as_deref(),
        dialed_number: call.dialed.as_deref(),
        call_type: call.call_type.map(|t| named("CallType", t)),
        outcome: call.outcome.name(),
        features: call.features.iter().map(|f| f.name()).collect(),
        cause: call.cause.map(cause),
        ended_by: party(call, call.ended_by),
        talk_s: Seconds(call.times.talk),
        hold_s: Seconds(call.times.hold),
        queue_s: Seconds(call.times.queue),
        ring_s: Seconds(call.times.ring),
        answered_after_s: call.answered_after.map(Seconds),
        transfers: call.transfers,
        conferences: call.conferences,
        agents: call.agents(),
        skill_groups: &call.skill_groups,
        parties: call.parties.iter().map(self::device).collect(),
        changed: &call.changed,
        failed_requests: call.failed_requests.iter().map(failed).collect(),
        failed_request_count: call.failed_request_count,
        findings: call
            .findings
            .iter()
            .map(|(code, count)| (code.name(), *count))
            .collect(),
        variables: with_story.then_some(&call.variables),
        steps_left_out: with_story.then_some(call.steps_left_out),
    };
    object(out, &record);
}

fn device(party: &Party) -> Device<'_> {
    Device {
        device: &party.device,
        kind: party.kind.name(),
        agent: party.agent.as_deref(),
        caller: party.caller,
        talk_s: Seconds(party.talk),
        consult_s: Seconds(party.consult),
        hold_s: Seconds(party.hold),
        ring_s: Seconds(party.ring),
        state: party.state.map(|state| state.name()),
    }
}

fn failed(request: &FailedRequest) -> Failed {
    Failed {
        message: request.no,
        name: request.name,
        outcome: request.kind.name(),
        failure: request.failure.as_ref().map(failure),
        peripheral_error: request.failure.and_then(|f| f.peripheral_error),
    }
}

fn party(call: &calls::Call, index: Option<usize>) -> Option<&str> {
    Some(call.parties.get(index?)?.device.as_str())
}

fn step(out: &mut Vec<u8>, call: &calls::Call, number: u64, step: &Step, options: &Options) {
    let record = StepRecord {
        kind: "call_step",
        call: call.no,
        step: number,
        time: Moment(step.time),
        of: step.kind.name(),
        name: step.name,
        id: step.id.as_ref().map(id),
        from: party(call, step.from),
        to: party(call, step.to),
        cause: step.cause.map(cause),
        states: step
            .changes
            .iter()
            .filter_map(|change| {
                Some(State {
                    device: party(call, Some(change.party))?,
                    from: change.from.map(|s| s.name()),
                    to: change.to.name(),
                    after_s: Seconds(change.held_nanos),
                })
            })
            .collect(),
        agent: step.agent.as_ref().map(|change| Agent {
            agent: &change.agent,
            from: change.from.as_deref(),
            to: &change.to,
            reason: change.reason,
            after_s: Seconds(change.held_nanos),
        }),
        settings: step.settings.iter().map(set).collect(),
        details: step.details.iter().map(|(n, v)| (*n, v.as_str())).collect(),
        answered: step.answered.as_ref().map(answer),
        findings: step.findings.iter().map(|code| code.name()).collect(),
        notes: &step.notes,
        messages: step
            .sightings
            .iter()
            .map(|sighting| Message {
                no: sighting.no,
                time: Moment(sighting.time),
                session: sighting.session,
                direction: sighting.direction.name(),
                places: Places::new(&sighting.packets, options.several_inputs),
            })
            .collect(),
    };
    object(out, &record);
}

fn set(setting: &Setting) -> Set<'_> {
    Set {
        name: &setting.name,
        value: setting.value.as_deref(),
        was: setting.was.as_deref(),
    }
}

fn answer(answered: &Answered) -> Answer {
    Answer {
        message: answered.no,
        latency_ms: answered.latency.map(Millis),
        outcome: answered.kind.name(),
        failure: answered.failure.as_ref().map(failure),
        peripheral_error: answered.failure.and_then(|f| f.peripheral_error),
    }
}
