//! Owns the exit codes, which are an interface: 0 good, 1 work was cut off while stopping, 2 your input, 4 could not start,
//! 130 or 143 a second signal.

use std::{error::Error, process::ExitCode};

use crate::config::Problems;

/// The environment is unusable: every problem is printed, none started.
pub fn bad_input(problems: &Problems) -> ExitCode {
    eprintln!("{problems}");
    ExitCode::from(2)
}

/// There are no flags: the environment configures the service.
pub fn bad_arguments() -> ExitCode {
    eprintln!("error: unknown argument\nhint: `backend` starts the service, `backend health [URL]` asks a running one");
    ExitCode::from(2)
}

/// The input was fine, the machine was not: a busy port, a database that cannot be opened.
pub fn could_not_start(error: &dyn Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(4)
}

/// Stopped by the first signal.
pub fn stopped(drained: bool) -> ExitCode {
    if drained { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// A second signal ends the process at once with the shell's code for it.
pub fn abort(signal_number: i32) -> ! {
    std::process::exit(128 + signal_number)
}
