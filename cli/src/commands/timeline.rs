//! The timeline: every message in capture order, as text or JSON.

use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::render::parallel::{Parallel, Render};
use cti_dissector::render::text::{Hints, Scratch, Sequence, TextOptions, TextRenderer, TimeMode};
use cti_dissector::select::Selector;

use tracing::debug;

use crate::args::{Format, TimeStyle};
use crate::driver::{self, Consumer};
use crate::output::Output;
use crate::settings::{Settings, TimelineOptions};

/// Runs it.
pub fn run(options: TimelineOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    debug!(?options.selection, ?options.view, ?options.decoding, "options in force");
    match options.view.format {
        Format::Text => as_text(options, settings),
        Format::Json | Format::Ndjson => as_json(options, settings),
    }
}

/// What a record needs to be rendered besides itself, found out in order.
trait Hinting {
    /// What the renderers are told.
    type Context: Send;

    /// The next record, which will be shown.
    fn shown(&mut self, record: &Record<'_>) -> Self::Context;

    /// The next record, which will not be shown.
    fn passed(&mut self, record: &Record<'_>);
}

/// JSON needs nothing.
struct NoHints;

impl Hinting for NoHints {
    type Context = ();

    fn shown(&mut self, _: &Record<'_>) {}

    fn passed(&mut self, _: &Record<'_>) {}
}

impl Hinting for Sequence {
    type Context = Hints;

    fn shown(&mut self, record: &Record<'_>) -> Hints {
        self.next(record)
    }

    fn passed(&mut self, record: &Record<'_>) {
        self.pass(record);
    }
}

/// Records that pass the selection, on their way to standard output.
struct Stream<R: Render, H> {
    selector: Selector,
    hinting: H,
    out: Parallel<R, Output>,
    /// Writing went wrong; nothing more is written.
    error: Option<io::Error>,
}

impl<R: Render<Context = H::Context> + 'static, H: Hinting> Stream<R, H> {
    fn new(
        selector: Selector,
        hinting: H,
        jobs: usize,
        renderer: impl FnMut() -> R,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let out = Parallel::new(Output::stdout(settings.color), jobs, renderer)
            .context("starting threads")?;
        Ok(Self {
            selector,
            hinting,
            out,
            error: None,
        })
    }

    /// Appends what is no record, writes everything and closes the output.
    fn finish(mut self, tail: &[u8]) -> anyhow::Result<()> {
        self.out.raw(tail).context("standard output")?;
        self.out.finish().context("standard output")?.finish()
    }
}

impl<R: Render<Context = H::Context> + 'static, H: Hinting> Sink for Stream<R, H> {
    fn record(&mut self, record: Record<'_>) {
        if self.error.is_some() {
            return;
        }
        if !self.selector.accepts(&record) {
            self.hinting.passed(&record);
            return;
        }
        let context = self.hinting.shown(&record);
        if let Err(error) = self.out.push(&record, context) {
            self.error = Some(error);
        }
    }
}

impl<R: Render<Context = H::Context> + 'static, H: Hinting> Consumer for Stream<R, H> {
    fn check(&mut self) -> anyhow::Result<()> {
        match self.error.take() {
            Some(error) => Err(error).context("standard output"),
            None => Ok(()),
        }
    }

    fn pause(&mut self) -> anyhow::Result<()> {
        self.out.flush().context("standard output")
    }
}

/// Lines of text.
struct Lines {
    renderer: TextRenderer,
    scratch: Scratch,
}

impl Render for Lines {
    type Context = Hints;

    fn render(&mut self, out: &mut Vec<u8>, record: &Record<'_>, hints: &Hints) {
        self.renderer
            .record(*record, *hints, &mut self.scratch, out);
    }
}

fn as_text(options: TimelineOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let TimelineOptions {
        inputs,
        selection,
        view,
        decoding,
    } = options;
    let several_inputs = inputs.len() > 1;
    let make = |start| {
        let text = TextOptions {
            colour: settings.color,
            ascii: view.ascii,
            time: match view.time {
                TimeStyle::Absolute => TimeMode::Absolute(view.zone.clone()),
                TimeStyle::Relative => TimeMode::Relative(start),
                TimeStyle::Delta => TimeMode::Delta,
                TimeStyle::Epoch => TimeMode::Epoch,
            },
            detail: view.detail,
            hex: view.hex,
            show_secrets: view.show_secrets,
            several_inputs,
        };
        let renderer = || Lines {
            renderer: TextRenderer::new(text.clone()),
            scratch: Scratch::new(),
        };
        let selector = Selector::new(selection.criteria(start));
        Stream::new(
            selector,
            Sequence::new(),
            decoding.jobs.get(),
            renderer,
            settings,
        )
    };
    let dissector = driver::options(&decoding, true);
    let outcome = driver::dissect(inputs, dissector, decoding.jobs, settings, make)?;
    outcome.remark(settings);
    outcome.remark_nothing_selected(&outcome.sink.selector, settings);
    let failed = outcome.failed;
    outcome.sink.finish(&[])?;
    Ok(driver::exit_code(failed))
}

/// JSON objects behind the header.
struct JsonRecords {
    renderer: json::Renderer,
    objects: json::Objects,
}

impl Render for JsonRecords {
    type Context = ();

    fn render(&mut self, out: &mut Vec<u8>, record: &Record<'_>, (): &()) {
        let Self { renderer, objects } = self;
        objects.next(out, |out| renderer.record(out, record));
    }
}

fn as_json(options: TimelineOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let TimelineOptions {
        inputs,
        selection,
        view,
        decoding,
    } = options;
    let json_options = json::Options {
        show_secrets: view.show_secrets,
        several_inputs: inputs.len() > 1,
    };
    let names = driver::names(&inputs);
    let objects = json::Objects::new(view.format == Format::Json);
    let mut head = Vec::new();
    objects.open(&mut head, |out| {
        json::Renderer::new(json_options).header(
            out,
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            &names,
        );
    });
    let make = |start| {
        let selector = Selector::new(selection.criteria(start));
        let renderer = || JsonRecords {
            renderer: json::Renderer::new(json_options),
            objects,
        };
        let mut stream = Stream::new(selector, NoHints, decoding.jobs.get(), renderer, settings)?;
        stream.out.raw(&head).context("standard output")?;
        Ok(stream)
    };
    // Whether a request is selected may show only when its outcome does.
    let hold = selection.asks_for_outcomes();
    let dissector = driver::options(&decoding, hold);
    let outcome = driver::dissect(inputs, dissector, decoding.jobs, settings, make)?;
    let failed = outcome.failed;
    outcome.remark(settings);
    outcome.remark_nothing_selected(&outcome.sink.selector, settings);
    let mut tail = Vec::new();
    let mut renderer = json::Renderer::new(json_options);
    for notice in &outcome.notices {
        objects.next(&mut tail, |out| {
            renderer.record(out, &Record::Notice(notice))
        });
    }
    let selector = &outcome.sink.selector;
    let selected = (!selector.is_empty()).then(|| selector.selected());
    objects.next(&mut tail, |out| {
        renderer.summary(out, &driver::summary(&outcome, selected))
    });
    objects.close(&mut tail);
    outcome.sink.finish(&tail)?;
    Ok(driver::exit_code(failed))
}
