//! The services of a merged project in a form that rules can ask. Knows no rule; what it cannot read is left out, and noted by
//! `rules::file`.

use super::item::{Item, Origin, Spot};
use super::load::{Loader, small_text, under};
use super::ports::{self, Port, PortNames};
use crate::node::Place;
use crate::preflight::env;
use crate::preflight::image::Reference;
use crate::preflight::known::{self, Known};
use crate::small;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A project: what all its files say together.
#[derive(Debug, Default)]
pub(super) struct Project {
    pub(super) item: Item,
    /// By name.
    pub(super) services: BTreeMap<String, Service>,
    /// Variables by which the files choose ports.
    pub(super) port_names: PortNames,
    /// Whether there is more of it elsewhere, that was not read: what is not here may be there.
    pub(super) is_partial: bool,
    /// Its folder, from the root.
    pub(super) folder: PathBuf,
}

/// A service.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) at: Spot,
    pub(super) item: Item,
    /// Its image; of a service that is built it is only a name.
    pub(super) image: Option<Reference>,
    /// What is known of the image.
    pub(super) known: Option<&'static Known>,
    /// Made here: what the image holds is for the Dockerfile to say.
    pub(super) built: Option<PathBuf>,
    /// From `env_file` and `environment`, each name once.
    pub(super) variables: Vec<Variable>,
    pub(super) ports: Vec<Port>,
    pub(super) exposes: BTreeSet<u16>,
    pub(super) depends: Vec<Dependency>,
    pub(super) profiles: Vec<String>,
    /// The words of `entrypoint` and `command`.
    pub(super) arguments: Vec<Word>,
    pub(super) health: Health,
    /// Other names under which it is found: aliases, `container_name`, `hostname`.
    pub(super) aliases: Vec<String>,
    /// The networks it is on.
    pub(super) networks: BTreeSet<String>,
    /// `env_file` entries: the path, whether it must exist, where it stands.
    pub(super) env_files: Vec<(PathBuf, bool, Spot)>,
}

/// A variable of a service's environment.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) origin: Origin,
    /// Where it is written.
    pub(super) at: Spot,
    /// Where the service takes it over: the same place, or its entry of `env_file`.
    pub(super) taken: Spot,
    pub(super) kept: Kept,
}

/// Where a variable is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kept {
    /// In the compose file.
    #[default]
    Here,
    /// In a file of `env_file`.
    EnvFile,
    /// In the project's own `.env`, which holds what all the project needs and not what one service does.
    DotEnv,
}

/// A word of a command.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: Spot,
}

/// An entry of `depends_on`.
#[derive(Clone, Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) required: bool,
    pub(super) at: Spot,
}

/// What a compose file says about a service's health.
#[derive(Clone, Debug, Default)]
pub(super) enum Health {
    /// Nothing: what the image has counts.
    #[default]
    Unsaid,
    /// It is switched off.
    Disabled,
    /// A command.
    Test { words: Vec<String>, is_list: bool, at: Spot },
}

impl Service {
    /// The path of one of its keys, for a message.
    pub(super) fn key(&self, key: &str) -> String {
        format!("services.{}.{key}", self.name)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Item> {
        self.item.get(key)
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Item::text).unwrap_or_default()
    }

    /// Where a key stands; the service's own place when it is not there.
    pub(super) fn place(&self, key: &str) -> Spot {
        self.item.entry(key).map_or(self.at, |(key, _)| key.at)
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Whether it extends something that was not read: what is not here may be there.
    pub(super) fn is_partial(&self) -> bool {
        self.get("extends").is_some()
    }

    pub(super) fn is_on_host_network(&self) -> bool {
        self.text("network_mode") == "host"
            || self.get("networks").is_some_and(|networks| networks.get("host").is_some())
    }

    /// Whether every time this one runs the other one runs too, as far as profiles go.
    pub(super) fn implies(&self, other: &Self) -> bool {
        other.profiles.is_empty()
            || (!self.profiles.is_empty() && self.profiles.iter().all(|profile| other.profiles.contains(profile)))
    }

    /// Whether the two can run at the same time in some use of the file that its author may have meant.
    pub(super) fn runs_beside(&self, other: &Self) -> bool {
        let apart = |one: &Self, two: &Self| !one.profiles.iter().any(|profile| two.profiles.contains(profile));
        self.profiles.is_empty() || other.profiles.is_empty() || !apart(self, other)
    }
}

impl Project {
    pub(super) fn read(item: Item, folder: PathBuf, loader: &mut Loader<'_>) -> Self {
        let entries = item.get("services").map(Item::entries).unwrap_or_default();
        let services = entries.iter().filter(|(_, service)| !service.entries().is_empty()).map(|(key, item)| {
            let base = loader.sources.get(item.at.file.min(key.at.file)).map(|source| source.base.clone());
            let draft = Service { name: key.name.clone(), at: key.at, item: item.clone(), ..Service::default() };
            (key.name.clone(), complete(draft, &base.unwrap_or_default(), loader))
        });
        let services = small::map(services);
        let port_names = std::mem::take(&mut loader.port_names);
        Self { item, services, port_names, is_partial: loader.is_partial, folder }
    }

    /// The service that is meant by a host name, as seen from another service.
    pub(super) fn named(&self, host: &str) -> Option<&Service> {
        let by_alias = || self.services.values().find(|service| service.aliases.iter().any(|alias| alias == host));
        self.services.get(host).or_else(by_alias)
    }

    /// A section at the top: `volumes`, `networks`.
    pub(super) fn declares(&self, section: &str, name: &str) -> bool {
        self.item.under(&[section, name]).is_some()
    }
}

fn complete(mut service: Service, base: &std::path::Path, loader: &mut Loader<'_>) -> Service {
    let item = std::mem::take(&mut service.item);
    let list = |key: &str| item.get(key).map(Item::items).unwrap_or_default();
    service.built = item.get("build").map(|build| {
        let context = under(base, build.get("context").and_then(Item::text).unwrap_or("."));
        under(&context, build.get("dockerfile").and_then(Item::text).unwrap_or("Dockerfile"))
    });
    service.image = item.get("image").and_then(Item::text).filter(|text| !text.is_empty()).map(Reference::parse);
    if service.built.is_none() {
        service.known = service.image.as_ref().and_then(known::image);
    }
    service.ports = list("ports").iter().flat_map(ports::read).collect();
    service.exposes = small::set(list("expose").iter().filter_map(Item::text).flat_map(ports::exposed));
    service.profiles = list("profiles").iter().filter_map(Item::text).map(str::to_owned).collect();
    service.depends = depends(&item);
    service.health = health(&item);
    service.networks = item.get("networks").map_or_else(
        || small::set(["default".to_owned()]),
        |networks| small::set(networks.entries().iter().map(|(key, _)| key.name.clone())),
    );
    service.arguments = ["entrypoint", "command"].iter().filter_map(|key| item.get(key)).flat_map(words).collect();
    service.aliases = aliases(&item);
    service.env_files = list("env_file").iter().filter_map(|entry| env_file(entry, loader)).collect();
    service.variables = variables(&item, &service.env_files, loader);
    service.item = item;
    service
}

fn depends(item: &Item) -> Vec<Dependency> {
    let entries = item.get("depends_on").map(Item::entries).unwrap_or_default();
    let one = |(key, item): &(super::item::Key, Item)| Dependency {
        name: key.name.clone(),
        condition: item.get("condition").and_then(Item::text).unwrap_or("service_started").to_owned(),
        required: item.get("required").is_none_or(Item::is_true),
        at: key.at,
    };
    entries.iter().map(one).collect()
}

fn health(item: &Item) -> Health {
    let Some(check) = item.get("healthcheck") else { return Health::Unsaid };
    let Some((place, test)) = check.entry("test") else {
        return if check.get("disable").is_some_and(Item::is_true) { Health::Disabled } else { Health::Unsaid };
    };
    let is_list = matches!(test.value, super::item::Value::List(_));
    let words: Vec<String> = test.items().iter().filter_map(Item::text).map(str::to_owned).collect();
    if words.first().is_some_and(|first| first == "NONE") || check.get("disable").is_some_and(Item::is_true) {
        return Health::Disabled;
    }
    Health::Test { words, is_list, at: place.at }
}

/// The words of a command in either form; quotes are taken off, for rules look for flags and URLs only.
fn words(item: &Item) -> Vec<Word> {
    let one = |item: &Item| -> Vec<Word> {
        let text = item.text().unwrap_or_default();
        let pieces = text.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned());
        pieces.map(|text| Word { text, at: item.at }).collect()
    };
    item.items().iter().flat_map(one).collect()
}

fn aliases(item: &Item) -> Vec<String> {
    let own = ["container_name", "hostname"].iter().filter_map(|key| item.get(key)).filter_map(Item::text);
    let networks = item.get("networks").map(Item::entries).unwrap_or_default();
    let named = networks.iter().filter_map(|(_, network)| network.get("aliases")).flat_map(Item::items);
    own.chain(named.filter_map(Item::text)).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn env_file(entry: &Item, loader: &Loader<'_>) -> Option<(PathBuf, bool, Spot)> {
    let path = entry.get("path").unwrap_or(entry);
    let required = entry.get("required").is_none_or(Item::is_true);
    if path.origin().unset {
        return None;
    }
    let base = &loader.sources.get(entry.at.file)?.base;
    Some((under(base, path.text()?), required, entry.at))
}

fn variables(item: &Item, files: &[(PathBuf, bool, Spot)], loader: &mut Loader<'_>) -> Vec<Variable> {
    let mut found: Vec<Variable> = Vec::new();
    let mut put = |variable: Variable| match found.iter_mut().find(|known| known.name == variable.name) {
        Some(known) => *known = variable,
        None => found.push(variable),
    };
    for (path, _, at) in files {
        let outer = |name: &str| loader.environment.get(name).map(str::to_owned);
        let read = small_text(path).map(|text| env::assigned(&text, &outer)).unwrap_or_default();
        let base = loader.sources.get(at.file).map(|source| source.base.clone()).unwrap_or_default();
        let kept = if *path == base.join(".env") { Kept::DotEnv } else { Kept::EnvFile };
        let file = loader.env_source(path);
        for env::Assigned { name, value, line } in read {
            let (at, taken) = (Spot { file, at: Place { line, column: 0 } }, *at);
            put(Variable { name, value, origin: Origin::default(), at, taken, kept });
        }
    }
    for (key, item) in item.get("environment").map(Item::entries).unwrap_or_default() {
        // A name alone is handed on from the environment of whoever starts it.
        let (value, origin) = match item.text() {
            Some(text) => (text.to_owned(), item.origin()),
            None => {
                let live = loader.environment.get(&key.name).unwrap_or_default();
                (live.to_owned(), Origin { variable: true, ..Origin::default() })
            }
        };
        put(Variable { name: key.name.clone(), value, origin, at: key.at, taken: key.at, kept: Kept::Here });
    }
    found
}
