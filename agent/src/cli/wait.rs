//! `agent wait`: what to wait for, the wait itself, and then the command in our place.

use super::args::Wait;
use super::{complain, could_not_start, refuse, runtime, say};
use crate::config::{self, Awaited, Environment};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::supervise::{self, Caught};
use crate::wait::{self, Ended, Form, Report, Show, Wanted};
use std::io;
use tokio::runtime::Runtime;

pub(super) fn wait(arguments: &Wait, env: &Environment) -> Exit {
    // Before anything else, so that a signal during the start is not lost (invariant 10).
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let mut caught = match runtime.block_on(async { Caught::these(supervise::STOPPING) }) {
        Ok(caught) => caught,
        Err(error) => return could_not_start(&format!("cannot catch signals: {error}")),
    };
    let config = arguments.config.as_deref();
    let awaited = match config::load_awaited(&arguments.awaited, config, env, !arguments.command.is_empty()) {
        Ok(awaited) => awaited,
        Err(error) => return refuse(&error),
    };
    warn(&awaited, arguments.form());
    let wanted = Wanted {
        checks: awaited.checks,
        timeout: arguments.timeout(),
        longest_pause: arguments.longest_pause(),
        fail_fast: arguments.fail_fast,
    };
    let mut show = Show::new(arguments.form());
    let report = runtime.block_on(wait::wait(wanted, &mut show, caught.next()));
    finish(arguments, &report, runtime)
}

fn warn(awaited: &Awaited, form: Form) {
    let paint = Paint::for_stream(&io::stderr());
    let word = paint.yellow("warning:");
    for warning in &awaited.warnings {
        complain(&config::render_problem(warning, awaited.file.as_deref(), &word, paint));
    }
    if let (Some(peer), Form::Text) = (&awaited.left_out, form) {
        complain(&format!("not waiting for `{peer}`, the peer itself: it is what starts now\n"));
    }
}

/// Prints the report, and goes on to the command when all is ready.
fn finish(arguments: &Wait, report: &Report, runtime: Runtime) -> Exit {
    if arguments.form() == Form::Json {
        let text = format!("{}\n", report.json());
        // Stdout is the command's, when there is one.
        if arguments.command.is_empty() {
            let _ = say(&text);
        } else {
            complain(&text);
        }
    }
    match report.ended {
        Ended::Ready => hand_over(arguments, runtime),
        Ended::TimedOut | Ended::Hopeless => {
            runtime.shutdown_background();
            Exit::BadNews
        }
        Ended::Stopped(signal) => {
            runtime.shutdown_background();
            Exit::Aborted(supervise::code_of(signal))
        }
    }
}

fn hand_over(arguments: &Wait, runtime: Runtime) -> Exit {
    let Some((program, mut command)) = supervise::command(&arguments.command) else {
        runtime.shutdown_background();
        return Exit::Good;
    };
    let not_started = if supervise::is_init() {
        match runtime.block_on(supervise::as_init(&program, &mut command)) {
            Ok(end) => return Exit::Command(end.code()),
            Err(error) => error,
        }
    } else {
        supervise::replace(&program, &mut command)
    };
    complain(&format!("{} {not_started}\n", Paint::for_stream(&io::stderr()).red("error:")));
    Exit::Command(not_started.code())
}
