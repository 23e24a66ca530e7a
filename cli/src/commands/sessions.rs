//! The list of sessions: who talked to whom, by which version, how much, and how it ended.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::capture::Input as _;
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

/// Findings about single sessions that are told.
const MAX_DOUBTS: usize = 1000;

/// Sessions that have ended.
#[derive(Default)]
struct List {
    sessions: Vec<Session>,
    /// What makes one doubt what was decoded of a session; and how many are not kept.
    doubts: Vec<Notice>,
    more_doubts: usize,
    empty: usize,
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

impl List {
    /// Tells findings about sessions that the output has no place for.
    fn remark(&self, format: Format) {
        let shown = if format == Format::Text {
            self.doubts.as_slice()
        } else {
            &[]
        };
        for doubt in shown {
            let session = doubt.session.unwrap_or_default();
            output::remark(&format!("S{session}: {}", doubt.text));
        }
        if self.more_doubts > 0 {
            let more = self.more_doubts;
            output::remark(&format!(
                "{more} more findings about sessions are not listed"
            ));
        }
    }

    #[cold]
    fn ended(&mut self, session: &Session) {
        if session.content == Content::Nothing {
            self.empty += 1;
            if self.empty > MAX_EMPTY {
                return;
            }
        }
        self.sessions.push(session.clone());
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
}

impl Consumer for List {}

/// Runs it.
pub fn run(options: SessionsOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let SessionsOptions {
        inputs,
        format,
        zone,
        ascii,
        decoding,
    } = options;
    let names: Vec<json::Input> = inputs
        .iter()
        .map(|i| json::Input {
            name: i.name().to_owned(),
        })
        .collect();
    let several_inputs = inputs.len() > 1;
    let dissector = driver::options(&decoding, false);
    let mut outcome = driver::dissect(inputs, dissector, settings, |_| Ok(List::default()))?;
    outcome.remark(settings);
    outcome.sink.doubts.sort_by_key(|doubt| doubt.session);
    if !settings.quiet {
        outcome.sink.remark(format);
    }
    outcome.sink.sessions.sort_by_key(|s| s.peers.session);
    let mut out = Vec::new();
    match format {
        Format::Text if outcome.sink.sessions.is_empty() => {}
        Format::Text => {
            text::table(
                &mut out,
                &outcome.sink.sessions,
                &TableOptions {
                    zone,
                    ascii,
                    colour: settings.color,
                },
            );
        }
        Format::Json | Format::Ndjson => {
            as_json(&mut out, &outcome, format, &names, several_inputs)
        }
    }
    let left_out = outcome.sink.empty.saturating_sub(MAX_EMPTY);
    if left_out > 0 && !settings.quiet {
        output::remark(&format!(
            "{left_out} more connections without any readable byte are not listed"
        ));
    }
    let mut stdout = Output::stdout(settings.color);
    stdout.write_all(&out).context("standard output")?;
    stdout.finish()?;
    Ok(driver::exit_code(outcome.failed))
}

fn as_json(
    out: &mut Vec<u8>,
    outcome: &Outcome<List>,
    format: Format,
    names: &[json::Input],
    several_inputs: bool,
) {
    let mut renderer = json::Renderer::new(json::Options {
        show_secrets: false,
        several_inputs,
    });
    let objects = json::Objects::new(format == Format::Json);
    objects.open(out, |out| {
        renderer.header(
            out,
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            names,
        );
    });
    for session in &outcome.sink.sessions {
        objects.next(out, |out| {
            renderer.record(out, &Record::SessionEnded(session))
        });
    }
    for notice in outcome.sink.doubts.iter().chain(&outcome.notices) {
        objects.next(out, |out| renderer.record(out, &Record::Notice(notice)));
    }
    objects.next(out, |out| {
        renderer.summary(out, &driver::summary(outcome, None))
    });
    objects.close(out);
}
