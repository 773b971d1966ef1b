//! Earlier runs: judging one again, comparing two, and the baseline that a run is held against or saved as. No request is sent.

use super::outputs::Outputs;
use super::{Failed, say, show, tell};
use crate::baseline::Baseline;
use crate::cli::{CompareArgs, JudgeArgs};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::problem::{Excerpt, Problem, Problems};
use crate::redact::Redactor;
use crate::report::{self, About, Facts, Report, ReportFile};
use crate::targets::{self, Decision, Group, Kind, Named, Names, Target};
use std::path::Path;

/// `loadtest judge`.
pub(super) fn judge(args: &JudgeArgs) -> Result<Exit, Failed> {
    let run = report::read(&args.run, "RUN.json")?;
    let base = args.baseline.as_deref().map(|path| read_baseline(path, "--baseline", &run.plan_hash)).transpose()?;
    let judged = again(&run, &args.run, &args.require, base.as_ref())?;
    let mut outputs = Outputs::open(&args.reports)?;
    say(&if args.quiet { report::final_lines(&judged) } else { report::to_terminal(&judged, show::width()) });
    outputs.write(&judged)?;
    Ok(Exit(judged.exit))
}

/// `loadtest compare`.
pub(super) fn compare(args: &CompareArgs) -> Result<Exit, Failed> {
    let run = report::read(&args.run, "B.json")?;
    let base = read_baseline(&args.base, "A.json", &run.plan_hash)?;
    let mut judged = again(&run, &args.run, &[], Some(&base))?;
    let mut outputs = Outputs::open(&args.reports)?;
    // The question is whether it became worse, and not whether the targets are met.
    let unclear = judged.baseline.as_ref().is_some_and(|comparison| comparison.inconclusive.is_some());
    let decision = if unclear { Decision::Inconclusive } else { Decision::Go };
    judged.exit = Exit::judged(decision, !judged.rollback.is_empty()).0;
    say(&report::comparison(&judged, show::width()));
    outputs.write(&judged)?;
    Ok(Exit(judged.exit))
}

/// The baseline of a run, when there is one.
///
/// # Errors
/// When it is unreadable, proves nothing, or is of another plan: then comparing would be guessing.
pub(super) fn baseline(path: Option<&Path>, plan: &Plan) -> Result<Option<Baseline>, Problem> {
    path.map(|path| read_baseline(path, "--baseline", &plan.hash)).transpose()
}

fn read_baseline(path: &Path, place: &str, hash: &str) -> Result<Baseline, Problem> {
    let (base, shown) = (report::read(path, place)?, path.display().to_string());
    if base.plan_hash != hash {
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        let (theirs, ours) = (short(&base.plan_hash), short(hash));
        let what = format!("`{shown}` is of another plan: {theirs} ({}), and not {ours}", load(&base));
        let hint = "only like is compared with like: the same users or rate, times, HTTP/2 or not, journeys, data and names of headers and \
                    variables; save a new baseline with `--save-baseline FILE`";
        return Err(Problem::new(what).at(place).hint(hint));
    }
    base.as_baseline(&shown).map_err(|problem| problem.at(place))
}

/// The load of a run, for people.
fn load(of: &Report) -> String {
    let stage = of.stages.iter().find(|stage| stage.name == of.judged);
    stage.map_or("no load".to_owned(), report::Stage::said)
}

/// Saves a run as a baseline when it is fit to be one, and says why where it is not.
pub(super) fn save(file: Option<&mut ReportFile>, of: &Report) -> Result<(), Failed> {
    let Some(file) = file else { return Ok(()) };
    let unfit = match of.verdict {
        Decision::NoGo => Some(format!("it is NO-GO: {}", of.reason)),
        _ => of.as_baseline("this run").err().map(|problem| problem.what),
    };
    match unfit {
        Some(why) => tell(&format!("no baseline is saved, and an older one stays as it is: {why}")),
        None => file.write(&report::to_json(of))?,
    }
    Ok(())
}

/// A report judged again by other targets, or by its own.
fn again(run: &Report, path: &Path, require: &[String], base: Option<&Baseline>) -> Result<Report, Failed> {
    let shown = path.display().to_string();
    let summary = run.summary(&shown)?;
    let names = names(run);
    let sidecars: Vec<&str> = run.sidecars.iter().map(|sidecar| sidecar.service.as_str()).collect();
    let mut problems = Problems::default();
    let own = run.targets.iter().map(|target| (target.text.as_str(), target.from.clone()));
    let given = require.iter().map(|text| (text.as_str(), "--require".to_owned()));
    let texts: Vec<(&str, String)> = if require.is_empty() { own.collect() } else { given.collect() };
    let read: Vec<Option<(Target, String)>> = texts
        .into_iter()
        .map(|(text, from)| problems.take(target(text, &from, &names, &sidecars)).map(|target| (target, from)))
        .collect();
    let read: Vec<(Target, String)> = problems.or(read)?.into_iter().flatten().collect();
    let about = About {
        target: &run.target,
        plan_hash: &run.plan_hash,
        targets: read.iter().map(|(target, from)| (target, from.clone())).collect(),
        names: &names,
        // The secrets were taken out when the report was written.
        clean: &Redactor::default(),
        baseline: base,
        guards: run.rollback.iter().any(|trigger| trigger.trigger == Kind::Dead),
        // A watch ended for what its last minute showed, which the sums of the run may hide.
        found: if require.is_empty() { &run.rollback } else { &[] },
    };
    let facts = Facts {
        started: run.started.clone(),
        ending: (&run.ending).into(),
        stages: run.stages.clone(),
        evidence: run.evidence(),
    };
    let mut judged = report::build(&about, &summary, &facts);
    judged.timeline = run.timeline.clone();
    judged.findings = run.findings_again(&judged);
    // A signal ended that run, and not this one.
    judged.exit = Exit::judged(judged.verdict, !judged.rollback.is_empty()).0;
    Ok(judged)
}

/// What targets may name; reports written before they said so have their requests and the built-in group.
fn names(run: &Report) -> Names {
    if !run.names.requests.is_empty() {
        return run.names.clone();
    }
    let mut requests: Vec<Named> = Vec::new();
    for line in &run.requests {
        if !requests.iter().any(|named| named.name == line.name) {
            requests.push(Named { name: line.name.clone(), route: line.name.clone(), journeys: Vec::new() });
        }
    }
    let groups: Vec<Group> = vec![targets::api_group()];
    Names { requests, groups }
}

fn target(text: &str, from: &str, names: &Names, sidecars: &[&str]) -> Result<Target, Problem> {
    let excerpt = |at: &std::ops::Range<usize>| {
        let chars = |to: usize| text.get(..to).map_or(0, |before| before.chars().count());
        let width = chars(at.end).saturating_sub(chars(at.start));
        Excerpt { number: None, line: text.to_owned(), before: chars(at.start), width }
    };
    let read = targets::parse(text)
        .map_err(|error| Problem::new(error.what).at(from).excerpt(excerpt(&error.at)).hint(error.hint))?;
    let name_at = read.name_at.clone();
    Target::new(text, read, names, sidecars).map_err(|problem| problem.at(from).excerpt(excerpt(&name_at)))
}
