//! The `shingle` command: reads the command line, runs one command, says how it went.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that goes wrong should panic"))]

mod cli;
mod command;
mod failure;
mod printer;
mod progress;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use cli::Cli;
use printer::Printer;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            printer::usage(&usage);
            return u8::try_from(usage.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let printer = Printer::new(&cli.global);
    match command::run(&cli, &printer) {
        Ok(code) => code,
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit_code()
        }
    }
}
