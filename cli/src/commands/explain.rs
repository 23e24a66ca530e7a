//! The command `explain`.

use std::process::ExitCode;

use crate::args::ExplainArgs;
use crate::settings::Settings;

/// Runs it.
pub fn run(_args: &ExplainArgs, _settings: &Settings) -> anyhow::Result<ExitCode> {
    Err(super::not_available("explain"))
}
