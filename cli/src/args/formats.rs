//! What options may be chosen from.

use clap::ValueEnum;

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
