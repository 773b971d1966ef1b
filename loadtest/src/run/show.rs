//! Shows a run while it goes on: the live view on a terminal, a line every few seconds elsewhere, nothing when quiet.

use crate::engine::Control;
use crate::limits::{DRAW_EVERY, LINE_EVERY};
use crate::live::{self, Frame, History, Recent, Screen};
use crate::measure::carries;
use crate::plan::Plan;
use rustix::termios::{isatty, tcgetwinsize};
use std::io::{Write, stderr};
use std::os::fd::AsFd;
use std::time::Duration;

const WIDTH: usize = 100;

/// Shows frames until it is dropped with the run.
pub(super) async fn watch<T>(plan: &Plan, control: &Control, planned: Duration, quiet: bool) -> T {
    if quiet {
        return std::future::pending().await;
    }
    let mut screen = on_terminal().then(|| Screen::new(stderr()));
    let mut history = History::default();
    let every = if screen.is_some() { DRAW_EVERY } else { LINE_EVERY };
    loop {
        tokio::time::sleep(every).await;
        let frame = frame(plan, control, planned);
        history.push(frame.recent);
        // A terminal or a reader that is gone is no reason to end the run.
        let _ = match &mut screen {
            Some(screen) => screen.draw(&live::view(&frame, &history, columns(stderr()))),
            None => writeln!(stderr(), "{}", live::line(&frame)),
        };
    }
}

/// The width for the report: that of the terminal it goes to.
pub(super) fn width() -> usize {
    let stdout = std::io::stdout();
    if isatty(&stdout) { columns(stdout) } else { WIDTH }
}

/// The columns of a terminal; one that says 0, as those of some CI runners do, has not said.
fn columns(of: impl AsFd) -> usize {
    let said = tcgetwinsize(of).ok().map(|size| usize::from(size.ws_col));
    said.filter(|columns| *columns > 0).unwrap_or(WIDTH)
}

fn on_terminal() -> bool {
    isatty(stderr()) && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Only figures that are cheap to get: the view shares its thread with the run's own watch, and must not make it late.
fn frame(plan: &Plan, control: &Control, planned: Duration) -> Frame {
    let (elapsed, users, in_flight, oldest) = control.now();
    let (count, errors) = control.counts();
    Frame {
        stage: control.stage().to_owned(),
        elapsed: elapsed.min(planned),
        planned,
        edges: edges(plan),
        in_flight,
        users,
        all_users: plan.load.seats(),
        count,
        errors,
        recent: recent(control),
        oldest,
    }
}

fn recent(control: &Control) -> Recent {
    let Some(window) = control.window() else { return Recent::default() };
    let carried = |share: f64| {
        carries(window.count, share).then(|| Duration::from_micros(window.latencies.value_at_quantile(share)))
    };
    let errors =
        (window.count > 0).then(|| crate::targets::to_f64(window.errors) / crate::targets::to_f64(window.count));
    Recent { rate: window.throughput(), p50: carried(0.50), p95: carried(0.95), p99: carried(0.99), errors }
}

/// When the stages end, but for the last.
fn edges(plan: &Plan) -> Vec<Duration> {
    let mut end = Duration::ZERO;
    let ends = plan.load.stages.iter().map(|stage| {
        end += stage.duration;
        end
    });
    let ends: Vec<Duration> = ends.collect();
    ends.split_last().map_or_else(Vec::new, |(_, edges)| edges.to_vec())
}
