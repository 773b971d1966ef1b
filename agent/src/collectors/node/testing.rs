//! A host made of files, for the tests of the parts.

use super::look::{Kept, Lack, Look};
use super::sight::Sight;
use super::{Node, Part};
use crate::collectors::testing::{Tree, at};
use crate::collectors::{NodePlan, Roots};
use crate::reading::Reading;
use std::path::PathBuf;

/// `proc` and `sys` in a temporary folder, and the host's root.
pub(super) struct Bench {
    tree: Tree,
    root: PathBuf,
}

impl Bench {
    /// The root is the machine's own: what a container or a bare host has.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        Self { tree: Tree::new(files), root: "/".into() }
    }

    /// The host's root is mounted at a folder of the tree.
    pub(super) fn below(root: &str, files: &[(&str, &str)]) -> Self {
        let tree = Tree::new(files);
        let root = tree.join(root);
        std::fs::create_dir_all(root.join("boot")).expect("folders");
        Self { root, tree }
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        self.tree.write(name, text);
    }

    /// Where the host's root is; for a bench without one, where the tree is.
    pub(super) fn root(&self) -> PathBuf {
        if self.root == PathBuf::from("/") { self.tree.path() } else { self.root.clone() }
    }

    fn roots(&self) -> Roots {
        let [proc, cgroup, sys] = ["proc", "cgroup", "sys"].map(|name| self.tree.join(name));
        Roots { proc, cgroup, sys, root: self.root.clone() }
    }

    /// One look of one part.
    pub(super) fn look(&self, part: &Part) -> (Result<(), Lack>, Vec<Reading>) {
        let sight = Sight::of(&self.roots());
        let mut kept = Kept::default();
        let mut look = Look { sight: &sight, kept: &mut kept, at: at(0), found: Vec::new(), before: 0 };
        let result = (part.read)(&mut look);
        (result, look.found)
    }

    /// The whole source.
    pub(super) fn node(&self, plan: &NodePlan) -> Node {
        Node::new(Sight::of(&self.roots()), plan)
    }
}

/// One look of one part at a tree that is the host's root too.
pub(super) fn look_at(files: &[(&str, &str)], part: &Part) -> (Result<(), Lack>, Vec<Reading>) {
    let tree = Tree::new(files);
    let root = tree.path();
    Bench { tree, root }.look(part)
}

/// The value of a metric by its name, with these labels.
pub(super) fn found(readings: &[Reading], name: &str, labels: &[&str]) -> Option<f64> {
    readings.iter().find(|reading| reading.metric.name == name && reading.labels == labels).map(|reading| reading.value)
}
