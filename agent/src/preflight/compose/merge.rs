//! Several compose files into one, by the specification: mappings are merged, lists are added up, some values are replaced, and what may
//! be written in two forms is brought into one first. Knows items only. What must stay true: every value keeps its own file and line.

use super::item::{Item, Key, Tag, Value};

/// Keys of a service that are a list or a mapping; as mapping they can be merged.
const PAIRS: &[&str] = &["environment", "labels", "sysctls", "annotations", "extra_hosts"];
/// Keys whose value the later file replaces as a whole.
const REPLACED: &[&str] = &["command", "entrypoint", "test"];
/// Lists whose entries have a name: an entry of the same name is replaced.
const UNIQUE: &[&str] = &["ports", "volumes", "secrets", "configs"];

/// Merges a file over the ones before it.
pub(super) fn files(base: &mut Item, over: Item) {
    merge(base, over, "");
}

/// Merges a service over the one that it extends or that an earlier file has.
pub(super) fn service(base: &mut Item, over: Item) {
    merge(base, over, "");
}

fn merge(base: &mut Item, over: Item, key: &str) {
    let Item { value, at, tag } = over;
    match (&mut base.value, value) {
        (Value::Map(entries), Value::Map(more)) if tag.is_none() => {
            more.into_iter().for_each(|(key, item)| merge_entry(entries, key, item));
        }
        (Value::List(items), Value::List(more)) if tag.is_none() && !REPLACED.contains(&key) => {
            more.into_iter().for_each(|item| append(items, item, key));
        }
        // `key:` with nothing behind it takes nothing away.
        (Value::Text(..) | Value::List(_) | Value::Map(_), Value::Null) if tag.is_none() && !key.is_empty() => {}
        (_, value) => *base = Item { value, at, tag },
    }
}

fn merge_entry(entries: &mut Vec<(Key, Item)>, key: Key, item: Item) {
    let position = entries.iter().position(|(known, _)| known.name == key.name);
    match position {
        Some(position) if item.tag == Some(Tag::Reset) => {
            entries.remove(position);
        }
        Some(position) => {
            if let Some((_, base)) = entries.get_mut(position) {
                merge(base, item, &key.name);
            }
        }
        None if item.tag == Some(Tag::Reset) => {}
        None => entries.push((key, item)),
    }
}

fn append(items: &mut Vec<Item>, item: Item, key: &str) {
    let name = if UNIQUE.contains(&key) { unique(&item, key) } else { item.text().map(str::to_owned) };
    let known = name.and_then(|name| {
        let name_of =
            |other: &Item| if UNIQUE.contains(&key) { unique(other, key) } else { other.text().map(str::to_owned) };
        items.iter_mut().find(|other| name_of(other).as_ref() == Some(&name))
    });
    match known {
        Some(known) => *known = item,
        None => items.push(item),
    }
}

/// What tells an entry from others: the target of a volume, all of a port.
fn unique(item: &Item, key: &str) -> Option<String> {
    let field = |name: &str| item.get(name).and_then(Item::text).unwrap_or_default().to_owned();
    match (&item.value, key) {
        (Value::Text(text, _), "volumes") => text.split(':').nth(1).or(Some(text)).map(str::to_owned),
        (Value::Text(text, _), _) => Some(text.clone()),
        (Value::Map(_), "ports") => {
            let port = [field("host_ip"), field("published"), field("target"), field("protocol")];
            Some(port.join(":"))
        }
        (Value::Map(_), "volumes") => Some(field("target")),
        (Value::Map(_), _) => {
            let target = field("target");
            Some(if target.is_empty() { field("source") } else { target })
        }
        _ => None,
    }
}

/// Brings what may be written as list or mapping into one form, and takes `!reset` out.
pub(super) fn normalise_service(service: &mut Item) {
    let Some(entries) = service.entries_mut() else { return };
    for (key, item) in entries.iter_mut() {
        match key.name.as_str() {
            name if PAIRS.contains(&name) => pairs(item),
            "depends_on" | "networks" => names(item),
            "build" => build(item),
            "ports" | "volumes" | "env_file" | "expose" | "dns" | "tmpfs" => listed(item),
            _ => {}
        }
    }
}

/// `[A=1, B]` becomes `{A: 1, B: nothing}`.
fn pairs(item: &mut Item) {
    let Value::List(items) = &item.value else { return };
    let pair = |one: &Item| {
        let text = one.text()?;
        let (name, value) = match text.split_once('=').or_else(|| text.split_once(": ")) {
            Some((name, value)) => (name, Value::Text(value.to_owned(), one.origin())),
            None => (text, Value::Null),
        };
        Some((Key { name: name.trim().to_owned(), at: one.at }, Item::new(value, one.at)))
    };
    let mut entries: Vec<(Key, Item)> = Vec::new();
    items.iter().filter_map(pair).for_each(|(key, item)| merge_entry(&mut entries, key, item));
    item.value = Value::Map(entries);
}

/// `[a, b]` becomes `{a: nothing, b: nothing}`.
fn names(item: &mut Item) {
    let Value::List(items) = &item.value else { return };
    let named = |one: &Item| Some((Key { name: one.text()?.to_owned(), at: one.at }, Item::new(Value::Null, one.at)));
    item.value = Value::Map(items.iter().filter_map(named).collect());
}

fn build(item: &mut Item) {
    if let Value::Text(text, origin) = &item.value {
        let context = Item::new(Value::Text(text.clone(), *origin), item.at);
        item.value = Value::Map(vec![(Key { name: "context".to_owned(), at: item.at }, context)]);
    }
}

fn listed(item: &mut Item) {
    if let Value::Text(..) = item.value {
        item.value = Value::List(vec![Item { tag: None, ..item.clone() }]);
    }
}
