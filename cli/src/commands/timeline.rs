//! The timeline: every message in capture order, as text or JSON.

use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::Timestamp;
use cti_dissector::capture::Input as _;
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::render::parallel::{Parallel, Render};
use cti_dissector::select::{Criteria, Selector};

use crate::args::Format;
use crate::driver::{self, Outcome};
use crate::output::Output;
use crate::settings::{Selection, Settings, TimelineOptions};

/// Runs it.
pub fn run(options: TimelineOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    match options.view.format {
        Format::Text => anyhow::bail!("text: not available in this build"),
        Format::Json | Format::Ndjson => as_json(options, settings),
    }
}

fn criteria(selection: &Selection, start: Timestamp) -> Criteria {
    let types = selection.types.clone();
    Criteria {
        sessions: selection.sessions.iter().copied().collect(),
        types: (!types.is_empty()).then(|| {
            Box::new(move |number, message: Option<&_>| types.accepts(number, message)) as _
        }),
        calls: selection.calls.clone(),
        agents: selection.agents.clone(),
        from: selection.from.as_ref().map(|b| b.resolve(start)),
        to: selection.to.as_ref().map(|b| b.resolve(start)),
        no_heartbeats: selection.no_heartbeats,
        only_failures: selection.only_failures,
    }
}

/// Records that pass the selection, on their way to standard output.
struct Stream<R: Render> {
    selector: Selector,
    out: Parallel<R, Output>,
    /// Writing went wrong; nothing more is written.
    error: Option<io::Error>,
}

impl<R: Render + 'static> Stream<R> {
    fn new(
        selector: Selector,
        jobs: usize,
        renderer: impl FnMut() -> R,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let out = Parallel::new(Output::stdout(settings.color), jobs, renderer)
            .context("starting threads")?;
        Ok(Self {
            selector,
            out,
            error: None,
        })
    }

    /// An error met in between.
    fn check(&mut self) -> anyhow::Result<()> {
        match self.error.take() {
            Some(error) => Err(error).context("standard output"),
            None => Ok(()),
        }
    }
}

impl<R: Render<Context = ()> + 'static> Sink for Stream<R> {
    fn record(&mut self, record: Record<'_>) {
        if self.error.is_none()
            && self.selector.accepts(&record)
            && let Err(error) = self.out.push(&record, ())
        {
            self.error = Some(error);
        }
    }
}

/// JSON objects, each behind a separator or before a line end.
struct Objects {
    renderer: json::Renderer,
    format: Format,
}

impl Render for Objects {
    type Context = ();

    fn render(&mut self, out: &mut Vec<u8>, record: &Record<'_>, (): &()) {
        before(out, self.format);
        self.renderer.record(out, record);
        after(out, self.format);
    }
}

/// In the one document, every record but the header stands behind another one.
fn before(out: &mut Vec<u8>, format: Format) {
    if format == Format::Json {
        out.extend_from_slice(b",\n");
    }
}

fn after(out: &mut Vec<u8>, format: Format) {
    if format == Format::Ndjson {
        out.push(b'\n');
    }
}

fn as_json(options: TimelineOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let TimelineOptions {
        inputs,
        selection,
        view,
        decoding,
    } = options;
    let format = view.format;
    let json_options = json::Options {
        show_secrets: view.show_secrets,
        several_inputs: inputs.len() > 1,
    };
    let names: Vec<json::Input> = inputs
        .iter()
        .map(|i| json::Input {
            name: i.name().to_owned(),
        })
        .collect();
    let mut head = Vec::new();
    if format == Format::Json {
        head.extend_from_slice(b"[\n");
    }
    json::Renderer::new(json_options).header(
        &mut head,
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        &names,
    );
    after(&mut head, format);
    let make = |start| {
        let selector = Selector::new(criteria(&selection, start));
        let renderer = || Objects {
            renderer: json::Renderer::new(json_options),
            format,
        };
        let mut stream = Stream::new(selector, decoding.jobs.get(), renderer, settings)?;
        stream.out.raw(&head).context("standard output")?;
        Ok(stream)
    };
    // Only failures: whether a request is one shows when its outcome does.
    let hold = selection.only_failures;
    let outcome = driver::dissect(
        inputs,
        driver::options(&decoding, hold),
        settings,
        make,
        Stream::check,
    )?;
    let failed = outcome.failed;
    outcome.remark(settings);
    let mut tail = Vec::new();
    let mut renderer = json::Renderer::new(json_options);
    for notice in &outcome.notices {
        before(&mut tail, format);
        renderer.record(&mut tail, &Record::Notice(notice));
        after(&mut tail, format);
    }
    before(&mut tail, format);
    renderer.summary(&mut tail, &summary(&outcome, &outcome.sink.selector));
    after(&mut tail, format);
    if format == Format::Json {
        tail.extend_from_slice(b"\n]\n");
    }
    let mut out = outcome.sink.out;
    out.raw(&tail).context("standard output")?;
    out.finish().context("standard output")?.finish()?;
    Ok(exit_code(failed))
}

fn summary<S>(outcome: &Outcome<S>, selector: &Selector) -> json::Summary {
    json::Summary {
        packets: outcome.layers.packets,
        tcp_packets: outcome.layers.tcp,
        first: outcome.first,
        last: outcome.last,
        totals: outcome.totals,
        selected: (!selector.is_empty()).then(|| selector.selected()),
    }
}

/// 2 when some input could not be read, though others were shown.
fn exit_code(failed: bool) -> ExitCode {
    if failed {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}
