//! Where a service's environment and command name another host: `scheme://host:port` anywhere in a text, `host:port`, and pairs like
//! `DB_HOST` with `DB_PORT`. Knows no rule. What must stay true: user and password of a URL are never kept.

use super::item::Spot;
use super::model::{Project, Service, Variable};

/// A host that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The scheme of the URL; empty when there is none.
    pub(super) scheme: String,
    /// The variable; empty for a command.
    pub(super) variable: String,
    pub(super) at: Spot,
    /// The path of the key, for a message.
    pub(super) key: String,
    /// Whether the URL holds a password that stands there as it is.
    pub(super) has_password: bool,
}

/// All that a service names.
pub(super) fn of(service: &Service, project: &Project) -> Vec<Mention> {
    let mut found = Vec::new();
    for variable in service.variables.iter().filter(|variable| !is_a_name(&variable.name)) {
        let key = service.key(&format!("environment.{}", variable.name));
        let blank = Mention {
            variable: variable.name.clone(),
            ..Mention::blank(variable.at, if variable.from_file { service.key("env_file") } else { key })
        };
        let urls = urls(&variable.value, &blank);
        let plain = if urls.is_empty() { plain(&variable.value, project, &blank) } else { Vec::new() };
        if urls.is_empty() && plain.is_empty() {
            found.extend(pair(service, variable, project, &blank));
        }
        found.extend(urls.into_iter().chain(plain));
    }
    for word in &service.arguments {
        let blank = Mention::blank(word.at, service.key("command"));
        let urls = urls(&word.text, &blank);
        if urls.is_empty() {
            // `postgres:15` is an image and no address.
            let is_address = |mention: &Mention| mention.port.is_some_and(|port| port >= 80);
            let value = word.text.rsplit('=').next().unwrap_or_default();
            found.extend(plain(value, project, &blank).into_iter().filter(is_address));
        }
        found.extend(urls);
    }
    found
}

impl Mention {
    fn blank(at: Spot, key: String) -> Self {
        let (host, scheme, variable) = (String::new(), String::new(), String::new());
        Self { host, port: None, scheme, variable, at, key, has_password: false }
    }
}

/// Variables whose value may look like an address and is none.
fn is_a_name(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    ["IMAGE", "_TAG", "VERSION", "CORS", "ORIGIN", "ADVERTISED", "NO_PROXY"].iter().any(|word| upper.contains(word))
}

/// Every URL in a text.
pub(super) fn urls(text: &str, blank: &Mention) -> Vec<Mention> {
    let mut found = Vec::new();
    for (index, _) in text.match_indices("://") {
        let (before, after) = (text.get(..index).unwrap_or_default(), text.get(index + 3..).unwrap_or_default());
        let start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .map_or(0, |at| at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
        let scheme = before.get(start..).unwrap_or_default();
        let end = after
            .find(|c: char| c.is_whitespace() || "/?#'\"`<>|\\;)}]{$".contains(c) && c != ']')
            .unwrap_or(after.len());
        let authority = after.get(..end).unwrap_or_default();
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let password = login.split_once(':').map_or("", |(_, password)| password);
        for one in hosts.split(',') {
            let (host, port) = one.rsplit_once(':').map_or((one, ""), |(host, port)| (host, port));
            // `http:` of the next URL of a list.
            if host.is_empty()
                || (one.ends_with(':') && !port.chars().all(|c| c.is_ascii_digit()))
                || one.ends_with(':')
            {
                continue;
            }
            found.push(Mention {
                host: host.to_ascii_lowercase(),
                port: port.parse().ok(),
                scheme: scheme.to_ascii_lowercase(),
                has_password: !password.is_empty(),
                ..blank.clone()
            });
        }
    }
    found
}

/// `service:port`, alone or in a list, where there is such a service.
fn plain(text: &str, project: &Project, blank: &Mention) -> Vec<Mention> {
    let one = |piece: &str| {
        let (host, port) = piece.split_once(':')?;
        let port = port.split(['/', '?']).next().unwrap_or_default().parse().ok()?;
        project.named(host)?;
        Some(Mention { host: host.to_owned(), port: Some(port), ..blank.clone() })
    };
    text.split([',', ';', ' ']).filter_map(|piece| one(piece.trim())).collect()
}

/// The ends of the names of variables that hold a host.
const HOSTS: &[&str] = &["HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS", "BROKER", "ENDPOINT", "UPSTREAM", "HOSTS"];

/// `DB_HOST` with its `DB_PORT`.
fn pair(service: &Service, variable: &Variable, project: &Project, blank: &Mention) -> Option<Mention> {
    let upper = variable.name.to_ascii_uppercase();
    let end = HOSTS.iter().find(|end| upper.ends_with(*end) && upper.len() > end.len())?;
    let host = variable.value.trim();
    let is_local = matches!(host, "localhost" | "127.0.0.1");
    if !is_local && project.named(host).is_none() {
        return None;
    }
    let prefix = variable.name.get(..variable.name.len() - end.len()).unwrap_or_default();
    let port = service.variables.iter().find(|other| {
        other.name.len() == prefix.len() + 4
            && other.name.starts_with(prefix)
            && other.name.to_ascii_uppercase().ends_with("PORT")
    });
    let port = port.and_then(|port| port.value.trim().parse().ok());
    Some(Mention { host: host.to_owned(), port, ..blank.clone() })
}
