//! What each command is to do.

use anyhow::Context as _;
use cti_dissector::render::table::Look;
use jiff::tz::TimeZone;

use crate::args::{
    ExtractArgs, RedactArgs, RedactChoices, ReportArgs, SaveArgs, StoryFormat, StoryShowArgs,
    StudyArgs, TableFormat, TimelineArgs,
};
use crate::inputs::FileInput;
use crate::redacted;

use super::{Decoding, Selection, Settings, View, captures, time_zone};

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
                    fit: settings.terminal.filter(|_| !args.show.wide),
                },
            },
            inputs: redacted::inputs(inputs, &args.redaction, &decoding, settings)?,
            decoding,
        })
    }
}

impl StoryOptions {
    /// What the arguments ask for.
    pub fn new(args: StudyArgs<StoryShowArgs>, settings: &Settings) -> anyhow::Result<Self> {
        let zone = time_zone(args.show.utc);
        let selection = Selection::new(args.select, &zone, false)?;
        let decoding = Decoding::new(args.decode);
        let inputs = captures(&args.input, &args.common)?;
        Ok(Self {
            selection,
            format: args.show.format,
            look: Look {
                zone,
                ascii: args.show.ascii,
                colour: settings.color,
                fit: None,
            },
            inputs: redacted::inputs(inputs, &args.redaction, &decoding, settings)?,
            decoding,
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
    /// What to write, and where to.
    pub show: ReportArgs,
}

impl ReportOptions {
    /// What the arguments ask for.
    pub fn new(args: StudyArgs<ReportArgs>, settings: &Settings) -> anyhow::Result<Self> {
        let zone = time_zone(args.show.utc);
        let selection = Selection::new(args.select, &zone, false)?;
        let decoding = Decoding::new(args.decode);
        let inputs = captures(&args.input, &args.common)?;
        Ok(Self {
            selection,
            zone,
            inputs: redacted::inputs(inputs, &args.redaction, &decoding, settings)?,
            decoding,
            show: args.show,
        })
    }
}
