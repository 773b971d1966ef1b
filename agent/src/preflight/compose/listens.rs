//! Where a service listens, as far as its image, its variables, its command and its health check tell. Knows no rule.
//! What must stay true: what is only a guess is never called sure.

use super::dockerfile;
use super::item::{Item, Spot};
use super::mentions::{self, Mention};
use super::model::{Health, Kept, Service};
use std::collections::BTreeSet;

/// The ports of a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Listens {
    /// All that anything tells of.
    pub(super) ports: BTreeSet<u16>,
    /// The most important one, and what tells of it, when it is certain that there are no others than [`Listens::ports`].
    pub(super) sure: Option<(u16, String)>,
}

/// Variables by which servers are told their port.
const PORT_VARIABLES: &[&str] =
    &["PORT", "HTTP_PORT", "SERVER_PORT", "APP_PORT", "LISTEN_PORT", "SERVICE_PORT", "LISTEN", "UVICORN_PORT"];
/// Flags with the same meaning.
const PORT_FLAGS: &[&str] =
    &["--port", "--http-port", "--http.port", "--listen", "--bind", "--web.listen-address", "-p", "-b", "--addr"];

/// Where a service listens.
pub(super) fn of(service: &Service) -> Listens {
    let mut listens = Listens::default();
    if service.is_partial() {
        return listens;
    }
    listens.ports.extend(service.ports.iter().map(|port| port.target));
    listens.ports.extend(&service.exposes);
    listens.ports.extend(checked(service).into_iter().map(|(port, _)| port));
    let told = told(service);
    listens.ports.extend(told.iter().map(|(port, _)| *port));
    if let Some(facts) = service
        .built
        .as_ref()
        .and_then(|path| dockerfile::read(path, service.item.under(&["build", "target"]).and_then(Item::text)))
    {
        listens.ports.extend(facts.exposes);
        listens.ports.extend(facts.base.map(|known| known.ports).unwrap_or_default());
    }
    match (service.known, told.into_iter().next()) {
        (Some(known), None) => {
            listens.ports.extend(known.ports);
            let first = known.ports.first().filter(|_| !is_configured(service));
            listens.sure = first.map(|port| (*port, format!("the image `{}`", image(service))));
        }
        (Some(known), Some((port, why))) if known.is_store => listens.sure = Some((port, why)),
        (known, Some((port, why))) => {
            listens.ports.extend(known.map(|known| known.ports).unwrap_or_default());
            listens.sure = Some((port, why));
        }
        (None, None) => {}
    }
    listens.ports.extend(listeners(service));
    // Alone it would be the wrong one of two as often as not.
    if !listens.ports.is_empty() {
        listens.ports.extend(own_ports(service));
    }
    listens
}

fn image(service: &Service) -> &str {
    service.image.as_ref().map(|image| image.name.as_str()).unwrap_or_default()
}

/// The variables that are the service's own, with their names in capitals.
fn own(service: &Service) -> impl Iterator<Item = (String, &str)> {
    let variables = service.variables.iter().filter(|variable| variable.kept != Kept::DotEnv);
    variables.map(|variable| (variable.name.to_ascii_uppercase(), variable.value.as_str()))
}

/// Where a broker's `*LISTENERS` say that it listens.
fn listeners(service: &Service) -> Vec<u16> {
    let mut found = Vec::new();
    for (name, value) in own(service) {
        if name.ends_with("ADVERTISED_LISTENERS") {
            // What is advertised as local is for the host.
            let urls = mentions::urls(value, &Mention::blank(service.at, String::new()));
            found.extend(urls.iter().filter(|url| !is_local(&url.host)).filter_map(|url| url.port));
        } else if name.ends_with("LISTENERS") {
            found.extend(value.split(',').filter_map(last_port));
        }
    }
    found
}

/// What `*_PORT` tell: not `DB_PORT` beside `DB_HOST`, which is another's, and not a port of the host.
fn own_ports(service: &Service) -> Vec<u16> {
    let has_host = |of: &str| {
        own(service)
            .any(|(name, _)| name.strip_prefix(of).is_some_and(|end| matches!(end, "_HOST" | "_HOSTNAME" | "_SERVER")))
    };
    let one = |(name, value): (String, &str)| {
        let of = name.strip_suffix("_PORT").filter(|of| !has_host(of))?;
        let port = last_port(value).filter(|_| !of.is_empty())?;
        service.ports.iter().all(|one| one.published != Some(port)).then_some(port)
    };
    own(service).filter_map(one).collect()
}

fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]")
}

/// What a variable or a flag says.
fn told(service: &Service) -> Vec<(u16, String)> {
    let own = service.known.map(|known| known.port_variables);
    let mut told = Vec::new();
    for name in own.unwrap_or(PORT_VARIABLES) {
        let value = service.variable(name).map(|variable| variable.value.as_str()).unwrap_or_default();
        told.extend(last_port(value).map(|port| (port, format!("its variable `{name}`"))));
    }
    let words: Vec<&str> = service.arguments.iter().map(|word| word.text.as_str()).collect();
    for (index, word) in words.iter().enumerate() {
        let (flag, value) = word.split_once('=').unwrap_or((word, words.get(index + 1).copied().unwrap_or_default()));
        if PORT_FLAGS.contains(&flag) {
            told.extend(last_port(value).map(|port| (port, format!("its flag `{flag}`"))));
        }
    }
    told
}

/// `8000`, `:8000`, `0.0.0.0:8000`.
fn last_port(text: &str) -> Option<u16> {
    text.rsplit(':').next()?.trim().parse().ok().filter(|port| *port > 0)
}

/// Whether a file that cannot be seen here may say otherwise.
fn is_configured(service: &Service) -> bool {
    let ends = [".conf", ".cnf", ".ini", ".yml", ".yaml", ".toml", ".json", ".cfg", ".template", ".properties", ".d"];
    let is_file = |text: &str| {
        let text = text.trim_end_matches(":ro").trim_end_matches(":z").trim_end_matches('/').to_ascii_lowercase();
        ends.iter().any(|end| text.ends_with(end))
            || text.contains("/etc/")
            || text.ends_with("/conf")
            || text.ends_with("config")
    };
    let volumes = service.get("volumes").map(Item::items).unwrap_or_default();
    let target = |item: &Item| item.text().or_else(|| item.get("target").and_then(Item::text)).is_some_and(is_file);
    let by_variable =
        service.variables.iter().any(|variable| variable.name.ends_with("CONFIG") || variable.name.ends_with("ARGS"));
    let is_store = service.known.is_some_and(|known| known.is_store);
    // Initial data of a store lies in a folder whose name ends in `.d` and sets no port.
    let seed = |item: &Item| item.text().is_some_and(|text| text.contains("initdb.d") || text.contains("/localtime"));
    service.get("configs").is_some()
        || volumes.iter().any(|item| target(item) && !seed(item))
        || service.arguments.iter().any(|word| is_file(&word.text) || (is_store && word.text == "sh"))
        || by_variable
        || service.get("entrypoint").is_some()
}

/// The ports of this very container that its health check asks.
pub(super) fn checked(service: &Service) -> Vec<(u16, Spot)> {
    let Health::Test { words, at, .. } = &service.health else { return Vec::new() };
    let blank = Mention::blank(*at, String::new());
    let urls = words.iter().flat_map(|word| mentions::urls(word, &blank));
    let own = |mention: &Mention| is_local(&mention.host) || mention.host == service.name;
    let port = |mention: Mention| {
        let usual = match mention.scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        mention.port.or(usual)
    };
    urls.filter(own).filter_map(port).map(|port| (port, *at)).collect()
}
