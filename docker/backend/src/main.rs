//! The demo backend: signals first, then the configuration, then the service. `backend health [URL]` asks a running one.

use std::process::ExitCode;

use backend::{config::Config, exit, health_command, logging, run, signals::Signals};

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        None => {}
        Some("health") => return health_command::run(arguments.next()),
        Some(_) => return exit::bad_arguments(),
    }
    let signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(error) => return exit::could_not_start(&error),
    };
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => return exit::bad_input(&problems),
    };
    logging::start(&config.log);
    match run::until_stopped(config, signals).await {
        Ok(drained) => exit::stopped(drained),
        Err(error) => exit::could_not_start(&error),
    }
}
