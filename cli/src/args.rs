//! What was typed: the definition of all commands and options. What they mean is for `settings.rs`; help, man page and
//! completions are made from here.

mod examples;
mod formats;
mod shared;
#[cfg(test)]
mod tests;

pub use formats::{
    CaptureFormat, ColorChoice, DiffFormat, DocumentFormat, Format, SectionChoice, SeverityChoice,
    StoryFormat, TableFormat, TimeStyle,
};
pub use shared::{
    CommonArgs, DecodeArgs, InputArgs, RedactChoices, RedactionArgs, SaveArgs, SelectArgs,
    ShowArgs, StudyArgs,
};

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};

use cti_dissector::diff::Tolerance;

use crate::values::{self, Factor, Moment, TypePattern};
use crate::went::{self, Wanted};

/// Show what a Cisco CTI Server and its clients said to each other
///
/// Reads packet captures (pcap or pcapng, also compressed) and prints a timeline of the CTI messages (protocol GED-188)
/// in them, each request with its answer. A command in place of FILE does another job.
#[derive(Debug, Parser)]
#[command(name = "ctishark", version, args_conflicts_with_subcommands = true)]
#[command(after_help = examples::TIMELINE_EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub timeline: TimelineArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List connections and sessions: peers, client, version, services, counts, how it ended
    ///
    /// A session is listed when one of its messages is selected; its counts are those of the whole session.
    #[command(after_help = examples::SESSIONS_EXAMPLES)]
    Sessions(Box<StudyArgs>),
    /// Say what went wrong, the most important first, what it usually means and what to check next
    ///
    /// Findings that touch none of the selected messages are left out.
    #[command(after_help = examples::TRIAGE_EXAMPLES)]
    Triage(Box<TriageArgs>),
    /// List agents: sessions, time in each state, calls, requests, states that contradict the calls
    ///
    /// An agent is listed when one of the messages about it is selected.
    #[command(after_help = examples::AGENTS_EXAMPLES)]
    Agents(Box<StudyArgs>),
    /// Show one agent: every state with its reason and cause, as a strip and a list; calls and requests
    #[command(after_help = examples::AGENT_EXAMPLES)]
    Agent(Box<AgentArgs>),
    /// Count: messages by type, direction, session and time, how long answers take, failures, heartbeats
    ///
    /// Only selected messages count, and exchanges of which one message is selected.
    #[command(after_help = examples::STATS_EXAMPLES)]
    Stats(Box<StatsArgs>),
    /// List calls: IDs, parties, times, transfers, how each ended
    ///
    /// A call is followed over all its call IDs, sessions and servers, and listed when one of its messages is selected.
    #[command(after_help = examples::CALLS_EXAMPLES)]
    Calls(Box<CallsArgs>),
    /// Tell the story of one call: a ladder of its parties with every event, request and answer
    ///
    /// A name that several calls go by, such as an ANI, tells them all, as far as one of their messages is selected.
    #[command(after_help = examples::CALL_EXAMPLES)]
    Call(Box<CallArgs>),
    /// Write a capture with only the packets of the selected messages, and what is needed to follow them
    ///
    /// Kept are the packets that carry selected messages and those right before and behind them, how their sessions were opened, the
    /// handshake and the end of their connections, and all fragments of each. With --session alone, everything of these sessions.
    #[command(after_help = examples::EXTRACT_EXAMPLES)]
    Extract(Box<ExtractArgs>),
    /// Write a capture that can be shared: numbers, names, agents, passwords, call data and addresses replaced
    ///
    /// Values become others of the same length and alphabet, the same value the same one everywhere, so that the capture decodes to the
    /// same messages. What cannot be decoded is blanked, what is not CTI left out. The guide says what remains to be seen.
    #[command(after_help = examples::REDACT_EXAMPLES)]
    Redact(Box<RedactArgs>),
    /// Compare the conversations of two runs: do they still talk the same way?
    ///
    /// What differs from run to run is recognised: times, ports, InvokeIDs, call IDs and other names that a run gives to things. A name must
    /// stand for the same thing throughout. Sessions are matched by who the client is and what it asks for.
    #[command(after_help = examples::DIFF_EXAMPLES)]
    Diff(Box<DiffArgs>),
    /// Look up messages, fields, tags, values and versions of the protocol
    #[command(after_help = examples::EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Write a report to read and to hand on: one HTML page that needs nothing else
    ///
    /// Summary, findings, sessions, calls, agents, latencies, and messages with all their fields, in a page that any browser opens without a
    /// network. Findings, calls and agents that have nothing to do with the selected messages are left out.
    #[command(after_help = examples::REPORT_EXAMPLES)]
    Report(Box<StudyArgs<ReportArgs>>),
    /// Print files made from the program's own definitions
    #[command(hide = true)]
    Generate(GenerateArgs),
}

#[derive(Debug, Args)]
pub struct TimelineArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub show: ShowArgs,
    #[command(flatten)]
    pub decode: DecodeArgs,
    #[command(flatten)]
    pub redaction: RedactionArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, Args)]
pub struct AgentArgs {
    /// The agent: agent ID, extension or instrument
    #[arg(value_name = "ID", value_parser = values::name)]
    pub id: String,
    #[command(flatten)]
    pub study: StudyArgs,
}

#[derive(Debug, Args)]
pub struct StatsArgs {
    #[command(flatten)]
    pub study: StudyArgs,
    /// Only these sections (repeatable; CSV takes one) [default: all; in CSV type, or interval with --interval]
    #[arg(
        long,
        value_enum,
        value_name = "SECTION",
        value_delimiter = ',',
        help_heading = "Statistics"
    )]
    pub by: Vec<SectionChoice>,
    /// Count for slices of time of this length as well: seconds, or such as 10s or 500ms
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Statistics")]
    pub interval: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct TriageArgs {
    #[command(flatten)]
    pub study: StudyArgs,
    /// Exit with 1 when there is a finding of this severity or a higher one
    #[arg(long, value_enum, value_name = "SEVERITY", help_heading = "Findings")]
    pub fail_on: Option<SeverityChoice>,
    /// Leave out findings below this severity
    #[arg(
        long,
        value_enum,
        value_name = "SEVERITY",
        default_value_t,
        help_heading = "Findings"
    )]
    pub min_severity: SeverityChoice,
    /// Change a number that decides, such as slow=10s; `ctishark generate findings` lists them (repeatable)
    #[arg(long = "threshold", value_name = "NAME=VALUE", value_parser = values::assignment, help_heading = "Findings")]
    pub thresholds: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub struct CallsArgs {
    #[command(flatten)]
    pub study: StudyArgs,
    /// Only calls that went so: answered, abandoned, transferred ... (repeatable; one of them must apply)
    #[arg(long = "outcome", value_name = "OUTCOME", value_delimiter = ',', value_parser = went::wanted, help_heading = "Calls")]
    pub outcomes: Vec<Wanted>,
    /// Only calls on which somebody talked at least this long: seconds, or such as 90s or 2m
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Calls")]
    pub min_talk: Option<Duration>,
    /// Only calls on which nobody talked longer than this
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Calls")]
    pub max_talk: Option<Duration>,
    /// Only calls that were on hold at least this long
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Calls")]
    pub min_hold: Option<Duration>,
    /// Only calls that queued at least this long
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Calls")]
    pub min_queue: Option<Duration>,
    /// Only calls that rang at least this long
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Calls")]
    pub min_ring: Option<Duration>,
    /// Only calls with at least this long from first to last message
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Calls")]
    pub min_length: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct CallArgs {
    /// A call ID (decimal or 0x hexadecimal), an ANI, a RouterCallKey as DAY/CALL, or a CallReferenceID in hexadecimal
    #[arg(value_name = "ID", value_parser = values::name)]
    pub id: String,
    #[command(flatten)]
    pub study: StudyArgs<StoryShowArgs>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct StoryShowArgs {
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: StoryFormat,
    /// Show times in UTC instead of the local time zone
    #[arg(long)]
    pub utc: bool,
    /// Use ASCII characters only
    #[arg(long)]
    pub ascii: bool,
}

#[derive(Debug, Args)]
pub struct ExtractArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub save: SaveArgs,
    /// Keep all packets of every connection that has a selected message
    #[arg(long, help_heading = "Output")]
    pub whole: bool,
    /// Show times in UTC instead of the local time zone
    #[arg(long, help_heading = "Output")]
    pub utc: bool,
    #[command(flatten)]
    pub decode: DecodeArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, Args)]
pub struct RedactArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Write the capture to this file; - is standard output
    ///
    /// A name that ends in .pcap gives a pcap file, any other pcapng; .gz and .zst behind it compress. The file is there when it is
    /// complete, and not before.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "list", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub format: Option<CaptureFormat>,
    #[command(flatten)]
    pub choices: RedactChoices,
    /// List what is done about each field, and do nothing
    #[arg(long, help_heading = "Redaction")]
    pub list: bool,
    #[command(flatten)]
    pub decode: DecodeArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The run that was right: a capture, a directory or pattern of captures, a dump made by --format ndjson, or - for standard input
    #[arg(value_name = "OLD", value_hint = ValueHint::AnyPath)]
    pub old: PathBuf,
    /// The run in question, likewise
    #[arg(value_name = "NEW", value_hint = ValueHint::AnyPath, required_unless_present = "write_baseline")]
    pub new: Option<PathBuf>,
    #[command(flatten)]
    pub compare: CompareArgs,
    #[command(flatten)]
    pub show: DiffShowArgs,
    #[command(flatten)]
    pub decode: DecodeArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub struct CompareArgs {
    /// Do not compare these fields: names or patterns such as CallVariable*, of one message type as in AGENT_STATE_EVENT.MRDID (repeatable)
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Compare only whether these fields are there, as their values differ from run to run (repeatable)
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub varies: Vec<String>,
    /// These fields name something by a name of the run's own: compare whether it is the same thing throughout (repeatable)
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub identity: Vec<String>,
    /// Leave out these message types: names, numbers or patterns such as RTP_* (repeatable)
    #[arg(long = "ignore-type", value_name = "PATTERN", value_delimiter = ',', value_parser = values::message_types)]
    pub ignore_types: Vec<TypePattern>,
    /// Compare only messages that pass a filter expression, as for --filter
    #[arg(long, value_name = "EXPR")]
    pub only: Option<String>,
    /// Numbers that differ by no more than this are the same: 3, or 5%
    #[arg(long, value_name = "N", value_parser = values::tolerance)]
    pub numeric_tolerance: Option<Tolerance>,
    /// Answers of a request type are slower when the median grew by this factor, and not by chance; off: do not compare [default: 2]
    #[arg(long, value_name = "FACTOR", value_parser = values::factor)]
    pub latency_factor: Option<Factor>,
    /// Any change of order is a difference, also one that the protocol allows
    #[arg(long)]
    pub strict_order: bool,
    /// Leave out heartbeats
    #[arg(long)]
    pub no_heartbeats: bool,
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
    /// Take what to compare and how from this file (TOML), to be kept beside baselines; options add to it
    #[arg(long, value_name = "PROFILE", value_hint = ValueHint::FilePath)]
    pub profile: Option<PathBuf>,
    /// Write OLD as a dump to be compared with later, compressed if the name ends with .gz, and compare nothing
    #[arg(long, value_name = "DUMP", value_hint = ValueHint::FilePath, conflicts_with = "new")]
    pub write_baseline: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct DiffShowArgs {
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: DiffFormat,
    /// Messages without a difference shown around those with one [default: 3]
    #[arg(long, value_name = "N")]
    pub context: Option<usize>,
    /// Differing places that are shown in text and HTML
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub limit: usize,
    /// Show old and new beside each other, in the width of the terminal
    #[arg(long)]
    pub side_by_side: bool,
    /// Show times in UTC instead of the local time zone
    #[arg(long)]
    pub utc: bool,
    /// Use ASCII characters only
    #[arg(long)]
    pub ascii: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Names or numbers of messages, tags, fields, value tables, values, data types or versions
    #[arg(value_name = "WHAT")]
    pub what: Vec<String>,
    /// Show layouts as they are in this protocol version (5 to 25)
    #[arg(long = "version", visible_alias = "protocol-version", value_name = "N", value_parser = values::protocol_version)]
    pub version: Option<u8>,
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ReportArgs {
    /// The file to write, or - for standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Heading of the page [default: the names of the captures]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Most messages in the page's table, the first ones; findings, calls and numbers are made from all
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub max_messages: u32,
    /// Show times in UTC instead of the local time zone
    #[arg(long)]
    pub utc: bool,
    /// Change a number that decides about findings, such as slow=10s; `ctishark generate findings` lists them (repeatable)
    #[arg(long = "threshold", value_name = "NAME=VALUE", value_parser = values::assignment, help_heading = "Findings")]
    pub thresholds: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(subcommand)]
    pub what: Generate,
}

#[derive(Debug, Subcommand)]
pub enum Generate {
    /// Man pages of all commands
    Man {
        /// Write one file for each command into this directory instead of all pages to standard output
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// Completions for a shell
    Completions {
        /// The shell
        #[arg(value_name = "SHELL", value_enum)]
        shell: clap_complete::Shell,
    },
    /// JSON Schema of the output
    Schema,
    /// The reference of all findings (docs/findings.md)
    Findings,
}

/// Why there is nothing to run.
pub enum Stop {
    /// Help or version was asked for; it goes to standard output.
    Show(String),
    /// The arguments make no sense.
    Usage(anyhow::Error),
}

/// Reads the command line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Stop> {
    Cli::try_parse_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Show(error.render().to_string())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Stop::Usage(anyhow::anyhow!("a word is missing; try --help"))
        }
        _ => Stop::Usage(anyhow::anyhow!(on_one_line(&error.render().to_string()))),
    })
}

/// The short help of a command, by its name; of the program itself without one.
pub fn short_help(command: Option<&str>) -> String {
    let mut root = Cli::command();
    root.build();
    let found = command.and_then(|name| root.find_subcommand(name).cloned());
    found.unwrap_or(root).render_help().to_string()
}

/// The names of the commands that help lists.
pub fn command_names() -> Vec<String> {
    let root = Cli::command();
    let shown = root.get_subcommands().filter(|c| !c.is_hide_set());
    shown.map(|c| c.get_name().to_owned()).collect()
}

/// clap's error as one line: without its usage and help paragraphs.
fn on_one_line(rendered: &str) -> String {
    let paragraphs = rendered.split("\n\n").filter(|p| {
        let p = p.trim_start();
        !p.is_empty() && !p.starts_with("Usage:") && !p.starts_with("For more information")
    });
    let lines: Vec<String> = paragraphs
        .map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let text = lines.join("; ");
    text.strip_prefix("error: ").unwrap_or(&text).to_owned()
}
