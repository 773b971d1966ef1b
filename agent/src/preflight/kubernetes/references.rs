//! ConfigMaps and Secrets that pods refer to by key: a key is missed only where the object itself is in the files.

use super::Stack;
use super::model::{Object, Pod, is_true, items, text};
use super::rules::MISSING_KEY;
use crate::node::Node;
use crate::preflight::Findings;

pub(super) fn check(stack: &Stack<'_>, findings: &mut Findings) {
    for pod in &stack.pods {
        for container in &pod.containers {
            for (index, variable) in items(container.node.get("env")).iter().enumerate() {
                let Some(from) = variable.get("valueFrom") else { continue };
                for (kind, key) in [("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")] {
                    let Some(reference) = from.get(key) else { continue };
                    let path = format!("{}.env[{index}].valueFrom.{key}.key", container.path);
                    used(stack, (pod, kind, "name"), (reference, reference.get("key"), &path), findings);
                }
            }
        }
        for (index, volume) in items(pod.spec.get("volumes")).iter().enumerate() {
            for (kind, key, name) in [("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")] {
                let Some(reference) = volume.get(key) else { continue };
                for (item, node) in items(reference.get("items")).iter().enumerate() {
                    let path = format!("{}.volumes[{index}].{key}.items[{item}].key", pod.path);
                    used(stack, (pod, kind, name), (reference, node.get("key"), &path), findings);
                }
            }
        }
    }
}

/// Finds a key that is used and is not in the object; `name` is the key under which the reference names the object.
fn used(
    stack: &Stack<'_>,
    (pod, kind, name): (&Pod<'_>, &str, &str),
    (reference, key, path): (&Node, Option<&Node>, &str),
    findings: &mut Findings,
) {
    let (Some(node), Some(name)) = (key, text(reference.get(name))) else { return };
    let Some(key) = text(Some(node)).filter(|_| !is_true(reference.get("optional"))) else { return };
    let mut objects = stack.kind(kind).filter(|object| object.name == name && object.is_near(pod.object)).peekable();
    if objects.peek().is_none() || objects.any(|object| holds(object, &key)) {
        return;
    }
    findings.add(&MISSING_KEY, pod.object.place(node, path), format!("{kind} `{name}` has no key `{key}`"));
}

fn holds(object: &Object, key: &str) -> bool {
    ["data", "stringData", "binaryData"]
        .iter()
        .any(|part| object.node.get(part).is_some_and(|part| part.get(key).is_some()))
}
