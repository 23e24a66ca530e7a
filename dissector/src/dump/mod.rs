//! Reads our own JSON output back into the records that it was made from, so that what was once dumped can be compared with captures. It
//! takes what `--format ndjson` and `--format json` write (docs/json.md); other JSON is refused.
//!
//! Messages become bytes again, by the tables by which they were decoded. The bytes say the same; they need not be those of the capture,
//! which JSON does not hold where nothing depends on them (the zero byte at the end of a text). Secrets that were masked stay masked.

mod message;
mod outcomes;
mod records;
mod values;

use crate::limits;
use crate::record::{Record, Sink};
use crate::render::json::SCHEMA_VERSION;
use crate::time::Timestamp;
use serde::Deserialize;
use std::io::{self, BufRead, Read as _};

/// Why a dump cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The input cannot be read.
    #[error("line {line}: cannot be read")]
    Io {
        /// The line, from 1.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// A line is no JSON, or not what its kind of record has.
    #[error("line {line}, column {column}: not a record of a dump: {what}")]
    Json {
        /// The line, from 1.
        line: u64,
        /// Where in the line, in bytes from 1.
        column: usize,
        /// Why.
        what: String,
    },
    /// It does not begin with our header.
    #[error("not a dump: it does not begin with a header record of ctishark")]
    NotADump,
    /// It was written by a newer version than this one.
    #[error("written by a newer version of the program (schema {0}, known: {SCHEMA_VERSION})")]
    TooNew(u32),
    /// A line is longer than any record.
    #[error("line {line}: longer than any record")]
    LongLine {
        /// The line, from 1.
        line: u64,
    },
    /// It holds requests, and nothing of what became of them, which the taker wants to know.
    #[error("it has no exchange records, which tell what became of requests, as the filter asks")]
    NoOutcomes,
    /// A record says what no record can.
    #[error("line {line}: {what}")]
    Unfit {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
}

impl DumpError {
    fn json(line: u64, error: &serde_json::Error) -> Self {
        // Each line is a document of its own, so its own count of lines says nothing.
        let what = error.to_string();
        let what = what
            .rsplit_once(" at line ")
            .map_or(&*what, |(what, _)| what);
        Self::Json {
            line,
            column: error.column(),
            what: what.to_owned(),
        }
    }
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Messages.
    pub messages: u64,
    /// The summary record is there: nothing is missing at the end.
    pub complete: bool,
}

/// What the reader of a dump is told apart from records.
pub trait Taker: Sink {
    /// The time of the first message, before anything else.
    fn begins(&mut self, first: Timestamp);
    /// Whether messages are to come with what became of their exchanges, as far as the dump tells: they wait for it, and so does what
    /// comes behind them, within [`limits::MAX_HELD_BYTES`].
    fn wants_outcomes(&self) -> bool {
        false
    }
    /// Whether to go on.
    fn wants_more(&self) -> bool {
        true
    }
}

/// Whether an input may be a dump, by its first bytes (decompressed).
#[must_use]
pub fn recognise(start: &[u8]) -> bool {
    let text = start.trim_ascii_start();
    let text = text.strip_prefix(b"[").unwrap_or(text).trim_ascii_start();
    text.starts_with(b"{\"kind\":")
}

#[derive(Deserialize)]
struct Header {
    kind: String,
    schema: u32,
    tool: String,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

/// Reads a dump and hands its records on, in order.
///
/// # Errors
/// When it is no dump, is damaged, cannot be read, or does not hold what the taker wants.
pub fn read<R: BufRead, S: Taker>(mut input: R, sink: &mut S) -> Result<Extent, DumpError> {
    let mut reader = records::Reader::default();
    let mut sink = outcomes::Outcomes::new(sink);
    let mut extent = Extent::default();
    let mut line = Vec::new();
    let mut number = 0;
    let mut begun = false;
    let mut headed = false;
    loop {
        number += 1;
        line.clear();
        let longest = u64::try_from(limits::MAX_DUMP_LINE).unwrap_or(u64::MAX);
        let got = input
            .by_ref()
            .take(longest + 1)
            .read_until(b'\n', &mut line)
            .map_err(|source| DumpError::Io {
                line: number,
                source,
            })?;
        if got == 0 {
            break;
        }
        if line.len() > limits::MAX_DUMP_LINE {
            return Err(DumpError::LongLine { line: number });
        }
        // In one document, records are elements of an array, a line each.
        let text = line.trim_ascii();
        let text = text.strip_suffix(b",").unwrap_or(text).trim_ascii_end();
        let text = if headed {
            text
        } else {
            text.strip_prefix(b"[").unwrap_or(text)
        };
        if text.is_empty() || text == b"]" {
            continue;
        }
        // A dump that was cut ends in the middle of a line.
        let is_cut = headed
            && !line.ends_with(b"\n")
            && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err_and(|e| e.is_eof());
        if is_cut {
            break;
        }
        let json = |source| DumpError::json(number, &source);
        if !headed {
            let header: Header = serde_json::from_slice(text).map_err(|_| DumpError::NotADump)?;
            if header.kind != "header" || header.tool != "ctishark" {
                return Err(DumpError::NotADump);
            }
            if header.schema > SCHEMA_VERSION {
                return Err(DumpError::TooNew(header.schema));
            }
            headed = true;
            continue;
        }
        let kind = if text.starts_with(b"{\"kind\":\"message\",") {
            "message".to_owned()
        } else {
            serde_json::from_slice::<Kind>(text).map_err(json)?.kind
        };
        let unfit = |what| DumpError::Unfit { line: number, what };
        match kind.as_str() {
            "message" => {
                let record: message::MessageRecord<'_> =
                    serde_json::from_slice(text).map_err(json)?;
                let info = reader.message(&record).map_err(unfit)?;
                if !begun {
                    sink.taker().begins(info.time);
                    begun = true;
                }
                extent.messages += 1;
                sink.message(&info, reader.bytes(), record.answers);
            }
            "exchange" => {
                let record = serde_json::from_slice(text).map_err(json)?;
                let exchange = reader.exchange(&record).map_err(unfit)?;
                sink.exchange(&exchange);
            }
            "session" => {
                let record = serde_json::from_slice(text).map_err(json)?;
                if let Some(session) = reader.session(&record).map_err(unfit)? {
                    sink.other(Record::SessionEnded(&session));
                }
            }
            "summary" => extent.complete = true,
            _ => {}
        }
        if !sink.taker().wants_more() {
            break;
        }
    }
    if !headed {
        return Err(DumpError::NotADump);
    }
    if sink.tells_nothing() {
        return Err(DumpError::NoOutcomes);
    }
    sink.finish();
    Ok(extent)
}
