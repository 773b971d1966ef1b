//! The program `agent`; all it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    agent::cli::main()
}
