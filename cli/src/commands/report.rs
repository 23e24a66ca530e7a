//! A report to read: one HTML page.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use cti_dissector::analysis::calls::{CallOptions, Calls};
use cti_dissector::analysis::{Agents, Statistics};
use cti_dissector::triage::{Thresholds, Triage};
use ctishark_report::{CallSheets, Collector, Report, Scope};

use super::{book, study};
use crate::args::{ReportArgs, StudyArgs};
use crate::driver;
use crate::inputs;
use crate::save;
use crate::settings::{ReportOptions, Settings};

/// Runs it.
pub fn run(args: StudyArgs<ReportArgs>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let typed = args.input.files.clone();
    let mut limits = Thresholds::default();
    for (name, value) in &args.show.thresholds {
        limits
            .set(name, value)
            .context("invalid value for '--threshold <NAME=VALUE>'")?;
    }
    let ReportOptions {
        inputs,
        selection,
        zone,
        decoding,
        show,
    } = ReportOptions::new(args, settings)?;
    let ReportArgs {
        output,
        title,
        max_messages,
        ..
    } = show;
    let names: Vec<String> = driver::names(&inputs).into_iter().map(|n| n.name).collect();
    let named = names.iter().map(Path::new);
    let typed = typed.iter().map(PathBuf::as_path);
    ensure!(
        !named.chain(typed).any(|name| is_same(name, &output)),
        "{} is one of the captures; name another file with --output",
        output.display()
    );
    let mut file = save::File::create(&output)?;
    let selective = !selection.is_empty();
    let most = usize::try_from(max_messages).unwrap_or(usize::MAX);
    let several_inputs = inputs.len() > 1;
    let stories = CallOptions {
        stories: true,
        in_order: true,
    };
    let collector = |also| Collector::new(most, also, selective, several_inputs, zone.clone());
    let again = inputs::again(&inputs);
    let finished = study::run(inputs, &selection, &decoding, settings, |_| {
        (
            Triage::new(limits, selective).with_ports(driver::ports(&decoding)),
            Calls::new(stories, CallSheets::new(zone.clone())),
            Agents::new(true),
            Statistics::new(None),
            collector(BTreeSet::new()),
        )
    })?;
    let (triage, calls, agents, statistics, collected) = finished.analysis;
    let (calls, reached) = calls.finish();
    let problems = triage.finish();
    let mut collected = collected.finish();
    // Only at the end is it known which messages beyond the first ones are wanted.
    let missing = collected.missing(&problems, &calls);
    if let Some(again) = again.filter(|_| !missing.is_empty() && !finished.outcome.failed) {
        let second = study::run_again(again, &selection, &decoding, settings, |_| {
            collector(missing)
        })?;
        collected = second.analysis.finish();
    }
    let mut notices = finished.outcome.notices.clone();
    notices.extend(book::notices(reached));
    let summary = driver::summary(&finished.outcome, finished.selected);
    let report = Report {
        title: title.unwrap_or_else(|| heading(&names)),
        tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        zone,
        scope: Scope {
            inputs: names,
            summary,
            selected_sessions: finished.selected_sessions,
            notices,
        },
        problems,
        calls,
        agents: agents.finish(),
        statistics,
        collected,
    };
    let page = report.page().context("the page could not be made")?;
    let written = file.write_all(page.as_bytes());
    let written = written.and_then(|()| file.finish());
    written.with_context(|| output.display().to_string())?;
    Ok(driver::exit_code(finished.outcome.failed))
}

/// Whether two names lead to the same file.
fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The heading of a page about these captures.
fn heading(names: &[String]) -> String {
    let short = |name: &String| {
        let file = Path::new(name).file_name();
        file.map_or_else(|| name.clone(), |n| n.to_string_lossy().into_owned())
    };
    match names {
        [only] => format!("CTI traffic in {}", short(only)),
        [first, .., last] => format!("CTI traffic in {} to {}", short(first), short(last)),
        [] => "CTI traffic".to_owned(),
    }
}
