//! The real program from outside, against a server of our own on loopback. `server.rs` is that server, `aborts.rs` what ends a run before its time, `commands.rs` what
//! sends no load, `data.rs` rows of data files, `identity.rs` who the virtual users are to the server, `reports.rs` what is written of runs and done with it later, `runs.rs` whole runs: exit code, report, standard output and standard error,
//! `safety.rs` what a load test must not do, `around.rs` setup and teardown, `sockets.rs` WebSocket steps, `pages.rs` pages with their files,
//! `oracle/` the journeys that are compared with real Hurl.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod aborts;
mod around;
mod commands;
mod data;
mod identity;
#[cfg(test)]
mod oracle;
mod pages;
mod reports;
mod runs;
mod safety;
mod server;
mod sockets;

use std::process::{Command, Output};

/// The program, away from any plan and environment of the machine.
fn loadtest(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(arguments).env_remove("LOADTEST_TARGET").current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
