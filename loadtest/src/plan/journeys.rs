//! The journeys of a plan, and the honest default where there are none.

use super::origin::{Origin, Setting};
use super::raw::{RawJourney, Several};
use super::reader::{Reader, Sought, Text, count};
use super::target::Url;
use super::yaml::At;
use crate::journey::{self, Journey, Named};
use crate::problem::Problem;
use crate::targets;
use crate::units::{self, Think};
use std::path::{Path, PathBuf};
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
    files: Vec<(PathBuf, Text)>,
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
        self.compiled.files.iter().flat_map(|file| &file.entries).map(|entry| entry.name.as_str())
    }

    /// The texts of its files.
    pub(super) fn sources(&self) -> impl Iterator<Item = &str> {
        self.compiled.files.iter().map(|file| file.source.text.as_str())
    }
}

const HEAVIEST: u64 = 1000;
const SOUGHT: &str = "name an existing `.hurl` file; paths are relative to the plan's folder";

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
    let files = files(reader, &raw.files, &format!("{path}.files"), "journey");
    let name = raw.name.as_ref().and_then(|at| reader.text(&format!("{path}.name"), at)).map(|text| text.text);
    let name =
        name.or_else(|| files.first().and_then(|first| Some(first.0.file_stem()?.to_string_lossy().into_owned())));
    let weight = raw.weight.as_ref().and_then(|at| reader.text(&format!("{path}.weight"), at));
    let weight = weight.and_then(|text| reader.understand(&text, |text| count(text, HEAVIEST)));
    let own = Sought { flag: ("--think", None), key: ("think", raw.think.as_ref()) };
    let own = reader.setting(&own, |text| units::think(text).map_err(|error| Problem::said(&error)));
    let from = files.first().map(|(_, text)| text.from.clone())?;
    Some(Written {
        name: name?,
        weight: weight.map_or(1, |weight| weight.value),
        files,
        think: own.unwrap_or_else(|| think.clone()),
        from,
    })
}

/// The files of a journey, or of what else `what` says.
pub(super) fn files(reader: &mut Reader<'_>, raw: &At<Several>, path: &str, what: &str) -> Vec<(PathBuf, Text)> {
    let before = reader.problems.0.len();
    let texts = several(reader, raw, path);
    if texts.is_empty() && reader.problems.0.len() == before {
        let problem = Problem::new(format!("a {what} without files")).at(path).hint("name at least one `.hurl` file");
        reader.problems.0.push(problem);
    }
    texts.into_iter().map(|text| (Path::new(&text.text).to_owned(), text)).collect()
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
        let compiled = reader.problems.take(file.map(|file| Journey { name: "default".to_owned(), files: vec![file] }));
        return compiled.into_iter().map(|compiled| default_journey(Arc::new(compiled), think)).collect();
    }
    let mut planned = Vec::new();
    for one in written {
        let Some(compiled) = compiled(reader, &one.name, &one.files, folder) else { continue };
        let (name, weight, think, from) = (one.name, one.weight, one.think, one.from);
        planned.push(PlannedJourney { name, weight, think, from, compiled: Arc::new(compiled) });
    }
    planned
}

/// Reads and compiles files of the plan's folder.
pub(super) fn compiled(
    reader: &mut Reader<'_>,
    name: &str,
    files: &[(PathBuf, Text)],
    folder: &Path,
) -> Option<Journey> {
    let named =
        |(file, text): &(PathBuf, Text)| Named { path: folder.join(file), place: text.place.clone(), hint: SOUGHT };
    let files: Vec<Named> = files.iter().map(named).collect();
    reader.problems.take(journey::load(name, &files))
}

fn default_journey(compiled: Arc<Journey>, think: &Setting<Think>) -> PlannedJourney {
    PlannedJourney { name: compiled.name.clone(), weight: 1, think: think.clone(), from: Origin::Default, compiled }
}

/// All request names of some journeys, each once, in order of appearance.
pub(super) fn names(journeys: &[PlannedJourney]) -> Vec<targets::Named> {
    let mut names: Vec<targets::Named> = Vec::new();
    for journey in journeys {
        for entry in journey.compiled.files.iter().flat_map(|file| &file.entries) {
            let of = journey.name.clone();
            match names.iter_mut().find(|named| named.name == entry.name) {
                Some(named) if named.journeys.contains(&of) => {}
                Some(named) => named.journeys.push(of),
                None => {
                    let (name, route) = (entry.name.clone(), entry.route.clone());
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
