//! The life of a run, from arguments to exit code, top to bottom.

use super::asked::Asked;
use super::guard::Guard;
use super::lost::Lost;
use super::metrics::Metrics;
use super::outputs::Outputs;
use super::{Failed, around, calm, capacity, network, past, preflight, say, shape, show, signalled, tell, walk};
use crate::baseline::Baseline;
use crate::engine::{self, Control, Ended, Patience, Reason, Signals, Work};
use crate::exit::Exit;
use crate::http::Network;
use crate::measure::{Generator, Row, Summary, Timeline};
use crate::plan::{self, Plan};
use crate::problem::Problem;
use crate::report::{self, About, Facts, Report, ReportFile, ScrapeMoment};
use crate::sidecars::{self, Evidence};
use crate::targets::Ending;
use crate::units::Readable;
use crate::{clock, limits};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Runs `loadtest`.
pub(super) async fn run(args: &Asked<'_>, mut signals: Signals) -> Exit {
    let prepared = tokio::select! {
        prepared = prepare(args) => prepared,
        reason = signals.next() => return signalled(reason),
    };
    let Prepared { plan, mut outputs, mut save, baseline, metrics } = match prepared {
        Ok(Some(prepared)) => prepared,
        Ok(None) => return Exit::GO,
        Err(failed) => return failed.told(),
    };
    if !args.quiet {
        tell(&plan::explain(&plan));
    }
    let report = match whole(args, plan, baseline.as_ref(), metrics, &mut signals).await {
        Ok(report) => report,
        Err(failed) => return failed.told(),
    };
    say(&if args.quiet { report::final_lines(&report) } else { report::to_terminal(&report, show::width()) });
    let written = outputs.write(&report).and_then(|()| past::save(save.as_mut(), &report));
    match written {
        Ok(()) => Exit(report.exit),
        Err(failed) => failed.told(),
    }
}

/// The setup, the run or the runs of a search, and the teardown.
async fn whole(
    args: &Asked<'_>,
    plan: Plan,
    baseline: Option<&Baseline>,
    metrics: Option<Metrics>,
    signals: &mut Signals,
) -> Result<Report, Failed> {
    let set_up = tokio::select! {
        set_up = around::setup(&plan, args.quiet) => set_up.map_err(Ending::GivenUp),
        reason = signals.next() => Err(ending_of(reason, &nothing())),
    };
    let (plan, failed) = match set_up {
        Ok(captured) => (plan.after_setup(captured), None),
        Err(ending) => (plan, Some(ending)),
    };
    let guard = args.gently.as_ref().map(|_| Guard::new(&plan, baseline));
    let shown = Shown { quiet: args.quiet, guard: guard.as_ref() };
    if let Some(ending) = failed {
        return Ok(told(&plan, baseline, shown, unloaded(ending)));
    }
    let ran = if plan.load.is_search() {
        capacity::search(&plan, args.quiet, signals).await
    } else {
        once(&plan, baseline, metrics, shown, signals).await
    };
    let teardown = around::teardown(&plan, args.quiet, signals).await;
    match ran {
        Ok(report) => Ok(Report { teardown, ..report }),
        Err(failed) => {
            // Without a report nobody else would say so.
            teardown.iter().for_each(|why| tell(&format!("warning: {why}")));
            Err(failed)
        }
    }
}

/// One run of the plan, and its report.
pub(super) async fn once(
    plan: &Plan,
    baseline: Option<&Baseline>,
    metrics: Option<Metrics>,
    shown: Shown<'_>,
    signals: &mut Signals,
) -> Result<Report, Failed> {
    let measured = load(plan, metrics, shown, signals).await?;
    Ok(told(plan, baseline, shown, measured))
}

/// The report of what was measured.
fn told(plan: &Plan, baseline: Option<&Baseline>, shown: Shown<'_>, measured: Measured) -> Report {
    let facts = Facts {
        started: clock::rfc3339(measured.began),
        ending: measured.ending,
        stages: shape::stages(&plan.load, measured.summary.elapsed),
        evidence: measured.evidence,
    };
    let found = shown.guard.map(Guard::found).unwrap_or_default();
    let about = About { baseline, guards: shown.guard.is_some(), found: &found, ..About::from(plan) };
    report::build(&about, &measured.summary, &facts)
}

/// Refuses what is about one run: a search is many.
fn one_run(args: &Asked<'_>) -> Result<(), Problem> {
    let given = [
        ("--baseline", args.baseline.is_some()),
        ("--save-baseline", args.save_baseline.is_some()),
        ("--metrics-listen", args.metrics_listen.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => {
            let problem = Problem::new(format!("a search for the capacity is many runs, and `{flag}` is about one"));
            Err(problem.at(flag).hint("remove it, or take another profile"))
        }
    }
}

/// All that a run needs, checked.
struct Prepared {
    plan: Plan,
    outputs: Outputs,
    save: Option<ReportFile>,
    baseline: Option<Baseline>,
    metrics: Option<Metrics>,
}

/// Who looks at a run while it goes on.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) quiet: bool,
    pub(super) guard: Option<&'a Guard<'a>>,
}

/// Everything that can go wrong before the first request; nothing for a dry run, which ends here.
async fn prepare(args: &Asked<'_>) -> Result<Option<Prepared>, Failed> {
    let mut plan = plan::build(&args.flags, &|name| std::env::var(name).ok())?;
    if let Some(gently) = &args.gently {
        plan.gently(gently);
    }
    plan::consent(&plan).await?;
    let place = format!("users ({})", plan.load.users.from);
    engine::check_file_descriptors(plan.load.seats() * connections(&plan))
        .map_err(|error| Problem::said(&error).at(place))?;
    let baseline = past::baseline(args.baseline, &plan)?;
    if plan.load.is_search() {
        one_run(args)?;
    }
    if args.dry_run {
        say(&plan::explain(&plan));
        return Ok(None);
    }
    let outputs = Outputs::open(args.reports)?;
    let save = args.save_baseline.map(|path| ReportFile::beside("--save-baseline", path)).transpose()?;
    let metrics = match args.metrics_listen {
        Some(address) => Some(Metrics::listen(address).await?),
        None => None,
    };
    Ok(Some(Prepared { plan, outputs, save, baseline, metrics }))
}

/// Connections that one user may have open: a page's files come on several.
fn connections(plan: &Plan) -> usize {
    let pages = plan.journeys.iter().any(|journey| journey.compiled.has_pages());
    if pages { limits::CONNECTIONS_PER_USER } else { 1 }
}

/// What a run leaves.
struct Measured {
    ending: Ending,
    summary: Summary,
    evidence: Evidence,
    /// When the load began.
    began: SystemTime,
}

/// Preflight, the calm time, then the load.
async fn load(
    plan: &Plan,
    metrics: Option<Metrics>,
    Shown { quiet, guard }: Shown<'_>,
    signals: &mut Signals,
) -> Result<Measured, Failed> {
    let network = network(plan);
    let preflight = tokio::select! {
        outcome = preflight::run(plan, &network) => outcome,
        reason = signals.next() => Err(ending_of(reason, &nothing())),
    };
    let went = match preflight {
        Ok(went) => went,
        Err(ending) => return Ok(unloaded(ending)),
    };
    if !quiet {
        tell(&went);
        metrics.iter().for_each(|metrics| tell(&metrics.said()));
    }
    let agents: Vec<_> = plan.agents.iter().map(|agent| agent.value.clone()).collect();
    let watch = sidecars::watch(&agents, &network);
    tokio::select! {
        () = calm::before(plan, &watch) => {}
        reason = signals.next() => return Ok(unloaded(ending_of(reason, &nothing()))),
    }
    let work = work(plan, &network);
    let control = Control::new(&work);
    let planned = work.shape.duration();
    let lost = Lost::new(plan);
    let began = clock::wall();
    let ended = tokio::select! {
        ended = engine::run(work, control.clone()) => ended.map_err(|error| Failed::Start(error.to_string()))?,
        never = obey(signals, &control) => never,
        never = watched(guard, &control) => never,
        never = lost.watch(&control, &watch) => never,
        never = scraped(metrics, &control, planned) => never,
        // A watch tells its changes of state, and they would be lost in a view that is redrawn.
        never = show::watch(plan, &control, planned, quiet || guard.is_some()) => never,
    };
    tokio::select! {
        () = calm::after(&watch) => {}
        // Whoever wants to go gets what there is.
        _ = signals.next() => {}
    }
    let Ended { reason, summary } = ended;
    let ending = lost.ending().filter(|_| reason == Reason::Lost).unwrap_or_else(|| ending_of(reason, &summary));
    Ok(Measured { ending, summary, evidence: watch.evidence(control.began()), began })
}

/// What a run leaves that ended before its load.
fn unloaded(ending: Ending) -> Measured {
    Measured { ending, summary: nothing(), evidence: Evidence::default(), began: clock::wall() }
}

async fn scraped<T>(metrics: Option<Metrics>, control: &Control, planned: Duration) -> T {
    match metrics {
        Some(metrics) => {
            let moment = || ScrapeMoment { stage: control.stage().to_owned(), planned };
            metrics.serve(control, moment).await
        }
        None => std::future::pending().await,
    }
}

async fn watched<T>(guard: Option<&Guard<'_>>, control: &Control) -> T {
    match guard {
        Some(guard) => guard.watch(control).await,
        None => std::future::pending().await,
    }
}

async fn obey<T>(signals: &mut Signals, control: &Control) -> T {
    signals.obey(control).await;
    std::future::pending().await
}

fn work(plan: &Plan, network: &Arc<Network>) -> Work {
    Work {
        shape: shape::shape(&plan.load),
        requests: plan.requests.as_ref().map(|requests| requests.value),
        max_errors: plan.max_errors.as_ref().map(|most| most.value),
        names: plan.names.requests.iter().map(|request| request.name.clone()).collect(),
        scripts: walk::scripts(plan, network),
        patience: Patience::default(),
    }
}

/// The measurements of a run that sent nothing.
fn nothing() -> Summary {
    Summary {
        rows: Vec::new(),
        elapsed: Duration::ZERO,
        users: 0,
        in_flight: 0,
        oldest_in_flight: Duration::ZERO,
        generator: Generator::default(),
        arrivals: None,
        timeline: Timeline::default(),
    }
}

fn ending_of(reason: Reason, summary: &Summary) -> Ending {
    let after = Readable(Duration::from_secs(summary.elapsed.as_secs()));
    match reason {
        Reason::Time | Reason::Requests => Ending::Complete,
        Reason::Lost => Ending::Aborted(format!("the run was ended after {after}")),
        Reason::RollBack => Ending::GivenUp(format!("the watch ended {after} into the run: roll back")),
        Reason::Interrupted => Ending::Signal("SIGINT", 2),
        Reason::Terminated => Ending::Signal("SIGTERM", 15),
        Reason::HungUp => Ending::Signal("SIGHUP", 1),
        Reason::Errors => Ending::Aborted(format!("the run was ended after {after}: {}", failed(summary))),
        Reason::Dead => Ending::GivenUp(format!("the target died {after} into the run{}", last_words(summary))),
        Reason::Hung => {
            let patience = Readable(limits::HANG_AFTER);
            let who = last_words(summary);
            Ending::GivenUp(format!("the target hung {after} into the run: nothing answered for {patience}{who}"))
        }
    }
}

/// How many requests have failed, and which most.
fn failed(summary: &Summary) -> String {
    let errors: u64 = summary.rows.iter().map(Row::errors).sum();
    let worst = summary.rows.iter().max_by_key(|row| row.errors());
    let worst = worst.map_or(String::new(), |row| format!(" (`{}` most)", row.name));
    format!("{errors} requests have failed{worst}, as many as `max_errors` allows or more")
}

/// The request that failed most without an answer, and how.
fn last_words(summary: &Summary) -> String {
    let silent = |row: &Row| -> u64 {
        row.errors_by.iter().filter(|(failure, _)| failure.is_silence()).map(|(_, count)| count).sum()
    };
    let worst = summary.rows.iter().filter(|row| silent(row) > 0).max_by_key(|row| silent(row));
    let Some(worst) = worst else { return String::new() };
    let how = worst.example.as_deref().and_then(|example| example.lines().next()).unwrap_or("no answer");
    format!(", `{}` says: {how}", worst.name)
}
