//! The families as tables: queries for every version, and answers that mean harm.

use super::FAMILIES;
use super::family::suited;
use crate::limits;
use crate::probes::sql::connection::Row;
use proptest::prelude::*;
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
    assert!(roles.readings(&long)[0].labels[0].len() <= limits::PEER_TEXT_CHARS);
    let settings =
        [row(&["work_mem_bytes", "4194304"]), row(&["a\"} 1\nb", "1"]), row(&["", "1"]), row(&["NULL", "1"])];
    let readings = super::whole::SETTINGS.readings(&settings);
    assert_eq!(readings.iter().map(|r| r.metric.name).collect::<Vec<_>>(), ["pg_settings_work_mem_bytes"]);
}

proptest! {
    #[test]
    fn whatever_the_rows_no_series_comes_twice(rows in proptest::collection::vec(proptest::collection::vec(
        proptest::option::of("[a-c\\x01\\x02]{0,2}|[0-9]{1,3}"), 0..12), 0..12)) {
        for family in FAMILIES {
            let readings = family.readings(&rows);
            let series: BTreeSet<_> = readings.iter().map(|reading| (reading.metric.name, &reading.labels)).collect();
            prop_assert_eq!(series.len(), readings.len(), "{}", family.name);
            prop_assert!(readings.iter().all(|reading| reading.labels.len() == reading.metric.labels.len()));
        }
    }
}

/// What the mixin of postgres_exporter, that of the Grafana integration and the usual collections of alerts ask for.
const ASKED_FOR: &str = "\
    pg_up pg_exporter_last_scrape_error pg_static pg_database_size_bytes pg_locks_count pg_long_running_transactions \
    pg_postmaster_start_time_seconds pg_replication_is_replica pg_replication_lag pg_replication_lag_seconds pg_replication_slots_active \
    pg_settings_autovacuum_vacuum_scale_factor pg_settings_autovacuum_analyze_threshold pg_settings_max_connections \
    pg_settings_max_locks_per_transaction pg_settings_superuser_reserved_connections pg_settings_transaction_read_only \
    pg_stat_activity_count pg_stat_activity_max_tx_duration pg_stat_archiver_failed_count pg_stat_bgwriter_buffers_alloc_total \
    pg_stat_bgwriter_buffers_backend_fsync_total pg_stat_bgwriter_buffers_backend_total pg_stat_bgwriter_buffers_checkpoint_total \
    pg_stat_bgwriter_buffers_clean_total pg_stat_bgwriter_checkpoint_sync_time_total pg_stat_bgwriter_checkpoint_write_time_total \
    pg_stat_bgwriter_checkpoints_req_total pg_stat_bgwriter_checkpoints_timed_total pg_stat_bgwriter_maxwritten_clean_total \
    pg_stat_database_blks_hit pg_stat_database_blks_read pg_stat_database_conflicts pg_stat_database_deadlocks \
    pg_stat_database_numbackends pg_stat_database_temp_bytes pg_stat_database_tup_deleted pg_stat_database_tup_fetched \
    pg_stat_database_tup_inserted pg_stat_database_tup_returned pg_stat_database_tup_updated pg_stat_database_xact_commit \
    pg_stat_database_xact_rollback pg_stat_replication_pg_current_wal_lsn_bytes pg_stat_replication_pg_wal_lsn_diff \
    pg_stat_statements_calls_total pg_stat_statements_rows_total pg_stat_statements_seconds_total pg_stat_user_tables_idx_scan \
    pg_stat_user_tables_last_autoanalyze pg_stat_user_tables_last_autovacuum pg_stat_user_tables_n_dead_tup \
    pg_stat_user_tables_n_live_tup pg_stat_user_tables_n_tup_del pg_stat_user_tables_n_tup_hot_upd pg_stat_user_tables_n_tup_upd \
    pg_stat_user_tables_seq_scan pg_statio_user_indexes_idx_blks_hit_total pg_statio_user_indexes_idx_blks_read_total";

#[test]
fn whatever_public_dashboards_and_alerts_ask_for_is_there() {
    let there = |name: &&str| {
        super::FACTS
            .iter()
            .any(|fact| fact.name == *name || fact.name.strip_suffix('*').is_some_and(|begin| name.starts_with(begin)))
    };
    let missing: Vec<&str> = ASKED_FOR.split_whitespace().filter(|name| !there(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn all_families_at_their_caps_fit_into_one_run() {
    let most: usize = FAMILIES.iter().map(|family| family.rows * family.metrics.len()).sum();
    assert!((5000..limits::RUN_READINGS).contains(&most), "{most}");
}
