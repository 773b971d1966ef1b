//! `loadtest smoke`: each journey of the plan, or each file, once, as Hurl would.

use super::{Failed, around, network, say, signalled, single, tell};
use crate::cli::SmokeArgs;
use crate::engine::Signals;
use crate::exit::Exit;
use crate::http::{Client, Network, Transport};
use crate::journey::{self, Defaults, Journey, Named, Session, Value};
use crate::plan::{self, Flags, spoken};
use crate::problem::{Problem, Problems};
use crate::redact::{Redactor, looks_secret};
use crate::report::ReportFile;
use crate::smoke::{self, Report, Setting};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

pub(super) async fn smoke(args: &SmokeArgs, mut signals: Signals) -> Exit {
    if args.files.is_empty() {
        let done = planned(args, &mut signals).await;
        return done.unwrap_or_else(|failed| failed.told());
    }
    let done = tokio::select! {
        done = of_files(args) => done,
        reason = signals.next() => return signalled(reason),
    };
    done.unwrap_or_else(|failed| failed.told())
}

/// The files, each on its own.
async fn of_files(args: &SmokeArgs) -> Result<Exit, Failed> {
    let mut problems = Problems::default();
    let journeys: Vec<Option<Journey>> = args.files.iter().map(|file| problems.take(load(file))).collect();
    let variables = problems.take(variables(&args.variable));
    let http2 = args.http2.as_deref().map(|how| spoken(how).map_err(|problem| problem.at("--http2"))).transpose();
    let protocol = problems.take(http2).flatten().unwrap_or_default();
    let json = args.json.as_deref().and_then(|path| problems.take(ReportFile::open("--json", path)));
    let (variables, redactor) = problems.or(variables.unwrap_or_default())?;
    let journeys: Vec<Journey> = journeys.into_iter().flatten().collect();
    let (network, variables) = (Arc::new(Network::default()), Arc::new(variables));
    let mut session = || {
        let mut session = Session::new(Arc::clone(&variables), Arc::default());
        session.defaults = Defaults::speaking(protocol);
        session
    };
    let report = shown(journeys.iter(), &network, &mut session, &redactor).await?;
    written(&report, json)
}

/// The journeys of the plan, between its setup and its teardown.
async fn planned(args: &SmokeArgs, signals: &mut Signals) -> Result<Exit, Failed> {
    let prepared = async {
        let plan = plan::build(&Flags::from(args), &|name| std::env::var(name).ok())?;
        plan::consent(&plan).await?;
        let json = args.json.as_deref().map(|path| ReportFile::open("--json", path)).transpose()?;
        Ok::<_, Failed>((around::setup(&plan, false).await, plan, json))
    };
    let (set_up, plan, json) = tokio::select! {
        prepared = prepared => prepared?,
        reason = signals.next() => return Ok(signalled(reason)),
    };
    let plan = match set_up {
        Ok(captured) => plan.after_setup(captured),
        Err(why) => {
            tell(&format!("error: no journey was run: {why}"));
            return written(&Report::without_setup(why), json);
        }
    };
    let (network, mut session) = (network(&plan), || single::session(&plan, 0));
    let journeys = plan.journeys.iter().map(|journey| &*journey.compiled);
    let ran = tokio::select! {
        report = shown(journeys, &network, &mut session, &plan.redactor) => Ok(report),
        reason = signals.next() => Err(signalled(reason)),
    };
    let teardown = around::teardown(&plan, false, signals).await;
    teardown.iter().for_each(|why| tell(&format!("warning: {why}")));
    match ran {
        Ok(report) => written(&Report { teardown, ..report? }, json),
        Err(signalled) => Ok(signalled),
    }
}

/// Runs and shows them.
async fn shown(
    journeys: impl IntoIterator<Item = &Journey>,
    network: &Arc<Network>,
    session: &mut (dyn FnMut() -> Session + Send),
    redactor: &Redactor,
) -> Result<Report, Failed> {
    let setting = Setting {
        session,
        connect: &mut || Box::new(Client::new(Arc::clone(network))) as Box<dyn Transport>,
        network,
        clean: &|text| redactor.clean(text),
    };
    let mut out = Vec::new();
    let report = smoke::smoke(journeys, setting, &mut out).await.map_err(|error| Failed::Start(error.to_string()))?;
    say(&String::from_utf8_lossy(&out));
    Ok(report)
}

fn written(report: &Report, json: Option<ReportFile>) -> Result<Exit, Failed> {
    if let Some(mut json) = json {
        json.write(&(serde_json::to_string_pretty(report).unwrap_or_default() + "\n"))?;
    }
    Ok(Exit(report.exit()))
}

fn load(file: &Path) -> Result<Journey, Problems> {
    let (place, hint) = ("FILE of `loadtest smoke`".to_owned(), "name an existing `.hurl` file");
    journey::load(&file.display().to_string(), &[Named { path: file.to_owned(), place, hint }])
}

type Variables = (HashMap<String, Value>, Redactor);

fn variables(given: &[String]) -> Result<Variables, Problems> {
    let mut problems = Problems::default();
    let (mut variables, mut secrets) = (HashMap::new(), Vec::new());
    for text in given {
        let parsed = journey::parse_variable(text);
        let parsed = parsed.map_err(|error| Problem::new(error.to_string()).at("--variable"));
        let Some((name, value)) = problems.take(parsed) else { continue };
        if looks_secret(&name) {
            secrets.extend(text.split_once('=').map(|(_, value)| value.to_owned()));
        }
        variables.insert(name, value);
    }
    problems.or((variables, Redactor::new(secrets)))
}
