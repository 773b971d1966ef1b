//! The journeys of a plan, and the honest default where there are none.

use super::origin::{Origin, Setting};
use super::raw::{RawJourney, Several};
use super::reader::{Reader, Sought, Text, count};
use super::steps::{self, WrittenStep};
use super::target::Url;
use super::yaml::At;
use crate::journey::{self, Journey, Step};
use crate::problem::Problem;
use crate::targets;
use crate::units::{self, Think};
use std::path::Path;
use std::sync::Arc;

/// What some users do, over and over.
#[derive(Clone, Debug)]
pub struct PlannedJourney {
    /// Its name in targets and reports.
    pub name: String,
    /// How often it is chosen, relative to the others.
    pub weight: u64,
    /// Pause of a user after it.
    pub think: Setting<Think>,
    /// Where it was asked for.
    pub from: Origin,
    /// What is run.
    pub compiled: Arc<Journey>,
}

/// A journey as written, before its files are read.
pub(super) struct Written {
    name: String,
    weight: u64,
    steps: Vec<WrittenStep>,
    think: Setting<Think>,
    from: Origin,
}

impl Written {
    /// The pause after it.
    pub(super) const fn think(&self) -> &Setting<Think> {
        &self.think
    }
}

impl PlannedJourney {
    /// The names of its requests, in order; one that is sent twice is there twice.
    pub fn requests(&self) -> impl Iterator<Item = &str> {
        self.compiled.requests().map(|(name, _)| name)
    }
}

const HEAVIEST: u64 = 1000;

/// Reads the journeys of the file; `think` is what holds for those without their own.
pub(super) fn read(reader: &mut Reader<'_>, raw: &[RawJourney], think: &Setting<Think>) -> Vec<Written> {
    let mut journeys: Vec<Written> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let path = format!("journeys[{index}]");
        let Some(journey) = one(reader, raw, &path, think) else { continue };
        if journeys.iter().any(|earlier| earlier.name == journey.name) {
            let problem = Problem::new(format!("two journeys are called `{}`", journey.name));
            reader.problems.0.push(problem.at(format!("{path} ({})", journey.from)).hint("give each its own `name`"));
        }
        journeys.push(journey);
    }
    journeys
}

fn one(reader: &mut Reader<'_>, raw: &RawJourney, path: &str, think: &Setting<Think>) -> Option<Written> {
    let steps = steps::read(reader, raw, path);
    let name = raw.name.as_ref().and_then(|at| reader.text(&format!("{path}.name"), at)).map(|text| text.text);
    let name = name.or_else(|| steps.first()?.stem());
    let weight = raw.weight.as_ref().and_then(|at| reader.text(&format!("{path}.weight"), at));
    let weight = weight.and_then(|text| reader.understand(&text, |text| count(text, HEAVIEST)));
    let own = Sought { flag: ("--think", None), key: ("think", raw.think.as_ref()) };
    let own = reader.setting(&own, |text| units::think(text).map_err(|error| Problem::said(&error)));
    let from = steps.first().map(|step| step.from().clone())?;
    Some(Written {
        name: name?,
        weight: weight.map_or(1, |weight| weight.value),
        steps,
        think: own.unwrap_or_else(|| think.clone()),
        from,
    })
}

/// One text or a list of them, environment filled in.
pub(super) fn several(reader: &mut Reader<'_>, written: &At<Several>, path: &str) -> Vec<Text> {
    match &written.value {
        Several::One(text) => {
            let one = At { value: text.clone(), referenced: written.referenced, defined: written.defined };
            reader.text(path, &one).into_iter().collect()
        }
        Several::Many(texts) => {
            (0..).zip(texts).filter_map(|(index, at)| reader.text(&format!("{path}[{index}]"), at)).collect()
        }
    }
}

/// Reads and compiles the files; the default journey where there are none.
pub(super) fn load(
    reader: &mut Reader<'_>,
    written: Vec<Written>,
    folder: &Path,
    target: &Url,
    think: &Setting<Think>,
) -> Vec<PlannedJourney> {
    if written.is_empty() && reader.problems.0.is_empty() {
        let file = journey::parse("default", &default_source(target), Path::new(""));
        let compiled = reader
            .problems
            .take(file.map(|file| Journey { name: "default".to_owned(), steps: vec![Step::File(file)] }));
        return compiled.into_iter().map(|compiled| default_journey(Arc::new(compiled), think)).collect();
    }
    let mut planned = Vec::new();
    for one in written {
        let steps = one.steps.into_iter().map(|step| step.wanted(folder));
        let Some(compiled) = reader.problems.take(journey::load_steps(&one.name, steps)) else { continue };
        let (name, weight, think, from) = (one.name, one.weight, one.think, one.from);
        planned.push(PlannedJourney { name, weight, think, from, compiled: Arc::new(compiled) });
    }
    planned
}

fn default_journey(compiled: Arc<Journey>, think: &Setting<Think>) -> PlannedJourney {
    PlannedJourney { name: compiled.name.clone(), weight: 1, think: think.clone(), from: Origin::Default, compiled }
}

/// All request names of some journeys, each once, in order of appearance.
pub(super) fn names(journeys: &[PlannedJourney]) -> Vec<targets::Named> {
    let mut names: Vec<targets::Named> = Vec::new();
    for journey in journeys {
        for (name, route) in journey.compiled.requests() {
            let of = journey.name.clone();
            match names.iter_mut().find(|named| named.name == name) {
                Some(named) if named.journeys.contains(&of) => {}
                Some(named) => named.journeys.push(of),
                None => {
                    let (name, route) = (name.to_owned(), route.to_owned());
                    names.push(targets::Named { name, route, journeys: vec![of] });
                }
            }
        }
    }
    names
}

/// The journey of a run that names none: the page that the target's URL names; where it names none, the home page and
/// `/health`. An answer of 400 or more is an error.
#[must_use]
fn default_source(target: &Url) -> String {
    let check = "HTTP *\n[Asserts]\nstatus < 400\n";
    if target.path() == "/" {
        format!("GET {{{{target}}}}/\n{check}\nGET {{{{target}}}}/health\n{check}")
    } else {
        format!("GET {target}\n{check}")
    }
}
