//! The hidden command `generate`: files made from the program's own definitions.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::args::{Cli, Generate};
use crate::output::{self, Output};

/// JSON Schema of one record of the JSON output.
const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema.json"));

/// Makes what was asked for.
pub fn run(what: Generate) -> anyhow::Result<ExitCode> {
    match what {
        Generate::Man { dir } => man(dir.as_deref()),
        Generate::Completions { shell } => completions(shell),
        Generate::Schema => output::show(SCHEMA),
        Generate::Findings => output::show(&cti_dissector::triage::reference()),
    }
}

fn man(directory: Option<&Path>) -> anyhow::Result<ExitCode> {
    let pages = pages()?;
    if let Some(directory) = directory {
        for (name, page) in pages {
            let path = directory.join(name);
            fs::write(&path, page).with_context(|| path.display().to_string())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = Output::stdout(false);
    for (_, page) in pages {
        out.write_all(&page).context("standard output")?;
    }
    out.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// File name and text of the man page of each command that is not hidden.
fn pages() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut root = Cli::command();
    root.build();
    let version = root.get_version().unwrap_or_default().to_owned();
    let commands = std::iter::once(&root).chain(
        root.get_subcommands()
            .filter(|c| !c.is_hide_set() && c.get_name() != "help"),
    );
    commands
        .map(|command| {
            let name = command
                .get_display_name()
                .unwrap_or(command.get_name())
                .to_owned();
            let mut page = Vec::new();
            clap_mangen::Man::new(command.clone())
                .title(name.clone())
                .source(format!("ctishark {version}"))
                .render(&mut page)?;
            Ok((format!("{name}.1"), page))
        })
        .collect()
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    // clap_complete panics when its writer fails, so it gets a buffer.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ctishark", &mut script);
    let mut out = Output::stdout(false);
    out.write_all(&script).context("standard output")?;
    out.finish()?;
    Ok(ExitCode::SUCCESS)
}
