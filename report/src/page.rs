//! The page: what its template gets.

use crate::agents::Agents;
use crate::calls::{Call, CallSheets, Ladder};
use crate::collect::Collected;
use crate::findings::{Finding, Verdict, label};
use crate::latencies::Requests;
use crate::limits;
use crate::policy::policy;
use crate::sessions::Session;
use crate::shown::{self, Style, amount, grouped, shown};
use askama::Template;
use cti_dissector::analysis::Statistics;
use cti_dissector::analysis::agents::AgentsReport;
use cti_dissector::record::Notice;
use cti_dissector::render::json::Summary;
use cti_dissector::tally::Tally;
use cti_dissector::triage::Problem;
use jiff::tz::TimeZone;
use std::fmt;

const SCRIPT: &str = concat!(
    include_str!("../assets/shell.js"),
    include_str!("../assets/messages.js")
);
const STYLE: &str = include_str!("../assets/style.css");

/// What was read, and how much of it.
pub struct Scope {
    /// Names of the captures, as the user gave them.
    pub inputs: Vec<String>,
    /// Counts over everything.
    pub summary: Summary,
    /// How many sessions have a selected message, if a selection was asked for.
    pub selected_sessions: Option<u64>,
    /// What is worth telling about the captures themselves.
    pub notices: Vec<Notice>,
}

/// Everything that the page tells.
pub struct Report {
    /// Heading of the page.
    pub title: String,
    /// Name and version of the program.
    pub tool: String,
    /// Time zone of the times.
    pub zone: TimeZone,
    /// What was read.
    pub scope: Scope,
    /// What went wrong, the most important first.
    pub problems: Vec<Problem>,
    /// Calls.
    pub calls: CallSheets,
    /// Agents.
    pub agents: AgentsReport,
    /// Latencies and failures.
    pub statistics: Statistics,
    /// Sessions and messages.
    pub collected: Collected,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: String,
    tool: &'a str,
    policy: String,
    script: &'static str,
    style: &'static str,
    settings: String,
    data: &'a str,
    inputs: Vec<String>,
    zone: String,
    span: Option<String>,
    length: Option<String>,
    verdict: Verdict,
    figures: Vec<Figure>,
    selected: Option<String>,
    /// Messages with findings of their own.
    odd: Option<String>,
    findings: Vec<Finding>,
    more_findings: usize,
    remarks: Vec<Remark>,
    more_remarks: u64,
    sessions: Vec<Session>,
    more_sessions: u64,
    calls: &'a [Call],
    more_calls: u64,
    agents: Agents,
    requests: Requests,
    empty: Option<String>,
    in_table: String,
    /// How many more are in the table because something points at them.
    further: Option<String>,
    counts: Counts,
    left_out: Option<LeftOut>,
}

/// How many there are of what, for the bar.
struct Counts {
    findings: String,
    sessions: String,
    calls: String,
    agents: String,
    messages: String,
}

/// A number of the summary.
struct Figure {
    name: &'static str,
    value: String,
    note: String,
    bad: bool,
    /// The table of messages can show which.
    leads: bool,
}

/// Something worth telling about a session or the captures.
struct Remark {
    severity: &'static str,
    code: &'static str,
    text: String,
    session: Option<u32>,
}

impl Remark {
    fn new(notice: &Notice) -> Self {
        Self {
            severity: notice.code.severity().name(),
            code: notice.code.name(),
            text: shown(&notice.text),
            session: notice.session,
        }
    }

    fn label(&self) -> &'static str {
        label(self.severity)
    }
}

/// Messages that are not in the table.
struct LeftOut {
    count: String,
    when: String,
}

impl Report {
    /// The page, a whole HTML document.
    pub fn page(&self) -> Result<String, fmt::Error> {
        let style = Style::new(self.zone.clone());
        let collected = &self.collected;
        let messages = &collected.messages;
        let summary = &self.scope.summary;
        let several_inputs = self.scope.inputs.len() > 1;
        let ends = summary.first.zip(summary.last);
        let agents = Agents::new(&self.agents, &style, messages);
        let findings = (1..)
            .zip(&self.problems)
            .take(limits::MAX_FINDINGS)
            .map(|(rank, p)| {
                Finding::new(
                    rank,
                    p,
                    messages,
                    &agents,
                    &self.calls,
                    &style,
                    several_inputs,
                )
            });
        let notices = self.scope.notices.iter().chain(&collected.notices);
        let page = Page {
            title: shown(&self.title),
            tool: &self.tool,
            policy: policy(SCRIPT, STYLE),
            script: SCRIPT,
            style: STYLE,
            settings: settings(),
            data: &messages.data,
            inputs: self.scope.inputs.iter().map(|name| shown(name)).collect(),
            zone: style.zone(summary.first.unwrap_or_default()),
            span: ends.map(|(first, last)| style.span(first, last)),
            length: ends.map(|(first, last)| style.duration(last.nanos_since(first))),
            verdict: Verdict::of(&self.problems, summary.totals.messages == 0),
            figures: figures(&self.scope, &self.calls, &self.agents),
            selected: summary.selected.map(|selected| {
                let sessions = self.scope.selected_sessions.unwrap_or(0);
                format!(
                    "{} of {} in {} of {}",
                    grouped(selected),
                    amount(summary.totals.messages, "message", "messages"),
                    grouped(sessions),
                    amount(summary.totals.sessions, "session", "sessions")
                )
            }),
            odd: (messages.odd > 0).then(|| match messages.odd {
                1 => "1 message has findings of its own".to_owned(),
                odd => format!("{} messages have findings of their own", grouped(odd)),
            }),
            findings: findings.collect(),
            more_findings: self.problems.len().saturating_sub(limits::MAX_FINDINGS),
            remarks: notices.map(Remark::new).collect(),
            more_remarks: collected.more_notices,
            sessions: collected
                .sessions
                .iter()
                .map(|session| Session::new(session, &style))
                .collect(),
            more_sessions: collected.more_sessions,
            calls: &self.calls.calls,
            more_calls: self.calls.more,
            empty: (collected.empty > 0)
                .then(|| amount(collected.empty, "connection", "connections")),
            in_table: amount(
                length(&messages.kept).saturating_sub(messages.further),
                "message",
                "messages",
            ),
            further: (messages.further > 0).then(|| grouped(messages.further)),
            counts: Counts {
                findings: grouped(length(&self.problems)),
                sessions: grouped(length(&collected.sessions)),
                calls: grouped(length(&self.calls.calls)),
                agents: grouped(length(&agents.agents)),
                messages: grouped(length(&messages.kept)),
            },
            left_out: messages.beyond.map(|(first, last)| LeftOut {
                count: amount(messages.left_out, "message", "messages"),
                when: style.span(first, last),
            }),
            agents,
            requests: Requests::new(&self.statistics, &style, messages),
        };
        page.render().map_err(|_| fmt::Error)
    }
}

fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

fn figures(scope: &Scope, calls: &CallSheets, agents: &AgentsReport) -> Vec<Figure> {
    let summary = &scope.summary;
    let totals = &summary.totals;
    let requests = &totals.requests;
    let figure = |name, number: u64, note: String| Figure {
        name,
        value: grouped(number),
        note,
        bad: false,
        leads: false,
    };
    let bad = |name, number: u64, note: &str, leads: bool| Figure {
        name,
        value: grouped(number),
        note: note.to_owned(),
        bad: number > 0,
        leads: leads && number > 0,
    };
    // What was looked at, where that is not all.
    let part = |name, selected: Option<u64>, all: u64, note: String| match selected {
        Some(some) => figure(name, some, format!("of {}, {note}", grouped(all))),
        None => figure(name, all, note),
    };
    let of_sessions = if totals.encrypted > 0 {
        format!("{} encrypted", grouped(totals.encrypted))
    } else {
        format!(
            "{} over TCP",
            amount(totals.connections, "connection", "connections")
        )
    };
    let known = || agents.agents.iter().filter(|agent| agent.selected);
    let selected = u64::try_from(known().count()).unwrap_or(u64::MAX);
    let answered = known().map(|agent| agent.calls.answered).sum();
    vec![
        part(
            "Messages",
            summary.selected,
            totals.messages,
            format!("in {}", amount(summary.packets, "packet", "packets")),
        ),
        part(
            "Sessions",
            scope.selected_sessions,
            totals.sessions,
            of_sessions,
        ),
        figure("Calls", calls.outcomes.values().sum(), went(calls)),
        figure(
            "Agents",
            selected,
            format!("{} answered", amount(answered, "call", "calls")),
        ),
        figure("Requests", requests.made, made(requests)),
        bad(
            "Failed",
            requests.failed,
            "requests answered by a failure",
            true,
        ),
        bad(
            "Unanswered",
            requests.unanswered,
            "requests without an answer",
            true,
        ),
        bad(
            "Missing bytes",
            totals.missing,
            "not captured, though sent",
            false,
        ),
    ]
}

/// What became of the requests that neither failed nor lack an answer.
fn made(requests: &Tally) -> String {
    let mut words = vec![format!("{} answered", grouped(requests.answered))];
    for (count, what) in [
        (requests.open, "open at the end of the capture"),
        (requests.not_judged, "not judged"),
    ] {
        if count > 0 {
            words.push(format!("{} {what}", grouped(count)));
        }
    }
    words.join(", ")
}

/// How calls went, the most frequent first.
fn went(calls: &CallSheets) -> String {
    let mut outcomes: Vec<_> = calls.outcomes.iter().collect();
    outcomes.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let outcomes = outcomes.into_iter();
    let words: Vec<String> = outcomes
        .map(|(outcome, count)| format!("{} {}", grouped(*count), outcome.name().replace('_', " ")))
        .collect();
    words.join(", ")
}

/// What the script needs to know, as JSON that may stand in a script element.
fn settings() -> String {
    let harmful = shown::harmful_class();
    serde_json::json!({ "harmful": harmful })
        .to_string()
        .replace('<', "\\u003c")
}
