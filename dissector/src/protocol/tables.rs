//! The static tables that the build makes from `protocol/*.toml`.

use super::advice::{PeripheralError, Reason};
use super::comparison::{About, Comparison, IdentityClass, OrderLine, Scope};
use super::definition::{
    Alternative, Failure, FixedField, FloatingField, FloatingUse, Kind, Layout, List, Message,
    MessageType, Place, Sender, Shown, Special, TableKind, Value, ValueTable, Variant, VersionInfo,
    WireType,
};

use super::privacy::{PrivacyClass, Treatment};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
