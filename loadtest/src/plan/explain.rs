//! The whole plan in words, for `--dry-run` and before every start: what will be done, and where each value came from.

use super::{Origin, Plan, PlannedJourney};
use crate::units::Readable;
use std::fmt::Write;

/// Describes a plan; secrets are hidden.
#[must_use]
pub fn explain(plan: &Plan) -> String {
    let sections = [
        settings(plan),
        stages(plan),
        variables(plan),
        headers(plan),
        data(plan),
        journeys(plan),
        groups(plan),
        targets(plan),
    ];
    plan.redactor.clean(&sections.concat())
}

fn settings(plan: &Plan) -> String {
    let requests = plan.requests.as_ref().map(|requests| (requests.value.to_string(), &requests.from));
    let rows = [
        ("target", plan.target.value.to_string(), &plan.target.from),
        ("users", plan.users.value.to_string(), &plan.users.from),
        ("ramp", Readable(plan.ramp.value).to_string(), &plan.ramp.from),
        ("run time", Readable(plan.run_time.value).to_string(), &plan.run_time.from),
        ("think", plan.think.value.to_string(), &plan.think.from),
    ];
    let requests = requests.map(|(count, from)| ("requests", format!("at most {count}"), from));
    section(
        "plan",
        rows.into_iter().chain(requests).map(|(name, value, from)| [name.to_owned(), value, from.to_string()]),
    )
}

fn stages(plan: &Plan) -> String {
    let (users, ramp) = (plan.users.value, plan.ramp.value);
    let ramp = (!ramp.is_zero()).then(|| {
        [
            "ramp".to_owned(),
            format!("0 to {users} users in {}", Readable(ramp)),
            "measured apart, not judged".to_owned(),
        ]
    });
    let end = plan.requests.as_ref().map_or(String::new(), |most| format!(" or {} requests", most.value));
    let steady = format!("{users} users for {}{end}", Readable(plan.run_time.value));
    section("stages", ramp.into_iter().chain([["load".to_owned(), steady, "judged".to_owned()]]))
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

fn journeys(plan: &Plan) -> String {
    let whole: u64 = plan.journeys.iter().map(|journey| journey.weight).sum();
    plan.journeys
        .iter()
        .map(|journey| one_journey(journey, whole))
        .fold("\njourneys\n".to_owned(), |all, one| all + &one)
}

fn one_journey(journey: &PlannedJourney, whole: u64) -> String {
    let share = crate::targets::percent(journey.weight, whole);
    let mut text = format!("  {}  {share} of the users, think {}", journey.name, journey.think.value);
    if journey.from == Origin::Default {
        text += "  default, for the plan names none";
    } else {
        let _ = write!(text, "  {}", journey.from);
    }
    let requests = journey.requests().fold(String::new(), |all, name| all + "\n    " + name);
    text + &requests + "\n"
}

fn groups(plan: &Plan) -> String {
    let rows = plan.names.groups.iter().filter_map(|group| {
        let count = group.members(&plan.names.requests).len();
        (count > 0).then(|| [group.name.clone(), group.patterns.join(", "), requests(count)])
    });
    section("groups", rows)
}

fn targets(plan: &Plan) -> String {
    let row = |target: &super::Setting<crate::targets::Target>| {
        [target.value.text.clone(), requests(target.value.subject.members.len()), target.from.to_string()]
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
