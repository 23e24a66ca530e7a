//! Statistics of a capture.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use cti_dissector::analysis::Statistics;
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::render::statistics::{self, Section};
use cti_dissector::select::Selector;

use super::study;
use crate::args::{SectionChoice, StatsArgs, TableFormat};
use crate::driver::{self, Consumer};
use crate::output::{self, Output};
use crate::settings::{Settings, StudyOptions};

/// Counts what is selected. Unlike other analyses this one needs no decoded messages.
struct Counting {
    selector: Selector,
    statistics: Statistics,
}

impl Sink for Counting {
    fn record(&mut self, record: Record<'_>) {
        let selected = self.selector.accepts(&record);
        match record {
            Record::Message(info, bytes) if selected => self.statistics.message(info, bytes),
            Record::SessionBegan(session) | Record::SessionEnded(session) => {
                self.statistics.about(session);
            }
            record if selected => self.statistics.other(&record),
            _ => {}
        }
    }
}

impl Consumer for Counting {}

/// Runs it.
pub fn run(args: StatsArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let interval = args
        .interval
        .map(|interval| i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX));
    let csv = args.study.show.format == TableFormat::Csv;
    let sections = sections(&args.by, interval.is_some(), csv)?;
    let StudyOptions {
        inputs,
        selection,
        view,
        decoding,
    } = StudyOptions::new(args.study, settings)?;
    let names = driver::names(&inputs);
    // Whether a request is selected may show only when its outcome does.
    let dissector = driver::options(&decoding, selection.asks_for_outcomes());
    let outcome = driver::dissect(inputs, dissector, decoding.jobs, settings, |start| {
        Ok(Counting {
            selector: Selector::new(selection.criteria(start)),
            statistics: Statistics::new(interval),
        })
    })?;
    outcome.remark(settings);
    outcome.remark_nothing_selected(&outcome.sink.selector, settings);
    let (counting, outcome) = outcome.take();
    let (selector, of) = (counting.selector, counting.statistics);
    let mut out = Vec::new();
    match view.format {
        TableFormat::Text if of.total().messages == 0 => {}
        TableFormat::Text => {
            statistics::text(&mut out, &of, &sections, &view.look, settings.width);
        }
        TableFormat::Csv => {
            for section in &sections {
                statistics::csv(&mut out, &of, *section);
            }
        }
        TableFormat::Json | TableFormat::Ndjson => {
            let selected = (!selector.is_empty()).then(|| selector.selected());
            out = study::json(view.format, &names, &outcome, selected, |objects, out| {
                json::statistics(out, objects, &of, &sections);
            });
        }
    }
    let mut stdout = Output::stdout(settings.color);
    stdout.write_all(&out).context("standard output")?;
    stdout.finish()?;
    if !settings.quiet {
        let slices = of.slices.as_ref().filter(|slices| slices.coarsened());
        if let Some(slices) = slices.filter(|_| view.format != TableFormat::Text) {
            output::remark(&format!(
                "slices are {} s long: shorter ones would be too many",
                slices.width() / 1_000_000_000
            ));
        }
    }
    Ok(driver::exit_code(outcome.failed))
}

/// Which sections to show: those asked for, in the usual order.
fn sections(by: &[SectionChoice], interval: bool, csv: bool) -> anyhow::Result<Vec<Section>> {
    let wanted: Vec<Section> = by.iter().map(|choice| section(*choice)).collect();
    if wanted.contains(&Section::Interval) && !interval {
        bail!("'--by interval' needs the length of the slices, such as '--interval 10s'");
    }
    let shown = |section: &&Section| {
        if !wanted.is_empty() {
            return wanted.contains(section);
        }
        match section {
            Section::Interval => interval,
            Section::Type => !(csv && interval),
            _ => !csv,
        }
    };
    let sections: Vec<Section> = Section::ALL.iter().filter(shown).copied().collect();
    ensure!(
        !csv || sections.len() == 1,
        "CSV holds one table; name one section with '--by'"
    );
    Ok(sections)
}

const fn section(choice: SectionChoice) -> Section {
    match choice {
        SectionChoice::Type => Section::Type,
        SectionChoice::Direction => Section::Direction,
        SectionChoice::Session => Section::Session,
        SectionChoice::Interval => Section::Interval,
        SectionChoice::Latency => Section::Latency,
        SectionChoice::ResponseTime => Section::ResponseTime,
        SectionChoice::Failures => Section::Failures,
        SectionChoice::Heartbeats => Section::Heartbeats,
    }
}
