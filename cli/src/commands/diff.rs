//! Whether two runs talk the same way.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use cti_dissector::diff::{self, Collector, OldSide};
use cti_dissector::limits;
use cti_dissector::render::table::Look;
use cti_dissector::render::text::Differences;

use super::study;
use crate::args::Format;
use crate::driver;
use crate::inputs::FileInput;
use crate::output::Output;
use crate::settings::{Decoding, DiffOptions, Selection, Settings};

/// Runs it.
pub fn run(options: DiffOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let Some(new) = options.new else {
        bail!("a baseline cannot be written yet");
    };
    let mut failed = false;
    let reading = Reading {
        selection: &options.selection,
        decoding: &options.decoding,
        settings,
    };
    let old = reading.side(options.old, diff::old_side(options.rules), &mut failed)?;
    let (old, collector) = OldSide::then(old);
    let new = reading.side(new, collector, &mut failed)?;
    let comparison = diff::compare(old, new);
    let mut text = Vec::new();
    match options.format {
        Format::Text => {
            let look = Look {
                zone: options.zone,
                ascii: options.ascii,
                colour: settings.color,
            };
            let writer = Differences {
                look,
                context: options.context,
                limit: options.limit,
                beside: options.side_by_side.then_some(settings.width),
            };
            writer.write(&mut text, &comparison);
        }
        Format::Json | Format::Ndjson => bail!("not yet"),
    }
    let mut out = Output::stdout(settings.color);
    out.write_all(&text).context("standard output")?;
    out.finish()?;
    if failed {
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::from(u8::from(comparison.is_different())))
}

/// How sides are read.
struct Reading<'a> {
    selection: &'a Selection,
    decoding: &'a Decoding,
    settings: &'a Settings,
}

impl Reading<'_> {
    /// Reads one side.
    fn side(
        &self,
        inputs: Vec<FileInput>,
        collector: Collector,
        failed: &mut bool,
    ) -> anyhow::Result<Collector> {
        let finished = study::run(inputs, self.selection, self.decoding, self.settings, |_| {
            collector
        })?;
        *failed |= finished.outcome.failed;
        let collector = finished.analysis;
        if collector.is_full() {
            bail!(
                "too much to compare: it takes more than {} of memory; compare parts, by --only, --ignore-type or --from and --to",
                driver::amount(limits::MAX_DIFF_BYTES / (1 << 30), "GiB", "GiB")
            );
        }
        Ok(collector)
    }
}
