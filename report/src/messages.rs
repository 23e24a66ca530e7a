//! The messages for the page's table: one JSON object a line, packed.

use crate::packed::Packer;
use crate::shown::{Style, grouped};
use cti_dissector::Timestamp;
use cti_dissector::analysis::{AgentStates, Seen};
use cti_dissector::correlate::{Exchange, OutcomeKind};
use cti_dissector::finding::Severity;
use cti_dissector::protocol::Kind;
use cti_dissector::record::Record;
use cti_dissector::render::json::{self, Renderer};
use cti_dissector::render::text::words;
use cti_dissector::tally::is_unanswered;
use serde::Serialize;
use std::collections::BTreeSet;

/// What a line of the table shows without being opened. The record follows it.
#[derive(Serialize)]
struct Row<'a> {
    kind: &'static str,
    day: &'a str,
    at: &'a str,
    gist: &'a str,
    class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// The message refuses something, or is wrong.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bad: bool,
}

/// What became of a request; the record follows it.
#[derive(Serialize)]
struct Became<'a> {
    kind: &'static str,
    no: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<u64>,
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bad: bool,
}

/// What stands between the messages: gaps, sessions without OPEN_REQ, findings about sessions.
#[derive(Serialize)]
struct Aside<'a> {
    kind: &'static str,
    day: &'a str,
    at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u32>,
    text: &'a str,
    /// Something is missing or wrong.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bad: bool,
}

/// Gathers the messages that were selected: the first ones of them, and those that were asked for besides.
pub(crate) struct Messages {
    style: Style,
    most: usize,
    /// Numbers of messages that are kept wherever they stand.
    also: BTreeSet<u64>,
    /// Numbers of those in the table, in order.
    kept: Vec<u64>,
    /// How many of these are kept beyond the first ones.
    further: u64,
    asides: usize,
    left_out: u64,
    /// How many were left out since the last one that was kept, and when the first of them came.
    skipped: Option<(u64, Timestamp)>,
    /// Messages in the table that have findings.
    odd: u64,
    /// Times of the first and the last one that are not in the table.
    beyond: Option<(Timestamp, Timestamp)>,
    agents: AgentStates,
    renderer: Renderer,
    line: Vec<u8>,
    packer: Packer,
}

/// The messages, ready for the page.
pub(crate) struct Packed {
    /// Lines of JSON, compressed (RFC 1951) and in Base64.
    pub data: String,
    /// Numbers of those in the table, in order.
    pub kept: Vec<u64>,
    /// How many of these are not among the first ones.
    pub further: u64,
    /// How many are not.
    pub left_out: u64,
    /// How many in the table have findings.
    pub odd: u64,
    /// Times of the first and the last one that are not.
    pub beyond: Option<(Timestamp, Timestamp)>,
}

impl Packed {
    /// Whether the table has a message.
    pub fn has(&self, no: u64) -> bool {
        self.kept.binary_search(&no).is_ok()
    }
}

impl Messages {
    pub fn new(style: Style, most: usize, also: BTreeSet<u64>, several_inputs: bool) -> Self {
        Self {
            style,
            most,
            also,
            kept: Vec::new(),
            further: 0,
            asides: 0,
            left_out: 0,
            skipped: None,
            odd: 0,
            beyond: None,
            agents: AgentStates::new(),
            renderer: Renderer::new(json::Options {
                show_secrets: false,
                several_inputs,
            }),
            line: Vec::new(),
            packer: Packer::new(),
        }
    }

    pub fn message(&mut self, seen: &Seen<'_>) {
        let (info, view) = (seen.info, seen.view);
        // What is not shown changes the states of agents as well.
        let change = self.agents.note(info, view);
        if !seen.selected {
            return;
        }
        if self.kept.len() >= self.most {
            if !self.also.contains(&info.no) {
                self.leave_out(info.time);
                return;
            }
            self.further += 1;
            self.tell_skipped();
        }
        self.kept.push(info.no);
        let (day, at) = self.style.day_and_time(info.time);
        let refuses = info.message.is_some_and(|m| m.failure.is_some());
        let class = match info.message.map(|m| m.kind) {
            None => "unknown",
            Some(_) if refuses => "failure",
            Some(Kind::Request) => "request",
            Some(Kind::Confirmation | Kind::Response) => "answer",
            Some(Kind::Event | Kind::Indication) => "event",
        };
        let mut findings = info.findings.iter().chain(view.findings());
        let odd = !info.findings.is_empty() || !view.findings().is_empty();
        self.odd += u64::from(odd);
        let row = Row {
            kind: "row",
            day: &day,
            at: &at,
            gist: &words::gist(info, view, change),
            class,
            answer: words::answer(info),
            bad: refuses || findings.any(|f| f.code.severity() == Severity::Error),
        };
        self.begin(&row);
        self.line.extend_from_slice(b",\"record\":");
        self.renderer.view(&mut self.line, info, view);
        self.end();
    }

    fn leave_out(&mut self, time: Timestamp) {
        self.left_out += 1;
        let (first, _) = self.beyond.unwrap_or((time, time));
        self.beyond = Some((first, time));
        let (skipped, since) = self.skipped.unwrap_or((0, time));
        self.skipped = Some((skipped + 1, since));
    }

    /// Says in the table that messages are left out at this place.
    fn tell_skipped(&mut self) {
        let Some((count, since)) = self.skipped.take() else {
            return;
        };
        let (day, at) = self.style.day_and_time(since);
        self.begin(&Aside {
            kind: "aside",
            day: &day,
            at: &at,
            session: None,
            text: &match count {
                1 => "1 message is left out here".to_owned(),
                count => format!("{} messages are left out here", grouped(count)),
            },
            bad: false,
        });
        self.end();
    }

    pub fn exchange(&mut self, exchange: &Exchange) {
        let Some(request) = exchange.request else {
            return;
        };
        if self.kept.binary_search(&request.no).is_err() {
            return;
        }
        let outcome = &exchange.outcome;
        self.begin(&Became {
            kind: "became",
            no: request.no,
            by: outcome.answer.map(|part| part.no),
            text: &words::outcome(outcome),
            bad: matches!(outcome.kind, OutcomeKind::Failed | OutcomeKind::WrongAnswer)
                || is_unanswered(outcome.kind, &request),
        });
        self.line.extend_from_slice(b",\"record\":");
        self.renderer
            .record(&mut self.line, &Record::Exchange(exchange));
        self.end();
    }

    pub fn aside(&mut self, record: &Record<'_>) {
        let (session, time) = match record {
            Record::SessionBegan(session) => (Some(session.peers.session), Some(session.first)),
            Record::SessionEnded(session) => (Some(session.peers.session), Some(session.last)),
            Record::Break(broken) => (Some(broken.peers.session), Some(broken.details.time)),
            Record::Notice(notice) => (notice.session, notice.time),
            _ => return,
        };
        let (Some(time), Some(text)) = (time, words::aside(record)) else {
            return;
        };
        if self.asides >= self.most || self.left_out > 0 {
            return;
        }
        self.asides += 1;
        let (day, at) = self.style.day_and_time(time);
        self.begin(&Aside {
            kind: "aside",
            day: &day,
            at: &at,
            session,
            text: &text,
            bad: match record {
                Record::Break(_) => true,
                Record::Notice(notice) => notice.code.severity() > Severity::Info,
                _ => false,
            },
        });
        self.end();
    }

    pub fn finish(mut self) -> Packed {
        self.tell_skipped();
        Packed {
            data: self.packer.finish(),
            kept: self.kept,
            further: self.further,
            left_out: self.left_out,
            odd: self.odd,
            beyond: self.beyond,
        }
    }

    /// Begins a line: an object that is still open.
    fn begin(&mut self, object: &impl Serialize) {
        self.line.clear();
        // Our own types have no keys that are not text, and memory takes all.
        let _ = serde_json::to_writer(&mut self.line, object);
        self.line.pop();
    }

    fn end(&mut self) {
        self.line.extend_from_slice(b"}\n");
        self.packer.write(&self.line);
    }
}
