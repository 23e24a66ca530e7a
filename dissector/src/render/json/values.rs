//! Values that all records of analyses share, as JSON has them.

use super::write::Clock;
use crate::capture::PacketId;
use crate::time::Timestamp;
use serde::{Serialize, Serializer};

/// A time: RFC 3339 in UTC, with six decimals, or nine where the capture is that precise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Vec::new();
        Clock::default().time(&mut out, self.0);
        let text = String::from_utf8_lossy(&out);
        serializer.serialize_str(text.trim_matches('"'))
    }
}

/// A span of time, given in nanoseconds, as seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(in_unit(self.0, 1_000_000_000))
    }
}

/// A span of time, given in nanoseconds, as milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub i64);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(in_unit(self.0, 1_000_000))
    }
}

/// Exact for spans below some 100 days, and as near as a double can be beyond.
fn in_unit(nanos: i64, unit: i64) -> f64 {
    let text = format!("{}e-{}", nanos, unit.ilog10());
    text.parse().unwrap_or_default()
}

/// The packets of a message, as message records have them; `files` only where there are several inputs.
#[derive(Debug, Clone, Serialize)]
pub struct Places {
    /// Numbers within their inputs.
    packets: Vec<u64>,
    /// Numbers of their inputs, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<u64>>,
}

impl Places {
    /// The places of some packets.
    #[must_use]
    pub fn new(packets: &[PacketId], several_inputs: bool) -> Self {
        let files = || packets.iter().map(|p| u64::from(p.input) + 1).collect();
        Self {
            packets: packets.iter().map(|p| p.number).collect(),
            files: several_inputs.then(files),
        }
    }
}

/// Appends a record as a JSON object.
pub fn object(out: &mut Vec<u8>, record: &impl Serialize) {
    // Our own types have no keys that are not text, and memory takes all.
    let _ = serde_json::to_writer(out, record);
}
