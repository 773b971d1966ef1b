//! `agent status`: arguments into a plan, then one round, or one after the other until a signal comes.

use super::{args, complain, could_not_start, runtime};
use crate::config::Environment;
use crate::exit::Exit;
use crate::lifecycle::Signals;
use crate::limits;
use crate::paint::Paint;
use crate::status::{Plan, Round, Screen};
use crate::units::Span;
use std::io;
use std::time::Duration;

pub(super) fn status(arguments: args::Status, env: &Environment) -> Exit {
    let format = arguments.format;
    let (plan, interval) = match plan(arguments, env) {
        Ok(planned) => planned,
        Err(wrong) => return refuse(&wrong),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let paint = Paint::for_stream(&io::stdout());
    let ended = runtime.block_on(async {
        let mut screen = Screen::of_stdout(interval.is_some());
        let mut show = |round: &Round| {
            let width = screen.width();
            screen.draw(&round.text(format, paint, width))
        };
        match interval {
            Some(interval) => watch(&plan, interval, show).await,
            None => {
                let round = plan.ask().await;
                show(&round).map(|()| round.exit())
            }
        }
    });
    // A name look-up that hangs in the system's resolver must not hold up the end.
    runtime.shutdown_background();
    ended.unwrap_or_else(|error| match error.kind() {
        // A reader that has gone away (`| head`) has seen what it wanted.
        io::ErrorKind::BrokenPipe => Exit::Good,
        _ => could_not_start(&format!("cannot write: {error}")),
    })
}

/// One round after the other until a signal or an error of writing; a round that lasts longer than the interval delays the next.
async fn watch(plan: &Plan, interval: Duration, mut show: impl FnMut(&Round) -> io::Result<()>) -> io::Result<Exit> {
    let mut signals = Signals::catch()?;
    let mut beat = tokio::time::interval(interval);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let next = async {
            beat.tick().await;
            plan.ask().await
        };
        tokio::select! {
            stop = signals.next() => return Ok(Exit::Aborted(stop.exit_code())),
            round = next => show(&round)?,
        }
    }
}

/// The plan, and the interval when it is to be watched.
fn plan(arguments: args::Status, env: &Environment) -> Result<(Plan, Option<Duration>), Vec<String>> {
    let args::Status { urls, watch, interval, timeout, ca_file, format: _ } = arguments;
    let urls = if urls.is_empty() { of_environment(env) } else { urls };
    let timeout = timeout.unwrap_or(limits::STATUS_TIMEOUT);
    let interval = interval.unwrap_or(limits::STATUS_INTERVAL);
    let mut wrong = Vec::new();
    if urls.is_empty() {
        let hint = "name agents, `agent status backend db:9797`, or set AGENT_STATUS_URLS";
        wrong.push(format!("there is nothing to ask\nhint: {hint}"));
    }
    if timeout.is_zero() || timeout > limits::STATUS_TIMEOUT_MOST {
        wrong.push(format!(
            "a timeout is more than 0 and at most {}\n  at --timeout",
            Span(limits::STATUS_TIMEOUT_MOST)
        ));
    }
    let [least, most] = limits::STATUS_INTERVALS;
    if interval < least || interval > most {
        wrong.push(format!("an interval is from {} to {}\n  at --interval", Span(least), Span(most)));
    }
    // A file that is not there is an error of the input, not of every sidecar.
    if let Some(file) = &ca_file
        && let Err(error) = std::fs::File::open(file)
    {
        wrong.push(format!("cannot read `{}`: {error}\n  at --ca-file", file.display()));
    }
    match Plan::new(&urls, timeout, ca_file) {
        Ok(plan) if wrong.is_empty() => Ok((plan, watch.then_some(interval))),
        Ok(_) => Err(wrong),
        Err(more) => Err(wrong.into_iter().chain(more).collect()),
    }
}

fn of_environment(env: &Environment) -> Vec<String> {
    let written = env.get("AGENT_STATUS_URLS").unwrap_or_default();
    written.split([',', ' ', '\n']).filter(|url| !url.is_empty()).map(str::to_owned).collect()
}

fn refuse(wrong: &[String]) -> Exit {
    let word = Paint::for_stream(&io::stderr()).red("error:");
    wrong.iter().for_each(|one| complain(&format!("{word} {one}\n")));
    Exit::Input
}
