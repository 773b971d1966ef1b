//! What checks say of each other: `depends_on` names checks that exist, and goes round in no circle.

use super::layers::Written;
use crate::node::{Node, Place, Problems, Value, child, closest};
use crate::small;
use std::collections::BTreeMap;

/// Notes every unknown name and every circle; `what` they are called: `check`, `step`.
pub(super) fn check(what: &str, written: &[Written], problems: &mut Problems) {
    let names = small::set(written.iter().filter_map(Written::name));
    let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut places: BTreeMap<&str, (&Written, Place)> = BTreeMap::new();
    for check in written {
        let Some(name) = check.name() else { continue };
        let Some(list) = check.node.get("depends_on") else { continue };
        places.insert(name, (check, list.at));
        for (index, item) in items(list).iter().enumerate() {
            let Some(other) = item.as_text() else { continue };
            if names.contains(other) {
                edges.entry(name).or_default().push(other);
                continue;
            }
            let path = child(&check.path, &format!("depends_on[{index}]"));
            let message = format!("no {what} is called `{other}`");
            match closest(other, names.iter().copied()) {
                Some(meant) => problems.add_with_hint(&path, item.at, message, format!("did you mean `{meant}`?")),
                None => problems.add(&path, item.at, message),
            }
        }
    }
    for circle in circles(edges) {
        let Some((check, at)) = circle.first().and_then(|name| places.get(name.as_str())) else { continue };
        let message = format!("the {what}s depend on each other in a circle: {}", circle.join(" → "));
        problems.add(&child(&check.path, "depends_on"), *at, message);
    }
}

fn items(list: &Node) -> &[Node] {
    match &list.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(list),
    }
}

/// Circles that share no check, each as a closed path. What no circle needs is taken away until only circles are left.
fn circles(mut edges: BTreeMap<&str, Vec<&str>>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    loop {
        let open = small::set(edges.keys().copied());
        edges.values_mut().for_each(|targets| targets.retain(|target| open.contains(target)));
        let before = edges.len();
        edges.retain(|_, targets| !targets.is_empty());
        if edges.len() < before {
            continue;
        }
        let Some(circle) = walk(&edges) else { return found };
        edges.retain(|name, _| !circle.iter().any(|member| member == name));
        found.push(circle);
    }
}

/// Follows first edges until a check comes again.
fn walk(edges: &BTreeMap<&str, Vec<&str>>) -> Option<Vec<String>> {
    let mut path = vec![*edges.keys().next()?];
    loop {
        let next = *edges.get(path.last()?)?.first()?;
        if let Some(begin) = path.iter().position(|name| *name == next) {
            let circle = path.get(begin..)?.iter().chain([&next]);
            return Some(circle.map(|name| (*name).to_owned()).collect());
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles_of(edges: &[(&'static str, &[&'static str])]) -> Vec<String> {
        let edges = small::map(edges.iter().map(|(from, to)| (*from, to.to_vec())));
        circles(edges).iter().map(|circle| circle.join(" ")).collect()
    }

    #[test]
    fn finds_each_circle_once_and_nothing_else() {
        assert_eq!(circles_of(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]), [""; 0]);
        assert_eq!(circles_of(&[("a", &["a"])]), ["a a"]);
        assert_eq!(circles_of(&[("x", &["a"]), ("a", &["b"]), ("b", &["c"]), ("c", &["a"])]), ["a b c a"]);
        assert_eq!(circles_of(&[("a", &["b"]), ("b", &["a"]), ("c", &["d"]), ("d", &["c"])]), ["a b a", "c d c"]);
    }
}
