//! What the file says of the host: where its root is mounted, and how the source `node` is read.

use super::top::read_interval;
use crate::collectors::{NodePlan, node_parts};
use crate::node::{Node, Place, Problems, Value, child, did_you_mean};
use std::path::{Path, PathBuf};

/// The source that only `host: true` turns on, and that has parts to switch.
pub(super) const NODE: &str = "node";
const INTERVAL: &str = "interval";

/// Whether the source `node` runs, and how. `collectors` is the mapping of that name.
pub(super) fn node(collectors: &Node, host: Option<bool>, problems: &mut Problems) -> (bool, NodePlan) {
    let asked = host == Some(true);
    let Some(written) = collectors.get(NODE).filter(|node| node.value != Value::Null) else {
        return (asked, NodePlan::default());
    };
    let path = child("collectors", NODE);
    let (on, plan) = match written.value {
        Value::Map(_) => (true, parts(written, &path, problems)),
        _ => (written.read::<bool>(&path, problems).unwrap_or(false), NodePlan::default()),
    };
    if on && !asked {
        let hint = "write `host: true` at the top; of several agents on a host, one is enough";
        problems.add_with_hint(&path, written.at, "`node` runs only with `host: true`", hint);
    }
    (on && asked, plan)
}

fn parts(written: &Node, path: &str, problems: &mut Problems) -> NodePlan {
    let mut plan = NodePlan::default();
    let names: Vec<&'static str> = node_parts().map(|(name, _)| name).chain([INTERVAL]).collect();
    for (key, value) in written.entries() {
        let path = child(path, &key.name);
        match names.iter().find(|name| **name == key.name) {
            Some(&INTERVAL) => plan.interval = read_interval(value, &path, problems),
            Some(name) => plan.switches.extend(value.read::<bool>(&path, problems).map(|on| (*name, on))),
            None => {
                let message = format!("unknown part `{}`", key.name);
                problems.add_with_hint(&path, key.at, message, did_you_mean(&key.name, "parts", &names));
            }
        }
    }
    plan
}

/// Where the host's root is: `/` unless said otherwise.
pub(super) fn root(written: Option<PathBuf>, at: Place, problems: &mut Problems) -> PathBuf {
    let root = written.unwrap_or_else(|| "/".into());
    if !root.is_absolute() {
        let message = format!("not an absolute path: `{}`", root.display());
        problems.add_with_hint("host_root", at, message, "write where the host's `/` is mounted here, as in `/host`");
        return Path::new("/").to_path_buf();
    }
    root
}
