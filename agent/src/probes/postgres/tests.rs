//! The families as tables: queries for every version, and answers that mean harm.

use super::FAMILIES;
use super::family::suited;
use crate::probes::sql::connection::Row;
use std::collections::BTreeSet;

fn row(texts: &[&str]) -> Row {
    texts.iter().map(|text| (*text != "NULL").then(|| (*text).to_owned())).collect()
}

#[test]
fn every_version_gets_a_query_of_its_own_words() {
    for family in FAMILIES {
        for version in 10..=18 {
            let sql = suited(family, version);
            assert!(!sql.contains(['{', '}']), "{}: {sql}", family.name);
            assert_eq!(sql.matches('(').count(), sql.matches(')').count(), "{} on {version}: {sql}", family.name);
            assert!(sql.ends_with(&format!(" LIMIT {}", family.rows)), "{sql}");
        }
        let columns: BTreeSet<_> = family.labels.iter().collect();
        let labels = family.metrics.iter().flat_map(|metric| metric.labels);
        assert!(labels.into_iter().all(|label| columns.contains(label)), "{}", family.name);
    }
    assert!(suited(&super::whole::STATEMENTS, 12).contains("sum(s.total_time)"));
    assert!(suited(&super::whole::STATEMENTS, 13).contains("sum(s.total_exec_time)"));
    assert!(suited(&super::whole::BGWRITER, 16).contains("FROM pg_stat_bgwriter"));
    assert!(suited(&super::whole::BGWRITER, 17).contains("FROM pg_stat_checkpointer"));
}

#[test]
fn null_is_no_reading_and_labels_are_found_by_name() {
    let rows = [row(&["s", "physical", "reserved", "NULL", "1", "16", "32", "32"])];
    let readings = super::replication::SLOTS.readings(&rows);
    let found: Vec<_> = readings.iter().map(|r| (r.metric.name, r.labels.join(","), r.value)).collect();
    assert_eq!(
        found,
        [
            ("pg_replication_slot_slot_current_wal_lsn", "s,physical".to_owned(), 32.0),
            ("pg_replication_slots_active", "s,".to_owned(), 1.0),
            ("pg_replication_slots_pg_wal_lsn_diff", "s,".to_owned(), 16.0),
            ("pg_replication_slots_slot_current_wal_lsn", "s,physical".to_owned(), 32.0),
        ]
    );
}

#[test]
fn a_server_that_lies_makes_neither_twins_nor_floods_nor_long_names() {
    let roles = &super::whole::ROLES;
    let twins =
        [row(&["a\u{1}b", "1"]), row(&["a\u{2}b", "2"]), row(&["c", "NaN"]), row(&["d", "x"]), row(&[]), row(&["e"])];
    assert_eq!(roles.readings(&twins).len(), 1, "what is the same once cleaned comes once");
    let flood: Vec<Row> = (0..10_000).map(|at| row(&[&format!("r{at}"), "1"])).collect();
    assert_eq!(roles.readings(&flood).len(), roles.rows);
    let long = [row(&[&"x".repeat(100_000), "1"])];
    assert!(roles.readings(&long)[0].labels[0].len() <= crate::limits::PEER_TEXT_CHARS);
    let settings =
        [row(&["work_mem_bytes", "4194304"]), row(&["a\"} 1\nb", "1"]), row(&["", "1"]), row(&["NULL", "1"])];
    let readings = super::whole::SETTINGS.readings(&settings);
    assert_eq!(readings.iter().map(|r| r.metric.name).collect::<Vec<_>>(), ["pg_settings_work_mem_bytes"]);
}
