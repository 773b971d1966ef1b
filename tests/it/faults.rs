//! The table of the fault bench, whose faults `tests/faults/run` brings about.

use tests::faults::table;

#[test]
fn the_table_has_forty_faults_and_a_dozen_of_them_for_every_run() {
    let mut names: Vec<&str> = table().map(|row| row.name).collect();
    assert!(names.len() >= 40, "{}", names.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), table().count(), "two rows of one name");
    assert!(table().filter(|row| row.always).count() >= 12);
    let bad = |row: &&tests::faults::Row| row.causes.is_empty() || row.within == 0;
    assert_eq!(table().filter(bad).map(|row| row.name).collect::<Vec<_>>(), [""; 0]);
}
