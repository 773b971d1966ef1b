//! `agent start`: the file, the signals, and from there on the start; its end as an exit code.

use super::args::Start;
use super::{complain, could_not_start, refuse, refuse_web, runtime};
use crate::config::{self, Environment};
use crate::exit::Exit;
use crate::lifecycle;
use crate::paint::Paint;
use crate::startup::{self, StartError, Tell, Wanted};
use crate::supervise::{self, Caught, FORWARDED};
use std::io;

pub(super) fn start(arguments: &Start, env: &Environment) -> Exit {
    // Before anything else, so that a signal during the start is not lost (invariant 10).
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let mut caught = match runtime.block_on(async { Caught::these(FORWARDED) }) {
        Ok(caught) => caught,
        Err(error) => return could_not_start(&format!("cannot catch signals: {error}")),
    };
    let (phases, warnings) = match config::load_phases(&arguments.phases, env) {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&error),
    };
    let paint = Paint::for_stream(&io::stderr());
    for warning in &warnings {
        complain(&config::render_problem(warning, Some(&arguments.phases), &paint.yellow("warning:"), paint));
    }
    let wanted = Wanted {
        phases,
        command: supervise::command(&arguments.command),
        listen: arguments.listen,
        tell: Tell::new(arguments.json()),
        env: env.clone(),
    };
    let ended = runtime.block_on(startup::run(wanted, &mut caught));
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit,
        Err(StartError::Serve(lifecycle::StartError::Web(error))) => refuse_web(&error),
        Err(error) => could_not_start(&error.to_string()),
    }
}
