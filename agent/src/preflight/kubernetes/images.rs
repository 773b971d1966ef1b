//! Images: whether they are pinned.

use super::Stack;
use super::model::{Object, items, text};
use super::rules::IMAGE;
use crate::preflight::Findings;
use crate::small;
use std::collections::BTreeSet;

pub(super) fn check(stack: &Stack<'_>, findings: &mut Findings) {
    for pod in &stack.pods {
        for container in &pod.containers {
            let Some(node) = container.node.get("image") else { continue };
            let Some(image) = text(Some(node)).filter(|image| !image.contains('$')) else { continue };
            let (name, tag) = parted(&image);
            let moves = matches!(tag, None | Some("latest"));
            if moves && !image.contains('@') && !stack.tagged_elsewhere.contains(name) {
                let message = tag.map_or_else(
                    || format!("image `{image}` has no tag"),
                    |tag| format!("image `{name}` has the tag `{tag}`"),
                );
                findings.add(&IMAGE, pod.object.place(node, &format!("{}.image", container.path)), message);
            }
        }
    }
}

/// The names of images to which a kustomization gives a tag or a digest.
pub(super) fn tagged_by_kustomize(objects: &[Object]) -> BTreeSet<String> {
    let kustomizations = objects.iter().filter(|object| object.kind == "Kustomization");
    let images = kustomizations.flat_map(|object| items(object.node.get("images")));
    let pinned = images.filter(|image| image.get("newTag").is_some() || image.get("digest").is_some());
    small::set(pinned.filter_map(|image| text(image.get("name"))))
}

/// Name and tag; a colon before the last slash belongs to the registry's port.
fn parted(image: &str) -> (&str, Option<&str>) {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rfind('/').map_or(0, |slash| slash + 1);
    match image.get(last..).and_then(|last| last.find(':')) {
        Some(colon) => {
            let (name, tag) = image.split_at(last + colon);
            (name, tag.get(1..))
        }
        None => (image, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_port_is_no_tag() {
        assert_eq!(parted("localhost:5000/api"), ("localhost:5000/api", None));
        assert_eq!(parted("localhost:5000/api:1.2"), ("localhost:5000/api", Some("1.2")));
        assert_eq!(parted("redis:7@sha256:ab"), ("redis", Some("7")));
    }
}
