//! What went wrong, the most important first.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::finding::Severity;
use cti_dissector::render::json;
use cti_dissector::render::table::{self, Cell, Column};
use cti_dissector::render::text::Problems;
use cti_dissector::triage::{Problem, Thresholds, Triage};

use super::study;
use crate::args::{SeverityChoice, TableFormat, TriageArgs};
use crate::driver;
use crate::output::{self, Output};
use crate::settings::{Settings, StudyOptions};

const COLUMNS: [Column; 12] = [
    Column::right("RANK", "rank"),
    Column::left("SEVERITY", "severity"),
    Column::left("CODE", "code"),
    Column::left("TEXT", "text"),
    Column::right("COUNT", "count"),
    Column::left("FIRST", "first"),
    Column::left("LAST", "last"),
    Column::left("SESSIONS", "sessions"),
    Column::left("AGENTS", "agents"),
    Column::left("CALLS", "calls"),
    Column::left("MESSAGES", "messages"),
    Column::left("PACKETS", "packets"),
];

/// Runs it.
pub fn run(args: TriageArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut thresholds = Thresholds::default();
    for (name, value) in &args.thresholds {
        thresholds
            .set(name, value)
            .context("invalid value for '--threshold <NAME=VALUE>'")?;
    }
    let fail_on = args.fail_on.map(severity);
    let least = severity(args.min_severity);
    let StudyOptions {
        inputs,
        selection,
        view,
        decoding,
    } = StudyOptions::new(args.study, settings)?;
    let names = driver::names(&inputs);
    let several_inputs = inputs.len() > 1;
    let selective = !selection.is_empty();
    let finished = study::run(inputs, &selection, &decoding, settings, |_| {
        Triage::new(thresholds, selective).with_ports(driver::ports(&decoding))
    })?;
    let scope = finished.scope();
    let mut problems = finished.analysis.finish();
    let worst = problems.iter().map(|p| p.severity).max();
    problems.retain(|p| p.severity >= least);
    let ranked = || (1u64..).zip(&problems);
    let mut text = Vec::new();
    match view.format {
        TableFormat::Text => {
            if !problems.is_empty() {
                text.extend_from_slice(summary(&problems, &scope).as_bytes());
            }
            let mut writer = Problems::new(view.look, several_inputs);
            for (rank, problem) in ranked() {
                writer.write(&mut text, problem, rank);
            }
        }
        TableFormat::Csv => {
            let rows: Vec<Vec<Cell>> = ranked().map(|(rank, p)| row(rank, p)).collect();
            table::csv_heading(&mut text, &COLUMNS);
            table::csv_rows(&mut text, &rows);
        }
        TableFormat::Json | TableFormat::Ndjson => {
            let options = json::Options {
                show_secrets: false,
                several_inputs,
            };
            text = study::json(
                view.format,
                &names,
                &finished.outcome,
                finished.selected,
                |objects, out| {
                    for (rank, problem) in ranked() {
                        objects.next(out, |out| json::problem(out, problem, rank, &options));
                    }
                },
            );
        }
    }
    let mut out = Output::stdout(settings.color);
    let written = out.write_all(&text).context("standard output");
    output::whoever_reads(written.and_then(|()| out.finish()))?;
    // Where nothing was judged, the reason has been told, and nothing is no good news.
    let judged = finished
        .selected
        .map_or(finished.outcome.totals.sessions > 0, |n| n > 0);
    if problems.is_empty() && judged && view.format == TableFormat::Text && !settings.quiet {
        output::remark(&match finished.selected {
            Some(_) => format!("nothing found that looks like trouble in {scope}"),
            None => "nothing found that looks like trouble".to_owned(),
        });
    }
    if finished.outcome.failed {
        return Ok(ExitCode::from(2));
    }
    let reached = fail_on.is_some_and(|least| worst >= Some(least));
    Ok(ExitCode::from(u8::from(reached)))
}

/// How many of each severity, in how much traffic.
fn summary(problems: &[Problem], scope: &str) -> String {
    let count = |severity| {
        let of = problems.iter().filter(|p| p.severity == severity);
        u64::try_from(of.count()).unwrap_or(u64::MAX)
    };
    let counts = [
        driver::amount(count(Severity::Error), "error", "errors"),
        driver::amount(count(Severity::Warn), "warning", "warnings"),
        driver::amount(count(Severity::Info), "remark", "remarks"),
    ];
    format!("{} in {scope}\n\n", counts.join(", "))
}

const fn severity(choice: SeverityChoice) -> Severity {
    match choice {
        SeverityChoice::Info => Severity::Info,
        SeverityChoice::Warn => Severity::Warn,
        SeverityChoice::Error => Severity::Error,
    }
}

fn row(rank: u64, problem: &Problem) -> Vec<Cell> {
    let messages = problem.examples.iter().filter_map(|e| e.message);
    let packets = problem.examples.iter().flat_map(|e| e.packets.iter());
    vec![
        Cell::Number(rank),
        Cell::Text(problem.severity.name().to_owned()),
        Cell::Text(problem.code.name().to_owned()),
        Cell::Text(problem.text.clone()),
        Cell::Number(problem.count),
        Cell::Time(problem.first),
        Cell::Time(problem.last),
        Cell::many(&problem.sessions),
        Cell::many(&problem.agents),
        Cell::many(&problem.calls),
        Cell::many(messages),
        Cell::many(packets.map(|p| p.number)),
    ]
}
