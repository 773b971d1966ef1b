//! `loadtest smoke`: each file once, as Hurl would.

use super::{Failed, say, signalled};
use crate::cli::SmokeArgs;
use crate::engine::Signals;
use crate::exit::Exit;
use crate::http::{Client, Network, Transport};
use crate::journey::{self, Defaults, Journey, Named, Value};
use crate::plan::spoken;
use crate::problem::{Problem, Problems};
use crate::redact::{Redactor, looks_secret};
use crate::report::ReportFile;
use crate::smoke::{self, Setting};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

pub(super) async fn smoke(args: &SmokeArgs, mut signals: Signals) -> Exit {
    let done = tokio::select! {
        done = run(args) => done,
        reason = signals.next() => return signalled(reason),
    };
    done.unwrap_or_else(|failed| failed.told())
}

async fn run(args: &SmokeArgs) -> Result<Exit, Failed> {
    let mut problems = Problems::default();
    let journeys: Vec<Option<Journey>> = args.files.iter().map(|file| problems.take(load(file))).collect();
    let variables = problems.take(variables(&args.variable));
    let http2 = args.http2.as_deref().map(|how| spoken(how).map_err(|problem| problem.at("--http2"))).transpose();
    let protocol = problems.take(http2).flatten().unwrap_or_default();
    let json = args.json.as_deref().and_then(|path| problems.take(ReportFile::open("--json", path)));
    let (variables, redactor) = problems.or(variables.unwrap_or_default())?;
    let journeys: Vec<Journey> = journeys.into_iter().flatten().collect();
    let network = Arc::new(Network::default());
    let setting = Setting {
        variables: Arc::new(variables),
        defaults: Defaults::speaking(protocol),
        connect: &mut || Box::new(Client::new(Arc::clone(&network))) as Box<dyn Transport>,
        clean: &|text| redactor.clean(text),
    };
    let mut out = Vec::new();
    let report = smoke::smoke(&journeys, setting, &mut out).await.map_err(|error| Failed::Start(error.to_string()))?;
    say(&String::from_utf8_lossy(&out));
    if let Some(mut json) = json {
        json.write(&(serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"))?;
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
