//! `agent run`: signals, plan, logging, and from there on the lifecycle; its end as an exit code.

use super::args::Run;
use super::logging::{self, Format, Level};
use super::{complain, could_not_start, refuse, refuse_web, runtime};
use crate::config::{self, Environment, Tables};
use crate::exit::Exit;
use crate::lifecycle::{self, Ended, Load, Signals, Start, StartError};
use std::str::FromStr;
use std::sync::Arc;
use tokio::runtime::Runtime;

pub(super) fn run(arguments: &Run, env: &Environment) -> Exit {
    // Before anything else, so that a signal during the start is not lost (invariant 10).
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let signals = match runtime.block_on(async { Signals::catch() }) {
        Ok(signals) => signals,
        Err(error) => return could_not_start(&format!("cannot catch signals: {error}")),
    };
    let level = setting(arguments.log_level, "AGENT_LOG_LEVEL", env);
    let format = setting(arguments.log_format, "AGENT_LOG_FORMAT", env);
    let (level, format): (Level, Format) = match (level, format) {
        (Ok(level), Ok(format)) => (level, format),
        (Err(message), _) | (_, Err(message)) => {
            complain(&message);
            return Exit::Input;
        }
    };
    let (flags, env) = (arguments.flags(), env.clone());
    let load: Load = Arc::new(move || config::load_watched(&flags, &env, Tables::of_program()));
    match load() {
        (Ok(loaded), files) => {
            logging::start(level, format);
            serve(runtime, Start { loaded, files, load }, signals)
        }
        (Err(error), _) => refuse(&error),
    }
}

/// A flag, else the variable, else the default.
fn setting<T: FromStr<Err = String> + Default>(flag: Option<T>, name: &str, env: &Environment) -> Result<T, String> {
    let variable = || env.filled(name).map(str::parse::<T>).transpose();
    match flag {
        Some(value) => Ok(value),
        None => variable().map(Option::unwrap_or_default).map_err(|message| format!("error: {message}\n  at {name}\n")),
    }
}

fn serve(runtime: Runtime, start: Start, mut signals: Signals) -> Exit {
    let ended = runtime.block_on(lifecycle::run(start, &mut signals));
    // A look-up or a collector may hang in the kernel; nobody waits for its thread.
    runtime.shutdown_background();
    match ended {
        Ok(Ended::InOrder) => {
            tracing::info!("agent has stopped");
            Exit::Good
        }
        Ok(Ended::Aborted(signal)) => Exit::Aborted(signal.exit_code()),
        Err(error @ StartError::Listen { .. }) => could_not_start(&error.to_string()),
        Err(StartError::Web(error)) => refuse_web(&error),
    }
}
