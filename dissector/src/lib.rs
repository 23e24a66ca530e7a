//! Dissector for the message protocol between Cisco CTI Server and its clients (GED-188).
//!
//! Data flows one way: [`capture`] reads packets and peels them down to TCP segments, [`reassembly`] puts their payload in
//! order.

#![cfg_attr(test, allow(clippy::as_conversions))]

pub mod capture;
pub mod encode;
pub mod limits;
pub mod protocol;
pub mod reassembly;
mod time;

pub use time::Timestamp;
