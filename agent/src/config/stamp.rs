//! The files that a configuration was read from, and how they looked then, so that a change is seen. Links are followed: a Kubernetes
//! ConfigMap swaps the link `..data`, an editor renames a new file over the old one, and who writes into a bind mount keeps the inode.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file as it looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it is.
    pub path: PathBuf,
    /// `None` when it could not be looked at.
    stamp: Option<Stamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Seen {
    /// Looks at a file. May hang when its disk does.
    #[must_use]
    pub fn now(path: &Path) -> Self {
        let stamp = std::fs::metadata(path).ok().map(|about| Stamp {
            file: (about.dev(), about.ino()),
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        });
        Self { path: path.to_owned(), stamp }
    }
}

/// The files that were read so far, each as it looked just before it was read the first time: a change meanwhile is a change.
#[derive(Debug, Default)]
pub(super) struct Files(pub(super) Vec<Seen>);

impl Files {
    /// Notes a file that is about to be read.
    pub(super) fn note(&mut self, path: &Path) {
        if !self.0.iter().any(|seen| seen.path == path) {
            self.0.push(Seen::now(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_swapped_link_a_new_inode_and_bytes_written_in_place_are_changes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["1", "2"] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("agent.yml"), "same").unwrap();
        }
        symlink("1", at("..data")).unwrap();
        symlink("..data/agent.yml", at("agent.yml")).unwrap();
        let before = Seen::now(&at("agent.yml"));
        assert_eq!(before, Seen::now(&at("agent.yml")));
        symlink("2", at("..new")).unwrap();
        fs::rename(at("..new"), at("..data")).unwrap();
        let swapped = Seen::now(&at("agent.yml"));
        assert_ne!(before, swapped, "another file of the same size");
        fs::write(at("2/agent.yml"), "more of it").unwrap();
        let written = Seen::now(&at("agent.yml"));
        assert_ne!(swapped, written);
        fs::remove_file(at("2/agent.yml")).unwrap();
        assert_ne!(written, Seen::now(&at("agent.yml")));
    }

    #[test]
    fn a_file_is_noted_once_as_it_looked_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let mut files = Files::default();
        files.note(&path);
        fs::write(&path, "now it is there").unwrap();
        files.note(&path);
        assert_eq!(files.0.len(), 1);
        assert_ne!(files.0[0], Seen::now(&path));
    }
}
