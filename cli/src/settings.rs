//! What the arguments mean once terminal and environment are known. Commands see these types and never the arguments.

use std::env;
use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use cti_dissector::Timestamp;
use cti_dissector::diff::{FieldPattern, LatencyRules, Profile, Rules};
use cti_dissector::filter::{self, Filter};
use cti_dissector::render::table::Look;
use cti_dissector::select::{Criteria, TypeFilter};
use jiff::tz::TimeZone;

use crate::args::{
    CallArgs, ColorChoice, CommonArgs, DecodeArgs, DiffArgs, DiffFormat, ExtractArgs, Format,
    InputArgs, RedactArgs, RedactChoices, RedactionArgs, SaveArgs, SelectArgs, ShowArgs,
    StoryFormat, StudyArgs, TableFormat, TimeStyle, TimelineArgs,
};
use crate::inputs::{self, FileInput};
use crate::output;
use crate::redacted;
use crate::values::{self, Factor, Moment, TypeSelection};

/// What holds for every command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Colour the text on standard output.
    pub color: bool,
    /// Columns of the terminal on standard output; 100 when there is none.
    pub width: usize,
    /// Errors only on standard error.
    pub quiet: bool,
    /// Show progress on standard error.
    pub progress: bool,
}

/// What the timeline is to do.
#[derive(Debug)]
pub struct TimelineOptions {
    /// The captures, in the order named.
    pub inputs: Vec<FileInput>,
    /// Which messages to show.
    pub selection: Selection,
    /// How to show them.
    pub view: View,
    /// How to decode them.
    pub decoding: Decoding,
}

/// What a command that looks at a whole capture is to do.
#[derive(Debug)]
pub struct StudyOptions {
    /// The captures, in the order named.
    pub inputs: Vec<FileInput>,
    /// Which messages count.
    pub selection: Selection,
    /// How to show the result.
    pub view: StudyView,
    /// How to decode the messages.
    pub decoding: Decoding,
}

/// What the story of a call is to do.
#[derive(Debug)]
pub struct StoryOptions {
    /// The captures, in the order named.
    pub inputs: Vec<FileInput>,
    /// Which messages count.
    pub selection: Selection,
    /// Form of the output.
    pub format: StoryFormat,
    /// How it looks as text.
    pub look: Look,
    /// How to decode the messages.
    pub decoding: Decoding,
}

/// What a comparison is to do.
#[derive(Debug)]
pub struct DiffOptions {
    /// The captures or the dump of the old side.
    pub old: Vec<FileInput>,
    /// Those of the new side; `None` where a baseline is written.
    pub new: Option<Vec<FileInput>>,
    /// Write the old side here.
    pub write_baseline: Option<PathBuf>,
    /// Which messages count.
    pub selection: Selection,
    /// How they are compared.
    pub rules: Rules,
    /// Form of the output.
    pub format: DiffFormat,
    /// Time zone of the times.
    pub zone: TimeZone,
    /// ASCII only.
    pub ascii: bool,
    /// Messages shown around a difference.
    pub context: usize,
    /// Differing places that are shown.
    pub limit: usize,
    /// Old and new beside each other.
    pub side_by_side: bool,
    /// How to decode the messages.
    pub decoding: Decoding,
}

/// What cutting a capture down is to do.
#[derive(Debug)]
pub struct ExtractOptions {
    /// The captures, in the order named.
    pub inputs: Vec<FileInput>,
    /// Which messages to keep.
    pub selection: Selection,
    /// How to decode the messages.
    pub decoding: Decoding,
    /// Where to write to.
    pub save: SaveArgs,
    /// Keep all packets of connections with a selected message.
    pub whole: bool,
}

/// What redacting is to do.
#[derive(Debug)]
pub struct RedactOptions {
    /// The captures, in the order named.
    pub inputs: Vec<FileInput>,
    /// How to decode the messages.
    pub decoding: Decoding,
    /// Where to write to.
    pub save: SaveArgs,
    /// What to replace, and by which key.
    pub args: RedactChoices,
}

/// How the result of looking at a whole capture is shown.
#[derive(Debug, Clone)]
pub struct StudyView {
    /// Form of the output.
    pub format: TableFormat,
    /// How it looks as text.
    pub look: Look,
}

/// Which messages to show: those that meet every condition given.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Numbers of sessions; all when empty.
    pub sessions: Vec<u32>,
    /// Message types.
    pub types: TypeSelection,
    /// Call IDs; all when empty.
    pub calls: Vec<u32>,
    /// Agents; all when empty.
    pub agents: Vec<String>,
    /// Not before this.
    pub from: Option<TimeBound>,
    /// Not after this (the bound itself passes).
    pub to: Option<TimeBound>,
    /// Without heartbeats.
    pub no_heartbeats: bool,
    /// Only what failed.
    pub only_failures: bool,
    /// Only what passes this.
    pub filter: Option<Filter>,
}

impl Selection {
    /// Whether it depends on what becomes of requests, so that they must be held back until that is known.
    pub fn asks_for_outcomes(&self) -> bool {
        self.only_failures || self.filter.as_ref().is_some_and(Filter::asks_for_outcomes)
    }

    /// Whether sessions are chosen by number, and nothing else is asked.
    pub fn names_sessions_only(&self) -> bool {
        let sessions = Self {
            sessions: Vec::new(),
            ..self.clone()
        };
        !self.sessions.is_empty() && sessions.is_empty()
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.criteria(Timestamp::default()).is_empty()
    }

    /// The same for a capture whose first packet came at `start`.
    pub fn criteria(&self, start: Timestamp) -> Criteria {
        let wanted = self.types.clone();
        let types: Option<TypeFilter> = if wanted.is_empty() {
            None
        } else {
            Some(Box::new(move |number, message| {
                wanted.accepts(number, message)
            }))
        };
        let mut filter = self.filter.clone();
        if let Some(filter) = &mut filter {
            filter.starts_at(start);
        }
        Criteria {
            sessions: self.sessions.iter().copied().collect(),
            types,
            calls: self.calls.clone(),
            agents: self.agents.clone(),
            from: self.from.as_ref().map(|b| b.resolve(start)),
            to: self.to.as_ref().map(|b| b.resolve(start)),
            no_heartbeats: self.no_heartbeats,
            only_failures: self.only_failures,
            filter,
        }
    }
}

/// An end of the span of time to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeBound {
    /// A point in time.
    At(Timestamp),
    /// A time of day in a time zone, on the day on which the capture starts there.
    OfDay(jiff::civil::Time, TimeZone),
}

impl TimeBound {
    /// The point in time for a capture whose first packet came at `start`.
    pub fn resolve(&self, start: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => *time,
            Self::OfDay(time, zone) => {
                let start =
                    jiff::Timestamp::from_nanosecond(start.nanos().into()).unwrap_or_default();
                let day = zone.to_datetime(start).date();
                zone.to_timestamp(day.to_datetime(*time))
                    .map_or(Timestamp::default(), to_capture_time)
            }
        }
    }
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
        Self {
            color: wants_color(
                common.color,
                env::var_os("NO_COLOR").as_deref(),
                env::var_os("TERM").as_deref(),
                stdout,
            ),
            width: terminal_width(stdout),
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

impl TimelineOptions {
    /// What the arguments ask for.
    pub fn new(args: TimelineArgs, settings: &Settings) -> anyhow::Result<Self> {
        let zone = time_zone(args.show.utc);
        let selection = Selection::new(args.select, &zone, args.show.show_secrets)?;
        let decoding = Decoding::new(args.decode);
        let inputs = captures(&args.input, &args.common)?;
        Ok(Self {
            selection,
            view: View::new(&args.show, zone),
            inputs: redacted::inputs(inputs, &args.redaction, &decoding, settings)?,
            decoding,
        })
    }
}

impl StudyOptions {
    /// What the arguments ask for.
    pub fn new(args: StudyArgs, settings: &Settings) -> anyhow::Result<Self> {
        let zone = time_zone(args.show.utc);
        let selection = Selection::new(args.select, &zone, false)?;
        let decoding = Decoding::new(args.decode);
        let inputs = captures(&args.input, &args.common)?;
        Ok(Self {
            selection,
            view: StudyView {
                format: args.show.format,
                look: Look {
                    zone,
                    ascii: args.show.ascii,
                    colour: settings.color,
                },
            },
            inputs: redacted::inputs(inputs, &args.redaction, &decoding, settings)?,
            decoding,
        })
    }
}

impl StoryOptions {
    /// What the arguments ask for.
    pub fn new(args: CallArgs, settings: &Settings) -> anyhow::Result<Self> {
        let zone = time_zone(args.utc);
        let selection = Selection::new(args.select, &zone, false)?;
        let decoding = Decoding::new(args.decode);
        let inputs = captures(&args.input, &args.common)?;
        Ok(Self {
            selection,
            format: args.format,
            look: Look {
                zone,
                ascii: args.ascii,
                colour: settings.color,
            },
            inputs: redacted::inputs(inputs, &args.redaction, &decoding, settings)?,
            decoding,
        })
    }
}

impl DiffOptions {
    /// What the arguments and the profile ask for.
    pub fn new(args: DiffArgs) -> anyhow::Result<Self> {
        let zone = time_zone(args.show.utc);
        let compare = args.compare;
        let profile = match &compare.profile {
            Some(path) => read_profile(path)?,
            None => Profile::default(),
        };
        let mut rules = profile.rules()?;
        let patterns = |texts: &[String]| -> Vec<FieldPattern> {
            texts.iter().map(|text| FieldPattern::new(text)).collect()
        };
        rules.ignore.extend(patterns(&compare.ignore));
        rules.varies.extend(patterns(&compare.varies));
        rules.identity.extend(patterns(&compare.identity));
        rules.strict_order |= compare.strict_order;
        if let Some(tolerance) = compare.numeric_tolerance {
            let everything = FieldPattern::new("*");
            rules
                .tolerances
                .retain(|(pattern, _)| *pattern != everything);
            rules.tolerances.push((everything, tolerance));
        }
        if let Some(Factor(factor)) = compare.latency_factor {
            rules.latency = factor.map(|factor| LatencyRules {
                factor,
                ..LatencyRules::default()
            });
        }
        let mut types = compare.ignore_types;
        for pattern in &profile.ignore_types {
            let pattern = values::message_types(pattern)
                .with_context(|| format!("ignore_types of the profile: '{pattern}'"))?;
            types.push(pattern);
        }
        let only = match (compare.only, profile.only) {
            (Some(own), Some(profile)) => Some(format!("({own}) && ({profile})")),
            (own, profile) => own.or(profile),
        };
        let select = SelectArgs {
            sessions: Vec::new(),
            types: Vec::new(),
            calls: Vec::new(),
            agents: Vec::new(),
            from: compare.from,
            to: compare.to,
            no_heartbeats: compare.no_heartbeats || profile.no_heartbeats,
            only_failures: false,
            filter: None,
        };
        let mut selection = Selection::new(select, &zone, false)?;
        selection.types = TypeSelection::without(types);
        selection.filter =
            filter_of(only, &zone, false).context("invalid value for '--only <EXPR>'")?;
        let files = |path: PathBuf| captures_of(&[path], &args.common);
        let stdin = |path: &Path| path.as_os_str() == "-";
        ensure!(
            !(stdin(&args.old) && args.new.as_deref().is_some_and(stdin)),
            "- stands for standard input and can be named once only"
        );
        Ok(Self {
            old: files(args.old)?,
            new: args.new.map(files).transpose()?,
            write_baseline: compare.write_baseline,
            selection,
            rules,
            format: args.show.format,
            zone,
            ascii: args.show.ascii,
            context: args.show.context.or(profile.context).unwrap_or(3),
            limit: args.show.limit,
            side_by_side: args.show.side_by_side,
            decoding: Decoding::new(args.decode),
        })
    }
}

impl ExtractOptions {
    /// What the arguments ask for.
    pub fn new(args: ExtractArgs) -> anyhow::Result<Self> {
        let zone = time_zone(args.utc);
        Ok(Self {
            selection: Selection::new(args.select, &zone, false)?,
            decoding: Decoding::new(args.decode),
            inputs: captures(&args.input, &args.common)?,
            save: args.save,
            whole: args.whole,
        })
    }
}

fn read_profile(path: &Path) -> anyhow::Result<Profile> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Profile::parse(&text).map_err(|error| match error.line(&text) {
        Some(line) => anyhow!("{}: line {line}: {error}", path.display()),
        None => anyhow!("{}: {error}", path.display()),
    })
}

/// A filter expression, compiled.
fn filter_of(
    text: Option<String>,
    zone: &TimeZone,
    show_secrets: bool,
) -> anyhow::Result<Option<Filter>> {
    let options = filter::Options {
        show_secrets,
        zone: zone.clone(),
    };
    Ok(text
        .map(|text| Filter::with_options(&text, &options))
        .transpose()?)
}

impl RedactOptions {
    /// What the arguments ask for.
    pub fn new(args: RedactArgs) -> anyhow::Result<Self> {
        Ok(Self {
            decoding: Decoding::new(args.decode),
            inputs: captures(&args.input, &args.common)?,
            save: SaveArgs {
                output: args.output.context("no output is named")?,
                format: args.format,
            },
            args: args.choices,
        })
    }
}

impl Selection {
    fn new(args: SelectArgs, zone: &TimeZone, show_secrets: bool) -> anyhow::Result<Self> {
        let bound = |moment: Option<Moment>, name| {
            moment
                .map(|m| {
                    time_bound(m, zone)
                        .with_context(|| format!("invalid value for '{name} <TIME>'"))
                })
                .transpose()
        };
        let from = bound(args.from, "--from")?;
        let to = bound(args.to, "--to")?;
        let reversed = match (&from, &to) {
            (Some(TimeBound::At(from)), Some(TimeBound::At(to))) => from > to,
            (Some(TimeBound::OfDay(from, _)), Some(TimeBound::OfDay(to, _))) => from > to,
            _ => false,
        };
        ensure!(
            !reversed,
            "--from is later than --to; nothing can be between them"
        );
        let filter = filter_of(args.filter, zone, show_secrets)
            .context("invalid value for '--filter <EXPR>'")?;
        Ok(Self {
            sessions: args.sessions,
            types: TypeSelection::new(args.types),
            calls: args.calls,
            agents: args.agents,
            from,
            to,
            no_heartbeats: args.no_heartbeats,
            only_failures: args.only_failures,
            filter,
        })
    }
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
fn captures(input: &InputArgs, common: &CommonArgs) -> anyhow::Result<Vec<FileInput>> {
    captures_of(&input.files, common)
}

fn captures_of(files: &[PathBuf], common: &CommonArgs) -> anyhow::Result<Vec<FileInput>> {
    let found = inputs::from_arguments(files)?;
    if !common.quiet {
        found.remarks.iter().for_each(|text| output::remark(text));
    }
    Ok(found.inputs)
}

fn time_zone(utc: bool) -> TimeZone {
    if utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    }
}

fn time_bound(moment: Moment, zone: &TimeZone) -> anyhow::Result<TimeBound> {
    Ok(match moment {
        Moment::Instant(instant) => TimeBound::At(to_capture_time(instant)),
        Moment::Civil(civil) => TimeBound::At(to_capture_time(zone.to_timestamp(civil)?)),
        Moment::OfDay(time) => TimeBound::OfDay(time, zone.clone()),
    })
}

/// Saturates beyond the years 1677 to 2262.
fn to_capture_time(instant: jiff::Timestamp) -> Timestamp {
    let nanos = instant.as_nanosecond();
    let limit = if nanos < 0 { i64::MIN } else { i64::MAX };
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(limit))
}

fn wants_color(
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

fn terminal_width(terminal: bool) -> usize {
    const WITHOUT_TERMINAL: usize = 100;
    if !terminal {
        return WITHOUT_TERMINAL;
    }
    match console::Term::stdout().size_checked() {
        Some((_, columns)) => usize::from(columns).clamp(60, 160),
        None => WITHOUT_TERMINAL,
    }
}

/// What the report is to be about.
#[derive(Debug)]
pub struct ReportOptions {
    /// The captures, in the order named.
    pub inputs: Vec<FileInput>,
    /// Which messages count.
    pub selection: Selection,
    /// Time zone in which times are shown.
    pub zone: TimeZone,
    /// How to decode the messages.
    pub decoding: Decoding,
}

impl ReportOptions {
    /// What the arguments ask for.
    pub fn new(
        utc: bool,
        input: &InputArgs,
        select: SelectArgs,
        decode: DecodeArgs,
        redaction: &RedactionArgs,
        common: &CommonArgs,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let zone = time_zone(utc);
        let selection = Selection::new(select, &zone, false)?;
        let decoding = Decoding::new(decode);
        let inputs = captures(input, common)?;
        Ok(Self {
            selection,
            zone,
            inputs: redacted::inputs(inputs, redaction, &decoding, settings)?,
            decoding,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_time_of_day_is_on_the_day_of_the_first_packet() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let bound = TimeBound::OfDay(jiff::civil::time(1, 30, 0, 0), zone);
        let at = |text: &str| to_capture_time(text.parse().unwrap());
        assert_eq!(
            bound.resolve(at("2026-11-23T23:00:00Z")),
            at("2026-11-23T23:30:00Z")
        );
        assert_eq!(
            bound.resolve(at("2026-11-23T12:00:00Z")),
            at("2026-11-22T23:30:00Z")
        );
    }
}
