//! Calls, as the page shows them: a row each, and the story of each as a ladder diagram.

use crate::limits::{MAX_CALL_VARIABLES, MAX_CALLS, MAX_LADDERS, MAX_PLAIN_LADDERS};
use crate::packed;
use crate::sessions::Count;
use crate::shown::{Style, grouped, shown};
use cti_dissector::analysis::calls::{self, CallSink};
use cti_dissector::render::svg;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Takes calls as they are told, and keeps what the page shows of them.
pub struct CallSheets {
    style: Style,
    zone: TimeZone,
    pub(crate) calls: Vec<Call>,
    pub(crate) more: u64,
    /// How all of them went.
    pub(crate) outcomes: BTreeMap<calls::Outcome, u64>,
    /// Bytes of ladders that stand in the page as they are, and of packed ones.
    plain: usize,
    packed: usize,
}

/// A call.
pub(crate) struct Call {
    pub no: u64,
    pub numbers: Vec<u32>,
    pub ids: String,
    pub began: String,
    pub length: String,
    pub caller: String,
    pub dialed: String,
    pub agents: String,
    pub outcome: String,
    /// Queue, ring, talk, hold.
    pub times: [String; 4],
    pub ended_by: String,
    pub cause: String,
    pub features: String,
    pub messages: String,
    /// Numbers of the messages that its ladder and its failures lead to.
    pub named: Vec<u64>,
    pub failed: Count,
    /// Facts that the list has no room for.
    pub facts: Vec<(&'static str, String)>,
    /// Requests that failed.
    pub failures: Vec<Failure>,
    pub more_failures: u64,
    /// Call variables and other call data as they were last.
    pub variables: Vec<(String, String)>,
    pub more_variables: usize,
    pub ladder: Ladder,
}

/// A request that failed.
pub(crate) struct Failure {
    pub no: u64,
    pub name: &'static str,
    pub reason: String,
}

/// The story of a call as SVG.
pub(crate) enum Ladder {
    /// As it is.
    Plain(String),
    /// Compressed (RFC 1951) and in Base64; the script puts it in its place.
    Packed(String),
    /// Too much.
    LeftOut,
}

impl CallSheets {
    /// No call yet.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self {
            style: Style::new(zone.clone()),
            zone,
            calls: Vec::new(),
            more: 0,
            outcomes: BTreeMap::new(),
            plain: 0,
            packed: 0,
        }
    }

    /// The number of a call in the page, by a call ID.
    pub(crate) fn number(&self, id: u32) -> Option<u64> {
        let call = self.calls.iter().find(|call| call.numbers.contains(&id))?;
        Some(call.no)
    }

    /// Numbers of messages that calls of the page lead to.
    pub(crate) fn named(&self) -> impl Iterator<Item = u64> {
        self.calls
            .iter()
            .flat_map(|call| call.named.iter().copied())
    }

    fn ladder(&mut self, call: &calls::Call) -> Ladder {
        if self.packed >= MAX_LADDERS {
            return Ladder::LeftOut;
        }
        let mut out = Vec::new();
        svg::linked_ladder(&mut out, call, &self.zone);
        if self.plain.saturating_add(out.len()) <= MAX_PLAIN_LADDERS {
            self.plain += out.len();
            return Ladder::Plain(String::from_utf8_lossy(&out).into_owned());
        }
        let packed = packed::pack(&out);
        self.packed += packed.len();
        Ladder::Packed(packed)
    }

    fn sheet(&mut self, call: &calls::Call) -> Call {
        let ladder = self.ladder(call);
        let failed = call.failed_requests.iter().map(|failed| failed.no);
        let steps = call
            .steps
            .iter()
            .filter(|_| !matches!(ladder, Ladder::LeftOut));
        let steps = steps
            .filter_map(|step| step.sightings.first())
            .map(|s| s.no);
        let named = failed.chain(steps).collect();
        let style = &self.style;
        let text = |text: Option<&String>| text.map_or_else(dash, |t| shown(t));
        let list = |names: Vec<String>| match names.is_empty() {
            true => dash(),
            false => names.join(", "),
        };
        let span = |nanos: i64| match nanos {
            0 => dash(),
            nanos => style.duration(nanos),
        };
        let ids: Vec<String> = call.ids.iter().map(|id| id.id.to_string()).collect();
        let ended_by = call.ended_by.and_then(|index| call.parties.get(index));
        let times = call.times;
        let variables = call.variables.iter();
        let failures = u64::try_from(call.failed_requests.len()).unwrap_or(u64::MAX);
        Call {
            no: call.no,
            numbers: call.ids.iter().map(|id| id.id).collect(),
            ids: list(ids),
            began: style.moment(call.first),
            length: style.duration(call.duration()),
            caller: text(call.ani.as_ref()),
            dialed: text(call.dialed.as_ref().or(call.dnis.as_ref())),
            agents: list(call.agents().into_iter().map(shown).collect()),
            outcome: call.outcome.name().replace('_', " "),
            times: [times.queue, times.ring, times.talk, times.hold].map(span),
            ended_by: ended_by.map_or_else(dash, |party| shown(&party.label())),
            cause: call.cause_name().unwrap_or_else(dash),
            features: list(
                call.features
                    .iter()
                    .map(|feature| feature.name().replace('_', " "))
                    .collect(),
            ),
            messages: grouped(call.messages),
            named,
            failed: Count::new(call.failed_request_count),
            facts: facts(call, style),
            failures: call
                .failed_requests
                .iter()
                .map(|failed| Failure {
                    no: failed.no,
                    name: failed.name,
                    reason: failed.reason(),
                })
                .collect(),
            more_failures: call.failed_request_count.saturating_sub(failures),
            variables: variables
                .take(MAX_CALL_VARIABLES)
                .map(|(name, value)| (shown(name), shown(value)))
                .collect(),
            more_variables: call.variables.len().saturating_sub(MAX_CALL_VARIABLES),
            ladder,
        }
    }
}

impl CallSink for CallSheets {
    fn call(&mut self, call: calls::Call) {
        if !call.selected {
            return;
        }
        let outcomes = self.outcomes.entry(call.outcome).or_default();
        *outcomes = outcomes.saturating_add(1);
        if self.calls.len() >= MAX_CALLS {
            self.more += 1;
            return;
        }
        let sheet = self.sheet(&call);
        self.calls.push(sheet);
    }
}

fn facts(call: &calls::Call, style: &Style) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut list = |name, values: Vec<String>| {
        if !values.is_empty() {
            facts.push((name, values.join(", ")));
        }
    };
    let parties = call.parties.iter();
    list("Parties", parties.map(|p| shown(&p.label())).collect());
    list("Type", call.call_type_name().into_iter().collect());
    list("DNIS", call.dnis.iter().map(|dnis| shown(dnis)).collect());
    list(
        "Router call key",
        call.router_keys.iter().map(ToString::to_string).collect(),
    );
    list("Call reference", call.references.clone());
    list(
        "Skill groups",
        call.skill_groups.iter().map(ToString::to_string).collect(),
    );
    list(
        "Answered after",
        call.answered_after
            .map(|nanos| style.duration(nanos))
            .into_iter()
            .collect(),
    );
    list(
        "Sessions",
        call.sessions.iter().map(|s| format!("S{s}")).collect(),
    );
    list(
        "Findings",
        call.findings
            .iter()
            .map(|(code, count)| format!("{} {}", grouped(*count), code.name()))
            .collect(),
    );
    facts
}

fn dash() -> String {
    "–".to_owned()
}
