//! The static tables that the build makes from `protocol/*.toml`.

use super::advice::{PeripheralError, Reason};
use super::comparison::{About, Comparison, IdentityClass, OrderLine, Scope};
use super::field::{FixedField, FloatingField, FloatingUse, WireType};
use super::message::{
    Alternative, Failure, Kind, Layout, List, Message, MessageType, Place, Sender, Shown, Variant,
};
use super::privacy::{PrivacyClass, Treatment};
use super::value::{Special, TableKind, Value, ValueTable};
use super::version::VersionInfo;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
