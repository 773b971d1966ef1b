//! `agent check --compose`: compose files as the Compose specification reads them, held against rules. The files become one item
//! (`load`, `merge`, `interpolate`), the item becomes services (`model`), and `rules` look at those.
//! What must stay true: every finding has the file and line where it is to be mended, and no value of a secret is in any.

mod dockerfile;
mod health;
mod interpolate;
mod item;
mod listens;
mod load;
mod mentions;
mod merge;
mod model;
mod notes;
mod ports;
mod rules;

pub(super) use rules::RULES;

use super::{Findings, Profile, Request, counted};
use crate::config::Environment;
use load::{Loader, Variables, variables_of};
use model::Project;
use std::path::{Path, PathBuf};

/// Compose files to look at as one project.
pub(super) struct Compose<'a> {
    /// Later ones override earlier ones.
    pub(super) files: &'a [String],
    /// Files of variables for `${…}`; without one, `.env` beside the first compose file.
    pub(super) env_files: &'a [String],
    /// The live environment, which wins over those files.
    pub(super) environment: &'a Environment,
    pub(super) profile: Profile,
}

impl<'a> Compose<'a> {
    /// What a request says of compose files.
    pub(super) fn of(request: &'a Request, environment: &'a Environment) -> Self {
        Self { files: &request.compose, env_files: &request.env, environment, profile: request.profile }
    }
}

/// Checks compose files; nothing happens when there are none.
pub(super) fn check(compose: &Compose<'_>, findings: &mut Findings) {
    let files: Vec<PathBuf> = compose.files.iter().map(PathBuf::from).collect();
    let Some(first) = files.first() else { return };
    let base = first.parent().map(Path::to_owned).unwrap_or_default();
    let folder = std::fs::canonicalize(if base.as_os_str().is_empty() { Path::new(".") } else { &base });
    let folder = folder.unwrap_or_default();
    let variables = variables(compose, &base, &folder);
    let mut loader = Loader::new(compose.environment);
    let item = loader.project(&files, &base, &variables);
    let mut services = 0;
    if let (Some(mut item), true) = (item, loader.unreadable.is_empty()) {
        loader.include(&mut item, first, &variables, 0);
        let project = Project::read(item, folder, &mut loader);
        services = project.services.len();
        let mut notes = std::mem::take(&mut loader.notes);
        rules::check(&project, compose.profile, &mut notes);
        loader.notes = notes;
    }
    let Loader { sources, notes, unreadable, is_partial, .. } = loader;
    if unreadable.is_empty() {
        let without = if is_partial { ", without what it takes from elsewhere" } else { "" };
        findings.checked(&compose.files.join(", "), format!("{}{without}", counted(services, "service")));
    }
    unreadable.into_iter().for_each(|message| findings.unreadable(message));
    let names: Vec<&str> = sources.iter().map(|source| source.shown.as_str()).collect();
    notes.tell(&names, findings);
}

fn variables(compose: &Compose<'_>, base: &Path, folder: &Path) -> Variables {
    let mut variables = match compose.env_files {
        [] => variables_of(&[base.join(".env")]),
        files => variables_of(&files.iter().map(PathBuf::from).collect::<Vec<_>>()),
    };
    // Compose sets these by itself.
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    for (variable, value) in [("COMPOSE_PROJECT_NAME", name), ("PWD", folder.to_string_lossy().into_owned())] {
        variables.file.entry(variable.to_owned()).or_insert(value);
    }
    variables
}
