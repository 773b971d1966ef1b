//! What cannot be at the same time: one host port for two, one name for several replicas, more memory reserved than allowed.

use super::super::item::Item;
use super::super::model::{Project, Service};
use super::super::notes::Notes;
use super::error;
use crate::preflight::Rule;

pub(super) static RULES: &[&Rule] = &[&HOST_PORT, &REPLICAS, &MEMORY];

static HOST_PORT: Rule = error(
    "compose-host-port-taken",
    "two services publish the same port of the host",
    "the second one does not start",
    "publish another host port for one of them",
);
static REPLICAS: Rule = error(
    "compose-replicas",
    "several replicas have one container name or one host port",
    "only the first replica starts",
    "remove `container_name`, and let Docker choose the host port or put a proxy before them",
);
static MEMORY: Rule = error(
    "compose-memory-reservation",
    "more memory is reserved than the limit allows",
    "the container is not created: Docker refuses it",
    "reserve less than the limit",
);

pub(super) fn check(project: &Project, notes: &mut Notes) {
    let services: Vec<&Service> = project.services.values().collect();
    for (index, service) in services.iter().enumerate() {
        for other in services.iter().take(index).filter(|other| service.runs_beside(other)) {
            host_ports(service, other, notes);
        }
        replicas(service, notes);
        memory(service, notes);
    }
}

fn host_ports(service: &Service, other: &Service, notes: &mut Notes) {
    if service.is_on_host_network() || other.is_on_host_network() {
        return;
    }
    for port in &service.ports {
        let Some(taken) = other.ports.iter().find(|taken| taken.collides(port)) else { continue };
        // Told where the later of the two lines stands.
        let (later, first) = if port.at >= taken.at { (service, other) } else { (other, service) };
        let at = port.at.max(taken.at);
        let number = port.published.unwrap_or_default();
        let message = format!("`{}` publishes the host port {number} already", first.name);
        notes.add(&HOST_PORT, at, later.key("ports"), message);
    }
}

fn replicas(service: &Service, notes: &mut Notes) {
    let scale = service.get("scale").and_then(Item::text).and_then(|text| text.parse::<u32>().ok());
    let deploy = service.get("deploy");
    let replicas =
        deploy.and_then(|deploy| deploy.get("replicas")).and_then(Item::text).and_then(|text| text.parse().ok());
    let count = scale.or(replicas).unwrap_or(1);
    if count < 2 {
        return;
    }
    if service.get("container_name").is_some() {
        let message = format!("{count} replicas have one `container_name`");
        notes.add(&REPLICAS, service.place("container_name"), service.key("container_name"), message);
    }
    // In a swarm one published port serves all replicas.
    let swarm = ["placement", "update_config", "rollback_config", "endpoint_mode", "mode", "restart_policy"];
    let is_swarm = deploy.is_some_and(|deploy| swarm.iter().any(|key| deploy.get(key).is_some()));
    if let Some(port) = service.ports.iter().find(|port| port.published.is_some() && (!is_swarm || port.host_mode)) {
        let number = port.published.unwrap_or_default();
        notes.add(
            &REPLICAS,
            port.at,
            service.key("ports"),
            format!("{count} replicas publish the one host port {number}"),
        );
    }
}

fn memory(service: &Service, notes: &mut Notes) {
    for (limit, reservation) in [
        (&["mem_limit"][..], &["mem_reservation"][..]),
        (&["deploy", "resources", "limits", "memory"], &["deploy", "resources", "reservations", "memory"]),
    ] {
        let read = |path: &[&str]| service.item.under(path).and_then(|item| Some((bytes(item.text()?)?, item.at)));
        if let (Some((most, _)), Some((reserved, at))) = (read(limit), read(reservation))
            && reserved > most
        {
            let message = "the reservation is larger than the limit";
            notes.add(&MEMORY, at, service.key(&reservation.join(".")), message);
        }
    }
}

/// `512m`, `1.5g`, `64MB`, `1024`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "digits and a dot only; sizes of memory"
    )]
    Some((number * (1_u64 << shift) as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_unit() {
        for (text, wanted) in
            [("1024", Some(1024)), ("1.5g", Some(1_610_612_736)), ("64MB", Some(64 << 20)), ("x", None), ("2q", None)]
        {
            assert_eq!(bytes(text), wanted, "{text}");
        }
    }
}
