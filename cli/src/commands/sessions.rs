//! The list of sessions: who talked to whom, by which version, how much, and how it ended.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::finding::Code;
use cti_dissector::record::{Notice, Record, Sink};
use cti_dissector::render::text::sessions;
use cti_dissector::render::{json, table};
use cti_dissector::select::Selector;
use cti_dissector::session::{Content, Session};

use crate::args::TableFormat;
use crate::driver::{self, Consumer, Outcome};
use crate::output::{self, Output};
use crate::settings::{Settings, StudyOptions};

/// Connections without any readable byte that are listed; a port scan may leave millions.
const MAX_EMPTY: usize = 1000;

/// Sessions that are put in order before they are listed. Beyond it they are listed in parts, each in order, so that memory
/// does not grow with the capture.
const MAX_PART: usize = 8192;

/// Findings about single sessions that are told.
const MAX_DOUBTS: usize = 1000;

/// Sessions that have ended, on their way to standard output.
struct List {
    sessions: Vec<Session>,
    /// What makes one doubt what was decoded of a session; and how many are not kept.
    doubts: Vec<Notice>,
    more_doubts: usize,
    empty: usize,
    /// What is asked for, and the sessions under way of which a message was.
    selector: Selector,
    touched: BTreeSet<u32>,
    shape: Shape,
    /// Parts that have been written.
    parts: usize,
    out: Output,
    error: Option<io::Error>,
}

/// What the list looks like.
enum Shape {
    Table(table::Look),
    Csv,
    Json(json::Objects, Box<json::Renderer>),
}

impl Sink for List {
    fn record(&mut self, record: Record<'_>) {
        match record {
            Record::Message(info, _)
                if !self.selector.is_empty() && self.selector.accepts(&record) =>
            {
                self.touched.insert(info.peers.session);
            }
            Record::SessionEnded(session) => self.ended(session),
            Record::Notice(notice) => self.notice(notice),
            _ => {}
        }
    }
}

impl Consumer for List {
    fn check(&mut self) -> anyhow::Result<()> {
        match self.error.take() {
            Some(error) => Err(error).context("standard output"),
            None => Ok(()),
        }
    }
}

impl List {
    #[cold]
    fn ended(&mut self, session: &Session) {
        let touched = self.touched.remove(&session.peers.session);
        if !touched && !self.selector.lasts_into(session) {
            return;
        }
        if session.content == Content::Nothing {
            self.empty += 1;
            if self.empty > MAX_EMPTY {
                return;
            }
        }
        self.sessions.push(session.clone());
        if self.sessions.len() >= MAX_PART {
            self.write_part();
        }
    }

    #[cold]
    fn notice(&mut self, notice: &Notice) {
        if notice.code != Code::ConflictingRetransmission {
            return;
        }
        if self.doubts.len() < MAX_DOUBTS {
            self.doubts.push(notice.clone());
        } else {
            self.more_doubts += 1;
        }
    }

    /// Tells findings about sessions where the output has no place for them.
    fn remark(&self) {
        if !matches!(self.shape, Shape::Json(..)) {
            for doubt in &self.doubts {
                let session = doubt.session.unwrap_or_default();
                output::remark(&format!("S{session}: {}", doubt.text));
            }
        }
        if self.more_doubts > 0 {
            let more = self.more_doubts;
            output::remark(&format!(
                "{more} more findings about sessions are not listed"
            ));
        }
    }

    /// Lists the sessions that have ended by now.
    fn write_part(&mut self) {
        if self.sessions.is_empty() || self.error.is_some() {
            return;
        }
        self.sessions.sort_by_key(|s| s.peers.session);
        let mut out = Vec::new();
        match &mut self.shape {
            Shape::Table(look) => {
                if self.parts > 0 {
                    out.push(b'\n');
                }
                let rows: Vec<_> = self
                    .sessions
                    .iter()
                    .map(|s| sessions::row(s, look.ascii))
                    .collect();
                table::text(&mut out, &sessions::COLUMNS, &rows, look);
            }
            Shape::Csv => {
                let rows: Vec<_> = self
                    .sessions
                    .iter()
                    .map(|s| sessions::row(s, true))
                    .collect();
                table::csv_rows(&mut out, &rows);
            }
            Shape::Json(objects, renderer) => {
                for session in &self.sessions {
                    objects.next(&mut out, |out| {
                        renderer.record(out, &Record::SessionEnded(session));
                    });
                }
            }
        }
        self.sessions.clear();
        self.parts += 1;
        self.error = self.out.write_all(&out).err();
    }
}

/// Runs it.
pub fn run(options: StudyOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let StudyOptions {
        inputs,
        selection,
        view,
        decoding,
    } = options;
    let mut out = Output::stdout(settings.color);
    let mut head = Vec::new();
    let shape = match view.format {
        TableFormat::Text => Shape::Table(view.look),
        TableFormat::Csv => {
            table::csv_heading(&mut head, &sessions::COLUMNS);
            Shape::Csv
        }
        TableFormat::Json | TableFormat::Ndjson => {
            let objects = json::Objects::new(view.format == TableFormat::Json);
            let mut renderer = Box::new(json::Renderer::new(json::Options {
                show_secrets: false,
                several_inputs: inputs.len() > 1,
            }));
            objects.open(&mut head, |out| {
                let (tool, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
                renderer.header(out, tool, version, &driver::names(&inputs));
            });
            Shape::Json(objects, renderer)
        }
    };
    out.write_all(&head).context("standard output")?;
    let list = |start| List {
        sessions: Vec::new(),
        doubts: Vec::new(),
        more_doubts: 0,
        empty: 0,
        selector: Selector::new(selection.criteria(start)),
        touched: BTreeSet::new(),
        shape,
        parts: 0,
        out,
        error: None,
    };
    // Whether a request is selected may show only when its outcome does.
    let dissector = driver::options(&decoding, selection.asks_for_outcomes());
    let mut outcome = driver::dissect(inputs, dissector, decoding.jobs, settings, |start| {
        Ok(list(start))
    })?;
    outcome.sink.write_part();
    outcome.sink.check()?;
    outcome.sink.doubts.sort_by_key(|doubt| doubt.session);
    outcome.remark(settings);
    outcome.remark_nothing_selected(&outcome.sink.selector, settings);
    if !settings.quiet {
        outcome.sink.remark();
    }
    let list = &outcome.sink;
    let left_out = list.empty.saturating_sub(MAX_EMPTY);
    if left_out > 0 && !settings.quiet {
        output::remark(&format!(
            "{left_out} more connections without any readable byte are not listed"
        ));
    }
    if list.parts > 1 && !settings.quiet {
        output::remark(&format!(
            "so many sessions are listed in {} parts, each in order",
            list.parts
        ));
    }
    let tail = tail(&outcome);
    let failed = outcome.failed;
    let mut out = outcome.sink.out;
    out.write_all(&tail).context("standard output")?;
    out.finish()?;
    Ok(driver::exit_code(failed))
}

/// What stands behind the sessions: in JSON, findings about sessions and the capture, and the summary.
fn tail(outcome: &Outcome<List>) -> Vec<u8> {
    let mut out = Vec::new();
    let Shape::Json(objects, _) = &outcome.sink.shape else {
        return out;
    };
    let selector = &outcome.sink.selector;
    let selected = (!selector.is_empty()).then(|| selector.selected());
    let mut renderer = json::Renderer::new(json::Options::default());
    for notice in outcome.sink.doubts.iter().chain(&outcome.notices) {
        objects.next(&mut out, |out| {
            renderer.record(out, &Record::Notice(notice));
        });
    }
    objects.next(&mut out, |out| {
        renderer.summary(out, &driver::summary(outcome, selected));
    });
    objects.close(&mut out);
    out
}
