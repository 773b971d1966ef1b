//! `agent run`: logging, plan, runtime, and from there on the lifecycle.

use super::args::Run;
use super::logging::{self, Format, Level};
use super::{could_not_start, refuse};
use crate::config::{self, Environment, Plan, Tables};
use crate::exit::Exit;
use std::str::FromStr;

pub(super) fn run(arguments: &Run, env: &Environment) -> Exit {
    let level = setting(arguments.log_level, "AGENT_LOG_LEVEL", env);
    let format = setting(arguments.log_format, "AGENT_LOG_FORMAT", env);
    let (level, format): (Level, Format) = match (level, format) {
        (Ok(level), Ok(format)) => (level, format),
        (Err(message), _) | (_, Err(message)) => {
            super::complain(&message);
            return Exit::Input;
        }
    };
    let loaded = match config::load(&arguments.flags(), env, Tables::of_program()) {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&error),
    };
    logging::start(level, format);
    for warning in &loaded.warnings {
        let hint = warning.hint.as_deref();
        tracing::warn!(at = warning.path, line = warning.at.line, hint, "{}", warning.message);
    }
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => serve(&runtime, loaded.plan),
        Err(error) => could_not_start(&format!("cannot start the runtime: {error}")),
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

/// Hands the plan over to the lifecycle.
fn serve(_runtime: &tokio::runtime::Runtime, plan: Plan) -> Exit {
    drop(plan);
    could_not_start("this build has no lifecycle yet: `probe`, `check`, `health` and `reference` work")
}
