//! The files that the flags of a command ask for: all are opened before the first request, all are written from one report.

use super::Failed;
use crate::cli::ReportArgs;
use crate::problem::{Problem, Problems};
use crate::report::{self, Report, ReportFile};
use std::path::Path;

/// What a format makes of a report.
type Render = fn(&Report) -> String;

const FORMATS: [(&str, Render); 4] = [
    ("--json", report::to_json),
    ("--junit", report::to_junit),
    ("--markdown", report::to_markdown),
    ("--html", report::to_html),
];

/// Files for reports, open.
#[derive(Debug, Default)]
pub(super) struct Outputs(Vec<(Render, ReportFile)>);

impl Outputs {
    /// Opens all files.
    pub(super) fn open(args: &ReportArgs) -> Result<Self, Problems> {
        let (mut problems, mut files) = (Problems::default(), Vec::new());
        let mut taken: Vec<&Path> = Vec::new();
        for ((flag, render), path) in FORMATS.into_iter().zip(args.paths()) {
            let Some(path) = path else { continue };
            if taken.contains(&path) {
                let what = format!("two reports would go to `{}`", path.display());
                problems.0.push(Problem::new(what).at(flag).hint("give each its own file"));
                continue;
            }
            taken.push(path);
            files.extend(problems.take(ReportFile::open(flag, path)).map(|file| (render, file)));
        }
        problems.or(Self(files))
    }

    /// Writes all reports, also when one of them cannot be written.
    pub(super) fn write(&mut self, report: &Report) -> Result<(), Failed> {
        let mut problems = Problems::default();
        for (render, file) in &mut self.0 {
            problems.take(file.write(&render(report)));
        }
        problems.or(()).map_err(Failed::from)
    }
}
