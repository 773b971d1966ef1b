//! Host names: whether a name that a service uses leads anywhere.

use super::super::item::Item;
use super::super::mentions::{self, Mention};
use super::super::model::{Project, Service};
use super::super::notes::Notes;
use super::error;
use crate::node::closest;
use crate::preflight::Rule;
use crate::preflight::known::Speaks;

pub(super) static RULES: &[&Rule] = &[&UNKNOWN, &APART];

static UNKNOWN: Rule = error(
    "compose-unknown-host",
    "a URL names a host that is no service here",
    "the name cannot be resolved",
    "use the name of a service, or add the host to `extra_hosts`",
);
static APART: Rule = error(
    "compose-no-shared-network",
    "a service uses another one that is on none of its networks",
    "the name cannot be resolved from there",
    "put both on one network",
);

pub(super) fn check(project: &Project, notes: &mut Notes) {
    for service in project.services.values() {
        for mention in mentions::of(service, project) {
            match project.named(&mention.host) {
                Some(other) => apart(&mention, service, other, notes),
                None => unknown(&mention, service, project, notes),
            }
        }
    }
}

fn apart(mention: &Mention, service: &Service, other: &Service, notes: &mut Notes) {
    let elsewhere = |one: &Service| one.get("network_mode").is_some() || one.networks.contains("host");
    let linked = ["links", "external_links", "extra_hosts"].iter().any(|key| service.get(key).is_some());
    if service.name == other.name || elsewhere(service) || elsewhere(other) || linked {
        return;
    }
    if service.networks.is_disjoint(&other.networks) {
        let list = |one: &Service| one.networks.iter().map(String::as_str).collect::<Vec<_>>().join("`, `");
        let message =
            format!("`{}` is on `{}`, `{}` on `{}` only", other.name, list(other), service.name, list(service));
        let (at, key) = mention.taken_over(service);
        notes.add(&APART, at, key, message);
    }
}

fn unknown(mention: &Mention, service: &Service, project: &Project, notes: &mut Notes) {
    let host = mention.host.as_str();
    let plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    // A placeholder, or a name that something else than Docker resolves.
    let placeholder =
        matches!(host, "localhost" | "host" | "hostname" | "example" | "gateway" | "docker" | "server" | "address");
    if !plain || placeholder || host.chars().all(|c| c.is_ascii_digit()) || leads_out(service, project) {
        return;
    }
    let names: Vec<&str> = project.services.keys().map(String::as_str).collect();
    // Short names are near to each other by nature.
    let near = closest(host, names.iter().copied()).filter(|_| host.len() > 4);
    let is_store = Speaks::of_scheme(&mention.scheme).is_some_and(Speaks::is_store);
    if is_store || near.is_some() {
        let fix = near.map_or(UNKNOWN.fix.to_owned(), |near| format!("did you mean `{near}`?"));
        notes.advise(&UNKNOWN, mention.at, &mention.key, (format!("there is no service `{host}`"), fix));
    }
}

/// Whether a service may know names that are not in the file.
fn leads_out(service: &Service, project: &Project) -> bool {
    let external = |name: &String| {
        let network = project.item.under(&["networks", name]);
        network.is_some_and(|network| {
            network.get("external").is_some_and(|value| value.is_true() || value.get("name").is_some())
        })
    };
    let named = ["links", "external_links", "extra_hosts", "network_mode", "dns", "dns_search"];
    service.networks.iter().any(external)
        || project.is_partial
        || named.iter().any(|key| service.get(key).is_some())
        || service.networks.contains("host")
        || project.item.get("include").map(Item::items).is_some_and(|files| !files.is_empty())
}
