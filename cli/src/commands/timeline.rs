//! The command `timeline`.

use std::process::ExitCode;

use crate::settings::{Settings, TimelineOptions};

/// Runs it.
pub fn run(_options: TimelineOptions, _settings: &Settings) -> anyhow::Result<ExitCode> {
    Err(super::not_available("timeline"))
}
