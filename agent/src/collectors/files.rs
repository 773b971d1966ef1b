//! Reading the kernel's small text files under a cap, and the shapes that recur in them. Parsers take strings.

use crate::limits;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

/// Why a file gave nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is not there.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// It is there and this user may not read it.
    #[error("`{0}` may not be read by this user")]
    Denied(String),
    /// It could not be read for another cause.
    #[error("`{path}` could not be read: {why}")]
    Broken {
        /// The file.
        path: String,
        /// The system's words.
        why: String,
    },
    /// It does not look as the kernel's documentation says.
    #[error("`{path}` is not understood: {line}")]
    Odd {
        /// The file.
        path: String,
        /// The line in question, capped.
        line: String,
    },
}

/// Reads a small file, at most [`limits::PROC_FILE_BYTES`] of it.
///
/// # Errors
/// When it is missing, may not be read, or reading fails. Bytes that are no UTF-8 (a process may have any name) are replaced.
pub(super) fn read(path: &Path) -> Result<String, Unread> {
    // Room for nearly all of them: an empty buffer would ask the kernel for 32 bytes, then 64, and so on.
    let mut bytes = Vec::with_capacity(limits::PROC_FILE_USUAL_BYTES);
    let cap = u64::try_from(limits::PROC_FILE_BYTES).unwrap_or(u64::MAX);
    std::fs::File::open(path).and_then(|file| file.take(cap).read_to_end(&mut bytes)).map_err(|error| {
        let shown = path.display().to_string();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Unread::Missing(shown),
            ErrorKind::PermissionDenied => Unread::Denied(shown),
            // A process that ended while it was looked at.
            _ if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Unread::Missing(shown),
            _ => Unread::Broken { path: shown, why: error.to_string() },
        }
    })?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned()))
}

/// Reads a file that holds one whole number.
///
/// # Errors
/// When it cannot be read or holds something else.
pub(super) fn number(path: &Path) -> Result<u64, Unread> {
    let text = read(path)?;
    text.trim().parse().map_err(|_odd| odd(path, &text))
}

/// The error for a file that is not understood.
#[must_use]
pub(super) fn odd(path: &Path, text: &str) -> Unread {
    Unread::Odd { path: path.display().to_string(), line: text.trim().chars().take(60).collect() }
}

/// The value of `name value` in a flat-keyed file such as `cpu.stat` or `/proc/vmstat`.
#[must_use]
pub(super) fn keyed(text: &str, name: &str) -> Option<u64> {
    let line =
        text.lines().find_map(|line| line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '\t', ':'])))?;
    line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
}

/// The share of the last ten seconds in which something (`some`) or everything (`full`) waited, 0 to 1, from a PSI file.
/// Source: kernel documentation, accounting/psi.
#[must_use]
pub(super) fn pressure(text: &str, who: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(who))?;
    let percent: f64 = line.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()?;
    Some(percent / 100.0)
}

/// The time for which something (`some`) or everything (`full`) has waited, from a PSI file; the kernel counts microseconds.
#[must_use]
pub(super) fn waited(text: &str, who: &str) -> Option<Duration> {
    let line = text.lines().find_map(|line| line.strip_prefix(who))?;
    let total = line.split_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// `part / whole`, nothing when the whole is nothing.
#[must_use]
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}

/// A counter as a metric value; exact below 2^53.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "Prometheus values are floats; kernel counters pass 2^53 after decades")]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_key_and_not_its_longer_sibling() {
        let text = "nr_periods_x 1\nnr_periods 42\nMemTotal:       16384 kB\n";
        assert_eq!(keyed(text, "nr_periods"), Some(42));
        assert_eq!(keyed(text, "MemTotal"), Some(16_384));
        assert_eq!(keyed(text, "nr"), None);
    }

    #[test]
    fn reads_pressure_as_a_share() {
        let text = "some avg10=12.50 avg60=1.00 avg300=0.10 total=99\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(pressure(text, "some"), Some(0.125));
        assert_eq!(pressure(text, "full"), Some(0.0));
        assert_eq!(pressure("", "some"), None);
        assert_eq!(waited(text, "some"), Some(Duration::from_micros(99)));
        assert_eq!(waited(text, "none"), None);
    }

    #[test]
    fn tells_missing_from_odd() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pids.max");
        assert!(matches!(number(&path), Err(Unread::Missing(_))));
        std::fs::write(&path, "max\n").expect("written");
        assert!(matches!(number(&path), Err(Unread::Odd { .. })));
        std::fs::write(&path, "17\n").expect("written");
        assert_eq!(number(&path), Ok(17));
    }

    #[test]
    fn a_file_without_end_is_read_to_the_cap() {
        assert_eq!(read(Path::new("/dev/zero")).map(|text| text.len()), Ok(limits::PROC_FILE_BYTES));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in ".{0,300}") {
            let _found = keyed(&text, "some");
            let _found = (pressure(&text, "some"), waited(&text, "some"));
        }
    }
}
