//! The list of sessions: who talked to whom, by which version, how much, and how it ended.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::finding::Code;
use cti_dissector::record::{Notice, Record, Sink};
use cti_dissector::render::json;
use cti_dissector::render::text::{self, TableOptions};
use cti_dissector::session::{Content, Session};

use crate::args::Format;
use crate::driver::{self, Consumer, Outcome};
use crate::output::{self, Output};
use crate::settings::{SessionsOptions, Settings};

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
    shape: Shape,
    /// Parts that have been written.
    parts: usize,
    out: Output,
    error: Option<io::Error>,
}

/// What the list looks like.
enum Shape {
    Table(TableOptions),
    Json(json::Objects, Box<json::Renderer>),
}

impl Sink for List {
    fn record(&mut self, record: Record<'_>) {
        match record {
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
        if let Shape::Table(_) = self.shape {
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
            Shape::Table(options) => {
                if self.parts > 0 {
                    out.push(b'\n');
                }
                text::table(&mut out, &self.sessions, options);
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
pub fn run(options: SessionsOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let SessionsOptions {
        inputs,
        format,
        zone,
        ascii,
        decoding,
    } = options;
    let mut out = Output::stdout(settings.color);
    let shape = match format {
        Format::Text => Shape::Table(TableOptions {
            zone,
            ascii,
            colour: settings.color,
        }),
        Format::Json | Format::Ndjson => {
            let objects = json::Objects::new(format == Format::Json);
            let mut renderer = Box::new(json::Renderer::new(json::Options {
                show_secrets: false,
                several_inputs: inputs.len() > 1,
            }));
            let mut header = Vec::new();
            objects.open(&mut header, |out| {
                let (tool, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
                renderer.header(out, tool, version, &driver::names(&inputs));
            });
            out.write_all(&header).context("standard output")?;
            Shape::Json(objects, renderer)
        }
    };
    let list = List {
        sessions: Vec::new(),
        doubts: Vec::new(),
        more_doubts: 0,
        empty: 0,
        shape,
        parts: 0,
        out,
        error: None,
    };
    let dissector = driver::options(&decoding, false);
    let mut outcome = driver::dissect(inputs, dissector, decoding.jobs, settings, |_| Ok(list))?;
    outcome.sink.write_part();
    outcome.sink.check()?;
    outcome.sink.doubts.sort_by_key(|doubt| doubt.session);
    outcome.remark(settings);
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
    let mut renderer = json::Renderer::new(json::Options::default());
    for notice in outcome.sink.doubts.iter().chain(&outcome.notices) {
        objects.next(&mut out, |out| {
            renderer.record(out, &Record::Notice(notice));
        });
    }
    objects.next(&mut out, |out| {
        renderer.summary(out, &driver::summary(outcome, None));
    });
    objects.close(&mut out);
    out
}
