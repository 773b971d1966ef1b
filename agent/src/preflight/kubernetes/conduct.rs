//! How pods start, live and stop: probes, resources, the time that they are given for their end.

use super::Stack;
use super::model::{Container, Pod, at, items, number, text};
use super::ports::probes_of;
use super::quantity::amount;
use super::rules::{GRACE, LIMIT, LIVENESS, LIVENESS_IS_READINESS, READINESS, REQUEST, REQUEST_OVER_LIMIT};
use crate::node::Node;
use crate::preflight::Findings;

/// What a pod gets when it says nothing (Kubernetes, Pod v1).
const GRACE_SECONDS: i64 = 30;

pub(super) fn check(stack: &Stack<'_>, findings: &mut Findings) {
    for pod in &stack.pods {
        let is_served =
            stack.kind("Service").any(|service| stack.pods_of(service).any(|served| std::ptr::eq(served, pod)));
        if is_served && pod.object.runs_on() {
            presence(pod, findings);
        }
        for container in &pod.containers {
            liveness(pod, container, findings);
            resources(pod, container, findings);
            grace(pod, container, findings);
        }
    }
}

/// One container's probe counts for the pod: a pod is ready when all of its containers are, its native sidecar among them.
fn presence(pod: &Pod<'_>, findings: &mut Findings) {
    let has = |wanted: &str| pod.running().any(|container| probes_of(container).any(|(name, _)| name == wanted));
    let place = || pod.object.place(pod.spec, &pod.path);
    if !has("readinessProbe") {
        findings.add(&READINESS, place(), "no container has a readiness probe, and a Service sends traffic to the pod");
    }
    if !has("livenessProbe") {
        findings.add(&LIVENESS, place(), "no container has a liveness probe");
    }
}

/// Pages that by their very name tell readiness.
const READY_PAGES: &[&str] = &["ready", "readyz", "readiness"];

fn liveness(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let Some(node) = at(container.node, "livenessProbe.httpGet.path") else { return };
    let path = text(Some(node)).unwrap_or_default();
    let page = path.split('?').next().unwrap_or_default().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if READY_PAGES.contains(&page) {
        let place = pod.object.place(node, &format!("{}.livenessProbe.httpGet.path", container.path));
        findings.add(&LIVENESS_IS_READINESS, place, format!("the liveness probe asks `{path}`"));
    }
}

fn resources(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let resources = container.node.get("resources");
    let of = |kind: &str, resource: &str| resources.and_then(|resources| resources.get(kind)?.get(resource));
    let path = format!("{}.resources", container.path);
    let limit = of("limits", "memory");
    // A container that ends by itself is gone before it has leaked much.
    if !container.is_initial {
        let place = || pod.object.place(resources.unwrap_or(container.node), &path);
        if limit.is_none() {
            findings.add(&LIMIT, place(), format!("container `{}` has no memory limit", container.name));
        }
        // Where there is a limit alone, it is the request too.
        if limit.is_none() && of("requests", "memory").is_none() {
            findings.add(&REQUEST, place(), format!("container `{}` has no memory request", container.name));
        }
    }
    for resource in ["cpu", "memory"] {
        let (Some(node), Some(limit)) = (of("requests", resource), of("limits", resource)) else { continue };
        let over = quantity(node).zip(quantity(limit)).is_some_and(|(request, limit)| request > limit);
        if over {
            let shown = |node: &Node| text(Some(node)).unwrap_or_default();
            let message = format!(
                "container `{}` requests {} of {resource}, and its limit is {}",
                container.name,
                shown(node),
                shown(limit)
            );
            findings.add(&REQUEST_OVER_LIMIT, pod.object.place(node, &format!("{path}.requests.{resource}")), message);
        }
    }
}

fn quantity(node: &Node) -> Option<f64> {
    amount(&text(Some(node))?)
}

fn grace(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Findings) {
    let Some(hook) = at(container.node, "lifecycle.preStop") else { return };
    let Some((node, pause)) = pause(hook) else { return };
    let grace = pod.spec.get("terminationGracePeriodSeconds").map_or(Some(GRACE_SECONDS), |node| number(Some(node)));
    if let Some(grace) = grace.filter(|grace| pause >= *grace) {
        let place = pod.object.place(node, &format!("{}.lifecycle.preStop", container.path));
        findings.add(&GRACE, place, format!("the pause before the stop is {pause} s, and the grace period {grace} s"));
    }
}

/// The seconds that a hook before the stop sleeps: `sleep: {seconds: 5}`, or a command that is or begins with `sleep 5`.
fn pause(hook: &Node) -> Option<(&Node, i64)> {
    if let Some(node) = at(hook, "sleep.seconds") {
        return Some((node, number(Some(node))?));
    }
    let command = at(hook, "exec.command")?;
    let words: Vec<String> = items(Some(command)).iter().filter_map(|word| text(Some(word))).collect();
    let line = words.join(" ");
    let words: Vec<&str> = line.split_whitespace().collect();
    let program = words.iter().position(|word| *word == "sleep" || word.ends_with("/sleep"))?;
    let before = words.get(..program)?;
    let is_first = before.iter().all(|word| ["sh", "/bin/sh", "bash", "/bin/bash", "-c", "-ec"].contains(word));
    let seconds = words.get(program + 1)?.trim_matches([';', '&', 's']).parse().ok().filter(|_| is_first)?;
    Some((command, seconds))
}
