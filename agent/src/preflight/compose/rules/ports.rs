//! Ports and protocols: what one service's environment says about another, held against where that one listens and what it speaks.

use super::super::health;
use super::super::item::Spot;
use super::super::listens::{self, Listens};
use super::super::mentions::{self, Mention};
use super::super::model::{Kept, Project, Service};
use super::super::notes::Notes;
use super::{error, warning};
use crate::preflight::Rule;
use crate::preflight::known::Speaks;
use crate::small;
use std::collections::BTreeMap;

pub(super) static RULES: &[&Rule] = &[&WRONG_PORT, &HOST_PORT, &UNPROVEN, &WRONG_SCHEME, &LOCALHOST, &HEALTH_PORT];

static WRONG_PORT: Rule = error(
    "compose-wrong-port",
    "a service is addressed on a port that it does not listen on",
    "every connection is refused",
    "use the port that the service listens on inside its container",
);
static HOST_PORT: Rule = error(
    "compose-host-port-inside",
    "a service is addressed on its host port from inside the network",
    "between containers the host port does not exist: every connection is refused",
    "use the container port",
);
static UNPROVEN: Rule = warning(
    "compose-port-unproven",
    "a service is addressed on a port that nothing in the file mentions for it",
    "if it does not listen there, every connection is refused",
    "use the port that the service listens on, or say so with `expose`",
);
static WRONG_SCHEME: Rule = error(
    "compose-wrong-scheme",
    "a URL's scheme is not what the image speaks",
    "another protocol answers than the one the client expects",
    "use the URL of the service that is meant, or the image that speaks this protocol",
);
static LOCALHOST: Rule = error(
    "compose-localhost",
    "a service looks for a dependency on `localhost`",
    "in a container `localhost` is the container itself: nothing listens there",
    "use the name of the service as the host",
);
static HEALTH_PORT: Rule = error(
    "compose-health-port",
    "a health check asks a port that its own service does not listen on",
    "the service is never healthy, and what waits for it never starts",
    "ask the port that the service listens on inside its container",
);

pub(super) fn check(project: &Project, notes: &mut Notes) {
    let ports: BTreeMap<&str, Listens> =
        small::map(project.services.values().map(|service| (service.name.as_str(), listens::of(service))));
    for service in project.services.values() {
        let mentions = mentions::of(service, project);
        let is_told = is_told(service, &mentions, project);
        for mention in mentions {
            match project.named(&mention.host) {
                Some(other) => {
                    let is_own = other.name == service.name;
                    port(&mention, (other, is_own), ports.get(other.name.as_str()), notes);
                    scheme(&mention, other, project, notes);
                }
                // The file is there for something else in it.
                None if is_told && mention.kept != Kept::Here => {}
                None => localhost(&mention, service, project, notes),
            }
        }
        own_health(service, ports.get(service.name.as_str()), notes);
    }
}

fn port(mention: &Mention, (other, is_own): (&Service, bool), listens: Option<&Listens>, notes: &mut Notes) {
    let (Some(listens), Some(port)) = (listens, number(mention)) else { return };
    // On the host's network every port is the host's; without any hint there is nothing to hold it against.
    if listens.ports.contains(&port) || listens.ports.is_empty() || other.is_on_host_network() {
        return;
    }
    let place = (mention.at, mention.key.as_str());
    let name = &other.name;
    if let Some(published) = other.ports.iter().find(|one| one.published == Some(port)) {
        let target = published.target;
        let message = format!(
            "`{name}` is addressed on port {port}, which it has on the host only; inside it listens on {target}"
        );
        return told(notes, &HOST_PORT, place, message, format!("write `{name}:{target}`"));
    }
    match &listens.sure {
        Some((sure, why)) => {
            let message = format!("`{name}` is addressed on port {port} and listens on {sure}, says {why}");
            told(notes, &WRONG_PORT, place, message, format!("write `{name}:{sure}`"));
        }
        // Who names a port of its own knows it.
        None if is_own => {}
        None => {
            let known = listens.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            let message = format!("`{name}` is addressed on port {port}; the file knows it on {known} only");
            told(notes, &UNPROVEN, place, message, UNPROVEN.fix.to_owned());
        }
    }
}

/// Whether the compose file itself tells a service where another one is.
fn is_told(service: &Service, mentions: &[Mention], project: &Project) -> bool {
    let other = |mention: &Mention| project.named(&mention.host).is_some_and(|other| other.name != service.name);
    mentions.iter().any(|mention| mention.kept == Kept::Here && !mention.variable.is_empty() && other(mention))
}

fn told(notes: &mut Notes, rule: &'static Rule, (at, key): (Spot, &str), message: String, fix: String) {
    notes.advise(rule, at, key, (message, fix));
}

/// The port that a URL means; a web address without one means 80 or 443, and that only where it is sure to be meant.
fn number(mention: &Mention) -> Option<u16> {
    mention.port
}

fn scheme(mention: &Mention, other: &Service, project: &Project, notes: &mut Notes) {
    let (Some(wanted), Some(known)) = (Speaks::of_scheme(&mention.scheme), other.known) else { return };
    let has = known.speaks;
    // Brokers and some stores have pages beside their own protocol, on other ports.
    let beside = wanted == Speaks::Http && (known.ports.len() > 1 && mention.port != known.ports.first().copied());
    if has == wanted || has == Speaks::Other || beside || mention.port.is_none() && wanted == Speaks::Http {
        return;
    }
    // A service on another port of a proxy may be anything.
    if has == Speaks::Http && !known.ports.is_empty() && mention.port.is_some_and(|port| !known.ports.contains(&port)) {
        return;
    }
    if has == Speaks::Http && known.ports.is_empty() {
        return;
    }
    let meant = meant(wanted, project);
    let fix = meant.map_or(WRONG_SCHEME.fix.to_owned(), |meant| format!("{} is `{}` here", wanted.name(), meant.name));
    let message = format!("the URL says `{}`, and `{}` speaks {}", mention.scheme, other.name, has.name());
    notes.advise(&WRONG_SCHEME, mention.at, &mention.key, (message, fix));
}

/// The service that speaks this; a task that uses its program once is none.
fn meant(wanted: Speaks, project: &Project) -> Option<&Service> {
    let speaks = |one: &&Service| one.known.is_some_and(|known| known.speaks == wanted);
    project.services.values().find(|one| speaks(one) && !health::is_job(one, project))
}

fn localhost(mention: &Mention, service: &Service, project: &Project, notes: &mut Notes) {
    let is_local = matches!(mention.host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    if !is_local || mention.variable.is_empty() || service.get("network_mode").is_some() || service.is_on_host_network()
    {
        return;
    }
    let Some(wanted) = Speaks::of_scheme(&mention.scheme).or_else(|| by_variable(&mention.variable)) else { return };
    let own = service.known.is_some_and(|known| known.is_store);
    let meant = meant(wanted, project);
    if let (Some(meant), false, true) = (meant, own, wanted.is_store())
        && meant.name != service.name
    {
        let message = format!("{} is looked for on `localhost`, and is the service `{}`", wanted.name(), meant.name);
        let port = meant.known.and_then(|known| known.ports.first()).map_or(String::new(), |port| format!(":{port}"));
        notes.advise(&LOCALHOST, mention.at, &mention.key, (message, format!("write `{}{port}`", meant.name)));
    }
}

/// What a variable like `REDIS_HOST` is about.
fn by_variable(name: &str) -> Option<Speaks> {
    let upper = name.to_ascii_uppercase();
    let first = upper.split('_').find_map(|word| match word {
        "POSTGRES" | "POSTGRESQL" | "PGHOST" | "PG" => Some(Speaks::Postgres),
        "MYSQL" | "MARIADB" => Some(Speaks::Mysql),
        "REDIS" => Some(Speaks::Redis),
        "MONGO" | "MONGODB" => Some(Speaks::Mongo),
        "RABBITMQ" | "AMQP" => Some(Speaks::Amqp),
        _ => None,
    });
    first.filter(|_| upper.ends_with("HOST") || upper.ends_with("HOSTNAME") || upper.ends_with("SERVER"))
}

/// The health check of a service that says where it listens.
fn own_health(service: &Service, listens: Option<&Listens>, notes: &mut Notes) {
    let Some((sure, why)) = listens.and_then(|listens| listens.sure.as_ref()) else { return };
    if health::of(service) != health::Checked::Always {
        return;
    }
    for (port, at) in listens::checked(service) {
        let known = service.known.map(|known| known.ports).unwrap_or_default();
        let elsewhere = service.ports.iter().any(|one| one.target == port) || service.exposes.contains(&port);
        if port == *sure || known.contains(&port) && known.first() != Some(&port) || elsewhere {
            continue;
        }
        let key = service.key("healthcheck.test");
        let message = format!("the health check asks port {port}, and the service listens on {sure}, says {why}");
        notes.advise(&HEALTH_PORT, at, key, (message, format!("ask `localhost:{sure}`")));
    }
}
