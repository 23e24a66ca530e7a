//! The text timeline: a line per message, with as much detail below it as asked for.
//!
//! Rendering a record needs nothing but the record, a few [`Hints`] that only the order of records can give, and
//! [`Scratch`] space. So batches of records may be rendered by several threads, each with scratch space of its own, after a
//! [`Sequence`] has given each record its hints.

mod agent_rows;
mod agents;
mod bars;
pub(super) mod clock;
mod detail;
pub mod differences;
pub(super) mod escape;
mod exchange;
mod fields;
mod hex;
mod ladder;
mod lanes;
mod message;
pub(super) mod pen;
mod problems;
pub mod sessions;
mod story;
mod strip;
mod values;
pub mod words;

pub use agent_rows::{PERIOD_COLUMNS, period_rows};
pub use agents::{AgentPage, agents_at_a_glance, percent};
pub use bars::{Bars, Heading};
pub use clock::TimeMode;
pub use differences::Differences;
pub use escape::is_harmless;
pub use ladder::Stories;
pub use problems::Problems;
pub use strip::Span;

use crate::analysis::{AgentStates, StateChange};
use crate::decode::Decoder;
use crate::record::Record;
use crate::time::Timestamp;
use clock::Clock;
use pen::{Paint, Pen};

/// What the timeline looks like.
#[derive(Debug, Clone)]
pub struct TextOptions {
    /// Colours by ANSI escape sequences.
    pub colour: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
    /// How times are written.
    pub time: TimeMode,
    /// All fields below each message.
    pub detail: bool,
    /// All bytes below each message.
    pub hex: bool,
    /// Passwords are shown.
    pub show_secrets: bool,
    /// There is more than one input, so packet numbers need the number of theirs.
    pub several_inputs: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            colour: false,
            ascii: false,
            time: TimeMode::Absolute(jiff::tz::TimeZone::UTC),
            detail: false,
            hex: false,
            show_secrets: false,
            several_inputs: false,
        }
    }
}

/// What a record's place among the others tells. [`Sequence`] makes them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints {
    /// Time of the line before; `None` before the first.
    pub previous: Option<Timestamp>,
    /// What an AGENT_STATE_EVENT changes.
    pub change: Option<StateChange>,
}

/// Goes through all records in order and finds out what their order tells. This is the part of rendering that cannot be
/// done by several threads; it costs little.
#[derive(Debug, Default)]
pub struct Sequence {
    previous: Option<Timestamp>,
    agents: AgentStates,
    decoder: Decoder,
}

impl Sequence {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next record, which will be rendered with these hints.
    pub fn next(&mut self, record: &Record<'_>) -> Hints {
        let hints = Hints {
            previous: self.previous,
            change: self.change(record),
        };
        if has_line(record)
            && let Some(time) = time(record)
        {
            self.previous = Some(time);
        }
        hints
    }

    /// The next record, which will not be rendered: what it tells of an agent counts all the same.
    pub fn pass(&mut self, record: &Record<'_>) {
        self.change(record);
    }

    fn change(&mut self, record: &Record<'_>) -> Option<StateChange> {
        match record {
            Record::Message(info, bytes) if AgentStates::concerns(info) => {
                let view = self.decoder.decode_as(bytes, info.version, info.message);
                self.agents.note(info, &view)
            }
            _ => None,
        }
    }
}

/// Whether the timeline has a line for a record.
fn has_line(record: &Record<'_>) -> bool {
    matches!(record, Record::Message(..)) || story::has_line(record)
}

/// The time of a record's line; some notices have none.
const fn time(record: &Record<'_>) -> Option<Timestamp> {
    match record {
        Record::Message(info, _) => Some(info.time),
        Record::Exchange(exchange) => Some(exchange.time),
        Record::SessionBegan(session) => Some(session.first),
        Record::SessionEnded(session) => Some(session.last),
        Record::Break(broken) => Some(broken.details.time),
        Record::Notice(notice) => notice.time,
    }
}

/// Memory that rendering reuses from record to record.
#[derive(Debug, Default)]
pub struct Scratch {
    decoder: Decoder,
    clock: Clock,
}

impl Scratch {
    /// Empty scratch space.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// Writes records as lines of text.
#[derive(Debug, Clone)]
pub struct TextRenderer {
    options: TextOptions,
}

impl TextRenderer {
    /// A renderer; it keeps nothing from record to record.
    #[must_use]
    pub const fn new(options: TextOptions) -> Self {
        Self { options }
    }

    /// Appends the lines of a record, if it has any. In absolute time, a line with the date comes first whenever the date
    /// is another than that of the line before.
    pub fn record(
        &self,
        record: Record<'_>,
        hints: Hints,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        if !has_line(&record) {
            return;
        }
        if let Some(time) = time(&record) {
            self.date_line(hints.previous, time, scratch, out);
        }
        let mut pen = self.pen(out);
        match record {
            Record::Message(info, bytes) => {
                let Scratch { decoder, clock } = scratch;
                let view = decoder.decode_as(bytes, info.version, info.message);
                message::line(&mut pen, &self.options, clock, info, &view, hints);
                if self.options.detail {
                    detail::tree(&mut pen, &self.options, info, &view);
                }
                if self.options.hex {
                    hex::dump(&mut pen, &self.options, &view);
                }
            }
            other => story::line(&mut pen, &self.options, &mut scratch.clock, other, hints),
        }
    }

    fn date_line(
        &self,
        previous: Option<Timestamp>,
        time: Timestamp,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        let TimeMode::Absolute(zone) = &self.options.time else {
            return;
        };
        let before = previous.map(|p| scratch.clock.day(zone, p));
        let day = scratch.clock.day(zone, time);
        if before == Some(day) {
            return;
        }
        let mut pen = self.pen(out);
        pen.on(Paint::Dim);
        pen.put("-- ");
        clock::date(&mut pen, day);
        pen.put(" --");
        pen.off();
        pen.end_line();
    }

    const fn pen<'a>(&self, out: &'a mut Vec<u8>) -> Pen<'a> {
        Pen {
            out,
            colour: self.options.colour,
            ascii: self.options.ascii,
        }
    }
}

#[cfg(test)]
mod tests;
