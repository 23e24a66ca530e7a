//! Statistics as JSON: a record for each row.

use super::Objects;
use super::values::{Millis, Moment, Seconds, object};
use crate::analysis::stats::{BANDS, Count, Latencies, Responses, Statistics};
use crate::protocol;
use crate::record::Direction;
use crate::render::statistics::{Section, all_failures, all_responses, all_sessions, hint};
use crate::tally::Tally;
use serde::Serialize;

#[derive(Serialize)]
struct Total {
    kind: &'static str,
    messages: u64,
    bytes: u64,
    sessions: usize,
    #[serde(flatten)]
    requests: Requests,
    answers_without_request: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Moment>,
}

#[derive(Serialize)]
struct ByType {
    kind: &'static str,
    #[serde(rename = "type")]
    number: Option<u32>,
    name: Option<&'static str>,
    direction: Option<&'static str>,
    messages: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct ByDirection {
    kind: &'static str,
    direction: &'static str,
    messages: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct BySession<'a> {
    kind: &'static str,
    session: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    who: Option<&'a str>,
    messages_from_client: u64,
    messages_from_server: u64,
    bytes_from_client: u64,
    bytes_from_server: u64,
    #[serde(flatten)]
    responses: Answers,
}

#[derive(Serialize)]
struct ByInterval {
    kind: &'static str,
    from: Moment,
    interval_s: Seconds,
    messages_from_client: u64,
    messages_from_server: u64,
    bytes_from_client: u64,
    bytes_from_server: u64,
    #[serde(flatten)]
    requests: Requests,
}

#[derive(Serialize)]
struct Latency {
    kind: &'static str,
    #[serde(rename = "type")]
    number: Option<u32>,
    name: Option<&'static str>,
    asked_by: &'static str,
    #[serde(flatten)]
    responses: Answers,
}

#[derive(Serialize)]
struct Band {
    kind: &'static str,
    up_to_ms: Option<Millis>,
    count: u64,
}

#[derive(Serialize)]
struct ResponseTime {
    kind: &'static str,
    #[serde(rename = "type")]
    number: Option<u32>,
    name: Option<&'static str>,
    asked_by: &'static str,
    calls: u64,
    min_s: Option<Seconds>,
    max_s: Option<Seconds>,
    average_s: Option<Seconds>,
    sum_s: Seconds,
}

/// Requests by what became of them.
#[derive(Serialize)]
struct Requests {
    requests: u64,
    answered: u64,
    failed: u64,
    unanswered: u64,
    open: u64,
    not_judged: u64,
}

/// Requests and how long their answers took; times are missing where nothing was answered.
#[derive(Serialize)]
struct Answers {
    #[serde(flatten)]
    requests: Requests,
    late: u64,
    min_ms: Option<Millis>,
    median_ms: Option<Millis>,
    p90_ms: Option<Millis>,
    p99_ms: Option<Millis>,
    max_ms: Option<Millis>,
}

#[derive(Serialize)]
struct Failure {
    kind: &'static str,
    request: Option<&'static str>,
    by: Option<&'static str>,
    code: Option<u32>,
    name: Option<&'static str>,
    meaning: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peripheral_error: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peripheral_meaning: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Moment>,
}

#[derive(Serialize)]
struct Heartbeats<'a> {
    kind: &'static str,
    session: Option<u32>,
    who: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_timeout_s: Option<u32>,
    interval_min_s: Option<Seconds>,
    interval_median_s: Option<Seconds>,
    interval_max_s: Option<Seconds>,
    lost: u64,
    #[serde(flatten)]
    responses: Answers,
}

impl Requests {
    const fn new(of: &Tally) -> Self {
        Self {
            requests: of.made,
            answered: of.answered,
            failed: of.failed,
            unanswered: of.unanswered,
            open: of.open,
            not_judged: of.not_judged,
        }
    }
}

impl Answers {
    fn new(of: &Responses) -> Self {
        let times: &Latencies = &of.latencies;
        Self {
            requests: Requests::new(&of.requests),
            late: of.late,
            min_ms: times.min().map(Millis),
            median_ms: times.quantile(500).map(Millis),
            p90_ms: times.quantile(900).map(Millis),
            p99_ms: times.quantile(990).map(Millis),
            max_ms: times.max().map(Millis),
        }
    }
}

fn named(name: &'static str) -> Option<&'static str> {
    (!name.is_empty()).then_some(name)
}

/// Appends the statistics: their sum, then a record for each row of each section.
pub fn statistics(out: &mut Vec<u8>, objects: &Objects, of: &Statistics, sections: &[Section]) {
    let total = of.total();
    let record = Total {
        kind: "stats",
        messages: total.messages,
        bytes: total.bytes,
        sessions: of.sessions.len(),
        requests: Requests::new(&of.requests()),
        answers_without_request: of.answers_without_request,
        first: of.first.map(Moment),
        last: of.last.map(Moment),
    };
    objects.next(out, |out| object(out, &record));
    let mut put = Put { out, objects };
    for section in sections {
        match section {
            Section::Type => types(&mut put, of),
            Section::Direction => directions(&mut put, of),
            Section::Session => sessions(&mut put, of),
            Section::Interval => intervals(&mut put, of),
            Section::Latency => latency(&mut put, of),
            Section::ResponseTime => response_time(&mut put, of),
            Section::Failures => failures(&mut put, of),
            Section::Heartbeats => heartbeats(&mut put, of),
        }
    }
}

struct Put<'a> {
    out: &'a mut Vec<u8>,
    objects: &'a Objects,
}

impl Put<'_> {
    fn row(&mut self, record: &impl Serialize) {
        self.objects.next(self.out, |out| object(out, record));
    }
}

fn types(put: &mut Put<'_>, of: &Statistics) {
    for (key, count) in &of.types {
        put.row(&ByType {
            kind: "stats_type",
            number: Some(key.number),
            name: named(key.name),
            direction: Some(key.direction.name()),
            messages: count.messages,
            bytes: count.bytes,
        });
    }
    if of.other_types.messages > 0 {
        put.row(&ByType {
            kind: "stats_type",
            number: None,
            name: None,
            direction: None,
            messages: of.other_types.messages,
            bytes: of.other_types.bytes,
        });
    }
}

fn directions(put: &mut Put<'_>, of: &Statistics) {
    let mut row = |direction: Direction, count: &Count| {
        put.row(&ByDirection {
            kind: "stats_direction",
            direction: direction.name(),
            messages: count.messages,
            bytes: count.bytes,
        });
    };
    row(Direction::ClientToServer, &of.from_client);
    row(Direction::ServerToClient, &of.from_server);
}

fn sessions(put: &mut Put<'_>, of: &Statistics) {
    for (number, session) in all_sessions(of) {
        put.row(&BySession {
            kind: "stats_session",
            session: number,
            client: session.peers.map(|p| p.client.to_string()),
            server: session.peers.map(|p| p.server.to_string()),
            who: session.who.as_deref(),
            messages_from_client: session.from_client.messages,
            messages_from_server: session.from_server.messages,
            bytes_from_client: session.from_client.bytes,
            bytes_from_server: session.from_server.bytes,
            responses: Answers::new(&session.responses),
        });
    }
}

fn intervals(put: &mut Put<'_>, of: &Statistics) {
    let Some(slices) = &of.slices else { return };
    for (from, slice) in slices.iter() {
        put.row(&ByInterval {
            kind: "stats_interval",
            from: Moment(from),
            interval_s: Seconds(slices.width()),
            messages_from_client: slice.from_client.messages,
            messages_from_server: slice.from_server.messages,
            bytes_from_client: slice.from_client.bytes,
            bytes_from_server: slice.from_server.bytes,
            requests: Requests::new(&slice.requests),
        });
    }
}

fn latency(put: &mut Put<'_>, of: &Statistics) {
    for (number, name, asked, responses) in all_responses(of) {
        put.row(&Latency {
            kind: "stats_latency",
            number,
            name: named(name).filter(|_| number.is_some()),
            asked_by: asked.sender(),
            responses: Answers::new(responses),
        });
    }
    let bounds = BANDS.iter().map(|b| i64::try_from(*b).ok().map(Millis));
    for (up_to_ms, count) in bounds.chain([None]).zip(of.bands) {
        if count > 0 {
            put.row(&Band {
                kind: "stats_latency_band",
                up_to_ms,
                count,
            });
        }
    }
}

fn response_time(put: &mut Put<'_>, of: &Statistics) {
    for (number, name, asked, responses) in all_responses(of) {
        let times = &responses.latencies;
        if times.count() > 0 {
            put.row(&ResponseTime {
                kind: "stats_response_time",
                number,
                name: named(name).filter(|_| number.is_some()),
                asked_by: asked.sender(),
                calls: times.count(),
                min_s: times.min().map(Seconds),
                max_s: times.max().map(Seconds),
                average_s: times.average().map(Seconds),
                sum_s: Seconds(times.sum()),
            });
        }
    }
}

fn failures(put: &mut Put<'_>, of: &Statistics) {
    for (key, failed) in all_failures(of) {
        let value = failed.code.and_then(|c| c.value());
        let error = key.peripheral_error.and_then(protocol::peripheral_error);
        put.row(&Failure {
            kind: "stats_failure",
            request: key.request.and_then(named),
            by: named(key.by),
            code: key.code,
            name: value.map(|v| v.text),
            meaning: value.and_then(|v| v.label),
            peripheral_error: key.peripheral_error,
            peripheral_meaning: error.map(|e| e.meaning),
            hint: hint(key),
            count: failed.count,
            first: Some(Moment(failed.first)),
            last: Some(Moment(failed.last)),
        });
    }
    if of.other_failures > 0 {
        put.row(&Failure {
            kind: "stats_failure",
            request: None,
            by: None,
            code: None,
            name: None,
            meaning: None,
            peripheral_error: None,
            peripheral_meaning: None,
            hint: None,
            count: of.other_failures,
            first: None,
            last: None,
        });
    }
}

fn heartbeats(put: &mut Put<'_>, of: &Statistics) {
    for (number, session) in all_sessions(of).filter(|(_, s)| s.beats.requests.made > 0) {
        let every = &session.heartbeats.intervals;
        let idle = session.idle_timeout;
        put.row(&Heartbeats {
            kind: "stats_heartbeat",
            session: number,
            who: session.who.as_deref(),
            idle_timeout_s: idle.filter(|t| *t != u32::MAX),
            interval_min_s: every.min().map(Seconds),
            interval_median_s: every.quantile(500).map(Seconds),
            interval_max_s: every.max().map(Seconds),
            lost: session.heartbeats.lost,
            responses: Answers::new(&session.beats),
        });
    }
}
