//! Where a service's environment and command name another host: `scheme://host:port` anywhere in a text, `host:port`, and pairs like
//! `DB_HOST` with `DB_PORT`. Knows no rule. What must stay true: user and password of a URL are never kept.

use super::item::Spot;
use super::model::{Kept, Project, Service, Variable};

/// A host that is named, or a URL whose host is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mention {
    /// Empty where it is not known.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The scheme of the URL; empty when there is none.
    pub(super) scheme: String,
    /// The variable; empty for a command.
    pub(super) variable: String,
    /// Where it is written.
    pub(super) at: Spot,
    /// Where the service takes it over.
    taken: Spot,
    /// The path of the key, for a message.
    pub(super) key: String,
    /// Whether the URL holds a password that stands there as it is.
    pub(super) has_password: bool,
    /// Where the variable is written.
    pub(super) kept: Kept,
}

/// All that a service names.
pub(super) fn of(service: &Service, project: &Project) -> Vec<Mention> {
    let mut found = Vec::new();
    for variable in service.variables.iter().filter(|variable| !is_a_name(&variable.name)) {
        let key = match variable.kept {
            Kept::Here => service.key(&format!("environment.{}", variable.name)),
            Kept::EnvFile | Kept::DotEnv => variable.name.clone(),
        };
        let blank = Mention {
            variable: variable.name.clone(),
            taken: variable.taken,
            kept: variable.kept,
            ..Mention::blank(variable.at, key)
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
    pub(super) fn blank(at: Spot, key: String) -> Self {
        let (host, scheme, variable) = (String::new(), String::new(), String::new());
        Self { host, port: None, scheme, variable, at, taken: at, key, has_password: false, kept: Kept::Here }
    }

    /// Where the service takes it over, for what is to be mended in the service and not in the text.
    pub(super) fn taken_over(&self, service: &Service) -> (Spot, String) {
        match self.kept {
            Kept::Here => (self.at, self.key.clone()),
            Kept::EnvFile | Kept::DotEnv => (self.taken, service.key("env_file")),
        }
    }
}

/// Variables whose value may look like an address and is none.
fn is_a_name(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    ["IMAGE", "_TAG", "VERSION", "CORS", "ORIGIN", "ADVERTISED", "LISTENERS", "NO_PROXY"]
        .iter()
        .any(|word| upper.contains(word))
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
        // The host goes on in a form that something else fills in, `http://depot{1...4}/`: nobody knows it.
        let is_cut = after.get(end..).is_some_and(|rest| rest.starts_with(['{', '$', '<', '`']));
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
                host: if is_cut { String::new() } else { host.to_ascii_lowercase() },
                port: port.parse().ok().filter(|_| !is_cut),
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
    // A file that serves the whole project has the ports of the host too, and those are not for the services.
    let port = port.filter(|port| port.kept == Kept::Here || !project.port_names.is_of_host(&port.name));
    let port = port.and_then(|port| port.value.trim().parse().ok());
    Some(Mention { host: host.to_owned(), port, ..blank.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_of_its_own_listening_is_no_address_of_another() {
        assert!(is_a_name("KAFKA_LISTENERS") && is_a_name("KAFKA_ADVERTISED_LISTENERS") && is_a_name("CORS_ORIGINS"));
        assert!(!is_a_name("LISTENER_URL"));
    }

    #[test]
    fn a_host_that_is_cut_short_is_not_known() {
        let blank = Mention::blank(Spot::default(), String::new());
        for (text, wanted) in [
            ("http://db:80/x", "db:80"),
            ("a http://web, http://api/", "web api"),
            ("http://depot{1...4}:9000/data", "?"),
            ("http://db:80$SUFFIX/x", "?"),
            ("postgres://app:secret@db{1...2}/x", "? with a password"),
            ("http://db<n>/ and http://web", "? web"),
            ("Host(`http://db`)", "?"),
            ("http://{{ .Host }}/", ""),
            ("mongodb://a:1,b:2/x", "a:1 b:2"),
        ] {
            let shown = |one: &Mention| {
                let host = if one.host.is_empty() { "?" } else { &one.host };
                let port = one.port.map_or(String::new(), |port| format!(":{port}"));
                format!("{host}{port}{}", if one.has_password { " with a password" } else { "" })
            };
            assert_eq!(urls(text, &blank).iter().map(shown).collect::<Vec<_>>().join(" "), wanted, "{text}");
        }
    }
}
