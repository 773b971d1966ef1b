//! Folders of backups, healthy and not. Time is moved by the files' own dates.

use crate::clock;
use crate::probes::tests::{look, problems};
use crate::probes::{Outcome, Reason};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write as _;
use std::time::Duration;

/// What gzip makes of a text.
pub(in crate::probes) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A folder with backups of these names and ages in hours, each a whole dump.
struct Folder(tempfile::TempDir);

const HOUR: u64 = 3600;

impl Folder {
    fn of(backups: &[(&str, u64)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        backups.iter().for_each(|(name, hours)| folder.put(name, hours * HOUR, &dump(100)));
        folder
    }

    fn put(&self, name: &str, age: u64, bytes: &[u8]) {
        fs::write(self.0.path().join(name), bytes).unwrap();
        self.date(name, clock::wall() - Duration::from_secs(age));
    }

    fn date(&self, name: &str, at: std::time::SystemTime) {
        fs::File::options().append(true).open(self.0.path().join(name)).unwrap().set_modified(at).unwrap();
    }

    async fn look(&self, keys: &str) -> Outcome {
        look(&format!("file://{}/*.sql.gz", self.0.path().display()), keys).await
    }

    /// Reason, message and hint.
    async fn fault(&self, keys: &str) -> String {
        let fault = self.look(keys).await.fault.unwrap();
        let hint = fault.hint.map_or(String::new(), |hint| format!("\nhint: {hint}"));
        format!("{}: {}{hint}", fault.reason, fault.message).replace(&self.0.path().display().to_string(), "FOLDER")
    }
}

/// A whole dump with so many rows that do not pack well.
fn dump(rows: usize) -> Vec<u8> {
    let rows: String = (0..rows).map(|row| format!("{:x}\n", row.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let text =
        format!("--\n-- PostgreSQL database dump\n--\n\n{rows}\n--\n-- PostgreSQL database dump complete\n--\n\n");
    gzip(text.as_bytes())
}

fn value(outcome: &Outcome, name: &str) -> Option<f64> {
    outcome.readings.iter().find(|reading| reading.metric.name == name).map(|reading| reading.value)
}

/// The cases of a kind without a peer on the network; see `PEERLESS` in the tests of all kinds.
pub(in crate::probes) async fn whole() -> Outcome {
    Folder::of(&[("a.sql.gz", 1), ("b.sql.gz", 25)]).look("{}").await
}

/// Nothing is there.
pub(in crate::probes) async fn nothing() -> Outcome {
    Folder::of(&[]).look("{}").await
}

/// Something else is there.
pub(in crate::probes) async fn garbage() -> Outcome {
    let folder = Folder::of(&[]);
    folder.put("a.sql.gz", HOUR, b"<html>");
    folder.look("{}").await
}

/// It does not end, as far as one run can tell: 4 GiB of zeros.
pub(in crate::probes) async fn endless() -> Outcome {
    let folder = Folder::of(&[]);
    let piece = gzip(&vec![0; 8 << 20]);
    folder.put("a.sql.gz", HOUR, &piece.repeat(512));
    folder.look(r#"{"contents": "any"}"#).await
}

/// It comes little by little.
pub(in crate::probes) async fn dripping() -> Outcome {
    let folder = Folder::of(&[]);
    let whole = dump(100);
    folder.put("a.sql.gz", 5, &whole[..whole.len() / 2]);
    folder.look("{}").await
}

#[tokio::test]
async fn a_healthy_folder_is_measured_whole() {
    let folder = Folder::of(&[("a.sql.gz", 2), ("b.sql.gz", 26), ("c.sql.gz", 50)]);
    let outcome = folder.look("{}").await;
    assert_eq!(outcome.fault, None);
    let size = u32::try_from(dump(100).len()).unwrap();
    assert_eq!(value(&outcome, "sidecar_backup_size_bytes"), Some(f64::from(size)));
    assert_eq!(value(&outcome, "sidecar_backup_size_ratio"), Some(1.0));
    assert_eq!(value(&outcome, "sidecar_backup_count"), Some(3.0));
    assert_eq!(value(&outcome, "sidecar_backup_valid"), Some(1.0));
    assert!(value(&outcome, "sidecar_backup_age_seconds").is_some_and(|age| (7200.0..7260.0).contains(&age)));
    assert_eq!(
        (outcome.note("newest"), outcome.note("contents")),
        (Some("a.sql.gz"), Some("dump of PostgreSQL, whole"))
    );
}

#[tokio::test]
async fn the_first_backup_has_nothing_to_be_compared_with() {
    let outcome = Folder::of(&[("a.sql.gz", 2)]).look("{}").await;
    assert_eq!((outcome.ok(), value(&outcome, "sidecar_backup_size_ratio")), (true, None));
}

#[tokio::test]
async fn an_old_backup_is_stale_and_still_measured() {
    let folder = Folder::of(&[("a.sql.gz", 30), ("b.sql.gz", 54)]);
    insta::assert_snapshot!(folder.fault("{}").await, @"
    stale: the newest backup `a.sql.gz` is 1d 6h old, at most 1d 2h allowed
    hint: does the backup job still run? look at its log
    ");
    assert_eq!(value(&folder.look("{}").await, "sidecar_backup_valid"), Some(1.0));
    assert!(folder.look(r#"{"max_age": "31h"}"#).await.ok());
    folder.date("a.sql.gz", clock::wall() + Duration::from_secs(3 * 86_400 + 60));
    let fault = folder.fault("{}").await;
    assert!(fault.starts_with("stale: the newest backup `a.sql.gz` lies 3d"), "{fault}");
}

#[tokio::test]
async fn no_backup_is_a_failure_and_never_success() {
    insta::assert_snapshot!(Folder::of(&[]).fault("{}").await, @"
    stale: there is no backup
    hint: does the backup job run, and does it write to this place?
    ");
    let folder = Folder::of(&[("a.sql.gz.tmp", 1), (".b.sql.gz", 1)]);
    let outcome = folder.look("{}").await;
    assert_eq!(outcome.fault.as_ref().map(|fault| fault.reason), Some(Reason::Stale));
    assert_eq!((value(&outcome, "sidecar_backup_count"), value(&outcome, "sidecar_backup_valid")), (Some(0.0), None));
}

#[tokio::test]
async fn a_folder_that_is_missing_or_may_not_be_read_is_a_fault_of_the_configuration() {
    let outcome = look("file:///no/such/folder/*.gz", "{}").await;
    let fault = outcome.fault.clone().unwrap();
    insta::assert_snapshot!(format!("{}: {}", fault.reason, fault.message), @"config: `/no/such/folder` does not exist");
    // Before the first backup of all there is no folder either, and that must raise the alarm of a missing backup.
    assert_eq!(value(&outcome, "sidecar_backup_count"), Some(0.0));
}

#[tokio::test]
async fn a_folder_that_the_first_backup_will_make_holds_none_yet() {
    let volume = tempfile::tempdir().unwrap();
    let outcome = look(&format!("file://{}/postgres/*.sql.gz", volume.path().display()), "{}").await;
    let fault = outcome.fault.clone().unwrap();
    insta::assert_snapshot!(format!("{}: {}", fault.reason, fault.message), @"stale: there is no backup");
    assert_eq!(value(&outcome, "sidecar_backup_count"), Some(0.0));
    // Nothing below `/` is made by a job: there a volume is missing.
    let outcome = look("file:///no-such-volume/*.gz", "{}").await;
    assert_eq!(outcome.fault.map(|fault| fault.reason), Some(Reason::Config));
}

#[tokio::test]
async fn a_new_backup_that_cannot_be_read_is_not_taken_for_one_being_written() {
    // A regular file of a moment ago whose first byte gives an input/output error, to root as well.
    let outcome = look("file:///proc/self/mem", "{}").await;
    let fault = outcome.fault.clone().unwrap();
    assert_eq!((fault.reason, outcome.note("writing")), (Reason::Config, None), "{fault:?}");
    assert!(fault.message.starts_with("the newest backup `mem` cannot be read: "), "{}", fault.message);
    assert_eq!(value(&outcome, "sidecar_backup_valid"), None);
}

#[tokio::test]
async fn a_small_backup_is_a_fault_unless_told_otherwise() {
    let folder = Folder::of(&[("b.sql.gz", 26), ("c.sql.gz", 50), ("d.sql.gz", 74)]);
    folder.put("a.sql.gz", HOUR, &dump(20));
    let fault = folder.fault("{}").await;
    assert!(
        fault.starts_with("body: the newest backup `a.sql.gz` has ") && fault.contains("at least 50 % expected"),
        "{fault}"
    );
    let outcome = folder.look(r#"{"min_size_ratio": 0}"#).await;
    assert!(outcome.ok() && value(&outcome, "sidecar_backup_size_ratio").is_some_and(|ratio| ratio < 0.5));
}

#[tokio::test]
async fn a_damaged_backup_is_a_fault_and_not_valid() {
    let folder = Folder::of(&[("b.sql.gz", 26)]);
    let whole = dump(100);
    folder.put("a.sql.gz", HOUR, &whole[..whole.len() - 100]);
    insta::assert_snapshot!(folder.fault("{}").await, @"
    body: the newest backup `a.sql.gz` ends in the middle of its gzip stream
    hint: look at the log of the backup job, and make a new backup now; if this is no dump, set `contents: any`
    ");
    assert_eq!(value(&folder.look("{}").await, "sidecar_backup_valid"), Some(0.0));
}

#[tokio::test]
async fn a_backup_that_is_being_written_is_passed_over_for_the_one_before() {
    let folder = Folder::of(&[("b.sql.gz", 20)]);
    let whole = dump(100);
    folder.put("a.sql.gz", 10, &whole[..whole.len() / 2]);
    let outcome = folder.look("{}").await;
    assert_eq!(
        (outcome.fault.as_ref(), outcome.note("writing"), outcome.note("newest")),
        (None, Some("a.sql.gz"), Some("b.sql.gz"))
    );
    folder.put("a.sql.gz", 10, &whole);
    assert_eq!(folder.look("{}").await.note("newest"), Some("a.sql.gz"), "a whole one counts at once");
    folder.put("a.sql.gz", 130, &whole[..whole.len() / 2]);
    assert!(folder.fault("{}").await.starts_with("body: "), "it has rested and is still damaged");
}

#[tokio::test]
async fn too_many_old_ones_and_too_few_are_faults_of_retention() {
    let days: Vec<(String, u64)> = (0..40).map(|day| (format!("{day:02}.sql.gz"), day * 24 + 1)).collect();
    let days: Vec<(&str, u64)> = days.iter().map(|(name, hours)| (name.as_str(), *hours)).collect();
    insta::assert_snapshot!(Folder::of(&days).fault(r#"{"keep_for": "30d"}"#).await, @"
    stale: 9 backups are older than 30d, the oldest 39d 1h
    hint: nothing removes old backups: the volume will be full one day
    ");
    assert!(Folder::of(&days[..31]).look(r#"{"keep_for": "30d", "keep_least": 7}"#).await.ok());
    let rare = [("a.sql.gz", 1), ("b.sql.gz", 60 * 24), ("c.sql.gz", 90 * 24)];
    assert!(Folder::of(&rare).look(r#"{"keep_for": "30d", "keep_least": 3}"#).await.ok(), "they must be kept");
    insta::assert_snapshot!(Folder::of(&rare).fault(r#"{"keep_least": 7}"#).await, @"
    body: there are 3 backups, at least 7 expected
    hint: who removed the others? a new deployment gets there by itself
    ");
}

#[test]
fn refuses_what_cannot_be_meant() {
    assert_eq!(problems("file://backups/x.gz", "{}"), "url: a file URL has no host, this one has `backups`");
    assert!(problems("file:///a/*/b.gz", "{}").starts_with("url: only the last part of the path"));
    assert!(problems("file:///a", r#"{"contents": "zip"}"#).contains("contents"));
    assert!(
        problems("file:///a", r#"{"min_size_ratio": 2}"#).starts_with("min_size_ratio: a share lies between 0 and 1")
    );
}
