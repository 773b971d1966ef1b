//! `loadtest`: arguments, run, exit code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    loadtest::run::main(&loadtest::cli::Cli::parse()).into()
}
