//! What was typed: the definition of all commands and options. What they mean is for `settings.rs`; help, man page and
//! completions are made from here.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};

use cti_dissector::diff::Tolerance;

use crate::values::{self, Factor, Moment, TypePattern};
use crate::went::{self, Wanted};

const TIMELINE_EXAMPLES: &str = "\
Examples:
  ctishark trace.pcapng                     the timeline of one capture
  ctishark ring_*.pcap.gz | less            rotated files are merged by time
  ctishark captures/                        all captures of a directory, likewise
  ctishark --detail --hex trace.pcap        every field of every message, and its bytes
  ctishark --call 16777235 trace.pcap       one call
  ctishark --type 'CALL_*' --session 2 trace.pcap
  ctishark --only-failures --from 10:15 --to 10:30 trace.pcap
  ctishark -Y 'AgentID == \"1001\" && latency_ms > 500' trace.pcap
  ctishark --format ndjson trace.pcap | jq 'select(.kind == \"message\")'
  tcpdump -i eth0 -U -w - tcp | ctishark -

Exit codes:
  0  done, even when the capture is damaged or holds no CTI messages
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

const SESSIONS_EXAMPLES: &str = "\
Examples:
  ctishark sessions trace.pcapng
  ctishark sessions --format csv captures/
  ctishark sessions -Y 'name == \"FAILURE_CONF\"' trace.pcapng

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

const TRIAGE_EXAMPLES: &str = "\
Examples:
  ctishark triage trace.pcapng
  ctishark triage --agent 1001 trace.pcapng
  ctishark triage --fail-on error --quiet trace.pcapng
  ctishark triage --format csv trace.pcapng

Exit codes:
  0  done
  1  done, and there is a finding that --fail-on asks for
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

const AGENTS_EXAMPLES: &str = "\
Examples:
  ctishark agents trace.pcapng
  ctishark agents --session 2 trace.pcapng
  ctishark agents --format csv captures/ > agents.csv

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

const AGENT_EXAMPLES: &str = "\
Examples:
  ctishark agent 1001 trace.pcapng
  ctishark agent 20101 --from 10:15 --to 10:30 trace.pcapng
  ctishark agent 1001 --format csv trace.pcapng

Exit codes:
  0  done
  2  could not do it: no such agent, wrong usage, a file that cannot be read, not a capture";

const STATS_EXAMPLES: &str = "\
Examples:
  ctishark stats trace.pcapng
  ctishark stats --by latency,failures trace.pcapng
  ctishark stats --by interval --interval 10s trace.pcapng
  ctishark stats --by latency --format csv captures/ > latency.csv
  ctishark stats -Y 'AgentID == \"1001\"' --from 10:15 trace.pcapng

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

const CALLS_EXAMPLES: &str = "\
Examples:
  ctishark calls trace.pcapng
  ctishark calls --format csv captures/ > calls.csv
  ctishark calls --outcome abandoned --min-queue 30s trace.pcapng
  ctishark calls --outcome transferred,conferenced --agent 1001 trace.pcapng
  ctishark calls -Y 'ANI contains \"5550142\"' trace.pcapng

Outcomes, of which each call has one: answered, abandoned, unanswered, failed, undelivered, self_service, open, unknown.
What happened on its way: queued, redirected, held, consulted, transferred, conferenced, supervised, failed_request,
recovered, began_before, end_unseen.

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

const CALL_EXAMPLES: &str = "\
Examples:
  ctishark call 16777301 trace.pcapng
  ctishark call 0x1000035 ring_*.pcap.gz
  ctishark call 5550142 --from 10:15 trace.pcapng      all calls of an ANI
  ctishark call 154601/2034 trace.pcapng               by RouterCallKeyDay/RouterCallKeyCallID
  ctishark call 16777301 --format svg trace.pcapng > call.svg
  ctishark call 16777301 --format csv trace.pcapng > call.csv

Exit codes:
  0  done
  2  could not do it: no such call, wrong usage, a file that cannot be read, not a capture";

const EXTRACT_EXAMPLES: &str = "\
Examples:
  ctishark extract --session 2 trace.pcapng -o session2.pcapng
  ctishark extract --call 16777235 ring_*.pcap.gz -o call.pcap
  ctishark extract --agent 1001 --from 10:15 --to 10:30 trace.pcap -o agent.pcapng.gz
  ctishark extract -Y 'findings' --whole trace.pcapng -o - | tshark -r -

Exit codes:
  0  done, even when nothing was selected
  2  could not do it: wrong usage, a file that cannot be read or written, not a capture";

const REDACT_EXAMPLES: &str = "\
Examples:
  ctishark redact trace.pcapng -o shared.pcapng
  ctishark redact --key-file team.key ring_*.pcap.gz -o shared.pcap.gz
  ctishark redact --keep config,client --report replaced.json trace.pcapng -o shared.pcapng
  ctishark redact --list
  ctishark extract --agent 1001 trace.pcapng -o - | ctishark redact - -o shared.pcapng

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read or written, not a capture";

const DIFF_EXAMPLES: &str = "\
Examples:
  ctishark diff old.pcapng new.pcapng           does it still talk the same way?
  ctishark diff --write-baseline base.ndjson.gz old.pcapng
  ctishark diff base.ndjson.gz new.pcapng       against the baseline made before
  ctishark diff --profile diff.toml base.ndjson.gz captures/
  ctishark diff --no-heartbeats --ignore CallVariable10 --ignore 'AGENT_STATE_EVENT.MRDID' old.pcap new.pcap
  ctishark diff --only 'name contains \"CALL_\"' --side-by-side old.pcap new.pcap
  ctishark diff --format ndjson old.pcap new.pcap | jq 'select(.kind == \"difference\")'

Exit codes:
  0  the same, or the baseline is written
  1  different
  2  could not do it: wrong usage, a file that cannot be read, neither a capture nor a dump";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  ctishark explain                          what can be asked, and all messages
  ctishark explain AGENT_STATE_EVENT        a message: layout, floating fields, answers
  ctishark explain OPEN_CONF --version 13   its layout in protocol version 13
  ctishark explain 36                       everything with this number
  ctishark explain tag 25                   a floating field; also by name, such as ANI_TAG
  ctishark explain E_CTI_INVALID_PASSWORD   a value; also its short form
  ctishark explain CallType                 a field, and its table of values
  ctishark explain version 20               what a protocol version brought

Exit codes:
  0  everything asked for was found
  2  something was not found, or wrong usage";

const REPORT_EXAMPLES: &str = "\
Examples:
  ctishark report trace.pcapng -o report.html
  ctishark report --title 'Ticket 4711' --utc captures/ -o report.html
  ctishark report --from 10:15 --to 10:30 --no-heartbeats trace.pcapng -o report.html
  ctishark report trace.pcapng -o - | gzip > report.html.gz

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read or written, not a capture";

/// Show what a Cisco CTI Server and its clients said to each other
///
/// Reads packet captures (pcap or pcapng, also compressed) and prints a timeline of the CTI messages (protocol GED-188)
/// in them, each request with its answer. A command in place of FILE does another job.
#[derive(Debug, Parser)]
#[command(name = "ctishark", version, args_conflicts_with_subcommands = true)]
#[command(after_help = TIMELINE_EXAMPLES)]
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
    #[command(after_help = SESSIONS_EXAMPLES)]
    Sessions(Box<StudyArgs>),
    /// Say what went wrong, the most important first, what it usually means and what to check next
    ///
    /// Findings that touch none of the selected messages are left out.
    #[command(after_help = TRIAGE_EXAMPLES)]
    Triage(Box<TriageArgs>),
    /// List agents: sessions, time in each state, calls, requests, states that contradict the calls
    ///
    /// An agent is listed when one of the messages about it is selected.
    #[command(after_help = AGENTS_EXAMPLES)]
    Agents(Box<StudyArgs>),
    /// Show one agent: every state with its reason and cause, as a strip and a list; calls and requests
    #[command(after_help = AGENT_EXAMPLES)]
    Agent(Box<AgentArgs>),
    /// Count: messages by type, direction, session and time, how long answers take, failures, heartbeats
    ///
    /// Only selected messages count, and exchanges of which one message is selected.
    #[command(after_help = STATS_EXAMPLES)]
    Stats(Box<StatsArgs>),
    /// List calls: IDs, parties, times, transfers, how each ended
    ///
    /// A call is followed over all its call IDs, sessions and servers, and listed when one of its messages is selected.
    #[command(after_help = CALLS_EXAMPLES)]
    Calls(Box<CallsArgs>),
    /// Tell the story of one call: a ladder of its parties with every event, request and answer
    ///
    /// A name that several calls go by, such as an ANI, tells them all, as far as one of their messages is selected.
    #[command(after_help = CALL_EXAMPLES)]
    Call(Box<CallArgs>),
    /// Write a capture with only the packets of the selected messages, and what is needed to follow them
    ///
    /// Kept are the packets that carry selected messages and those right before and behind them, how their sessions were opened, the
    /// handshake and the end of their connections, and all fragments of each. With --session alone, everything of these sessions.
    #[command(after_help = EXTRACT_EXAMPLES)]
    Extract(Box<ExtractArgs>),
    /// Write a capture that can be shared: numbers, names, agents, passwords, call data and addresses replaced
    ///
    /// Values become others of the same length and alphabet, the same value the same one everywhere, so that the capture decodes to the
    /// same messages. What cannot be decoded is blanked, what is not CTI left out. The guide says what remains to be seen.
    #[command(after_help = REDACT_EXAMPLES)]
    Redact(Box<RedactArgs>),
    /// Compare the conversations of two runs: do they still talk the same way?
    ///
    /// What differs from run to run is recognised: times, ports, InvokeIDs, call IDs and other names that a run gives to things. A name must
    /// stand for the same thing throughout. Sessions are matched by who the client is and what it asks for.
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(Box<DiffArgs>),
    /// Look up messages, fields, tags, values and versions of the protocol
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Write a report to read and to hand on: one HTML page that needs nothing else
    ///
    /// Summary, findings, sessions, calls, agents, latencies, and messages with all their fields, in a page that any browser opens without a
    /// network. Findings, calls and agents that have nothing to do with the selected messages are left out.
    #[command(after_help = REPORT_EXAMPLES)]
    Report(Box<ReportArgs>),
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

/// What all commands that look at a whole capture have in common.
#[derive(Debug, Args)]
pub struct StudyArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub show: StudyShowArgs,
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
    /// Change a number that decides, such as request_slow=10s; `ctishark generate findings` lists them (repeatable)
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
    pub input: InputArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Form of the output
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        help_heading = "Output"
    )]
    pub format: StoryFormat,
    /// Show times in UTC instead of the local time zone
    #[arg(long, help_heading = "Output")]
    pub utc: bool,
    /// Use ASCII characters only
    #[arg(long, help_heading = "Output")]
    pub ascii: bool,
    #[command(flatten)]
    pub decode: DecodeArgs,
    #[command(flatten)]
    pub redaction: RedactionArgs,
    #[command(flatten)]
    pub common: CommonArgs,
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
pub struct ReportArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// The file to write, or - for standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: PathBuf,
    /// Heading of the page [default: the names of the captures]
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    pub title: Option<String>,
    /// Most messages in the page's table, the first ones; findings, calls and numbers are made from all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        help_heading = "Output"
    )]
    pub max_messages: u32,
    /// Show times in UTC instead of the local time zone
    #[arg(long, help_heading = "Output")]
    pub utc: bool,
    /// Change a number that decides about findings, such as request_slow=10s; `ctishark generate findings` lists them (repeatable)
    #[arg(long = "threshold", value_name = "NAME=VALUE", value_parser = values::assignment, help_heading = "Findings")]
    pub thresholds: Vec<(String, String)>,
    #[command(flatten)]
    pub decode: DecodeArgs,
    #[command(flatten)]
    pub redaction: RedactionArgs,
    #[command(flatten)]
    pub common: CommonArgs,
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

/// Forms of a streamed result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// JSON Lines, one record a line as it happens
    Ndjson,
    /// One JSON document
    Json,
}

/// Forms of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CaptureFormat {
    /// Packets of one link type
    Pcap,
    /// Packets of any link types
    Pcapng,
}

/// Forms of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DiffFormat {
    /// For people
    #[default]
    Text,
    /// JSON Lines, one record a line
    Ndjson,
    /// One JSON document
    Json,
    /// One page that needs nothing else
    Html,
}

/// Forms of a result that is one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DocumentFormat {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// Forms of a result that is a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TableFormat {
    /// For people
    #[default]
    Text,
    /// JSON Lines, one record a line
    Ndjson,
    /// One JSON document
    Json,
    /// Comma-separated values, for spreadsheets
    Csv,
}

/// A section of the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SectionChoice {
    /// Messages and bytes by type
    Type,
    /// Messages and bytes by direction
    Direction,
    /// Messages, bytes and answers by session
    Session,
    /// Messages, bytes and requests by slices of time; needs --interval
    Interval,
    /// How long answers take, by type of request: quantiles and a histogram
    Latency,
    /// Service response times as Wireshark has them
    ResponseTime,
    /// Failures by request and code, with the peripheral's error
    Failures,
    /// Heartbeats by session
    Heartbeats,
}

/// Forms of the story of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StoryFormat {
    /// For people
    #[default]
    Text,
    /// JSON Lines, one record a line
    Ndjson,
    /// One JSON document
    Json,
    /// Comma-separated values, one line for each step
    Csv,
    /// A picture
    Svg,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SeverityChoice {
    /// Good to know
    #[default]
    Info,
    /// Unusual
    Warn,
    /// Something failed
    Error,
}

/// How the timeline shows times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TimeStyle {
    /// Time of day
    #[default]
    Absolute,
    /// Since the first packet
    Relative,
    /// Since the line before
    Delta,
    /// Seconds since 1970-01-01 00:00 UTC
    Epoch,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// When standard output is a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_argument_and_command_has_help() {
        fn walk(command: &clap::Command) {
            assert!(
                command.get_about().is_some(),
                "{} has no help",
                command.get_name()
            );
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string);
                assert!(
                    help.is_some_and(|h| !h.is_empty()),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(walk);
        }
        let mut root = Cli::command();
        root.build();
        walk(&root);
    }

    #[test]
    fn an_option_means_the_same_in_every_command() {
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands() {
            for argument in command.get_arguments().filter(|a| a.get_long().is_some()) {
                let same = root
                    .get_arguments()
                    .find(|a| a.get_long() == argument.get_long());
                // `explain --version N` is a protocol version; elsewhere the word shows the program's. `redact` redacts anyway, so that its
                // --redact always names what else is replaced.
                let differs = ["version", "help", "redact"];
                let Some(same) = same.filter(|a| !differs.contains(&a.get_id().as_str())) else {
                    continue;
                };
                let help = |a: &clap::Arg| a.get_help().map(ToString::to_string);
                assert_eq!(
                    help(same),
                    help(argument),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
                assert_eq!(same.get_value_names(), argument.get_value_names());
            }
        }
    }

    #[test]
    fn an_error_of_the_parser_becomes_one_line() {
        let line = |arguments: &[&str]| match parse(arguments.iter().map(OsString::from)) {
            Err(Stop::Usage(error)) => error.to_string(),
            _ => String::from("accepted"),
        };
        assert_eq!(
            line(&["ctishark", "--color", "red", "x"]),
            "invalid value 'red' for '--color <WHEN>' [possible values: auto, always, never]"
        );
        assert_eq!(
            line(&["ctishark", "--detial", "x"]),
            "unexpected argument '--detial' found; tip: a similar argument exists: '--detail'"
        );
    }
}
