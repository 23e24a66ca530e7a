//! Follows calls through captures and writes them as they are told: what the commands about calls have in common.

use std::io::{self, Write as _};

use anyhow::Context as _;
use cti_dissector::Timestamp;
use cti_dissector::analysis::Study;
use cti_dissector::analysis::calls::{Call, CallOptions, CallSink, Calls, Reached};
use cti_dissector::finding::Code;
use cti_dissector::limits;
use cti_dissector::record::{Notice, Record, Sink};
use cti_dissector::render::json;
use cti_dissector::select::Selector;

use crate::args::TableFormat;
use crate::driver::{self, Consumer, Outcome};
use crate::inputs::FileInput;
use crate::output::{self, Output};
use crate::settings::{Decoding, Selection, Settings};

/// Writes calls in some form.
pub trait Show {
    /// What stands before all calls.
    fn open(&mut self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// The next call. It may be kept until the next [`flush`](Self::flush).
    fn call(&mut self, out: &mut Vec<u8>, call: &Call);

    /// Nothing more comes for a while: what was kept.
    fn flush(&mut self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// What stands behind all calls.
    fn close(&mut self, out: &mut Vec<u8>, end: &End) {
        let _ = (out, end);
    }
}

/// What came of a run.
pub struct End {
    /// The run itself; limits that were reached are among its notices.
    pub outcome: Outcome<()>,
    /// How many messages were selected, if a selection was asked for.
    pub selected: Option<u64>,
}

/// Calls on their way to standard output.
struct Writer<S> {
    show: S,
    out: Output,
    buffer: Vec<u8>,
    /// Writing went wrong; nothing more is written.
    error: Option<io::Error>,
}

impl<S> Writer<S> {
    fn write(&mut self) {
        if self.error.is_none()
            && let Err(error) = self.out.write_all(&self.buffer)
        {
            self.error = Some(error);
        }
        self.buffer.clear();
    }
}

impl<S: Show> CallSink for Writer<S> {
    fn call(&mut self, call: Call) {
        if self.error.is_none() {
            self.show.call(&mut self.buffer, &call);
            self.write();
        }
    }
}

/// Calls at work.
struct Run<S>(Study<Calls<Writer<S>>>);

impl<S: Show> Sink for Run<S> {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl<S: Show> Consumer for Run<S> {
    fn check(&mut self) -> anyhow::Result<()> {
        match self.0.analysis().sink().error.take() {
            Some(error) => Err(error).context("standard output"),
            None => Ok(()),
        }
    }

    fn pause(&mut self) -> anyhow::Result<()> {
        let writer = self.0.analysis().sink();
        writer.show.flush(&mut writer.buffer);
        writer.write();
        writer.out.flush().context("standard output")
    }
}

/// Reads the captures and shows their calls, with the stories of those that go by the name of `only`; remarks are made on standard error.
/// Gives back what showed them.
pub fn run<S: Show>(
    inputs: Vec<FileInput>,
    selection: &Selection,
    decoding: &Decoding,
    settings: &Settings,
    only: Option<&str>,
    mut show: S,
) -> anyhow::Result<(S, End)> {
    // Whether a request is selected may show only when its outcome does.
    let dissector = driver::options(decoding, selection.asks_for_outcomes());
    let mut head = Vec::new();
    show.open(&mut head);
    let make = |start: Timestamp| {
        let writer = Writer {
            show,
            out: Output::stdout(settings.color),
            buffer: head,
            error: None,
        };
        let selector = Selector::new(selection.criteria(start));
        let options = CallOptions {
            stories: only.is_some(),
            in_order: true,
        };
        let mut calls = Calls::new(options, writer);
        if let Some(name) = only {
            calls = calls.only(name);
        }
        Ok(Run(Study::new(calls, selector)))
    };
    let outcome = driver::dissect(inputs, dissector, decoding.jobs, settings, make)?;
    outcome.remark(settings);
    outcome.remark_nothing_selected(outcome.sink.0.selector(), settings);
    let (run, mut outcome) = outcome.take();
    let selector = run.0.selector();
    let selected = (!selector.is_empty()).then(|| selector.selected());
    let (mut writer, reached) = run.0.finish().finish();
    for notice in notices(reached) {
        if !settings.quiet {
            output::remark(&notice.text);
        }
        outcome.notices.push(notice);
    }
    let end = End { outcome, selected };
    writer.show.flush(&mut writer.buffer);
    writer.show.close(&mut writer.buffer, &end);
    writer.write();
    if let Some(error) = writer.error {
        return Err(error).context("standard output");
    }
    writer.out.finish()?;
    Ok((writer.show, end))
}

/// Limits that were reached, as findings about the capture.
pub fn notices(reached: Reached) -> Vec<Notice> {
    let calls = |n| driver::amount(n, "call", "calls");
    let told = [
        (
            reached.told_early,
            format!(
                "{} told before the end: more than {} at a time",
                calls(reached.told_early),
                limits::MAX_CALLS
            ),
        ),
        (
            reached.not_joined,
            format!(
                "{} not joined to others: more than {} call IDs in one",
                calls(reached.not_joined),
                limits::MAX_CALL_LEGS
            ),
        ),
        (
            reached.out_of_order,
            format!(
                "{} told out of order: more than {} wait for an older one to end",
                calls(reached.out_of_order),
                limits::MAX_WAITING_CALLS
            ),
        ),
        (
            reached.steps_left_out,
            format!(
                "{} of stories left out: too many at a time",
                driver::amount(reached.steps_left_out, "step", "steps")
            ),
        ),
    ];
    let told = told.into_iter().filter(|(count, _)| *count > 0);
    told.map(|(_, text)| Notice {
        code: Code::BufferLimit,
        text,
        time: None,
        session: None,
    })
    .collect()
}

/// Calls as JSON: header, whatever is written for each call, findings about the captures, summary.
pub struct Json<F> {
    objects: json::Objects,
    names: Vec<json::Input>,
    write: F,
}

impl<F: FnMut(&json::Objects, &mut Vec<u8>, &Call)> Json<F> {
    /// Nothing written yet.
    pub fn new(format: TableFormat, names: Vec<json::Input>, write: F) -> Self {
        Self {
            objects: json::Objects::new(format == TableFormat::Json),
            names,
            write,
        }
    }
}

impl<F: FnMut(&json::Objects, &mut Vec<u8>, &Call)> Show for Json<F> {
    fn open(&mut self, out: &mut Vec<u8>) {
        let mut renderer = json::Renderer::new(json::Options::default());
        self.objects.open(out, |out| {
            let (tool, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
            renderer.header(out, tool, version, &self.names);
        });
    }

    fn call(&mut self, out: &mut Vec<u8>, call: &Call) {
        (self.write)(&self.objects, out, call);
    }

    fn close(&mut self, out: &mut Vec<u8>, end: &End) {
        let mut renderer = json::Renderer::new(json::Options::default());
        for notice in &end.outcome.notices {
            self.objects.next(out, |out| {
                renderer.record(out, &Record::Notice(notice));
            });
        }
        self.objects.next(out, |out| {
            renderer.summary(out, &driver::summary(&end.outcome, end.selected));
        });
        self.objects.close(out);
    }
}
