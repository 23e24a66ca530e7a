//! What the arguments mean once terminal and environment are known. Commands see these types and never the arguments.

mod commands;
mod diff;
mod selection;

pub use commands::{
    ExtractOptions, RedactOptions, ReportOptions, StoryOptions, StudyOptions, StudyView,
    TimelineOptions,
};
pub use diff::DiffOptions;
pub use selection::Selection;

use std::env;
use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::args::{ColorChoice, CommonArgs, DecodeArgs, Format, InputArgs, ShowArgs, TimeStyle};
use crate::inputs::{self, FileInput};
use crate::output;

/// What holds for every command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Colour the text on standard output.
    pub color: bool,
    /// Columns of the terminal on standard output, within reason; 100 when there is none.
    pub width: usize,
    /// Columns of the terminal on standard output as they are, if there is one.
    pub terminal: Option<usize>,
    /// Errors only on standard error.
    pub quiet: bool,
    /// Show progress on standard error.
    pub progress: bool,
}

/// How messages are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Every field under its message.
    pub detail: bool,
    /// A hex dump under each message.
    pub hex: bool,
    /// Form of the output.
    pub format: Format,
    /// How times are shown.
    pub time: TimeStyle,
    /// Time zone in which times are shown.
    pub zone: TimeZone,
    /// ASCII only.
    pub ascii: bool,
    /// Passwords are shown.
    pub show_secrets: bool,
}

/// How messages are found and decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoding {
    /// Ports of CTI servers besides the usual ones.
    pub ports: Vec<u16>,
    /// Protocol version to use whatever the session says.
    pub protocol_version: Option<u8>,
    /// How long a request may wait for its answer.
    pub reply_wait: Duration,
    /// Number of threads.
    pub jobs: NonZeroUsize,
}

impl Settings {
    /// Looks at terminal and environment.
    pub fn new(common: &CommonArgs) -> Self {
        let stdout = std::io::stdout().is_terminal();
        let terminal = terminal_width(stdout, env::var_os("COLUMNS").as_deref(), || {
            let (_, columns) = console::Term::stdout().size_checked()?;
            Some(columns.into())
        });
        Self {
            color: wants_color(
                common.color,
                env::var_os("NO_COLOR").as_deref(),
                env::var_os("TERM").as_deref(),
                stdout,
            ),
            width: text_width(terminal),
            terminal,
            quiet: common.quiet,
            progress: !common.quiet && std::io::stderr().is_terminal(),
        }
    }
}

/// Sends the program's own log to standard error: nothing without -v.
pub fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    // A second subscriber cannot be set; the first one stays.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .try_init();
}

impl View {
    fn new(args: &ShowArgs, zone: TimeZone) -> Self {
        Self {
            detail: args.detail,
            hex: args.hex,
            format: args.format,
            time: args.time,
            zone,
            ascii: args.ascii,
            show_secrets: args.show_secrets,
        }
    }
}

impl Decoding {
    fn new(args: DecodeArgs) -> Self {
        let available = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            ports: args.ports,
            protocol_version: args.protocol_version,
            reply_wait: args.reply_wait,
            jobs: args.jobs.unwrap_or_else(available),
        }
    }
}

/// The captures that were named; a remark on them is made here, unless it is unwanted.
pub(super) fn captures(input: &InputArgs, common: &CommonArgs) -> anyhow::Result<Vec<FileInput>> {
    captures_of(&input.files, common)
}

pub(super) fn captures_of(
    files: &[PathBuf],
    common: &CommonArgs,
) -> anyhow::Result<Vec<FileInput>> {
    let found = inputs::from_arguments(files)?;
    if !common.quiet {
        found.remarks.iter().for_each(|text| output::remark(text));
    }
    Ok(found.inputs)
}

pub(super) fn time_zone(utc: bool) -> TimeZone {
    if utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    }
}

pub(super) fn wants_color(
    choice: ColorChoice,
    no_color: Option<&OsStr>,
    term: Option<&OsStr>,
    terminal: bool,
) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|t| t != "dumb")
        }
    }
}

/// Columns of the terminal: what COLUMNS says, or else what the terminal itself does.
fn terminal_width(
    terminal: bool,
    columns: Option<&OsStr>,
    ask: impl FnOnce() -> Option<usize>,
) -> Option<usize> {
    if !terminal {
        return None;
    }
    let said = columns.and_then(|columns| columns.to_str()?.parse().ok());
    said.filter(|columns| *columns > 0).or_else(ask)
}

/// Columns for text that may be as wide as it likes, such as pictures made of characters.
fn text_width(terminal: Option<usize>) -> usize {
    const WITHOUT_TERMINAL: usize = 100;
    terminal.map_or(WITHOUT_TERMINAL, |columns| columns.clamp(60, 160))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_has_a_width_and_columns_says_more_than_it() {
        let width = |terminal, columns: Option<&str>| {
            terminal_width(terminal, columns.map(OsStr::new), || Some(80))
        };
        assert_eq!(width(false, Some("70")), None);
        assert_eq!(width(true, Some("70")), Some(70));
        for nonsense in [None, Some(""), Some("0"), Some("-1"), Some("wide")] {
            assert_eq!(width(true, nonsense), Some(80));
        }
        assert_eq!(text_width(None), 100);
        assert_eq!(text_width(Some(20)), 60);
    }

    #[test]
    fn the_flag_wins_then_the_environment_then_the_terminal() {
        let color = |choice, no_color: Option<&str>, term: Option<&str>, terminal| {
            wants_color(
                choice,
                no_color.map(OsStr::new),
                term.map(OsStr::new),
                terminal,
            )
        };
        assert!(color(ColorChoice::Always, Some("1"), Some("dumb"), false));
        assert!(!color(ColorChoice::Never, None, None, true));
        assert!(color(ColorChoice::Auto, None, Some("xterm"), true));
        assert!(color(ColorChoice::Auto, Some(""), None, true));
        assert!(!color(ColorChoice::Auto, Some("1"), None, true));
        assert!(!color(ColorChoice::Auto, None, Some("dumb"), true));
        assert!(!color(ColorChoice::Auto, None, None, false));
    }
}
