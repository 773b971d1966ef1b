//! Compose files into one item: read, filled in, merged, with `extends` and `include` followed.
//! Knows no rule about services. What must stay true: whatever the files say, loading ends, and reads no file twice.

use super::interpolate::{self, Lack};
use super::item::{Item, Key, Origin, Spot, Tag, Value};
use super::merge;
use super::notes::Notes;
use super::ports::PortNames;
use super::rules::file::{DUPLICATE, EXTENDS, INCLUDE, INVALID, REQUIRED, UNSET};
use crate::config::{ConfigError, Documents, Environment, read_documents};
use crate::limits;
use crate::node::{self, Node, child};
use crate::paint::Paint;
use crate::preflight::env;
use crate::small;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file that was read.
#[derive(Debug)]
pub(super) struct Source {
    /// As people know it: as given, or as found from the file that names it.
    pub(super) shown: String,
    /// What relative paths in it are relative to.
    pub(super) base: PathBuf,
}

/// What gives `${X}` its value.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    /// From `--env`, or from `.env` beside the file.
    pub(super) file: BTreeMap<String, String>,
    /// Whether there was such a file: without one nobody knows what is set where it is deployed.
    pub(super) known: bool,
}

/// Reads compose files, and keeps what they are made of.
pub(super) struct Loader<'e> {
    pub(super) environment: &'e Environment,
    pub(super) sources: Vec<Source>,
    pub(super) notes: Notes,
    /// The whole message for each file that could not be read.
    pub(super) unreadable: Vec<String>,
    /// Variables by which the files choose ports.
    pub(super) port_names: PortNames,
    /// Whether a part of the project lies elsewhere, and was not read.
    pub(super) is_partial: bool,
    read: BTreeMap<PathBuf, Item>,
}

impl<'e> Loader<'e> {
    pub(super) fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            sources: Vec::new(),
            notes: Notes::default(),
            unreadable: Vec::new(),
            port_names: PortNames::default(),
            is_partial: false,
            read: BTreeMap::new(),
        }
    }

    /// The files of one project, merged in order; `base` is its directory.
    pub(super) fn project(&mut self, files: &[PathBuf], base: &Path, variables: &Variables) -> Option<Item> {
        let mut project: Option<Item> = None;
        for path in files {
            match self.file(path, base, variables) {
                Err(error) => self.unreadable.push(error.render(Paint::OFF)),
                Ok(mut item) => {
                    self.extend_all(&mut item, path, variables);
                    match &mut project {
                        Some(project) => merge::files(project, item),
                        None => project = Some(item),
                    }
                }
            }
        }
        project
    }

    /// One file, its variables filled in and its forms brought into one.
    fn file(&mut self, path: &Path, base: &Path, variables: &Variables) -> Result<Item, ConfigError> {
        if let Some(item) = self.read.get(path) {
            return Ok(item.clone());
        }
        let Documents { documents, repeated, tags } = read_documents(path)?;
        let file = self.sources.len();
        self.sources.push(Source { shown: path.to_string_lossy().into_owned(), base: base.to_owned() });
        for (key, first) in repeated {
            let message = format!("the key `{}` stands here a second time, first in line {}", key.name, first.line);
            self.notes.add(&DUPLICATE, Spot { file, at: key.at }, key.name, message);
        }
        let tags = small::map(tags.into_iter().filter_map(|(at, tag)| Some((at, merging(&tag)?))));
        let mut filling = Filling {
            file,
            tags,
            variables,
            environment: self.environment,
            notes: &mut self.notes,
            port_names: &mut self.port_names,
        };
        let mut all = Item::new(Value::Null, Spot { file, at: node::Place { line: 1, column: 1 } });
        for document in documents {
            let mut item = filling.fill(document, "");
            normalise(&mut item);
            merge::files(&mut all, item);
        }
        self.read.insert(path.to_owned(), all.clone());
        Ok(all)
    }

    /// The place among the sources of an environment file.
    pub(super) fn env_source(&mut self, path: &Path) -> usize {
        let shown = path.to_string_lossy();
        self.sources.iter().position(|source| source.shown == shown).unwrap_or_else(|| {
            self.sources.push(Source { shown: shown.into_owned(), base: PathBuf::new() });
            self.sources.len() - 1
        })
    }

    /// Follows `extends` in every service of a file.
    fn extend_all(&mut self, file: &mut Item, path: &Path, variables: &Variables) {
        let whole = file.clone();
        let services =
            file.entries_mut().and_then(|entries| entries.iter_mut().find(|(key, _)| key.name == "services"));
        let Some((_, services)) = services else { return };
        for (key, service) in services.entries_mut().into_iter().flatten() {
            if service.get("extends").is_some() {
                let mut chain = vec![(path.to_owned(), key.name.clone())];
                *service = self.extended(service.clone(), &whole, variables, &mut chain);
            }
        }
    }

    fn extended(
        &mut self,
        mut service: Item,
        whole: &Item,
        variables: &Variables,
        chain: &mut Vec<(PathBuf, String)>,
    ) -> Item {
        let position = service.entries().iter().position(|(key, _)| key.name == "extends");
        let taken = position.and_then(|index| service.entries_mut().map(|entries| entries.remove(index)));
        let Some((extends_key, extends)) = taken else { return service };
        let Some((path, inside)) = chain.last().cloned() else { return service };
        let key = format!("services.{inside}.extends");
        let name =
            extends.text().or_else(|| extends.get("service").and_then(Item::text)).unwrap_or_default().to_owned();
        let file = extends.get("file").and_then(Item::text);
        if file.is_some_and(|file| lies_elsewhere(&path, file)) {
            self.is_partial = true;
            // It stays, and says that the service is more than can be seen.
            if let Some(entries) = service.entries_mut() {
                entries.push((extends_key, extends));
            }
            return service;
        }
        let other = file.map(|file| beside(&path, file));
        let home = other.clone().unwrap_or(path);
        if chain.contains(&(home.clone(), name.clone())) || chain.len() > limits::COMPOSE_CHAIN {
            self.notes.add(&EXTENDS, extends.at, key, format!("`{name}` extends itself in the end"));
            return service;
        }
        let read = match &other {
            None => Ok(whole.clone()),
            Some(file) => self.file(file, file.parent().unwrap_or(Path::new("")), variables),
        };
        let whole = match read {
            Ok(whole) => whole,
            Err(error) => {
                let message = format!("cannot extend from `{}`: {}", home.display(), reason(&error));
                self.notes.add(&EXTENDS, extends.at, key, message);
                return service;
            }
        };
        let Some(base) = whole.under(&["services", &name]) else {
            let message = format!("there is no service `{name}` in `{}` to extend", home.display());
            self.notes.add(&EXTENDS, extends.at, key, message);
            return service;
        };
        chain.push((home, name));
        let mut base = self.extended(base.clone(), &whole, variables, chain);
        merge::service(&mut base, service);
        base
    }

    /// Adds what `include` names; a name that exists already stays as it is.
    pub(super) fn include(&mut self, project: &mut Item, path: &Path, variables: &Variables, depth: usize) {
        let Some(include) = project.get("include").cloned() else { return };
        for entry in include.items() {
            let listed = entry.get("path").unwrap_or(entry).items().iter().filter_map(Item::text);
            if listed.clone().any(|file| lies_elsewhere(path, file)) {
                self.is_partial = true;
                continue;
            }
            let files: Vec<PathBuf> = listed.map(|file| beside(path, file)).collect();
            let Some(first) = files.first().cloned().filter(|_| depth < limits::COMPOSE_CHAIN) else { continue };
            if let Some(missing) = files.iter().find(|file| !file.is_file()) {
                let message = format!("cannot include `{}`: there is no such file", missing.display());
                self.notes.add(&INCLUDE, entry.at, "include", message);
                continue;
            }
            let directory = entry.get("project_directory").and_then(Item::text).map(|folder| beside(path, folder));
            let base = directory.unwrap_or_else(|| first.parent().map(Path::to_owned).unwrap_or_default());
            let mut own = variables_of(&env_files(entry, path, &base));
            own.file.extend(variables.file.clone());
            own.known |= variables.known;
            if let Some(mut included) = self.project(&files, &base, &own) {
                self.include(&mut included, &first, &own, depth + 1);
                self.take_in(project, included);
            }
        }
    }

    fn take_in(&mut self, project: &mut Item, included: Item) {
        let Value::Map(sections) = included.value else { return };
        for (section, items) in sections.into_iter().filter(|(key, _)| key.name != "include") {
            let Some(entries) = project.entries_mut() else { return };
            let Some((_, known)) = entries.iter_mut().find(|(key, _)| key.name == section.name) else {
                entries.push((section, items));
                continue;
            };
            let Value::Map(more) = items.value else { continue };
            let Some(known) = known.entries_mut() else { continue };
            for (key, item) in more {
                if !known.iter().any(|(name, _)| name.name == key.name) {
                    known.push((key, item));
                } else if section.name == "services" {
                    let message = format!("the included service `{}` has the name of another one", key.name);
                    self.notes.add(&INCLUDE, key.at, format!("services.{}", key.name), message);
                }
            }
        }
    }
}

fn normalise(file: &mut Item) {
    let services = file.entries_mut().and_then(|entries| entries.iter_mut().find(|(key, _)| key.name == "services"));
    let Some((_, services)) = services else { return };
    services.entries_mut().into_iter().flatten().for_each(|(_, service)| merge::normalise_service(service));
}

fn env_files(entry: &Item, path: &Path, base: &Path) -> Vec<PathBuf> {
    match entry.get("env_file") {
        Some(files) => files.items().iter().filter_map(Item::text).map(|file| beside(path, file)).collect(),
        None => vec![base.join(".env")],
    }
}

/// The variables of these files, the later ones first; those that do not exist are left out.
pub(super) fn variables_of(files: &[PathBuf]) -> Variables {
    let mut variables = Variables::default();
    for file in files {
        let Some(text) = small_text(file) else { continue };
        variables.known = true;
        // One variable may be made of those of an earlier file.
        let read = env::assigned(&text, &|name| variables.file.get(name).cloned());
        variables.file.extend(read.into_iter().map(|one| (one.name, one.value)));
    }
    variables
}

/// The text of a file within the cap for such files; `None` when it cannot be read.
pub(super) fn small_text(path: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(limits::CONFIG_BYTES as u64).read_to_string(&mut text).ok()?;
    Some(text)
}

/// A path that stands in a file.
pub(super) fn beside(path: &Path, other: &str) -> PathBuf {
    under(path.parent().unwrap_or(Path::new("")), other)
}

/// Whether what is named is no file here: a repository, an artifact, something that a plug-in of compose fetches.
fn lies_elsewhere(path: &Path, named: &str) -> bool {
    let scheme = named.split_once(':').map_or("", |(scheme, _)| scheme);
    // One letter is a drive of Windows.
    let has_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let is_remote = has_scheme || named.starts_with("git@") || named.starts_with("github.com/");
    is_remote && !beside(path, named).is_file()
}

/// A path as it is below a folder; `./` at its beginning says nothing.
pub(super) fn under(base: &Path, other: &str) -> PathBuf {
    base.join(other.trim_start_matches("./"))
}

fn reason(error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable { message, .. } => message.clone(),
        ConfigError::Malformed { message, at, .. } => format!("{message} (line {})", at.line),
        _ => "it makes no sense".to_owned(),
    }
}

fn merging(tag: &str) -> Option<Tag> {
    match tag {
        "reset" => Some(Tag::Reset),
        "override" => Some(Tag::Override),
        _ => None,
    }
}

/// Nodes into items, `${…}` filled in.
struct Filling<'a> {
    file: usize,
    tags: BTreeMap<node::Place, Tag>,
    variables: &'a Variables,
    environment: &'a Environment,
    notes: &'a mut Notes,
    port_names: &'a mut PortNames,
}

impl Filling<'_> {
    fn fill(&mut self, node: Node, path: &str) -> Item {
        let at = Spot { file: self.file, at: node.at };
        let value = match node.value {
            node::Value::Null => Value::Null,
            node::Value::Bool(value) => Value::Text(value.to_string(), Origin::default()),
            node::Value::Integer(value) => Value::Text(value.to_string(), Origin::default()),
            node::Value::Float(value) => Value::Text(value.to_string(), Origin::default()),
            node::Value::Text(text) if !text.contains('$') => Value::Text(text, Origin::default()),
            node::Value::Text(text) => self.text(&text, at, path),
            node::Value::List(items) => {
                let items = items.into_iter().enumerate();
                Value::List(items.map(|(index, item)| self.fill(item, &format!("{path}[{index}]"))).collect())
            }
            node::Value::Map(entries) => {
                let entries = entries.into_iter().map(|(key, item)| {
                    let item = self.fill(item, &child(path, &key.name));
                    (Key { name: key.name, at: Spot { file: self.file, at: key.at } }, item)
                });
                Value::Map(entries.collect())
            }
        };
        Item { value, at, tag: self.tags.get(&node.at).copied() }
    }

    fn text(&mut self, text: &str, at: Spot, path: &str) -> Value {
        if let Some((_, entry)) = path.split_once(".ports[") {
            self.port_names.note(text, entry.rsplit_once('.').map_or("", |(_, key)| key));
        }
        let look = |name: &str| {
            let live = self.environment.get(name).map(str::to_owned);
            live.or_else(|| self.variables.file.get(name).cloned())
        };
        let filled = interpolate::fill(text, &look);
        for lack in filled.lacks {
            match lack {
                Lack::Unset(name) => {
                    self.notes.add(&UNSET, at, path, format!("`{name}` is not set and has no default"))
                }
                // Without any file of variables nobody knows what will be set where this is deployed.
                Lack::Required(name, _) if !self.variables.known => {
                    let message = format!("`{name}` is required, and there is no file of variables to look into");
                    self.notes.advise(&UNSET, at, path, (message, "give the file with `--env FILE`"));
                }
                Lack::Required(name, said) => {
                    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
                    self.notes.add(&REQUIRED, at, path, format!("`{name}` is required and not set{said}"));
                }
                Lack::Malformed(why) => self.notes.add(&INVALID, at, path, why),
            }
        }
        Value::Text(filled.text, filled.origin)
    }
}
