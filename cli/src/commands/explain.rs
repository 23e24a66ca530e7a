//! The command `explain`: the protocol as a reference.

use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style as Ansi};
use anyhow::{Context as _, anyhow, ensure};
use cti_dissector::explain::{self, Missing, Plain, Role, Style};

use crate::args::{DocumentFormat, ExplainArgs};
use crate::output::{self, Output};
use crate::settings::Settings;

/// Shows what was found on standard output; what was not, on standard error.
pub fn run(args: &ExplainArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let words: Vec<&str> = args.what.iter().map(String::as_str).collect();
    ensure!(
        words.iter().all(|word| !word.trim().is_empty()),
        "an empty word cannot be looked up"
    );
    let answer = explain::find(&words, args.version);
    if !answer.topics.is_empty() || args.format == DocumentFormat::Json {
        let text = match args.format {
            DocumentFormat::Text => {
                let style: &dyn Style = if settings.color { &Colors } else { &Plain };
                explain::text(&answer.topics, settings.width.min(120), style)
            }
            DocumentFormat::Json => format!("{:#}\n", explain::json(&answer.topics)),
        };
        let mut out = Output::stdout(settings.color);
        out.write_all(text.as_bytes()).context("standard output")?;
        out.finish()?;
    }
    if answer.missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for missing in &answer.missing {
        output::complain(&not_found(missing));
    }
    Ok(ExitCode::from(2))
}

fn not_found(missing: &Missing) -> anyhow::Error {
    let word = &missing.word;
    if missing.near.is_empty() {
        anyhow!("nothing is called '{word}'; `ctishark explain` lists what can be asked")
    } else {
        anyhow!(
            "nothing is called '{word}'; did you mean {}?",
            missing.near.join(", ")
        )
    }
}

/// Colours of a terminal.
struct Colors;

impl Style for Colors {
    fn paint(&self, role: Role, text: &str) -> String {
        let style = match role {
            Role::Title => Ansi::new().bold(),
            Role::Heading => Ansi::new().underline(),
            Role::Name => AnsiColor::Cyan.on_default(),
        };
        format!("{style}{text}{style:#}")
    }
}
