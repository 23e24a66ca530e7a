//! Rows of the lists that belong to an agent: states, calls, requests.

use crate::analysis::agents::{
    Agent, AgentCall, AgentRequest, Cause, Ending, History, Period, state_name,
};
use crate::correlate::OutcomeKind;
use crate::protocol;
use crate::render::table::{Cell, Column};

/// Columns of the list of an agent's states; CSV has them all.
pub const PERIOD_COLUMNS: [Column; 16] = [
    Column::csv("agent"),
    Column::csv("peripheral"),
    Column::left("MRD", "mrd"),
    Column::left("FROM", "from"),
    Column::csv("to"),
    Column::right("DURATION", "duration_s"),
    Column::left("STATE", "state"),
    Column::csv("reason_code"),
    Column::left("REASON", "reason"),
    Column::left("CAUSE", "cause"),
    Column::csv("cause_session"),
    Column::csv("cause_message"),
    Column::left("SKILL GROUPS", "skill_groups"),
    Column::left("SESSIONS", "sessions"),
    Column::right("MESSAGE", "message"),
    Column::left("REMARKS", "remarks"),
];

/// Rows of the list of an agent's states. For people (`text`) a cell says in words what CSV has in several.
#[must_use]
pub fn period_rows(agent: &Agent, text: bool) -> Vec<Vec<Cell>> {
    let mut rows: Vec<(u32, &Period)> = agent
        .domains
        .iter()
        .flat_map(|(mrd, domain)| domain.periods.iter().map(|p| (*mrd, p)))
        .collect();
    rows.sort_by_key(|(mrd, period)| (period.from, *mrd));
    rows.into_iter()
        .map(|(mrd, period)| {
            let meaning = agent.reason(period).map(|r| r.short);
            let reason = period.reason.map(|code| match meaning {
                Some(meaning) => format!("{code} {meaning}"),
                None => code.to_string(),
            });
            let (cause, session, message) = match period.cause {
                Cause::Requested { session, message } if text => {
                    (format!("asked for in S{session} #{message}"), None, None)
                }
                Cause::Requested { session, message } => {
                    (String::from("request"), Some(session), Some(message))
                }
                Cause::Unknown if text => (String::from("-"), None, None),
                cause => (cause.name().to_owned(), None, None),
            };
            vec![
                Cell::Text(agent.key.id.clone()),
                number(agent.key.peripheral),
                number((mrd != 0).then_some(mrd)),
                Cell::Time(period.from),
                Cell::Time(period.to),
                Cell::Seconds(period.nanos()),
                Cell::Text(name_of(period.state)),
                number(period.reason),
                if text {
                    Cell::text(reason)
                } else {
                    Cell::text(meaning)
                },
                Cell::Text(cause),
                number(session),
                message.map_or(Cell::Missing, Cell::Number),
                Cell::many(&period.skill_groups),
                Cell::many(
                    period.sessions.iter().map(
                        |s| {
                            if text { format!("S{s}") } else { s.to_string() }
                        },
                    ),
                ),
                Cell::Number(period.message),
                Cell::many(remarks(period)),
            ]
        })
        .collect()
}

pub(super) fn number(number: Option<u32>) -> Cell {
    number.map_or(Cell::Missing, |n| Cell::Number(n.into()))
}

pub(super) fn name_of(state: u32) -> String {
    state_name(state).map_or_else(|| state.to_string(), str::to_owned)
}

/// What is to be known about the bounds of a period.
fn remarks(period: &Period) -> Vec<String> {
    let mut remarks = Vec::new();
    match period.before {
        Some(seconds) => remarks.push(format!("{seconds} s old when told")),
        None if !period.entered => remarks.push(String::from("began before")),
        None => {}
    }
    match period.ending {
        Ending::Changed => {}
        Ending::SessionsEnded => remarks.push(String::from("not known further: sessions ended")),
        Ending::CaptureEnded => remarks.push(String::from("goes on at the end of the capture")),
    }
    if period.gap {
        remarks.push(String::from("bytes missing meanwhile"));
    }
    remarks
}

pub(super) const CALL_COLUMNS: [Column; 9] = [
    Column::left("IDS", "ids"),
    Column::left("FROM", "from"),
    Column::right("RING", "ring_s"),
    Column::right("TALK", "talk_s"),
    Column::right("CONSULT", "consult_s"),
    Column::right("HOLD", "hold_s"),
    Column::right("HOLDS", "holds"),
    Column::left("WHAT", "what"),
    Column::left("MESSAGE", "message"),
];

pub(super) fn call_rows(calls: &History<AgentCall>) -> Vec<Vec<Cell>> {
    calls
        .iter()
        .map(|call| {
            let span = |nanos: i64| match nanos {
                0 => Cell::Missing,
                nanos => Cell::Seconds(nanos),
            };
            let direction = if call.outgoing { "made" } else { "came" };
            vec![
                Cell::many(&call.ids),
                Cell::Time(call.from),
                span(call.ring),
                span(call.talk),
                span(call.consult),
                span(call.hold),
                Cell::Number(call.holds.into()),
                Cell::Text(format!(
                    "{direction}, {}",
                    call.outcome.name().replace('_', " ")
                )),
                Cell::Text(format!("S{} #{}", call.session, call.message)),
            ]
        })
        .collect()
}

pub(super) const REQUEST_COLUMNS: [Column; 6] = [
    Column::left("TIME", "time"),
    Column::left("MESSAGE", "message"),
    Column::left("REQUEST", "request"),
    Column::left("ASKS FOR", "asks_for"),
    Column::right("AFTER", "latency_ms"),
    Column::left("OUTCOME", "outcome"),
];

pub(super) fn request_rows(requests: &History<AgentRequest>) -> Vec<Vec<Cell>> {
    requests
        .iter()
        .map(|request| {
            let wanted = request.state.map(|state| match request.reason {
                Some(reason) => format!("{} {reason}", name_of(state)),
                None => name_of(state),
            });
            vec![
                Cell::Time(request.time),
                Cell::Text(format!("S{} #{}", request.session, request.message)),
                Cell::Text(request.name.to_owned()),
                Cell::text(wanted),
                request.latency.map_or(Cell::Missing, Cell::Millis),
                Cell::text(request.outcome.map(|o| outcome(o, request))),
            ]
        })
        .collect()
}

/// What became of a request, and what a failure says.
fn outcome(outcome: OutcomeKind, request: &AgentRequest) -> String {
    let mut text = outcome.name().replace('_', " ");
    if let Some(failure) = &request.failure {
        match failure.name() {
            Some(name) => text.push_str(&format!(": {name}")),
            None => text.push_str(&format!(": {}", failure.code)),
        }
        if let Some(code) = failure.peripheral_error.filter(|c| *c != 0) {
            let meaning = protocol::peripheral_error(code).map(|e| e.meaning);
            text.push_str(&format!(
                ", peripheral error {code}{}",
                meaning.map(|m| format!(" ({m})")).unwrap_or_default()
            ));
        }
    }
    text
}
