//! What differs between two runs as JSON.

use super::values::{Millis, Moment, object};
use crate::diff::{
    Comparison, Edit, FieldChange, Line, Pair, Part, SessionChange, SessionView, Slower,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A record of a comparison.
#[derive(Debug)]
pub struct DifferenceRecord<'a>(Inner<'a>);

#[derive(Debug)]
enum Inner<'a> {
    Session(Box<SessionRecord<'a>>),
    Difference(Box<Difference>),
    Latency(LatencyRecord),
    Summary(Box<SummaryRecord<'a>>),
}

impl DifferenceRecord<'_> {
    /// Appends it as a JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Inner::Session(record) => object(out, record),
            Inner::Difference(record) => object(out, record),
            Inner::Latency(record) => object(out, record),
            Inner::Summary(record) => object(out, record),
        }
    }
}

#[derive(Debug, Serialize)]
struct SessionRecord<'a> {
    kind: &'static str,
    change: &'static str,
    old: Option<Session<'a>>,
    new: Option<Session<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changes: &'a [SessionChange],
    differences: usize,
    reordered_freely: u64,
}

#[derive(Debug, Serialize)]
struct Session<'a> {
    session: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_session: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    messages: u64,
}

impl<'a> Session<'a> {
    fn of(view: SessionView<'a>) -> Self {
        let identity = view.about.map(|about| &about.identity);
        Self {
            session: view.number,
            last_session: view.joined,
            client: view.about.map(|about| about.peers.client.to_string()),
            client_id: identity.and_then(|i| i.client_id.as_deref()),
            agent_id: identity.and_then(|i| i.agent_id.as_deref()),
            version: view.about.and_then(|about| about.version).map(|v| v.0),
            messages: view.messages,
        }
    }
}

#[derive(Debug, Serialize)]
struct Difference {
    kind: &'static str,
    change: &'static str,
    name: String,
    direction: &'static str,
    old: Option<Message>,
    new: Option<Message>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Message {
    session: u32,
    no: u32,
    time: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet: Option<u32>,
    about: BTreeMap<String, String>,
}

impl Message {
    fn of(line: &Line, several_inputs: bool) -> Self {
        let about = line.parts.iter().map(|Part { label, value }| {
            (label.clone(), String::from_utf8_lossy(value).into_owned())
        });
        Self {
            session: line.session,
            no: line.no,
            time: Moment(line.time),
            // Of several files, the number alone would mislead.
            packet: line.packet.filter(|_| !several_inputs),
            about: about.collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Field {
    field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u16>,
    old: Option<String>,
    new: Option<String>,
}

impl From<FieldChange> for Field {
    fn from(change: FieldChange) -> Self {
        let text = |value: Option<Vec<u8>>| value.map(|v| String::from_utf8_lossy(&v).into_owned());
        Self {
            field: change.field,
            entry: change.entry,
            old: text(change.old),
            new: text(change.new),
        }
    }
}

#[derive(Debug, Serialize)]
struct LatencyRecord {
    kind: &'static str,
    request: String,
    old: Latency,
    new: Latency,
    factor: f64,
    chance: f64,
}

#[derive(Debug, Serialize)]
struct Latency {
    answers: usize,
    median_ms: Millis,
    p95_ms: Millis,
}

#[derive(Debug, Serialize)]
struct SummaryRecord<'a> {
    kind: &'static str,
    different: bool,
    old: Side,
    new: Side,
    sessions_missing: u64,
    sessions_added: u64,
    sessions_different: u64,
    missing: u64,
    added: u64,
    changed: u64,
    reordered: u64,
    reordered_freely: u64,
    missing_behind_end: u64,
    added_behind_end: u64,
    heartbeats_missing: u64,
    heartbeats_added: u64,
    lone_calls_missing: u64,
    lone_calls_added: u64,
    slower: u64,
    failures: Vec<Failure<'a>>,
    types: BTreeMap<&'a str, Amounts>,
    fields: BTreeMap<String, u64>,
    session_changes: Vec<Change<'a>>,
    version_fields: Vec<VersionField<'a>>,
}

#[derive(Debug, Serialize)]
struct Side {
    sessions: u64,
    messages: u64,
    missing_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Amounts {
    missing: u64,
    added: u64,
    changed: u64,
    reordered: u64,
}

#[derive(Debug, Serialize)]
struct Failure<'a> {
    request: &'a str,
    before: Option<&'static str>,
    now: &'static str,
    code: Option<&'a str>,
    count: u64,
}

#[derive(Debug, Serialize)]
struct VersionField<'a> {
    version: u8,
    field: &'a str,
    messages: u64,
}

#[derive(Debug, Serialize)]
struct Change<'a> {
    what: &'static str,
    old: Option<&'a str>,
    new: Option<&'a str>,
    sessions: u64,
}

/// The records of a comparison, in order; the summary is the last one. `several_inputs` says for old and new whether more than one capture was
/// read.
pub fn differences<'a>(
    comparison: &'a Comparison,
    several_inputs: (bool, bool),
) -> impl Iterator<Item = DifferenceRecord<'a>> {
    let alone = |change, session: SessionView<'a>, is_new: bool| {
        let view = Some(Session::of(session));
        let (old, new) = if is_new { (None, view) } else { (view, None) };
        Inner::Session(Box::new(SessionRecord {
            kind: "diff_session",
            change,
            old,
            new,
            changes: &[],
            differences: 0,
            reordered_freely: 0,
        }))
    };
    let missing = comparison
        .missing_sessions()
        .map(move |session| alone("missing", session, false));
    let added = comparison
        .added_sessions()
        .map(move |session| alone("added", session, true));
    let pairs = comparison.pairs.iter().flat_map(move |pair| {
        let session = std::iter::once(Inner::Session(Box::new(session(comparison, pair))));
        let differences = pair.edits.iter().map(move |edit| {
            Inner::Difference(Box::new(difference(
                comparison,
                pair,
                *edit,
                several_inputs,
            )))
        });
        session.chain(differences)
    });
    let latency = comparison.slower.iter().map(|(number, message, slower)| {
        Inner::Latency(latency(Comparison::type_name(*number, *message), slower))
    });
    let last = std::iter::once_with(|| Inner::Summary(Box::new(summary(comparison))));
    missing
        .chain(added)
        .chain(pairs)
        .chain(latency)
        .chain(last)
        .map(DifferenceRecord)
}

fn session<'a>(comparison: &'a Comparison, pair: &'a Pair) -> SessionRecord<'a> {
    let (old, new) = comparison.sessions(pair);
    let same = pair.edits.is_empty() && pair.changes.is_empty();
    SessionRecord {
        kind: "diff_session",
        change: if same { "same" } else { "different" },
        old: Some(Session::of(old)),
        new: Some(Session::of(new)),
        changes: &pair.changes,
        differences: pair.edits.len(),
        reordered_freely: pair.reordered_freely,
    }
}

fn difference(
    comparison: &Comparison,
    pair: &Pair,
    edit: Edit,
    several_inputs: (bool, bool),
) -> Difference {
    let old = edit
        .old_place()
        .and_then(|old| comparison.old_line(pair, old));
    let new = edit
        .new_place()
        .and_then(|new| comparison.new_line(pair, new));
    let fields = match edit {
        Edit::Changed(old, new) => comparison.field_changes(pair, old, new),
        _ => Vec::new(),
    };
    let any = new.as_ref().or(old.as_ref());
    Difference {
        kind: "difference",
        change: match edit {
            Edit::Missing(_) => "missing",
            Edit::Added(_) => "added",
            Edit::Changed(..) => "changed",
            Edit::Moved(..) => "reordered",
        },
        name: any.map(|line| line.name.clone()).unwrap_or_default(),
        direction: any.map_or("", |line| line.direction.name()),
        old: old.map(|line| Message::of(&line, several_inputs.0)),
        new: new.map(|line| Message::of(&line, several_inputs.1)),
        fields: fields.into_iter().map(Field::from).collect(),
    }
}

fn latency(request: String, slower: &Slower) -> LatencyRecord {
    let rounded = |number: f64, places: f64| (number * places).round() / places;
    LatencyRecord {
        kind: "diff_latency",
        request,
        old: Latency {
            answers: slower.old_count,
            median_ms: Millis(slower.old_median),
            p95_ms: Millis(slower.old_p95),
        },
        new: Latency {
            answers: slower.new_count,
            median_ms: Millis(slower.new_median),
            p95_ms: Millis(slower.new_p95),
        },
        factor: rounded(slower.factor(), 100.0),
        chance: rounded(slower.chance, 1e9),
    }
}

fn summary(comparison: &Comparison) -> SummaryRecord<'_> {
    let summary = &comparison.summary;
    let side = |(sessions, messages): (u64, u64), missing_bytes| Side {
        sessions,
        messages,
        missing_bytes,
    };
    SummaryRecord {
        kind: "diff_summary",
        different: summary.is_different(),
        old: side(summary.old, summary.missing_bytes.0),
        new: side(summary.new, summary.missing_bytes.1),
        sessions_missing: summary.sessions_missing,
        sessions_added: summary.sessions_added,
        sessions_different: summary.sessions_different,
        missing: summary.messages.missing,
        added: summary.messages.added,
        changed: summary.messages.changed,
        reordered: summary.messages.reordered,
        reordered_freely: summary.reordered_freely,
        missing_behind_end: summary.behind_end.0,
        added_behind_end: summary.behind_end.1,
        heartbeats_missing: summary.heartbeats.0,
        heartbeats_added: summary.heartbeats.1,
        lone_calls_missing: summary.lone_calls.0.calls,
        lone_calls_added: summary.lone_calls.1.calls,
        slower: summary.slower,
        failures: summary
            .failures
            .iter()
            .map(|(failure, count)| Failure {
                request: &failure.request,
                before: failure.before,
                now: failure.now,
                code: failure.code.as_deref(),
                count: *count,
            })
            .collect(),
        types: summary
            .by_type
            .iter()
            .map(|(name, amounts)| {
                let amounts = Amounts {
                    missing: amounts.missing,
                    added: amounts.added,
                    changed: amounts.changed,
                    reordered: amounts.reordered,
                };
                (name.as_str(), amounts)
            })
            .collect(),
        fields: summary
            .fields
            .iter()
            .map(|((message, field), of)| (format!("{message}.{field}"), of.count))
            .collect(),
        session_changes: summary
            .session_changes
            .iter()
            .map(|((what, old, new), sessions)| Change {
                what,
                old: old.as_deref(),
                new: new.as_deref(),
                sessions: *sessions,
            })
            .collect(),
        version_fields: summary
            .by_version
            .iter()
            .map(|((version, field), messages)| VersionField {
                version: *version,
                field,
                messages: *messages,
            })
            .collect(),
    }
}
