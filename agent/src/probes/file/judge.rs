//! From a list of files to what is to be said of them: age, size beside earlier ones, integrity, retention. It opens files only through
//! the verifier; time is an argument.

use super::folder::{Found, Place, Unlisted};
use super::verify::{Contents, Verdict, Verifier};
use crate::limits;
use crate::probes::{Detail, Fault, Reason, clean};
use crate::small;
use crate::units::{Span, human_bytes};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// What backups must be like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    pub(super) max_age: Duration,
    pub(super) min_size_ratio: f64,
    pub(super) settle: Duration,
    pub(super) keep_for: Option<Duration>,
    pub(super) keep_least: usize,
    pub(super) contents: Contents,
}

/// Looks at a place again and again, and remembers what it has read.
pub(super) struct Look {
    pub(super) place: Place,
    pub(super) rules: Rules,
    pub(super) verifier: Verifier,
}

/// What one look gave.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// How many backups there are; unknown when they could not be listed.
    pub(super) count: Option<usize>,
    /// The newest one that is not being written.
    pub(super) newest: Option<Newest>,
    /// The name of one that is.
    pub(super) writing: Option<String>,
    pub(super) fault: Option<Fault>,
}

/// The backup that was judged.
#[derive(Debug, PartialEq)]
pub(super) struct Newest {
    pub(super) name: String,
    /// Seconds; negative when its time lies in the future.
    pub(super) age: f64,
    pub(super) size: u64,
    /// Its size beside the median of the earlier ones.
    pub(super) ratio: Option<f64>,
    pub(super) verdict: Verdict,
}

impl Look {
    /// Looks once; reading stops at `until`.
    pub(super) fn look(&mut self, now: SystemTime, until: Instant) -> Seen {
        let all = match self.place.list() {
            Ok(all) => all,
            Err(unlisted) => {
                // A folder that the first backup has yet to make holds none, and that is known.
                let count = matches!(unlisted, Unlisted::Missing(_)).then_some(0);
                return Seen { count, fault: Some(fault_of(&unlisted)), ..Seen::default() };
            }
        };
        let mut seen = Seen { count: Some(all.len()), ..Seen::default() };
        let mut files = all.as_slice();
        while let Some((file, earlier)) = files.split_first() {
            let newest = self.newest(file, earlier, now, until);
            let damaged = self.contents_fault(&newest);
            // A file that is being written looks damaged; once it has rested for `settle` and still does, it is.
            let readable = !matches!(newest.verdict, Verdict::Unread(_));
            if damaged.is_some() && readable && newest.age.abs() < self.rules.settle.as_secs_f64() {
                seen.writing.get_or_insert(newest.name);
                files = earlier;
                continue;
            }
            seen.fault = damaged.or_else(|| self.time_fault(&newest)).or_else(|| self.retention_fault(&all, now));
            seen.newest = Some(newest);
            return seen;
        }
        seen.fault = Some(none(seen.writing.as_deref()));
        seen
    }

    fn newest(&mut self, file: &Found, earlier: &[Found], now: SystemTime, until: Instant) -> Newest {
        let name = clean(&file.path.file_name().unwrap_or_default().to_string_lossy());
        let sizes: Vec<u64> = earlier.iter().take(limits::BACKUPS_COMPARED).map(|file| file.identity.size).collect();
        let size = file.identity.size;
        let ratio = median(sizes).filter(|median| *median > 0.0).map(|median| float(size) / median);
        let verdict = self.verifier.verify(file, self.rules.contents, until);
        Newest { name, age: age(file, now), size, ratio, verdict }
    }

    fn contents_fault(&self, newest: &Newest) -> Option<Fault> {
        let name = &newest.name;
        match &newest.verdict {
            Verdict::Bad(what) => {
                let hint = "look at the log of the backup job, and make a new backup now; if this is no dump, set `contents: any`";
                return Some(
                    Fault::new(Reason::Body, format!("the newest backup `{name}` {what}"))
                        .exactly(Detail::BackupCorrupt)
                        .hint(hint),
                );
            }
            Verdict::Unread(why) => {
                let message = format!("the newest backup `{name}` cannot be read: {}", clean(why));
                let hint = "may this user read it (uid 65532 in the agent's image), and is the disk well?";
                return Some(Fault::new(Reason::Config, message).hint(hint));
            }
            Verdict::Good(_) | Verdict::Unknown(_) | Verdict::Reading(_) => {}
        }
        let ratio = newest.ratio.filter(|ratio| *ratio < self.rules.min_size_ratio)?;
        let message = format!(
            "the newest backup `{name}` has {}, {:.0} % of the median of the earlier ones, at least {:.0} % expected",
            human_bytes(newest.size),
            ratio * 100.0,
            self.rules.min_size_ratio * 100.0
        );
        Some(
            Fault::new(Reason::Body, message)
                .exactly(Detail::BackupShrunken)
                .hint("was data deleted, or a part of it not dumped?"),
        )
    }

    fn time_fault(&self, newest: &Newest) -> Option<Fault> {
        let name = &newest.name;
        if newest.age < -limits::CLOCK_SLACK.as_secs_f64() {
            let ahead = Span(Duration::try_from_secs_f64(-newest.age).unwrap_or_default());
            let message = format!("the newest backup `{name}` lies {ahead} in the future, so its age is not known");
            return Some(
                Fault::new(Reason::Stale, message).hint("which clock is wrong: this host's, or that of the backup?"),
            );
        }
        let age = Duration::try_from_secs_f64(newest.age).unwrap_or_default();
        (age > self.rules.max_age).then(|| {
            let message = format!(
                "the newest backup `{name}` is {} old, at most {} allowed",
                Span(age),
                Span(self.rules.max_age)
            );
            Fault::new(Reason::Stale, message)
                .exactly(Detail::BackupStale)
                .hint("does the backup job still run? look at its log")
        })
    }

    /// Too few are kept, or old ones beyond those that must be kept are not removed.
    fn retention_fault(&self, all: &[Found], now: SystemTime) -> Option<Fault> {
        let Rules { keep_least, keep_for, .. } = self.rules;
        if all.len() < keep_least {
            let what = if all.len() == 1 { "is 1 backup" } else { &format!("are {} backups", all.len()) };
            let message = format!("there {what}, at least {keep_least} expected");
            return Some(
                Fault::new(Reason::Body, message)
                    .exactly(Detail::BackupMissing)
                    .hint("who removed the others? a new deployment gets there by itself"),
            );
        }
        let keep_for = keep_for?;
        let most = (keep_for + limits::RETENTION_SLACK).as_secs_f64();
        let old: Vec<f64> = all.iter().skip(keep_least).map(|file| age(file, now)).filter(|age| *age > most).collect();
        let oldest =
            old.iter().copied().fold(None, |most: Option<f64>, age| Some(most.map_or(age, |most| most.max(age))))?;
        let oldest = Span(Duration::try_from_secs_f64(oldest).unwrap_or_default());
        let message = format!("{} backups are older than {}, the oldest {oldest}", old.len(), Span(keep_for));
        Some(Fault::new(Reason::Stale, message).hint("nothing removes old backups: the volume will be full one day"))
    }
}

fn none(writing: Option<&str>) -> Fault {
    let message = match writing {
        Some(name) => format!("there is no finished backup; `{name}` is being written"),
        None => "there is no backup".to_owned(),
    };
    Fault::new(Reason::Stale, message)
        .exactly(Detail::BackupMissing)
        .hint("does the backup job run, and does it write to this place?")
}

fn fault_of(unlisted: &Unlisted) -> Fault {
    let (reason, hint) = match unlisted {
        Unlisted::Missing(_) => {
            (Reason::Config, "was a backup ever made, and is the volume mounted into this container, under this path?")
        }
        Unlisted::Denied(_) => {
            (Reason::Config, "the agent runs as uid 65532 in its image: let that user or its group read the folder")
        }
        Unlisted::Entries(_) | Unlisted::Files(_) => {
            (Reason::Config, "name a folder, or a pattern like `*.sql.gz`, that holds the backups of one database only")
        }
        Unlisted::Broken(..) => (Reason::Unreachable, "is it a network mount whose server is gone?"),
    };
    let detail = matches!(unlisted, Unlisted::Missing(_)).then_some(Detail::BackupMissing);
    Fault { detail, ..Fault::new(reason, unlisted.to_string()).hint(hint) }
}

/// Seconds since it was written; negative when that lies in the future.
fn age(file: &Found, now: SystemTime) -> f64 {
    match now.duration_since(file.identity.modified) {
        Ok(since) => since.as_secs_f64(),
        Err(ahead) => -ahead.duration().as_secs_f64(),
    }
}

fn median(mut sizes: Vec<u64>) -> Option<f64> {
    small::sort(&mut sizes);
    let upper = float(*sizes.get(sizes.len() / 2)?);
    let lower = float(*sizes.get((sizes.len() - 1) / 2)?);
    Some(f64::midpoint(lower, upper))
}

#[expect(clippy::cast_precision_loss, reason = "sizes are below 2^53")]
const fn float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        for (sizes, expected) in
            [(vec![], None), (vec![5], Some(5.0)), (vec![9, 1, 2], Some(2.0)), (vec![4, 1, 2, 9], Some(3.0))]
        {
            assert_eq!(median(sizes), expected);
        }
    }
}
