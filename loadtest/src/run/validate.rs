//! `loadtest validate`: the target held against what every public service is held against.

use super::{Failed, network, say, signalled, tell};
use crate::cli::ValidateArgs;
use crate::engine::Signals;
use crate::exit::Exit;
use crate::plan::{self, Flags, Plan};
use crate::problem::{Problem, Problems};
use crate::report::ReportFile;
use crate::validate::{self, Outcome, Report, Site, VALIDATORS, Validator};
use crate::{clock, suggest};

pub(super) async fn validate(args: &ValidateArgs, mut signals: Signals) -> Exit {
    let done = tokio::select! {
        done = run(args) => done,
        reason = signals.next() => return signalled(reason),
    };
    done.unwrap_or_else(|failed| failed.told())
}

async fn run(args: &ValidateArgs) -> Result<Exit, Failed> {
    let mut problems = Problems::default();
    let chosen = problems.take(chosen(args));
    let plan = problems.take(plan::build(&Flags::from(args), &|name| std::env::var(name).ok()));
    let files = [("--json", &args.json), ("--junit", &args.junit)];
    let files = files.map(|(flag, path)| path.as_deref().and_then(|path| problems.take(ReportFile::open(flag, path))));
    let (Some(plan), Some(chosen)) = (plan, chosen) else { return Err(problems.into()) };
    problems.or(())?;
    plan::consent_to_validate(&plan).await?;
    let started = clock::rfc3339(clock::wall());
    let target = plan.redactor.clean(plan.target.value.as_str());
    if !args.quiet {
        tell(&format!("loadtest validate {target}{}", measuring(&plan, &chosen)));
    }
    let site = Site::new(&plan, network(&plan));
    let quiet = args.quiet;
    let mut told = |finding: &validate::Finding| {
        let well = matches!(finding.outcome, Outcome::Passed | Outcome::NotApplicable);
        if !(quiet && well) {
            say(&validate::finding_lines(finding));
        }
    };
    let findings = validate::run(&site, &chosen, &mut told).await;
    let report = Report::new(target, started, findings);
    say(&validate::final_line(&report));
    let [json, junit] = files;
    json.map_or(Ok(()), |mut file| file.write(&validate::to_json(&report)))?;
    junit.map_or(Ok(()), |mut file| file.write(&validate::to_junit(&report)))?;
    Ok(Exit(report.exit))
}

/// Those of `--only`, or all; without those of `--skip`.
fn chosen(args: &ValidateArgs) -> Result<Vec<&'static Validator>, Problems> {
    let mut problems = Problems::default();
    let known = || VALIDATORS.iter().map(|row| row.name);
    for (flag, names) in [("--only", &args.only), ("--skip", &args.skip)] {
        for name in names.iter().filter(|name| !known().any(|known| known == name.as_str())) {
            let hint = suggest::hint(name, "validators", known().collect::<Vec<_>>());
            problems.0.push(Problem::new(format!("unknown validator `{name}`")).at(flag).hint(hint));
        }
    }
    let wanted = |row: &&Validator| {
        let named = |names: &[String]| names.iter().any(|name| name == row.name);
        (args.only.is_empty() || named(&args.only)) && !named(&args.skip)
    };
    problems.or(VALIDATORS.iter().copied().filter(wanted).collect())
}

/// Whoever waits wants to know for what.
fn measuring(plan: &Plan, chosen: &[&Validator]) -> String {
    let limits = plan.validation.rate_limits.len();
    let asked = chosen.iter().any(|row| row.needs == Some("rate_limits"));
    if asked && limits > 0 {
        format!(" (each rate limit takes about ten seconds, here {limits})")
    } else {
        String::new()
    }
}
