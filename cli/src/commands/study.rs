//! Runs an analysis over captures: what the commands that look at a whole capture have in common.

use cti_dissector::Timestamp;
use cti_dissector::analysis::{Analysis, Study};
use cti_dissector::capture::Segment;
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::select::Selector;

use crate::args::TableFormat;
use crate::driver::{self, Consumer, Outcome};
use crate::inputs::FileInput;
use crate::settings::{Decoding, Selection, Settings};

/// An analysis at work.
pub struct Run<A>(Study<A>);

impl<A: Analysis> Run<A> {
    /// The analysis after the last record, and how many messages were selected in how many sessions, if any selection was asked for.
    pub fn finish(self) -> (A, Option<(u64, u64)>) {
        let selector = self.0.selector();
        let selected = (!selector.is_empty()).then(|| (selector.selected(), selector.sessions()));
        (self.0.finish(), selected)
    }
}

impl<A: Analysis> Sink for Run<A> {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl<A: Analysis> Consumer for Run<A> {
    fn segment(&mut self, segment: &Segment<'_>) {
        self.0.segment(segment);
    }
}

/// What came of it.
pub struct Finished<A> {
    /// The analysis, after the last record.
    pub analysis: A,
    /// How many messages were selected, if a selection was asked for.
    pub selected: Option<u64>,
    /// How many sessions have any of them.
    pub selected_sessions: Option<u64>,
    /// The run itself.
    pub outcome: Outcome<()>,
}

impl<A> Finished<A> {
    /// How many sessions and messages were looked at, of how many.
    pub fn scope(&self) -> String {
        let totals = &self.outcome.totals;
        let of = |selected: Option<u64>, all, one, many| match selected {
            Some(some) => format!("{some} of {}", driver::amount(all, one, many)),
            None => driver::amount(all, one, many),
        };
        format!(
            "{}, {}",
            of(
                self.selected_sessions,
                totals.sessions,
                "session",
                "sessions"
            ),
            of(self.selected, totals.messages, "message", "messages")
        )
    }
}

/// Reads the captures and gives everything in them to an analysis; remarks are made on standard error.
pub fn run<A: Analysis>(
    inputs: Vec<FileInput>,
    selection: &Selection,
    decoding: &Decoding,
    settings: &Settings,
    make: impl FnOnce(Timestamp) -> A,
) -> anyhow::Result<Finished<A>> {
    let outcome = read(inputs, selection, decoding, settings, make)?;
    outcome.remark(settings);
    outcome.remark_nothing_selected(outcome.sink.0.selector(), settings);
    Ok(finish(outcome))
}

/// The same for captures that were read before: what there is to remark on them has been said.
pub fn run_again<A: Analysis>(
    inputs: Vec<FileInput>,
    selection: &Selection,
    decoding: &Decoding,
    settings: &Settings,
    make: impl FnOnce(Timestamp) -> A,
) -> anyhow::Result<Finished<A>> {
    read(inputs, selection, decoding, settings, make).map(finish)
}

fn read<A: Analysis>(
    inputs: Vec<FileInput>,
    selection: &Selection,
    decoding: &Decoding,
    settings: &Settings,
    make: impl FnOnce(Timestamp) -> A,
) -> anyhow::Result<Outcome<Run<A>>> {
    // Whether a request is selected may show only when its outcome does.
    let dissector = driver::options(decoding, selection.asks_for_outcomes());
    driver::dissect(inputs, dissector, decoding.jobs, settings, |start| {
        let selector = Selector::new(selection.criteria(start));
        Ok(Run(Study::new(make(start), selector)))
    })
}

fn finish<A: Analysis>(outcome: Outcome<Run<A>>) -> Finished<A> {
    let (run, outcome) = outcome.take();
    let (analysis, selected) = run.finish();
    Finished {
        analysis,
        selected: selected.map(|(messages, _)| messages),
        selected_sessions: selected.map(|(_, sessions)| sessions),
        outcome,
    }
}

/// Writes the JSON around the records of an analysis: header, what `records` writes, findings about the captures, summary.
pub fn json(
    format: TableFormat,
    names: &[json::Input],
    outcome: &Outcome<()>,
    selected: Option<u64>,
    records: impl FnOnce(&json::Objects, &mut Vec<u8>),
) -> Vec<u8> {
    let objects = json::Objects::new(format == TableFormat::Json);
    let mut renderer = json::Renderer::new(json::Options::default());
    let mut out = Vec::new();
    objects.open(&mut out, |out| {
        let (tool, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        renderer.header(out, tool, version, names);
    });
    records(&objects, &mut out);
    for notice in &outcome.notices {
        objects.next(&mut out, |out| {
            renderer.record(out, &Record::Notice(notice))
        });
    }
    objects.next(&mut out, |out| {
        renderer.summary(out, &driver::summary(outcome, selected))
    });
    objects.close(&mut out);
    out
}
