//! The report as JSON, and the file that it goes to. The file is opened before the first request, so that a run of an hour
//! does not end with "permission denied".

use super::Report;
use crate::problem::{Problem, why};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The report as JSON, with a newline at the end.
#[must_use]
pub fn render(report: &Report) -> String {
    // Nothing in a report can fail to be written: its keys are texts and its figures finite.
    serde_json::to_string_pretty(report).map(|json| json + "\n").unwrap_or_default()
}

/// A file for a report, open.
#[derive(Debug)]
pub struct JsonFile {
    path: PathBuf,
    file: File,
}

impl JsonFile {
    /// Opens the file; what was in it is gone, so that an old report is never taken for the new one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let file = File::create(path).map_err(|error| {
            let what = format!("cannot write the report `{}`: {}", path.display(), why(&error));
            Problem::new(what).at("--json").hint("name a file in a folder that exists and that you may write to")
        })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes a report.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write(&mut self, json: &str) -> Result<(), Problem> {
        let written = self.file.write_all(json.as_bytes()).and_then(|()| self.file.flush());
        written.map_err(|error| {
            let what = format!("cannot write the report `{}`: {}", self.path.display(), why(&error));
            Problem::new(what).at("--json").hint("make room there, or name a file on another disk")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_known_before_the_start() {
        let problem = JsonFile::open(Path::new("/nowhere/report.json")).expect_err("no such folder");
        insta::assert_snapshot!(problem, @r"
        error: cannot write the report `/nowhere/report.json`: there is no such file or folder
          at --json
        hint: name a file in a folder that exists and that you may write to
        ");
    }
}
