//! The targets of a plan: from words, and what they may name, to checked ones; and after how long a miss ends the run.

use super::Flags;
use super::origin::{Origin, Setting};
use super::raw::{RawPlan, RawTarget};
use super::reader::{Reader, Sought, Text};
use super::stages;
use super::yaml::At;
use crate::limits::{LONGEST_RUN, LOST_LOOK};
use crate::problem::Problem;
use crate::sidecars::Sidecar;
use crate::suggest;
use crate::targets::{self, DEFAULTS, Names, Target};
use crate::units;
use std::time::Duration;

/// What targets may name.
pub(super) struct Known<'a> {
    pub(super) names: &'a Names,
    pub(super) agents: &'a [Setting<Sidecar>],
    pub(super) load: &'a stages::Load,
}

/// A target as written, and after how long a miss of it ends the run, where it says so itself.
type Required = (Text, Option<Option<Duration>>);

/// The targets of the file and of the flags; the defaults where there are none.
pub(super) fn read(reader: &mut Reader<'_>, flags: &Flags, raw: &RawPlan, known: &Known<'_>) -> Vec<Setting<Target>> {
    let sought =
        Sought { flag: ("--abort-after", flags.abort_after.as_ref()), key: ("abort_after", raw.abort_after.as_ref()) };
    let for_all = reader.setting(&sought, abort_after).and_then(|setting| setting.value);
    let mut required: Vec<Required> =
        (0..).zip(raw.targets.iter().flatten()).filter_map(|(index, at)| written(reader, index, at)).collect();
    required.extend(flags.require.iter().map(|given| (Reader::flag("--require", given), None)));
    if required.is_empty() {
        let default = |text: &&str| (Text { from: Origin::Default, ..Reader::flag("default", text) }, None);
        let defaults = known.load.profile.as_ref().map_or(DEFAULTS, |profile| profile.value.targets);
        required = defaults.iter().map(default).collect();
    }
    let mut one = |(text, own): &Required| {
        let mut target = one_target(reader, text, known)?;
        target.value.abort_after = own.unwrap_or(for_all);
        Some(target)
    };
    required.iter().filter_map(&mut one).collect()
}

/// An entry of the file.
fn written(reader: &mut Reader<'_>, index: usize, at: &At<RawTarget>) -> Option<Required> {
    let path = format!("targets[{index}]");
    match &at.value {
        RawTarget::Text(text) => {
            let text = At { value: text.clone(), referenced: at.referenced, defined: at.defined };
            Some((reader.text(&path, &text)?, None))
        }
        RawTarget::Mapping(more) => {
            let own = more.abort_after.as_ref().and_then(|at| reader.text(&format!("{path}.abort_after"), at));
            let own = own.and_then(|text| reader.understand(&text, abort_after));
            Some((reader.text(&format!("{path}.target"), &more.target)?, own.map(|own| own.value)))
        }
    }
}

/// After how long a miss ends the run: `10s`, `never`.
fn abort_after(text: &str) -> Result<Option<Duration>, Problem> {
    if text.trim() == "never" {
        return Ok(None);
    }
    let time = units::duration(text).map_err(|error| Problem::said(&error))?;
    if time < LOST_LOOK || time > LONGEST_RUN {
        let problem = Problem::new(format!("`{text}` is no time after which a missed target ends the run"));
        return Err(problem.hint("from a second to a week, or `never`"));
    }
    Ok(Some(time))
}

/// Whether the stage that a target names, if it does, is there and fits; a problem otherwise.
fn has_its_stage(reader: &mut Reader<'_>, text: &Text, read: &targets::Expression, load: &stages::Load) -> bool {
    let Some(name) = read.stage.as_deref().filter(|_| !load.incomplete) else { return true };
    let stages = || load.stages.iter().map(|stage| stage.name.as_str());
    let at = stages().position(|stage| stage == name);
    let is_recovery = read.indicator.name == targets::RECOVERY.name;
    let problem = match at {
        None => {
            let hint = suggest::hint(name, "stages", stages());
            Problem::new(format!("no stage is called `{name}`")).hint(hint)
        }
        Some(0) if is_recovery => Problem::new(format!("no stage comes before `{name}`"))
            .hint("a recovery is measured by the stage before: add one that has the usual load"),
        Some(at) if is_recovery && at + 1 == load.stages.len() => {
            Problem::new(format!("no stage comes after `{name}`")).hint("add one in which it can recover")
        }
        Some(_) => return true,
    };
    let excerpt = reader.excerpt(text, &read.stage_at);
    reader.problem(text, problem.excerpt(excerpt));
    false
}

fn one_target(reader: &mut Reader<'_>, text: &Text, known: &Known<'_>) -> Option<Setting<Target>> {
    let read = match targets::parse(&text.text) {
        Ok(read) => read,
        Err(error) => {
            let excerpt = reader.excerpt(text, &error.at);
            reader.problem(text, Problem::new(error.what).excerpt(excerpt).hint(error.hint));
            return None;
        }
    };
    // Without requests something else is wrong already, and every name would be unknown.
    if known.names.requests.is_empty() {
        return None;
    }
    if !has_its_stage(reader, text, &read, known.load) {
        return None;
    }
    let name_at = read.name_at.clone();
    let sidecars: Vec<&str> = known.agents.iter().map(|one| one.value.name.as_str()).collect();
    match Target::new(&text.text, read, known.names, &sidecars) {
        Ok(value) => Some(Setting { value, from: text.from.clone() }),
        Err(problem) => {
            let excerpt = reader.excerpt(text, &name_at);
            reader.problem(text, problem.excerpt(excerpt));
            None
        }
    }
}
