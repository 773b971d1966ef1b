//! Fixture trees and moments for the tests of collectors.

use super::Moment;
use crate::clock;
use crate::reading::{Metric, Reading};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::Instant;

/// A moment some seconds after the first one of the test run.
pub(super) fn at(seconds: u64) -> Moment {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(clock::now);
    Moment { now: start + Duration::from_secs(seconds), wall: clock::wall() }
}

/// The value of one metric with these labels.
pub(super) fn value(readings: &[Reading], metric: &Metric, labels: &[&str]) -> Option<f64> {
    readings.iter().find(|reading| reading.metric == metric && reading.labels == labels).map(|reading| reading.value)
}

/// A tree of files in a temporary folder.
pub(super) struct Tree(tempfile::TempDir);

impl Tree {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().expect("a folder"));
        files.iter().for_each(|(name, text)| tree.write(name, text));
        tree
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("written");
    }

    pub(super) fn remove(&self, name: &str) {
        std::fs::remove_dir_all(self.0.path().join(name)).expect("removed");
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }

    pub(super) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }
}
