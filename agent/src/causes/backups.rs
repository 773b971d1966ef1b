//! Causes that lie in backups, as the probe `file` judges them. They are named after one run: files do not flicker, and such a check runs
//! every five minutes.

use super::datastores::told;
use super::{Find, Found, Kind};
use crate::probes::Detail;
use crate::snapshot::CheckView;

pub(super) static BACKUP_MISSING: Kind = Kind {
    name: "backup_missing",
    summary: "there is no finished backup, fewer than `keep_least`, or not even the folder",
    fix: "does the backup job run, and does it write to this place?",
    find: Find::InCheck(|check| exactly(check, &Detail::BackupMissing)),
};

pub(super) static BACKUP_STALE: Kind = Kind {
    name: "backup_stale",
    summary: "the newest backup is older than `max_age`",
    fix: "does the backup job still run? look at its log",
    find: Find::InCheck(|check| exactly(check, &Detail::BackupStale)),
};

pub(super) static BACKUP_SHRUNKEN: Kind = Kind {
    name: "backup_shrunken",
    summary: "the newest backup is smaller than `min_size_ratio` of the median of the earlier ones",
    fix: "was data deleted, or a part of it not dumped?",
    find: Find::InCheck(|check| exactly(check, &Detail::BackupShrunken)),
};

pub(super) static BACKUP_CORRUPT: Kind = Kind {
    name: "backup_corrupt",
    summary: "the newest backup cannot be read to its end, or ends in the middle of the dump",
    fix: "look at the log of the backup job, and make a new backup now",
    find: Find::InCheck(|check| exactly(check, &Detail::BackupCorrupt)),
};

fn exactly(check: &CheckView, detail: &Detail) -> Option<Found> {
    let fault = check.last.as_ref()?.outcome.fault.as_ref()?;
    (fault.detail.as_ref() == Some(detail)).then(|| told(fault))
}
