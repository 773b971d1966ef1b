//! Who sends where: Services to pods, Ingresses to Services, probes to containers. A port that moved in one place and not in the other
//! is the commonest reason for a stack that starts and does not work.

use super::Stack;
use super::model::{Container, Object, Pod, Wanted, at, items, pairs, text};
use super::rules::{BACKEND, PROBE_PORT, SELECTOR, TARGET_PORT};
use crate::node::Node;
use crate::preflight::Findings;

pub(super) fn check(stack: &Stack<'_>, findings: &mut Findings) {
    for object in stack.objects.iter().filter(|object| object.runs_on()) {
        own_selector(object, findings);
    }
    for service in stack.kind("Service") {
        self::service(stack, service, findings);
    }
    for ingress in stack.kind("Ingress").filter(|_| stack.has("Service")) {
        for (path, backend) in backends(ingress) {
            self::backend(stack, ingress, (&path, backend), findings);
        }
    }
    for pod in &stack.pods {
        pod.containers.iter().for_each(|container| probes(pod, container, findings));
    }
}

/// A workload's selector must select its own template; the API server refuses it otherwise.
fn own_selector(object: &Object, findings: &mut Findings) {
    let Some(selector) = at(&object.node, "spec.selector.matchLabels") else { return };
    let Some(pod) = object.pod() else { return };
    if !pod.is_selected_by(&pairs(selector)) && !pairs(selector).is_empty() {
        let message = "the selector does not match the labels of its own template";
        findings.add(&SELECTOR, object.place(selector, "spec.selector.matchLabels"), message);
    }
}

fn service(stack: &Stack<'_>, service: &Object, findings: &mut Findings) {
    let Some(selector) = at(&service.node, "spec.selector").filter(|selector| !selector.entries().is_empty()) else {
        return;
    };
    let pods: Vec<&Pod<'_>> = stack.pods_of(service).collect();
    if pods.is_empty() {
        // Its pods may be in files that were not given; with workloads here, they should be here too.
        if stack.pods.iter().any(|pod| pod.object.is_near(service)) {
            let wanted: Vec<String> = pairs(selector).iter().map(|(key, value)| format!("{key}={value}")).collect();
            let message = format!("no pod of these files has the labels {}", wanted.join(", "));
            findings.add(&SELECTOR, service.place(selector, "spec.selector"), message);
        }
        return;
    }
    for (index, port) in items(at(&service.node, "spec.ports")).iter().enumerate() {
        // Without a targetPort, it is the port itself.
        let Some(node) = port.get("targetPort").or_else(|| port.get("port")) else { continue };
        let Some(wanted) = Wanted::of(node) else { continue };
        for pod in pods.iter().filter(|pod| lacks(pod, &wanted)) {
            let key = if port.get("targetPort").is_some() { "targetPort" } else { "port" };
            let message = format!(
                "the pods of {}/{} have no port {wanted}, but {}",
                pod.object.kind,
                pod.object.name,
                pod.ports_shown()
            );
            findings.add(&TARGET_PORT, service.place(node, &format!("spec.ports[{index}].{key}")), message);
        }
    }
}

/// Whether a pod has no such port. A number is sure only where ports are declared: a container may listen on others than it says.
fn lacks(pod: &Pod<'_>, wanted: &Wanted) -> bool {
    let declares = pod.running().any(|container| !container.ports.is_empty());
    let has = pod.running().any(|container| container.has_port(wanted));
    declares && !has
}

/// The backends of an Ingress with their paths.
fn backends(ingress: &Object) -> Vec<(String, &Node)> {
    let whole = at(&ingress.node, "spec.defaultBackend").map(|backend| ("spec.defaultBackend".to_owned(), backend));
    let mut found: Vec<(String, &Node)> = whole.into_iter().collect();
    for (index, rule) in items(at(&ingress.node, "spec.rules")).iter().enumerate() {
        for (path, node) in items(at(rule, "http.paths")).iter().enumerate() {
            let path = format!("spec.rules[{index}].http.paths[{path}].backend");
            found.extend(node.get("backend").map(|backend| (path, backend)));
        }
    }
    found
}

fn backend(stack: &Stack<'_>, ingress: &Object, (path, backend): (&str, &Node), findings: &mut Findings) {
    let Some(node) = at(backend, "service.name") else { return };
    let name = text(Some(node)).unwrap_or_default();
    let Some(service) = stack.kind("Service").find(|service| service.name == name && service.is_near(ingress)) else {
        let place = ingress.place(node, &format!("{path}.service.name"));
        return findings.add(&BACKEND, place, format!("there is no Service `{name}` in these files"));
    };
    let written = at(backend, "service.port.number").or_else(|| at(backend, "service.port.name"));
    let Some((node, wanted)) = written.and_then(|node| Some((node, Wanted::of(node)?))) else { return };
    if !has_port(service, &wanted) {
        let message = format!("Service `{name}` has no port {wanted}, but {}", ports_shown(service));
        findings.add(&BACKEND, ingress.place(node, &format!("{path}.service.port")), message);
    }
}

/// Whether a Service has this port, by name or number.
pub(super) fn has_port(service: &Object, wanted: &Wanted) -> bool {
    let mut ports = items(at(&service.node, "spec.ports")).iter();
    ports.any(|port| match wanted {
        Wanted::Name(name) => text(port.get("name")).as_ref() == Some(name),
        Wanted::Number(_) => port.get("port").and_then(Wanted::of).as_ref() == Some(wanted),
    })
}

/// The numbers of a Service's ports: `80, 443`.
pub(super) fn ports_shown(service: &Object) -> String {
    let ports = items(at(&service.node, "spec.ports")).iter();
    ports.filter_map(|port| text(port.get("port"))).collect::<Vec<_>>().join(", ")
}

/// The probes of a container with their names.
pub(super) fn probes_of<'a>(container: &Container<'a>) -> impl Iterator<Item = (&'static str, &'a Node)> {
    let node = container.node;
    ["startupProbe", "livenessProbe", "readinessProbe"].into_iter().filter_map(|name| Some((name, node.get(name)?)))
}

fn probes(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    for (name, probe) in probes_of(container) {
        let asked =
            ["httpGet", "tcpSocket", "grpc"].into_iter().filter_map(|how| Some((how, probe.get(how)?.get("port")?)));
        for (how, node) in asked {
            let Some(wanted) = Wanted::of(node) else { continue };
            // A number may be a port that is not declared; a name cannot.
            let unknown = matches!(wanted, Wanted::Name(_)) || !container.ports.is_empty();
            if unknown && !container.has_port(&wanted) && !pod.running().any(|other| is_number_of(other, &wanted)) {
                let message = format!("container `{}` has no port {wanted}", container.name);
                findings.add(
                    &PROBE_PORT,
                    pod.object.place(node, &format!("{}.{name}.{how}.port", container.path)),
                    message,
                );
            }
        }
    }
}

/// Containers of a pod share their network: a number may be that of a neighbour, a name may not.
fn is_number_of(container: &Container<'_>, wanted: &Wanted) -> bool {
    matches!(wanted, Wanted::Number(_)) && container.has_port(wanted)
}
