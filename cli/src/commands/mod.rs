//! The commands, one file each.

mod agents;
mod book;
mod call;
mod calls;
mod diff;
mod explain;
mod extract;
mod generate;
mod redact;
mod report;
mod sessions;
mod stats;
mod study;
mod timeline;
mod triage;

use std::process::ExitCode;

use crate::args::{self, Cli, Command, CommonArgs};
use crate::inputs;
use crate::settings::{
    self, DiffOptions, ExtractOptions, RedactOptions, Settings, StudyOptions, TimelineOptions,
};

/// Runs what was asked for.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => {
            if inputs::nothing_given(&cli.timeline.input.files) {
                return Ok(no_input(None));
            }
            let settings = prepare(&cli.timeline.common);
            timeline::run(TimelineOptions::new(cli.timeline, &settings)?, &settings)
        }
        Some(Command::Sessions(args)) => {
            if inputs::nothing_given(&args.input.files) {
                return Ok(no_input(Some("sessions")));
            }
            let settings = prepare(&args.common);
            sessions::run(StudyOptions::new(*args, &settings)?, &settings)
        }
        Some(Command::Triage(args)) => {
            if inputs::nothing_given(&args.study.input.files) {
                return Ok(no_input(Some("triage")));
            }
            let settings = prepare(&args.study.common);
            triage::run(*args, &settings)
        }
        Some(Command::Agents(args)) => {
            if inputs::nothing_given(&args.input.files) {
                return Ok(no_input(Some("agents")));
            }
            let settings = prepare(&args.common);
            agents::all(*args, &settings)
        }
        Some(Command::Agent(args)) => {
            if inputs::nothing_given(&args.study.input.files) {
                return Ok(no_input(Some("agent")));
            }
            let settings = prepare(&args.study.common);
            agents::one(*args, &settings)
        }
        Some(Command::Stats(args)) => {
            if inputs::nothing_given(&args.study.input.files) {
                return Ok(no_input(Some("stats")));
            }
            let settings = prepare(&args.study.common);
            stats::run(*args, &settings)
        }
        Some(Command::Calls(args)) => {
            if inputs::nothing_given(&args.study.input.files) {
                return Ok(no_input(Some("calls")));
            }
            let settings = prepare(&args.study.common);
            calls::run(*args, &settings)
        }
        Some(Command::Call(args)) => {
            if inputs::nothing_given(&args.study.input.files) {
                return Ok(no_input(Some("call")));
            }
            let settings = prepare(&args.study.common);
            call::run(*args, &settings)
        }
        Some(Command::Report(args)) => {
            if inputs::nothing_given(&args.input.files) {
                return Ok(no_input(Some("report")));
            }
            let settings = prepare(&args.common);
            report::run(*args, &settings)
        }
        Some(Command::Extract(args)) => {
            if inputs::nothing_given(&args.input.files) {
                return Ok(no_input(Some("extract")));
            }
            let settings = prepare(&args.common);
            extract::run(ExtractOptions::new(*args)?, &settings)
        }
        Some(Command::Redact(args)) => {
            let settings = prepare(&args.common);
            if args.list {
                return redact::list(&args);
            }
            if inputs::nothing_given(&args.input.files) {
                return Ok(no_input(Some("redact")));
            }
            redact::run(RedactOptions::new(*args)?, &settings)
        }
        Some(Command::Diff(args)) => {
            let settings = prepare(&args.common);
            diff::run(DiffOptions::new(*args)?, &settings)
        }
        Some(Command::Explain(args)) => {
            let settings = prepare(&args.common);
            explain::run(&args, &settings)
        }
        Some(Command::Generate(args)) => generate::run(args.what),
    }
}

fn prepare(common: &CommonArgs) -> Settings {
    settings::start_logging(common.verbose);
    Settings::new(common)
}

/// Nothing to read and a person at the terminal: the short help, as an error.
fn no_input(command: Option<&str>) -> ExitCode {
    eprint!("{}", args::short_help(command));
    ExitCode::from(2)
}
