//! The program `ctishark`. This file decides the exit code and nothing else: 0 done, 1 done and the answer is yes,
//! 2 could not do it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, clippy::expect_used))]

mod args;
mod commands;
mod driver;
mod inputs;
mod output;
mod redacted;
mod rotation;
mod save;
mod search;
mod settings;
mod values;
mod went;

use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match args::parse(std::env::args_os()) {
        Ok(cli) => commands::run(cli),
        Err(args::Stop::Show(text)) => output::show(&text),
        Err(args::Stop::Usage(error)) => Err(error),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::from(2)
        }
    }
}
