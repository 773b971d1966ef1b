//! The fault bench's fixed dozen: each fault must be named by its cause, and by nothing else, within its time. `tests/faults/run` tries all.

use tests::faults::{Row, Verdict, table};
use tests::repo::{read, root};
use tests::skipped;

/// Faults at once.
const AT_ONCE: usize = 4;

#[test]
fn the_fixed_dozen_of_faults_is_named_by_cause() {
    let rows: Vec<&Row> = table().filter(|row| row.always).collect();
    assert!(rows.len() >= 12, "{}", rows.len());
    let mut wrong = Vec::new();
    let each = rows.len().div_ceil(AT_ONCE);
    let verdicts: Vec<(&Row, Verdict)> = std::thread::scope(|scope| {
        let played = |rows: &[&'static Row]| rows.iter().map(|row| (*row, row.play())).collect::<Vec<_>>();
        let workers: Vec<_> = rows.chunks(each).map(|rows| scope.spawn(move || played(rows))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    for (row, verdict) in verdicts {
        match verdict {
            Verdict::Found(_) => {}
            Verdict::NotRun(why) if !why.starts_with("broken") => {
                skipped("the_fixed_dozen_of_faults_is_named_by_cause", &format!("{}: {why}", row.name));
            }
            other => wrong.push(format!("{}: {other:?}", row.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_cause_of_the_bench_is_one_that_the_agent_can_name() {
    let reference = read(&root().join("REFERENCE.md"));
    let causes = reference.split_once("\n## Causes\n").map_or("", |(_, rest)| rest);
    let causes = causes.split_once("\n## ").map_or(causes, |(causes, _)| causes);
    let known: Vec<&str> = causes.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(known.len() > 30, "{known:?}");
    let of_row = |row: &'static Row| row.causes.iter().map(|(cause, _)| *cause).chain(row.also.iter().copied());
    let unknown: Vec<&str> = table().flat_map(of_row).filter(|cause| !known.contains(cause)).collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn the_table_has_forty_faults_and_a_dozen_of_them_for_every_run() {
    let mut names: Vec<&str> = table().map(|row| row.name).collect();
    assert!(names.len() >= 40, "{}", names.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), table().count(), "two rows of one name");
    assert!(table().filter(|row| row.always).count() >= 12);
    let bad = |row: &&Row| row.causes.is_empty() || row.within == 0;
    assert_eq!(table().filter(bad).map(|row| row.name).collect::<Vec<_>>(), [""; 0]);
}
