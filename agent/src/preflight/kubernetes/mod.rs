//! `agent check --kubernetes`: manifests held against the ways in which deployments go wrong. All files of one call are one stack: a
//! Service in one selects the pods of another. Kustomize's patches and Helm's templates are not run: check what they print.
//! What must stay true: only what is sure is found. What may stand in files that were not given is not missed.

mod conduct;
mod images;
mod model;
mod ports;
mod quantity;
mod read;
mod references;
mod rules;
mod safety;
#[cfg(test)]
mod tests;
mod urls;

pub(super) use rules::RULES;

use super::Findings;
use model::{Object, Pod};
use std::collections::BTreeSet;

/// All objects of a call, and their pods.
struct Stack<'a> {
    objects: &'a [Object],
    pods: Vec<Pod<'a>>,
    /// Images whose tag or digest a kustomization gives.
    tagged_elsewhere: BTreeSet<String>,
}

impl<'a> Stack<'a> {
    fn of(objects: &'a [Object]) -> Self {
        let pods = objects.iter().filter_map(Object::pod).collect();
        Self { objects, pods, tagged_elsewhere: images::tagged_by_kustomize(objects) }
    }

    fn kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'a Object> + use<'a, 's> {
        self.objects.iter().filter(move |object| object.kind == kind)
    }

    fn has(&self, kind: &str) -> bool {
        self.kind(kind).next().is_some()
    }

    /// The pods that a Service sends to.
    fn pods_of<'s>(&'s self, service: &'s Object) -> impl Iterator<Item = &'s Pod<'a>> {
        let selector = model::at(&service.node, "spec.selector").map(model::pairs).unwrap_or_default();
        self.pods.iter().filter(move |pod| pod.object.is_near(service) && pod.is_selected_by(&selector))
    }
}

/// Reads all files and folders, and lays down what is wrong with what is in them.
pub(super) fn check(paths: &[String], findings: &mut Findings) {
    if paths.is_empty() {
        return;
    }
    let objects = read::all(paths, findings);
    held_against_rules(&objects, findings);
}

fn held_against_rules(objects: &[Object], findings: &mut Findings) {
    let stack = Stack::of(objects);
    ports::check(&stack, findings);
    references::check(&stack, findings);
    urls::check(&stack, findings);
    conduct::check(&stack, findings);
    safety::check(&stack, findings);
    images::check(&stack, findings);
}
