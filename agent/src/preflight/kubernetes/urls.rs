//! Addresses in the environment against the Services of the files: name, port, and what the image behind it speaks.

use super::Stack;
use super::model::{Object, Wanted, at, items, text};
use super::ports::{has_port, ports_shown};
use super::rules::{URL_PORT, URL_PROTOCOL, URL_SERVICE};
use crate::node::Node;
use crate::preflight::image::Reference;
use crate::preflight::known::{self, Speaks};
use crate::preflight::{Findings, Place};

pub(super) fn check(stack: &Stack<'_>, findings: &mut Findings) {
    for pod in &stack.pods {
        for container in &pod.containers {
            for (index, variable) in items(container.node.get("env")).iter().enumerate() {
                let (Some(name), Some(node)) = (text(variable.get("name")), variable.get("value")) else { continue };
                let place = pod.object.place(node, &format!("{}.env[{index}] {name}", container.path));
                variable_of(stack, pod.object, (node, place), findings);
            }
        }
    }
    for map in stack.kind("ConfigMap") {
        for (key, node) in map.node.get("data").map(Node::entries).unwrap_or_default() {
            variable_of(stack, map, (node, map.place(node, &format!("data.{}", key.name))), findings);
        }
    }
}

fn variable_of(stack: &Stack<'_>, object: &Object, (node, place): (&Node, Place), findings: &mut Findings) {
    if let Some(address) = node.as_text().and_then(Address::of) {
        address.check(stack, object, place, findings);
    }
}

/// A URL as far as it can be held against Services.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    scheme: String,
    /// The Service that it names.
    service: String,
    namespace: Option<String>,
    port: Option<i64>,
}

impl Address {
    /// Reads a value that is one URL. Nothing else is looked at, nor anything with a variable in it.
    fn of(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once("://")?;
        let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let authority = rest.split(['/', '?', '#']).next()?;
        // A list of hosts is more than one address, and a wildcard is none.
        if !is_scheme
            || authority.contains(['$', '{', ',', '*', ' ', '['])
            || value.trim().contains(char::is_whitespace)
        {
            return None;
        }
        let host = authority.rsplit('@').next()?;
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().ok()?)),
            None => (host, default_port(scheme)),
        };
        let (service, namespace) = in_cluster(host)?;
        Some(Self { scheme: scheme.to_ascii_lowercase(), service, namespace, port: port.map(i64::from) })
    }

    fn check(&self, stack: &Stack<'_>, object: &Object, place: Place, findings: &mut Findings) {
        let Self { service: name, port, .. } = self;
        let fits = |service: &&Object| match &self.namespace {
            Some(namespace) => service.may_be_in(namespace),
            None => service.is_near(object),
        };
        let Some(service) = stack.kind("Service").filter(fits).find(|service| service.name == *name) else {
            // Another namespace's Services are seldom in the same files.
            if stack.has("Service") && self.namespace.is_none() {
                findings.add(&URL_SERVICE, place, format!("there is no Service `{name}` in these files"));
            }
            return;
        };
        let has_ports = !items(at(&service.node, "spec.ports")).is_empty();
        let is_headless = at(&service.node, "spec.clusterIP").and_then(Node::as_text) == Some("None");
        let is_elsewhere = at(&service.node, "spec.type").and_then(Node::as_text) == Some("ExternalName");
        if let Some(port) = port.filter(|_| has_ports && !is_headless && !is_elsewhere)
            && !has_port(service, &Wanted::Number(port))
        {
            let message = format!("Service `{name}` has no port {port}, but {}", ports_shown(service));
            findings.add(&URL_PORT, place.clone(), message);
            return;
        }
        self.protocol(stack, service, place, findings);
    }

    /// Whether the image behind the Service speaks what the scheme says; only where both are known.
    fn protocol(&self, stack: &Stack<'_>, service: &Object, place: Place, findings: &mut Findings) {
        let Some(said) = Speaks::of_scheme(&self.scheme) else { return };
        let port = self.port.and_then(|port| u16::try_from(port).ok());
        for pod in stack.pods_of(service) {
            let main: Vec<_> =
                pod.containers.iter().filter(|container| container.path.contains(".containers[")).collect();
            let [only] = main.as_slice() else { continue };
            let image = text(only.node.get("image")).and_then(|image| known::image(&Reference::parse(&image)));
            let Some(spoken) = image.and_then(|image| image.speaks_on(port)) else { continue };
            if spoken != said {
                let (scheme, service, spoken) = (&self.scheme, &self.service, spoken.name());
                let message = format!("the address says {scheme}, and Service `{service}` leads to {spoken}");
                findings.add(&URL_PROTOCOL, place.clone(), message);
                return;
            }
        }
    }
}

/// The port that a scheme means when none is written.
fn default_port(scheme: &str) -> Option<u16> {
    let scheme = scheme.to_ascii_lowercase();
    Some(match scheme.split('+').next()? {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        "postgres" | "postgresql" => 5432,
        "mysql" | "mariadb" => 3306,
        "redis" | "rediss" => 6379,
        "mongodb" => 27017,
        "amqp" => 5672,
        _ => return None,
    })
}

/// The Service and the namespace that a host name means inside a cluster; `None` for any other name.
fn in_cluster(host: &str) -> Option<(String, Option<String>)> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let labels: Vec<&str> = host.split('.').collect();
    if !labels.iter().all(is_label) {
        return None;
    }
    match labels.as_slice() {
        ["localhost"] => None,
        // A Service's name begins with a letter (RFC 1035).
        [service] if service.starts_with(|c: char| c.is_ascii_alphabetic()) => Some(((*service).to_owned(), None)),
        [service, namespace, "svc"] | [service, namespace, "svc", "cluster", "local"] => {
            Some(((*service).to_owned(), Some((*namespace).to_owned())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: Option<(&str, Option<&str>, Option<i64>)>) {
        let found = Address::of(value);
        let found = found.as_ref().map(|found| (found.service.as_str(), found.namespace.as_deref(), found.port));
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn only_names_of_the_cluster_are_held_against_services() {
        check("postgresql+asyncpg://u:p@db:5433/app", Some(("db", None, Some(5433))));
        check("http://api/x", Some(("api", None, Some(80))));
        check("http://api.shop.svc.cluster.local:8000", Some(("api", Some("shop"), Some(8000))));
        check("redis://cache.shop.svc", Some(("cache", Some("shop"), Some(6379))));
        check("tcp://api", Some(("api", None, None)));
        for other in [
            "http://localhost:80",
            "https://example.org",
            "http://10.0.0.1",
            "http://$(HOST):80",
            "http://a:80,http://b:80",
            "mongodb://a,b/x",
            "db:5432",
            "see http://api",
            "http://[::1]:80",
            "http://*",
        ] {
            check(other, None);
        }
    }
}
