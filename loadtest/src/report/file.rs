//! Files that reports go to. Each is opened before the first request, and room is made in it, so that a run of an hour does not
//! end with "permission denied" or "the disk is full".

use crate::limits::REPORT_ROOM;
use crate::problem::{Problem, why};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// A file for a report, open.
#[derive(Debug)]
pub struct ReportFile {
    flag: &'static str,
    path: PathBuf,
    file: File,
    /// Where the report moves when it is written; only where an older one stays until then.
    home: Option<PathBuf>,
}

impl ReportFile {
    /// Opens the file of a flag; what was in it is gone, so that an old report is never taken for the new one.
    ///
    /// # Errors
    /// When it cannot be written, or the disk has no room for a report.
    pub fn open(flag: &'static str, path: &Path) -> Result<Self, Problem> {
        let opened = File::create(path).and_then(|mut file| make_room(&mut file).map(|()| file));
        let file = opened.map_err(|error| cannot(flag, path, &error))?;
        Ok(Self { flag, path: path.to_owned(), file, home: None })
    }

    /// Opens a file beside that of a flag, which is left as it is until the new report is written whole.
    ///
    /// # Errors
    /// When it cannot be written, or the disk has no room for a report.
    pub fn beside(flag: &'static str, path: &Path) -> Result<Self, Problem> {
        if path.is_dir() {
            return Err(cannot(flag, path, &io::ErrorKind::IsADirectory.into()));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let mut this = Self::open(flag, &path.with_file_name(name))?;
        this.home = Some(path.to_owned());
        Ok(this)
    }

    /// Writes a report.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub fn write(&mut self, text: &str) -> Result<(), Problem> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.flush());
        let moved = written.and_then(|()| match self.home.take() {
            Some(home) => std::fs::rename(&self.path, home),
            None => Ok(()),
        });
        moved.map_err(|error| {
            let what = format!("cannot write the report `{}`: {}", self.path.display(), why(&error));
            Problem::new(what).at(self.flag).hint("make room there, or name a file on another disk")
        })
    }
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        // Nothing came of it: the older report stays, and the place beside it is tidied.
        if self.home.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn cannot(flag: &'static str, path: &Path, error: &io::Error) -> Problem {
    let what = format!("cannot write the report `{}`: {}", path.display(), why(error));
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room there, or name a file on another disk"
        }
        _ => "name a file in a folder that exists and that you may write to",
    };
    Problem::new(what).at(flag).hint(hint)
}

/// Writes as much as a report takes and empties the file again. A device takes one line end, which every format ignores; a pipe,
/// whose reader would see it, is left alone.
fn make_room(file: &mut File) -> io::Result<()> {
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        file.write_all(&vec![b' '; REPORT_ROOM])?;
        file.sync_data()?;
        file.set_len(0)?;
        file.rewind()?;
    } else if kind.is_char_device() && !rustix::termios::isatty(&*file) {
        file.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str) -> String {
        ReportFile::open("--json", Path::new(path)).expect_err("refused").to_string()
    }

    #[test]
    fn a_file_that_cannot_be_written_is_known_before_the_start() {
        insta::assert_snapshot!(refused("/nowhere/report.json"), @r"
        error: cannot write the report `/nowhere/report.json`: there is no such file or folder
          at --json
        hint: name a file in a folder that exists and that you may write to
        ");
        insta::assert_snapshot!(refused("/tmp"), @r"
        error: cannot write the report `/tmp`: it is a folder
          at --json
        hint: name a file in a folder that exists and that you may write to
        ");
        insta::assert_snapshot!(refused("/dev/full"), @r"
        error: cannot write the report `/dev/full`: the disk is full
          at --json
        hint: make room there, or name a file on another disk
        ");
    }

    #[test]
    fn an_old_report_is_gone_at_the_start_and_an_old_baseline_when_the_new_one_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let (report, baseline) = (folder.path().join("run.json"), folder.path().join("base.json"));
        for path in [&report, &baseline] {
            std::fs::write(path, "old").expect("written");
        }
        let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
        let opened = ReportFile::open("--json", &report).expect("opened");
        assert_eq!(read(&report), "");
        drop(opened);
        drop(ReportFile::beside("--save-baseline", &baseline).expect("opened"));
        assert_eq!(read(&baseline), "old");
        let mut opened = ReportFile::beside("--save-baseline", &baseline).expect("opened");
        opened.write("new").expect("written");
        drop(opened);
        assert_eq!(read(&baseline), "new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing is left beside");
    }
}
