//! The whole plan in words, for `--dry-run` and before every start: what will be done, and where each value came from.

use super::{Level, Origin, Plan, PlannedJourney, Stage};
use crate::journey::{Act, Journey};
use crate::units::Readable;
use std::fmt::Write;
use std::sync::Arc;

/// Describes a plan; secrets are hidden.
#[must_use]
pub fn explain(plan: &Plan) -> String {
    let sections = [
        settings(plan),
        stages(plan),
        variables(plan),
        headers(plan),
        data(plan),
        once("setup, once before the load", plan.setup.as_ref()),
        journeys(plan),
        once("teardown, once after the load", plan.teardown.as_ref()),
        groups(plan),
        agents(plan),
        targets(plan),
    ];
    plan.redactor.clean(&sections.concat())
}

fn settings(plan: &Plan) -> String {
    let load = &plan.load;
    let mut rows = vec![("target", plan.target.value.to_string(), &plan.target.from)];
    if let Some(profile) = &load.profile {
        rows.push(("profile", format!("{}: {}", profile.value.name, profile.value.summary), &profile.from));
    }
    if load.is_open() {
        if let Some(rate) = &load.rate {
            rows.push(("rate", Level::Rate(rate.value).to_string(), &rate.from));
        }
        rows.push(("arrivals", load.arrivals.value.as_str().to_owned(), &load.arrivals.from));
        let workers = format!("{} workers, up to {} journeys at once", load.users.value, load.seats());
        rows.push(("users", workers, &load.users.from));
    } else if load.run_time.is_some() {
        rows.push(("users", load.users.value.to_string(), &load.users.from));
    }
    for (name, time) in [("ramp", &load.ramp), ("run time", &load.run_time)] {
        rows.extend(time.as_ref().map(|time| (name, Readable(time.value).to_string(), &time.from)));
    }
    if !load.is_open() {
        rows.push(("think", plan.think.value.to_string(), &plan.think.from));
    }
    rows.extend(plan.requests.as_ref().map(|most| ("requests", format!("at most {}", most.value), &most.from)));
    let failed = |most: u64| if most == 1 { "1 has failed".to_owned() } else { format!("{most} have failed") };
    rows.extend(plan.max_errors.as_ref().map(|most| ("ends when", failed(most.value), &most.from)));
    if plan.http2.from != Origin::Default {
        rows.push(("http2", super::protocol::shown(plan.http2.value).to_owned(), &plan.http2.from));
    }
    section("plan", rows.into_iter().map(|(name, value, from)| [name.to_owned(), value, from.to_string()]))
}

fn stages(plan: &Plan) -> String {
    let stages = &plan.load.stages;
    let requests = plan.requests.as_ref().map(|most| format!(" or {} requests", most.value));
    let mut before = None;
    let rows = stages.iter().enumerate().map(|(index, stage)| {
        let end = requests.as_deref().filter(|_| index + 1 == stages.len()).unwrap_or_default();
        let way = way(before.replace(stage.level), stage);
        let judged = if stage.judged { "judged" } else { "measured apart, not judged" };
        [stage.name.clone(), way + end, judged.to_owned()]
    });
    let search = plan.load.is_search().then(|| {
        let steps = "doubled until a target breaks, then bisected to a tenth".to_owned();
        ["then".to_owned(), steps, "each step long enough for every target".to_owned()]
    });
    section("stages", rows.chain(search))
}

/// How the load goes in a stage.
fn way(before: Option<Level>, stage: &Stage) -> String {
    let (level, from) = (stage.level, before.map_or("0".to_owned(), |level| level.to_string()));
    let held = stage.duration.saturating_sub(stage.ramp);
    match (stage.ramp.is_zero(), held.is_zero()) {
        (true, _) => format!("{level} for {}", Readable(held)),
        (false, true) => format!("{from} to {level} in {}", Readable(stage.ramp)),
        (false, false) => format!("{from} to {level} in {}, then for {}", Readable(stage.ramp), Readable(held)),
    }
}

fn variables(plan: &Plan) -> String {
    let row =
        |variable: &super::Variable| [variable.name.clone(), variable.shown().to_owned(), variable.from.to_string()];
    section("variables", plan.variables.iter().map(row))
}

fn headers(plan: &Plan) -> String {
    let row = |header: &super::Header| [header.name.clone(), header.shown().to_owned(), header.from.to_string()];
    section("headers", plan.headers.iter().map(row))
}

fn data(plan: &Plan) -> String {
    let row = |feed: &super::Feed| {
        let count = feed.rows.len();
        let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        [feed.file.display().to_string(), format!("{rows}, {}", feed.order.as_str()), feed.columns.join(", ")]
    };
    section("data", plan.feeds.iter().map(row))
}

fn once(title: &str, journey: Option<&super::Setting<Arc<Journey>>>) -> String {
    let Some(journey) = journey else { return String::new() };
    let requests = requests_of(&journey.value);
    format!("\n{title}  {}{requests}\n", journey.from)
}

fn journeys(plan: &Plan) -> String {
    let whole: u64 = plan.journeys.iter().map(|journey| journey.weight).sum();
    plan.journeys
        .iter()
        .map(|journey| one_journey(journey, whole))
        .fold("\njourneys\n".to_owned(), |all, one| all + &one)
}

fn one_journey(journey: &PlannedJourney, whole: u64) -> String {
    let share = crate::targets::percent(journey.weight, whole);
    let mut text = format!("  {}  {share} of the users", journey.name);
    if !journey.think.value.max.is_zero() {
        let _ = write!(text, ", think {}", journey.think.value);
    }
    if journey.from == Origin::Default {
        text += "  default, for the plan names none";
    } else {
        let _ = write!(text, "  {}", journey.from);
    }
    text + &requests_of(&journey.compiled) + "\n"
}

/// The requests of a journey, a line each.
fn requests_of(journey: &Journey) -> String {
    journey.acts().fold(String::new(), |all, act| match act {
        Act::Entry(entry) => all + "\n    " + &entry.name,
        Act::WebSocket(step) => {
            let within = Readable(step.timeout);
            let trips = match step.messages {
                1 => format!("1 round trip on a WebSocket, at most {within}"),
                more => format!("{more} round trips on a WebSocket, at most {within} each"),
            };
            all + &format!("\n    {}\n    {}  {trips}", step.opening, step.name)
        }
    })
}

fn groups(plan: &Plan) -> String {
    let rows = plan.names.groups.iter().filter_map(|group| {
        let count = group.members(&plan.names.requests).len();
        (count > 0).then(|| [group.name.clone(), group.patterns.join(", "), requests(count)])
    });
    section("groups", rows)
}

fn agents(plan: &Plan) -> String {
    let calm = Readable(plan.calm.value);
    let row = |agent: &super::Setting<crate::sidecars::Sidecar>| {
        let mut url = agent.value.url.clone();
        // Neither can fail for a URL with a host.
        let _ = (url.set_username(""), url.set_password(None));
        [agent.value.name.clone(), url.to_string(), agent.from.to_string()]
    };
    section(&format!("sidecars, asked from {calm} before the load on"), plan.agents.iter().map(row))
}

fn targets(plan: &Plan) -> String {
    let about = |target: &crate::targets::Target| match &target.figure {
        Some(watched) if watched.services.len() == 1 => "over 1 sidecar".to_owned(),
        Some(watched) => format!("over {} sidecars", watched.services.len()),
        None => requests(target.subject.members.len()),
    };
    let abort = |target: &crate::targets::Target| {
        let ends = |after| format!(", ends the run when missed for {}", Readable(after));
        target.abort_after.map_or(String::new(), ends)
    };
    let row = |target: &super::Setting<crate::targets::Target>| {
        [target.value.text.clone(), about(&target.value) + &abort(&target.value), target.from.to_string()]
    };
    section("targets", plan.targets.iter().map(row))
}

fn requests(count: usize) -> String {
    if count == 1 { "over 1 request".to_owned() } else { format!("over {count} requests") }
}

/// A heading and aligned rows below it; nothing without rows.
fn section(title: &str, rows: impl IntoIterator<Item = [String; 3]>) -> String {
    let rows: Vec<[String; 3]> = rows.into_iter().collect();
    if rows.is_empty() {
        return String::new();
    }
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    rows.iter().fold(format!("\n{title}\n"), |all, [name, value, note]| {
        all + format!("  {name:first$}  {value:second$}  {note}").trim_end() + "\n"
    })
}
