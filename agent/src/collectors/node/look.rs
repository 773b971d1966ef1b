//! One look at the host: what the parts read with, and where they lay down what they found.

use super::cpu::Ticks;
use super::filesystem::Mounts;
use super::netdev::Known;
use super::sight::Sight;
use crate::collectors::Moment;
use crate::collectors::files::{self, Unread};
use crate::limits;
use crate::parser::Parser;
use crate::reading::{Metric, Reading};
use crate::small;
use rustix::fs::{Mode, OFlags};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Why a part gave nothing, or not all.
#[derive(Debug, PartialEq)]
pub(super) enum Lack {
    /// This machine has none of it, and that is no failure.
    Nothing,
    /// It is not the host's that can be seen from here: why, for people.
    Unseen(&'static str),
    /// Reading failed: why, for people.
    Failed(String),
}

/// What is not there is nothing to report; the rest has failed. A part that must find its file says so by [`Look::needed`].
impl From<Unread> for Lack {
    fn from(error: Unread) -> Self {
        match error {
            Unread::Missing(_) => Self::Nothing,
            other => Self::Failed(other.to_string()),
        }
    }
}

/// What is carried from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The processors' times.
    pub(super) ticks: Ticks,
    /// What does not change of network devices.
    pub(super) devices: Known,
    /// The mounts that hang.
    pub(super) mounts: Mounts,
}

/// One look.
pub(super) struct Look<'a> {
    /// Where the host is.
    pub(super) sight: &'a Sight,
    /// What is carried from one look to the next.
    pub(super) kept: &'a mut Kept,
    /// When.
    pub(super) at: Moment,
    /// What was found.
    pub(super) found: Vec<Reading>,
    /// How many of them are of the parts before.
    pub(super) before: usize,
}

impl Look<'_> {
    /// A file below the host's `/proc`.
    pub(super) fn proc(&self, name: &str) -> Result<String, Unread> {
        files::read(&self.sight.proc.join(name))
    }

    /// A file below the host's `/proc` that every machine has.
    pub(super) fn needed(&self, name: &str) -> Result<String, Lack> {
        self.proc(name).map_err(|error| Lack::Failed(error.to_string()))
    }

    /// A file below the host's `/proc/net`.
    pub(super) fn net(&self, name: &str) -> Result<String, Lack> {
        let folder = self.sight.net().map_err(Lack::Unseen)?;
        Ok(files::read(&folder.join(name))?)
    }

    /// A folder below the host's `/sys`.
    pub(super) fn sys(&self, name: &str) -> PathBuf {
        self.sight.sys.join(name)
    }

    /// Lays down a reading. What one part gives beyond its cap is left out: no dashboard shows that many.
    pub(super) fn give<const N: usize>(&mut self, metric: &'static Metric, labels: [&str; N], value: f64) {
        if self.found.len() < self.before + limits::NODE_PART_READINGS {
            let labels = labels.map(cleaned);
            debug_assert_eq!(N, metric.labels.len(), "labels of {}", metric.name);
            self.found.push(Reading { metric, labels: labels.to_vec(), value });
        }
    }

    /// Lays down a reading of the metric that a pattern stands for with this word; a word that is no name is left out.
    pub(super) fn give_named<const N: usize>(
        &mut self,
        pattern: &'static Metric,
        word: &str,
        labels: [&str; N],
        value: f64,
    ) {
        if let Some(metric) = pattern.named(word) {
            self.give(metric, labels, value);
        }
    }
}

/// Text fit for a label's value: without control characters, and not endless.
pub(super) fn cleaned(text: &str) -> String {
    // Nearly all are plain, and a look has a thousand of them.
    let plain = |byte: u8| (b'!'..=b'~').contains(&byte);
    if text.len() <= limits::NODE_LABEL_CHARS && text.bytes().all(plain) {
        return text.to_owned();
    }
    let clean = |c: char| if c.is_control() { '?' } else { c };
    text.trim().chars().take(limits::NODE_LABEL_CHARS).map(clean).collect()
}

/// The text of a small file without what surrounds it; `None` when it cannot be read, as with files of a device that is down.
pub(super) fn text(path: &Path) -> Option<String> {
    small(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()))
}

/// A folder of many small files, held open: finding each from `/` on would cost more than reading it.
pub(super) struct Folder(OwnedFd);

impl Folder {
    pub(super) fn open(path: &Path) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).ok().map(Self)
    }

    /// As [`text`].
    pub(super) fn text(&self, name: &str) -> Option<String> {
        small(rustix::fs::openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()))
    }

    /// As [`number`].
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        parse_number(&self.text(name)?)
    }
}

/// A page is the most that a file of `/sys` holds, and one call reads it.
fn small(file: rustix::io::Result<OwnedFd>) -> Option<String> {
    let mut page = [0; 4096];
    let read = rustix::io::read(file.ok()?, &mut page).ok()?;
    Some(String::from_utf8_lossy(page.get(..read)?).trim().to_owned())
}

/// A number that a small file holds, also in hexadecimal (`0x1003`) and below 0.
pub(super) fn number(path: &Path) -> Option<f64> {
    parse_number(&text(path)?)
}

/// A whole number as the kernel writes it.
#[expect(clippy::cast_precision_loss, reason = "Prometheus values are floats")]
pub(super) fn parse_number(text: &str) -> Option<f64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|number| number as f64),
        None => text.parse::<i128>().ok().map(|number| number as f64),
    }
}

/// The names in a folder, sorted, so that every look gives the same order; capped.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Unread> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        let path = folder.display().to_string();
        match error.kind() {
            std::io::ErrorKind::NotFound => Unread::Missing(path),
            std::io::ErrorKind::PermissionDenied => Unread::Denied(path),
            _ => Unread::Broken { path, why: error.to_string() },
        }
    })?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.take(limits::NODE_ENTRIES).collect();
    small::sort_by(&mut names, |one, other| (one.len(), one).cmp(&(other.len(), other)));
    Ok(names)
}

/// The names in a folder that are this word and a number behind it, with the number.
pub(super) fn numbered(folder: &Path, word: &str) -> Result<Vec<(String, u32)>, Unread> {
    let number = |name: &str| name.strip_prefix(word)?.parse().ok();
    Ok(names(folder)?.into_iter().filter_map(|name| number(&name).map(|number| (name, number))).collect())
}

/// A parser of text as a row of a table.
pub(super) const fn parser(name: &'static str, read: fn(&[u8])) -> Parser {
    Parser { name, read }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_kernel_writes_them() {
        let cases =
            [("0", Some(0.0)), ("-1", Some(-1.0)), ("0x1003", Some(4099.0)), ("", None), ("x", None), ("0x", None)];
        for (text, number) in cases {
            assert_eq!(parse_number(text), number, "{text}");
        }
    }

    #[test]
    fn a_label_stays_on_one_line_and_is_not_endless() {
        assert_eq!(cleaned(" a\nb\u{7} "), "a?b?");
        assert_eq!(cleaned(&"x".repeat(10_000)).len(), limits::NODE_LABEL_CHARS);
    }
}
