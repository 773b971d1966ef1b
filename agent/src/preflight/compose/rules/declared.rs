//! Names that must be declared or exist: volumes, networks, secrets, configs, services, files.

use super::super::item::{Item, Key};
use super::super::model::{Project, Service};
use super::super::notes::Notes;
use super::{error, warning};
use crate::preflight::Rule;

pub(super) static RULES: &[&Rule] = &[&UNDECLARED, &ENV_FILE, &ENV_FILE_ELSEWHERE, &DEPENDS_UNKNOWN, &DEPENDS_PROFILE];

static UNDECLARED: Rule = error(
    "compose-undeclared",
    "a service uses a volume, network, secret or config that is not declared at the top",
    "compose refuses the whole file",
    "declare it in the section at the top of the file",
);
static ENV_FILE: Rule = error(
    "compose-env-file-missing",
    "an `env_file` does not exist",
    "compose refuses to start the service",
    "create the file, or write `{path: …, required: false}`",
);
static ENV_FILE_ELSEWHERE: Rule = warning(
    "compose-env-file-elsewhere",
    "an `env_file` is a path outside the project, and is not on this machine",
    "what is in it cannot be looked at, and where it is missing compose refuses to start the service",
    "check on the machine that runs the stack, or write `{path: …, required: false}`",
);
static DEPENDS_UNKNOWN: Rule = error(
    "compose-depends-on-unknown",
    "`depends_on` names a service that does not exist",
    "compose refuses the whole file",
    "correct the name, or remove the entry",
);
static DEPENDS_PROFILE: Rule = error(
    "compose-depends-on-profile",
    "a service depends on one that only a profile starts",
    "without the profile compose refuses to start",
    "give both the same profiles, or write `required: false`",
);

pub(super) fn check(project: &Project, notes: &mut Notes) {
    for service in project.services.values() {
        for (section, names) in used(service) {
            let is_missing = |key: &Key| !key.name.is_empty() && !project.declares(section, &key.name);
            for key in names.into_iter().filter(|key| !project.is_partial && is_missing(key)) {
                let what = section.trim_end_matches('s');
                let message = format!("the {what} `{}` is not declared", key.name);
                notes.add(&UNDECLARED, key.at, service.key(section), message);
            }
        }
        files(service, project, notes);
        dependencies(service, project, notes);
    }
}

/// The names that a service uses, by section.
fn used(service: &Service) -> Vec<(&'static str, Vec<Key>)> {
    let list = |key: &str| service.get(key).map(Item::items).unwrap_or_default();
    let named = |name: &str, item: &Item| Key { name: name.to_owned(), at: item.at };
    let source = |item: &Item| {
        let name = item.text().or_else(|| item.get("source").and_then(Item::text))?;
        (!item.origin().unset).then(|| named(name, item))
    };
    let networks = service.get("networks").map(Item::entries).unwrap_or_default();
    let networks = networks.iter().map(|(key, _)| key.clone()).filter(|key| key.name != "default");
    vec![
        ("volumes", list("volumes").iter().filter_map(|item| volume(item).map(|name| named(name, item))).collect()),
        ("networks", networks.collect()),
        ("secrets", list("secrets").iter().filter_map(source).collect()),
        ("configs", list("configs").iter().filter_map(source).collect()),
    ]
}

/// The named volume of an entry; `None` for a path of the host and for one without a name.
fn volume(item: &Item) -> Option<&str> {
    if item.origin().unset {
        return None;
    }
    let name = match item.text() {
        Some(text) => text.split_once(':').map(|(source, _)| source)?,
        None if item.get("type").and_then(Item::text) == Some("volume") => item.get("source").and_then(Item::text)?,
        None => return None,
    };
    // A drive letter of Windows is a path too.
    let is_path = name.starts_with(['.', '/', '~', '\\']) || name.len() == 1 || name.contains(['/', '\\', '$']);
    (!is_path).then_some(name)
}

fn files(service: &Service, project: &Project, notes: &mut Notes) {
    for (path, required, at) in &service.env_files {
        if !required || path.is_file() {
            continue;
        }
        if path.is_absolute() && !path.starts_with(&project.folder) {
            let message = format!("there is no file `{}` on this machine", path.display());
            notes.add(&ENV_FILE_ELSEWHERE, *at, service.key("env_file"), message);
            continue;
        }
        let example = [".example", ".sample", ".dist", ".template"]
            .iter()
            .map(|end| format!("{}{end}", path.display()))
            .find(|example| std::path::Path::new(example).is_file());
        let fix = match example {
            Some(example) => format!("make it from `{example}`"),
            None => ENV_FILE.fix.to_owned(),
        };
        notes.advise(&ENV_FILE, *at, service.key("env_file"), (format!("there is no file `{}`", path.display()), fix));
    }
}

fn dependencies(service: &Service, project: &Project, notes: &mut Notes) {
    for dependency in service.depends.iter().filter(|dependency| dependency.required) {
        let key = service.key("depends_on");
        match project.services.get(&dependency.name) {
            None if project.is_partial => {}
            None => {
                let names: Vec<&str> = project.services.keys().map(String::as_str).collect();
                let fix = crate::node::did_you_mean(&dependency.name, "services", &names);
                let message = format!("there is no service `{}`", dependency.name);
                notes.advise(&DEPENDS_UNKNOWN, dependency.at, key, (message, fix));
            }
            Some(other) if !service.implies(other) => {
                let profiles = other.profiles.join("`, `");
                let message = format!(
                    "`{}` runs only with the profile `{profiles}`, `{}` also without",
                    other.name, service.name
                );
                notes.add(&DEPENDS_PROFILE, dependency.at, key, message);
            }
            Some(_) => {}
        }
    }
}
