//! Which files a URL names, newest first. It looks at names and times and opens nothing. What must stay true: it blocks (the mount may
//! hang), so it runs on the blocking pool, and it never keeps more than its caps.

use crate::limits;
use crate::small;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What a URL's path names: the files of a folder whose names fit a pattern, or a path that is a folder or a single file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) struct Place {
    path: PathBuf,
    pattern: Option<String>,
}

/// What a file is told from another by, and from itself once it is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probes) struct Identity {
    pub(in crate::probes) device: u64,
    pub(in crate::probes) inode: u64,
    pub(in crate::probes) size: u64,
    pub(in crate::probes) modified: SystemTime,
}

/// A file that may be a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) struct Found {
    pub(in crate::probes) path: PathBuf,
    pub(in crate::probes) identity: Identity,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(in crate::probes) enum Unlisted {
    #[error("`{}` does not exist", .0.display())]
    Missing(PathBuf),
    #[error("`{}` may not be read by this user", .0.display())]
    Denied(PathBuf),
    #[error("`{}` holds more than {} entries", .0.display(), limits::FOLDER_ENTRIES)]
    Entries(PathBuf),
    #[error("more than {} files of `{}` fit", limits::BACKUPS, .0.display())]
    Files(PathBuf),
    #[error("`{}` cannot be read: {}", .0.display(), .1)]
    Broken(PathBuf, io::Error),
}

impl Place {
    /// Reads a decoded path. Only its last part may be a pattern: over several folders the newest file of one would hide that
    /// another has had none for weeks.
    pub(in crate::probes) fn read(text: &str) -> Result<Self, &'static str> {
        let is_pattern = |text: &str| text.contains(['*', '?']);
        let (folder, name) = text.rsplit_once('/').unwrap_or(("", text));
        match (is_pattern(folder), is_pattern(name)) {
            (true, _) => Err("only the last part of the path may hold `*` or `?`; make one check for each folder"),
            (false, true) => {
                let folder = if folder.is_empty() { "/" } else { folder };
                Ok(Self { path: folder.into(), pattern: Some(name.to_owned()) })
            }
            (false, false) => Ok(Self { path: text.into(), pattern: None }),
        }
    }

    /// All files that may be backups, newest first; a file that several links name counts once.
    pub(in crate::probes) fn list(&self) -> Result<Vec<Found>, Unlisted> {
        let refused = |error| Unlisted::of(&self.path, error);
        let own = match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.awaits_its_first() => return Ok(Vec::new()),
            looked => looked.map_err(refused)?,
        };
        if !own.is_dir() {
            return Ok(found(self.path.clone(), &own).into_iter().collect());
        }
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for (count, entry) in fs::read_dir(&self.path).map_err(refused)?.enumerate() {
            if count == limits::FOLDER_ENTRIES {
                return Err(Unlisted::Entries(self.path.clone()));
            }
            let entry = entry.map_err(refused)?;
            if !self.fits(&entry.file_name()) {
                continue;
            }
            let path = entry.path();
            // Follows links. What is gone by now, or a link into nowhere, is no backup.
            let metadata = match fs::metadata(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound || is_loop(&error) => continue,
                looked => looked.map_err(|error| Unlisted::of(&path, error))?,
            };
            if let Some(file) = found(path, &metadata)
                && seen.insert((file.identity.device, file.identity.inode))
            {
                all.push(file);
            }
            if all.len() > limits::BACKUPS {
                return Err(Unlisted::Files(self.path.clone()));
            }
        }
        // Of files of one instant the later name is the newer.
        small::sort_by(&mut all, |one, other| {
            (other.identity.modified, &other.path).cmp(&(one.identity.modified, &one.path))
        });
        Ok(all)
    }

    /// The place of all backups is there (a volume, say, and not `/`), the folder of these is not: the job makes it the first time.
    fn awaits_its_first(&self) -> bool {
        let place = self.path.parent().filter(|place| place.parent().is_some());
        self.pattern.is_some() && place.is_some_and(Path::is_dir)
    }

    fn fits(&self, name: &OsStr) -> bool {
        let name = name.to_string_lossy();
        let temporary = [".tmp", ".temp", ".part", ".partial", "~"].iter().any(|ending| name.ends_with(ending));
        !temporary && !name.starts_with('.') && self.pattern.as_ref().is_none_or(|pattern| matches(pattern, &name))
    }
}

impl Unlisted {
    fn of(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing(path.to_owned()),
            ErrorKind::PermissionDenied => Self::Denied(path.to_owned()),
            _ => Self::Broken(path.to_owned(), error),
        }
    }
}

fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Only regular files: opening a pipe would wait for its writer.
fn found(path: PathBuf, metadata: &Metadata) -> Option<Found> {
    let identity = Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        modified: metadata.modified().ok()?,
    };
    metadata.is_file().then_some(Found { path, identity })
}

/// Whether a name fits a pattern of `*` (any text) and `?` (any sign). Goes back to the last `*` only, so it is quick for any pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut of, mut star) = (0, 0, None);
    while of < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(sign) if *sign == '?' || name.get(of) == Some(sign) => (at, of) = (at + 1, of + 1),
            _ => match star {
                Some((stars, taken)) => {
                    star = Some((stars, taken + 1));
                    (at, of) = (stars + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn a_pattern_stands_for_names_as_in_a_shell() {
        for (pattern, name, fits) in [
            ("*.sql.gz", "shop.sql.gz", true),
            ("*.sql.gz", "shop.sql.gz.1", false),
            ("shop-*.sql.gz", "shop-eu-20261121T000000Z.sql.gz", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbX", false),
            ("????", "läuft", false),
            ("l?uft", "läuft", true),
            ("*", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_fits_itself_and_any_part_of_it_may_be_a_star(name in "[a-z.]{0,20}", from in 0_usize..20, to in 0_usize..20) {
            let (from, to) = (from.min(name.len()), to.min(name.len()));
            let (from, to) = (from.min(to), from.max(to));
            prop_assert!(matches(&name, &name));
            let pattern = format!("{}*{}", &name[..from], &name[to..]);
            prop_assert!(matches(&pattern, &name), "{}", pattern);
        }
    }

    #[test]
    fn only_the_last_part_of_a_path_is_a_pattern() {
        let place =
            |path: &str, pattern: Option<&str>| Place { path: path.into(), pattern: pattern.map(str::to_owned) };
        assert_eq!(Place::read("/backups/*.gz"), Ok(place("/backups", Some("*.gz"))));
        assert_eq!(Place::read("/*.gz"), Ok(place("/", Some("*.gz"))));
        assert_eq!(Place::read("/backups/"), Ok(place("/backups/", None)));
        assert!(Place::read("/backups/*/x.gz").is_err());
    }

    fn names(place: &str) -> Vec<String> {
        let name = |file: &Found| file.path.file_name().unwrap().to_string_lossy().into_owned();
        Place::read(place).unwrap().list().unwrap().iter().map(name).collect()
    }

    fn write(path: &Path, age: u64) {
        fs::write(path, "x").unwrap();
        let at = crate::clock::wall() - Duration::from_secs(age);
        fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
    }

    #[test]
    fn lists_regular_files_newest_first_and_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, age) in [("b.gz", 10), ("a.gz", 20), ("c.txt", 5), ("d.gz.tmp", 1), (".e.gz", 1), ("f.gz~", 1)] {
            write(&at(name), age);
        }
        fs::create_dir(at("g.gz")).unwrap();
        std::os::unix::fs::symlink(at("b.gz"), at("latest.gz")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("broken.gz")).unwrap();
        std::os::unix::fs::symlink(at("loop.gz"), at("loop.gz")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe.gz"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        let listed = names(&format!("{}/*.gz", folder.path().display()));
        assert_eq!(listed.len(), 2, "{listed:?}");
        assert_eq!(listed[1], "a.gz");
        assert_eq!(names(&format!("{}/", folder.path().display())).first().unwrap(), "c.txt");
        assert_eq!(names(&at("a.gz").display().to_string()), ["a.gz"]);
    }

    #[test]
    fn a_huge_folder_is_given_up_before_it_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = |number: usize| folder.path().join(format!("{number}.txt"));
        fs::write(file(0), "").unwrap();
        (1..=limits::FOLDER_ENTRIES).for_each(|number| {
            // One file holds a limited number of links.
            let first = number - number % 10_000;
            if number == first { fs::write(file(number), "") } else { fs::hard_link(file(first), file(number)) }
                .unwrap();
        });
        let place = Place::read(&format!("{}/*.gz", folder.path().display())).unwrap();
        assert!(matches!(place.list(), Err(Unlisted::Entries(_))));
        fs::remove_file(file(0)).unwrap();
        assert!(place.list().unwrap().is_empty(), "as many as may be");
    }

    #[test]
    fn a_folder_of_too_many_backups_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=limits::BACKUPS {
            fs::write(folder.path().join(format!("{number}.gz")), "").unwrap();
        }
        let all = Place::read(&folder.path().display().to_string()).unwrap().list();
        assert!(matches!(all, Err(Unlisted::Files(_))), "{}", all.is_ok());
        assert_eq!(names(&format!("{}/12?.gz", folder.path().display())).len(), 10);
    }
}
