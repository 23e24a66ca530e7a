//! The command `sessions`.

use std::process::ExitCode;

use crate::settings::{SessionsOptions, Settings};

/// Runs it.
pub fn run(_options: SessionsOptions, _settings: &Settings) -> anyhow::Result<ExitCode> {
    Err(super::not_available("sessions"))
}
