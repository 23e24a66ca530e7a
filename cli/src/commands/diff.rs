//! Whether two runs talk the same way.

mod baseline;
mod sides;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use cti_dissector::diff::{self, Comparison, OldSide};
use cti_dissector::render::json;
use cti_dissector::render::table::Look;
use cti_dissector::render::text::Differences;
use jiff::tz::TimeZone;

use crate::args::DiffFormat;
use crate::driver;
use crate::output::{self, Output};
use crate::settings::{DiffOptions, Settings};
use sides::Reading;

/// Runs it.
pub fn run(options: DiffOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let reading = Reading {
        selection: &options.selection,
        decoding: &options.decoding,
        settings,
    };
    let Some(new) = options.new else {
        let path = options
            .write_baseline
            .context("there is nothing to compare with")?;
        let failed = baseline::write(&path, options.old, &reading)?;
        return Ok(driver::exit_code(failed));
    };
    let names: Vec<json::Input> = driver::names(&options.old)
        .into_iter()
        .chain(driver::names(&new))
        .collect();
    let several = (options.old.len() > 1, new.len() > 1);
    let old = reading.side(options.old, diff::old_side(options.rules))?;
    let failed = old.failed;
    let (old, collector) = OldSide::then(old.collector);
    let new = reading.side(new, collector)?;
    let failed = failed || new.failed;
    let comparison = diff::compare(old, new.collector);
    let summary = &comparison.summary;
    // A test that compares nothing with nothing must not pass.
    ensure!(
        summary.old.1 + summary.new.1 > 0,
        "nothing to compare: {}",
        if options.selection.is_empty() {
            "neither side holds CTI messages that can be read"
        } else {
            "neither side holds messages that are selected"
        }
    );
    if !settings.quiet {
        for pattern in comparison.unknown_patterns() {
            output::remark(&pattern.to_string());
        }
    }
    let view = View {
        format: options.format,
        zone: options.zone,
        ascii: options.ascii,
        context: options.context,
        limit: options.limit,
        side_by_side: options.side_by_side,
    };
    output::whoever_reads(show(view, settings, &names, &comparison, several))?;
    if failed {
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::from(u8::from(comparison.is_different())))
}

/// How a comparison is shown.
struct View {
    format: DiffFormat,
    zone: TimeZone,
    ascii: bool,
    context: usize,
    limit: usize,
    side_by_side: bool,
}

fn show(
    view: View,
    settings: &Settings,
    names: &[json::Input],
    comparison: &Comparison,
    several: (bool, bool),
) -> anyhow::Result<()> {
    let mut out = Output::stdout(settings.color);
    match view.format {
        DiffFormat::Text => {
            let writer = Differences {
                look: Look {
                    zone: view.zone,
                    ascii: view.ascii,
                    colour: settings.color,
                    fit: None,
                },
                context: view.context,
                limit: view.limit,
                beside: view.side_by_side.then_some(settings.width),
            };
            let mut text = Vec::new();
            writer.write(&mut text, comparison);
            out.write_all(&text).context("standard output")?;
        }
        DiffFormat::Html => {
            let short = |name: &str| {
                let short = Path::new(name).file_name();
                short.map_or_else(|| name.to_owned(), |s| s.to_string_lossy().into_owned())
            };
            let named: Vec<String> = names.iter().map(|input| short(&input.name)).collect();
            let page = ctishark_report::Differences {
                title: format!("Comparison of {}", title(&named)),
                tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
                zone: view.zone,
                comparison,
                context: view.context,
                limit: view.limit,
            };
            let mut text = String::new();
            page.page(&mut text).context("making the page")?;
            out.write_all(text.as_bytes()).context("standard output")?;
        }
        DiffFormat::Json | DiffFormat::Ndjson => {
            let objects = json::Objects::new(view.format == DiffFormat::Json);
            write_json(&mut out, &objects, names, comparison, several)?;
        }
    }
    out.finish()
}

/// The captures in a few words.
fn title(names: &[String]) -> String {
    match names {
        [old, new] => format!("{old} and {new}"),
        [first, .., last] => format!("{first} to {last}"),
        _ => names.join(", "),
    }
}

/// Writes the records of a comparison; the summary is the last one, so that what was cut off shows.
fn write_json(
    out: &mut Output,
    objects: &json::Objects,
    names: &[json::Input],
    comparison: &Comparison,
    several: (bool, bool),
) -> anyhow::Result<()> {
    /// Bytes that are gathered before they are written.
    const ENOUGH: usize = 256 * 1024;
    let mut text = Vec::new();
    objects.open(&mut text, |out| {
        let (tool, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        json::Renderer::new(json::Options::default()).header(out, tool, version, names);
    });
    for record in json::differences(comparison, several) {
        objects.next(&mut text, |out| record.write(out));
        if text.len() > ENOUGH {
            out.write_all(&text).context("standard output")?;
            text.clear();
        }
    }
    objects.close(&mut text);
    out.write_all(&text).context("standard output")
}
