//! Dissector for the message protocol between Cisco CTI Server and its clients (GED-188).
//!
//! Data flows one way. [`capture`] reads packets and peels them down to TCP segments; [`reassembly`] puts their payload in
//! order; [`framing`] cuts it into messages; [`conversation`] follows sessions and pairs requests with answers, telling
//! [`record`]s in order; [`decode`] says what a message's bytes mean; [`render`] writes records as text or JSON. Each room
//! can be used alone. [`protocol`] holds what is known of the protocol, [`encode`] builds messages from it, [`explain`]
//! looks things up in it, [`filter`] says by an expression which messages are wanted.
//!
//! Nothing here prints, logs, reads the environment or names a file: input is [`std::io::Read`], output a byte buffer.
//!
//! ```
//! use cti_dissector::decode::Decoder;
//! use cti_dissector::protocol::ProtocolVersion;
//!
//! // CONTROL_FAILURE_CONF: header, InvokeID 9, FailureCode 28, PeripheralErrorCode 0.
//! let bytes = [0, 0, 0, 10, 0, 0, 0, 35, 0, 0, 0, 9, 0, 28, 0, 0, 0, 0];
//! let mut decoder = Decoder::new();
//! let view = decoder.decode(&bytes, ProtocolVersion(24));
//! assert_eq!(view.message().map(|m| m.name), Some("CONTROL_FAILURE_CONF"));
//! let code = view.fixed_named("FailureCode").ok_or("no such field")?;
//! let value = code.field().table.and_then(|t| t.get(code.number().bits));
//! assert_eq!(value.map(|v| v.text), Some("CF_NO_CALL_TO_ANSWER"));
//! # Ok::<(), &str>(())
//! ```

#![cfg_attr(test, allow(clippy::as_conversions))]

pub mod analysis;
pub mod capture;
pub mod conversation;
pub mod correlate;
pub mod decode;
pub mod diff;
pub mod dump;
pub mod encode;
pub mod explain;
pub mod extract;
pub mod filter;
pub mod finding;
pub mod framing;
mod kept;
pub mod limits;
pub mod ports;
pub mod protocol;
pub mod reassembly;
pub mod record;
pub mod redact;
pub mod render;
pub mod select;
mod sequencer;
pub mod session;
pub mod tally;
#[cfg(test)]
mod testing;
mod time;
pub mod triage;

pub use time::Timestamp;
