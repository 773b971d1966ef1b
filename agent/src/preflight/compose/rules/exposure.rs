//! What is open to others: stores on every address, the Docker socket, privileges, the host's network.

use super::super::item::Item;
use super::super::model::{Project, Service};
use super::super::notes::Notes;
use super::{error, warning};
use crate::preflight::{Profile, Rule};

pub(super) static RULES: &[&Rule] = &[&STORE_OPEN, &SOCKET, &PRIVILEGED, &ROOT, &HOST_NETWORK, &SOURCE_MOUNT];

static STORE_OPEN: Rule = error(
    "compose-store-published",
    "a database, cache or broker is published on every address of the host",
    "whoever reaches the host reaches it: Docker's ports go past the host's firewall",
    "remove the port, for services need none, or publish it on `127.0.0.1` only",
);
static SOCKET: Rule = warning(
    "compose-docker-socket",
    "a container can write to the Docker socket",
    "whoever takes over the container is root on the host; `:ro` does not help",
    "put a proxy before the socket that lets through what is needed",
);
static PRIVILEGED: Rule = warning(
    "compose-privileged",
    "a container is privileged",
    "whoever takes over the container is root on the host",
    "give it the devices and capabilities that it needs, by name",
);
static ROOT: Rule = warning(
    "compose-user-root",
    "a service is told to run as root",
    "a hole in the service is a hole in more than the service",
    "name the user of the image, or any other than 0",
);
static HOST_NETWORK: Rule = warning(
    "compose-host-network",
    "a service is on the host's network",
    "it sees every local service of the host, and its own ports are open at once",
    "publish its ports instead",
);
static SOURCE_MOUNT: Rule = warning(
    "compose-source-mount",
    "the source tree is mounted over a service",
    "what runs is what lies on the host, not what was built and tested",
    "leave the mount to an override file for development",
);

pub(super) fn check(project: &Project, profile: Profile, notes: &mut Notes) {
    for service in project.services.values() {
        let watches = service.known.is_some_and(|known| known.watches_host);
        if profile != Profile::Development {
            store(service, notes);
            sources(service, notes);
        }
        if !watches {
            powers(service, notes);
        }
    }
}

fn store(service: &Service, notes: &mut Notes) {
    let Some(known) = service.known.filter(|known| known.is_store) else { return };
    // The first port is the data; others are pages and metrics.
    let first = known.ports.first().copied();
    for port in service.ports.iter().filter(|port| port.is_open() && Some(port.target) == first) {
        let message = format!("port {} of `{}` is open to every address", port.target, service.name);
        notes.add(&STORE_OPEN, port.at, service.key("ports"), message);
    }
}

fn volumes(service: &Service) -> impl Iterator<Item = (&Item, &str, &str)> {
    let items = service.get("volumes").map(Item::items).unwrap_or_default();
    items.iter().filter_map(|item| match item.text() {
        Some(text) => {
            let mut parts = text.split(':');
            Some((item, parts.next()?, parts.next()?))
        }
        None => Some((item, item.get("source").and_then(Item::text)?, item.get("target").and_then(Item::text)?)),
    })
}

/// The whole folder of the project over the image's own, in a service that is built from it.
fn sources(service: &Service, notes: &mut Notes) {
    let Some(context) = service.item.under(&["build", "context"]).and_then(Item::text) else { return };
    let plain = |path: &str| path.trim_end_matches('/').trim_start_matches("./").to_owned();
    for (item, source, target) in volumes(service) {
        // In the short form `api:/srv` is a volume, also where a folder has that name.
        let is_path = source.starts_with(['.', '/', '~']) || item.get("type").and_then(Item::text) == Some("bind");
        if is_path && plain(source) == plain(context) && !target.starts_with("/docker") {
            notes.add(
                &SOURCE_MOUNT,
                item.at,
                service.key("volumes"),
                format!("the sources are mounted over `{target}`"),
            );
        }
    }
}

fn powers(service: &Service, notes: &mut Notes) {
    for (item, source, _) in volumes(service).filter(|(_, source, _)| source.ends_with("/docker.sock")) {
        notes.add(&SOCKET, item.at, service.key("volumes"), format!("`{source}` is mounted"));
    }
    if service.get("privileged").is_some_and(Item::is_true) {
        notes.add(
            &PRIVILEGED,
            service.place("privileged"),
            service.key("privileged"),
            format!("`{}` is privileged", service.name),
        );
    }
    let user = service.text("user").split(':').next().unwrap_or_default();
    if matches!(user, "root" | "0") {
        notes.add(&ROOT, service.place("user"), service.key("user"), format!("`{}` runs as root", service.name));
    }
    if service.text("network_mode") == "host" {
        let message = format!("`{}` is on the host's network", service.name);
        notes.add(&HOST_NETWORK, service.place("network_mode"), service.key("network_mode"), message);
    }
}
