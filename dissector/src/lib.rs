//! Dissector for the message protocol between Cisco CTI Server and its clients (GED-188).
//!
//! Data flows one way: [`capture`] reads packets and peels them down to TCP segments, [`reassembly`] puts their payload in
//! order.

#![cfg_attr(test, allow(clippy::as_conversions))]

pub mod analysis;
pub mod capture;
pub mod conversation;
pub mod correlate;
pub mod decode;
pub mod encode;
pub mod explain;
pub mod finding;
pub mod framing;
pub mod limits;
pub mod ports;
pub mod protocol;
pub mod reassembly;
pub mod record;
pub mod render;
pub mod select;
mod sequencer;
pub mod session;
mod time;

pub use time::Timestamp;
