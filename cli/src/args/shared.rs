//! Options that several commands have in common.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::formats::{CaptureFormat, ColorChoice, Format, TableFormat, TimeStyle};
use crate::values::{self, Moment, TypePattern};

/// What all commands that look at a whole capture have in common, but for how they show the result.
#[derive(Debug, Args)]
pub struct StudyArgs<S: Args = StudyShowArgs> {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub show: S,
    #[command(flatten)]
    pub decode: DecodeArgs,
    #[command(flatten)]
    pub redaction: RedactionArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct StudyShowArgs {
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: TableFormat,
    /// Show times in UTC instead of the local time zone
    #[arg(long)]
    pub utc: bool,
    /// Use ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Show tables whole, also where they are wider than the terminal
    ///
    /// Otherwise texts are shortened and the least important columns left out until a table fits. Into a file or a pipe it is always whole.
    #[arg(long)]
    pub wide: bool,
}

/// Redacted output of other commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Redaction")]
pub struct RedactionArgs {
    /// Show everything as it is in the capture that `ctishark redact` would write
    ///
    /// Numbers, names, passwords, addresses and call data are replaced; selection is by what is shown. With =NAME, a class of fields or a
    /// field that stays otherwise is replaced too (repeatable). The captures are rewritten to a temporary file first.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "", value_delimiter = ',')]
    pub redact: Option<Vec<String>>,
    /// Leave a class of fields or a field as it is (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "redact")]
    pub keep: Vec<String>,
    /// Secret text that decides which value becomes which; without it every run has a new one
    ///
    /// With the same key, other captures get the same pseudonyms, and whoever has the key can find out what they stand for. The list of
    /// processes shows it to others on this machine; --key-file does not.
    #[arg(
        long,
        value_name = "KEY",
        conflicts_with = "key_file",
        requires = "redact"
    )]
    pub key: Option<String>,
    /// Read the key from a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "redact")]
    pub key_file: Option<PathBuf>,
}

/// What to replace, and by which key.
#[derive(Debug, Args)]
#[command(next_help_heading = "Redaction")]
pub struct RedactChoices {
    /// Leave a class of fields or a field as it is (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub keep: Vec<String>,
    /// Replace a class of fields or a field that stays otherwise, numbers too (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub redact: Vec<String>,
    /// Secret text that decides which value becomes which; without it every run has a new one
    ///
    /// With the same key, other captures get the same pseudonyms, and whoever has the key can find out what they stand for. The list of
    /// processes shows it to others on this machine; --key-file does not.
    #[arg(long, value_name = "KEY", conflicts_with = "key_file")]
    pub key: Option<String>,
    /// Read the key from a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
    /// Leave out encrypted connections instead of blanking what they carry
    #[arg(long)]
    pub drop_encrypted: bool,
    /// Keep TCP connections that are not CTI, with blank payload
    #[arg(long)]
    pub keep_other: bool,
    /// Write what was replaced to this file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
}

/// Where a capture is written to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct SaveArgs {
    /// Write the capture to this file; - is standard output
    ///
    /// A name that ends in .pcap gives a pcap file, any other pcapng; .gz and .zst behind it compress. The file is there when it is
    /// complete, and not before.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<CaptureFormat>,
}

#[derive(Debug, Args)]
pub struct InputArgs {
    /// Capture files, directories of them, or - for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub struct SelectArgs {
    /// Only these sessions, by number as `ctishark sessions` lists them (repeatable)
    #[arg(long = "session", value_name = "N", value_delimiter = ',', value_parser = values::ordinal)]
    pub sessions: Vec<u32>,
    /// Only these message types: names, numbers or patterns such as CALL_* (repeatable)
    #[arg(long = "type", value_name = "NAME", value_delimiter = ',', value_parser = values::message_types)]
    pub types: Vec<TypePattern>,
    /// Only messages about these calls, by call ID, decimal or 0x hexadecimal (repeatable)
    #[arg(long = "call", value_name = "ID", value_delimiter = ',', value_parser = values::number)]
    pub calls: Vec<u32>,
    /// Only messages about these agents, by agent ID, extension or instrument (repeatable)
    #[arg(long = "agent", value_name = "ID", value_delimiter = ',', value_parser = values::name)]
    pub agents: Vec<String>,
    /// Only messages at or after this time
    ///
    /// An RFC 3339 time (2026-11-23T10:15:00Z), `YYYY-MM-DD HH:MM[:SS[.frac]]`, or a time of day `HH:MM[:SS[.frac]]` on
    /// the day on which the capture starts. Without an offset it is in the local time zone, with --utc in UTC.
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub from: Option<Moment>,
    /// Only messages at or before this time
    ///
    /// Written as for --from.
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub to: Option<Moment>,
    /// Leave out heartbeats
    #[arg(long)]
    pub no_heartbeats: bool,
    /// Only what failed: negative answers, failure events and requests without an answer
    #[arg(long)]
    pub only_failures: bool,
    /// Only messages that pass a filter expression, such as 'AgentID == "1001" && !findings'
    ///
    /// Fields by their names, and name, type, session, direction, version, src, dst, time, length, latency_ms, status, answered, findings
    /// and severity; with ==, !=, <, <=, >, >=, in {...}, contains, matches, &, and combined with &&, || and !. Texts stand in double
    /// quotes, so put the expression in single quotes (in cmd.exe: in double quotes, with \" for those inside). The guide tells more.
    #[arg(short = 'Y', long, value_name = "EXPR")]
    pub filter: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ShowArgs {
    /// Show every field under its message
    #[arg(long)]
    pub detail: bool,
    /// Show a hex dump under each message
    #[arg(long)]
    pub hex: bool,
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    /// How times are shown
    #[arg(long, value_enum, value_name = "STYLE", default_value_t)]
    pub time: TimeStyle,
    /// Show times in UTC instead of the local time zone
    #[arg(long)]
    pub utc: bool,
    /// Use ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Show passwords, which are masked otherwise
    #[arg(long)]
    pub show_secrets: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Decoding")]
pub struct DecodeArgs {
    /// Also take this TCP port for a CTI server's (repeatable)
    #[arg(long = "port", value_name = "PORT", value_delimiter = ',', value_parser = values::port)]
    pub ports: Vec<u16>,
    /// Decode as this protocol version (5 to 25), whatever the session says
    #[arg(long, value_name = "N", value_parser = values::protocol_version)]
    pub protocol_version: Option<u8>,
    /// How long a request may wait for its answer, in capture time: seconds, or such as 5s or 500ms
    #[arg(long, value_name = "SECONDS", value_parser = values::duration, default_value = "30")]
    pub reply_wait: Duration,
    /// Number of threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    pub jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub struct CommonArgs {
    /// When to use colour
    ///
    /// auto: when standard output is a terminal, unless NO_COLOR is set or TERM is dumb.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorChoice,
    /// No progress bar and no remarks on standard error; errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell on standard error what the program does (twice: more)
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}
