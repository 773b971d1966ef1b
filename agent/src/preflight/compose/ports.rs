//! Published ports, in the short and the long form. Knows nothing else.

use super::item::{Item, Spot};
use crate::preflight::env::interpolate::split_name;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// A port that a service publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Port {
    /// The address on the host; empty for all of them.
    pub(super) address: String,
    /// On the host; `None` when Docker chooses.
    pub(super) published: Option<u16>,
    /// In the container.
    pub(super) target: u16,
    /// `tcp`, `udp`, `sctp`.
    pub(super) protocol: String,
    /// `host` in a swarm: not one port for all replicas, but one of each machine.
    pub(super) host_mode: bool,
    pub(super) at: Spot,
}

impl Port {
    /// Whether other machines reach it.
    pub(super) fn is_open(&self) -> bool {
        !self.is_local()
    }

    fn is_local(&self) -> bool {
        self.address == "localhost" || self.address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether the two cannot both be bound.
    pub(super) fn collides(&self, other: &Self) -> bool {
        let every = |port: &Self| matches!(port.address.as_str(), "" | "0.0.0.0" | "::");
        let addresses = every(self) || every(other) || self.address == other.address;
        self.published.is_some() && self.published == other.published && self.protocol == other.protocol && addresses
    }
}

/// The most ports of a range that are looked at.
const RANGE: usize = 1000;

/// The ports that an entry of `ports` publishes; none when it cannot be read.
pub(super) fn read(item: &Item) -> Vec<Port> {
    match item.text() {
        Some(text) => short(text, item.at).unwrap_or_default(),
        None => long(item).unwrap_or_default(),
    }
}

/// The ports that an entry of `expose` names.
pub(super) fn exposed(text: &str) -> Vec<u16> {
    let ports = text.split('/').next().unwrap_or_default();
    range(ports).map(|range| range.take(RANGE).collect()).unwrap_or_default()
}

/// Variables by which files choose ports, as the files are written.
#[derive(Debug, Default)]
pub(super) struct PortNames {
    published: BTreeSet<String>,
    inside: BTreeSet<String>,
}

impl PortNames {
    /// Notes those of a text below `ports`; `key` is the key of the long form, empty in the short form.
    pub(super) fn note(&mut self, text: &str, key: &str) {
        let (published, inside) = match key {
            "published" => (text, ""),
            "target" => ("", text),
            "" => halves(text),
            _ => return,
        };
        self.published.extend(names(published));
        self.inside.extend(names(inside));
    }

    /// Whether a variable is about a port of the host and of nothing else.
    pub(super) fn is_of_host(&self, name: &str) -> bool {
        self.published.contains(name) && !self.inside.contains(name)
    }
}

/// `${A:-80}:${B}` at its last colon outside of braces.
fn halves(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let mut colon = 0;
    for (index, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => colon = index,
            _ => {}
        }
    }
    text.split_at(colon)
}

/// The variables that a text refers to.
fn names(text: &str) -> impl Iterator<Item = String> {
    text.split('$').skip(1).map(|rest| split_name(rest.trim_start_matches('{')).0.to_owned())
}

/// `[[address:]published:]target[/protocol]`; `None` when it is not that.
pub(super) fn short(text: &str, at: Spot) -> Option<Vec<Port>> {
    let (rest, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (rest, target) = rest.rsplit_once(':').map_or(("", rest), |(rest, target)| (rest, target));
    let (address, published) = match rest.rsplit_once(':') {
        Some((address, published)) => (address.trim_matches(['[', ']']), published),
        // `127.0.0.1::80`: Docker chooses the port.
        None if rest.contains('.') => (rest, ""),
        None => ("", rest),
    };
    let targets = range(target)?;
    let one = |published, target| Port {
        address: address.to_owned(),
        published,
        target,
        protocol: protocol.to_ascii_lowercase(),
        host_mode: false,
        at,
    };
    if published.is_empty() {
        return Some(targets.take(RANGE).map(|target| one(None, target)).collect());
    }
    let published = range(published)?;
    // `8000-9000:80`: Docker takes one of them.
    if published.clone().count() != targets.clone().count() {
        return (targets.clone().count() == 1).then(|| targets.map(|target| one(None, target)).collect());
    }
    Some(published.zip(targets).take(RANGE).map(|(published, target)| one(Some(published), target)).collect())
}

fn long(item: &Item) -> Option<Vec<Port>> {
    let field = |name: &str| item.get(name).and_then(Item::text).unwrap_or_default();
    let target: u16 = field("target").parse().ok()?;
    Some(vec![Port {
        address: field("host_ip").to_owned(),
        published: field("published").parse().ok(),
        target,
        protocol: if field("protocol").is_empty() { "tcp".to_owned() } else { field("protocol").to_owned() },
        host_mode: field("mode") == "host",
        at: item.at,
    }])
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to && from > 0).then_some(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let Some(ports) = short(text, Spot::default()) else { return "unreadable".to_owned() };
        let one = |port: &Port| {
            let published = port.published.map_or("any".to_owned(), |port| port.to_string());
            format!("{}|{published}->{}/{}", port.address, port.target, port.protocol)
        };
        ports.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_short_form_is_read() {
        for (text, wanted) in [
            ("8000", "|any->8000/tcp"),
            ("8000:80", "|8000->80/tcp"),
            ("127.0.0.1:5432:5432", "127.0.0.1|5432->5432/tcp"),
            ("127.0.0.1::80", "127.0.0.1|any->80/tcp"),
            ("[::1]:80:81", "::1|80->81/tcp"),
            ("6060:6060/udp", "|6060->6060/udp"),
            ("9090-9091:8080-8081", "|9090->8080/tcp |9091->8081/tcp"),
            ("8000-9000:80", "|any->80/tcp"),
            ("3000-3001", "|any->3000/tcp |any->3001/tcp"),
            ("80:http", "unreadable"),
            ("99999:80", "unreadable"),
            ("9090-9091:80-85", "unreadable"),
            ("", "unreadable"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_variable_of_the_published_half_alone_is_about_the_host() {
        let mut names = PortNames::default();
        for (text, key) in [
            ("${WEB:-8080}:80", ""),
            ("127.0.0.1:$API:${API_INSIDE:-3000}", ""),
            ("${BOTH}:${BOTH}", ""),
            ("${ALONE}", ""),
            ("${LONG}", "published"),
            ("${TARGET}", "target"),
            ("${MODE}", "mode"),
        ] {
            names.note(text, key);
        }
        let all = ["WEB", "API", "API_INSIDE", "BOTH", "ALONE", "LONG", "TARGET", "MODE"];
        let host: Vec<&str> = all.into_iter().filter(|name| names.is_of_host(name)).collect();
        assert_eq!(host, ["WEB", "API", "LONG"]);
    }

    #[test]
    fn ports_collide_on_the_same_address_and_protocol() {
        let port = |text| short(text, Spot::default()).unwrap().remove(0);
        assert!(port("80:80").collides(&port("127.0.0.1:80:81")));
        assert!(!port("127.0.0.2:80:80").collides(&port("127.0.0.1:80:81")));
        assert!(!port("80:80").collides(&port("80:80/udp")));
        assert!(!port("80").collides(&port("80")));
    }
}
