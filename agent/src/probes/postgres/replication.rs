//! What PostgreSQL tells of replication: its slots, who follows it, and whom it follows.

use super::family::{Family, On};
use crate::limits;
use crate::reading::Metric;

const BY_DATABASE: &[&str] = &["slot_name", "database"];
const BY_TYPE: &[&str] = &["slot_name", "slot_type"];
const BY_STATUS: &[&str] = &["slot_name", "slot_type", "wal_status"];

pub(super) static SLOTS: Family = Family {
    name: "replication_slots",
    since: 10,
    on: On::Any,
    sql: "SELECT slot_name, slot_type, {13:wal_status|NULL}, database, active::int, pg_wal_lsn_diff(l.now, restart_lsn), l.now - '0/0', \
          l.now - '0/0', CASE WHEN active THEN f.flushed END, CASE WHEN active THEN f.flushed END, active::int, active::int, \
          {13:safe_wal_size, safe_wal_size, (wal_status IS NOT NULL)::int, (wal_status IS NOT NULL)::int|NULL, NULL, NULL, NULL} \
          FROM pg_replication_slots, \
          (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS now) l, \
          LATERAL (SELECT coalesce(confirmed_flush_lsn, '0/0') - '0/0' AS flushed) f ORDER BY restart_lsn NULLS LAST, slot_name",
    labels: &["slot_name", "slot_type", "wal_status", "database"],
    metrics: &[
        &Metric::gauge("pg_replication_slots_active", "1 when someone follows by the slot, 0 when it only keeps WAL")
            .labelled(BY_DATABASE),
        &Metric::gauge("pg_replication_slots_pg_wal_lsn_diff", "Bytes of WAL that the slot keeps")
            .labelled(BY_DATABASE),
        &Metric::gauge("pg_replication_slots_slot_current_wal_lsn", "The server's position in the WAL, in bytes")
            .labelled(BY_TYPE),
        &Metric::gauge("pg_replication_slot_slot_current_wal_lsn", "The same under the name of older exporters")
            .labelled(BY_TYPE),
        &Metric::gauge(
            "pg_replication_slots_slot_confirmed_flush_lsn",
            "The position up to which an active logical slot's follower has confirmed, in bytes",
        )
        .labelled(BY_TYPE),
        &Metric::gauge("pg_replication_slot_slot_confirmed_flush_lsn", "The same under the name of older exporters")
            .labelled(BY_TYPE),
        &Metric::gauge("pg_replication_slots_slot_is_active", "1 when someone follows by the slot").labelled(BY_TYPE),
        &Metric::gauge("pg_replication_slot_slot_is_active", "The same under the name of older exporters")
            .labelled(BY_TYPE),
        &Metric::gauge(
            "pg_replication_slots_safe_wal_size_bytes",
            "Bytes of WAL that may be written before the slot is in danger of being lost; absent without such a limit",
        )
        .labelled(BY_TYPE),
        &Metric::gauge("pg_replication_slot_safe_wal_size_bytes", "The same under the name of older exporters")
            .labelled(BY_TYPE),
        &Metric::gauge("pg_replication_slots_wal_status", "1 for what the server says of the WAL that the slot claims")
            .labelled(BY_STATUS),
        &Metric::gauge("pg_replication_slot_wal_status", "The same under the name of older exporters")
            .labelled(BY_STATUS),
    ],
    rows: limits::PG_REPLICAS,
};

/// The exporter's labels as released (0.20). Of two followers with the same, the one further behind stays.
const FOLLOWER: &[&str] = &["application_name", "client_addr", "state", "slot_name"];

pub(super) static FOLLOWERS: Family = Family {
    name: "replicas",
    since: 10,
    on: On::Any,
    sql: "SELECT r.application_name, host(r.client_addr), r.state, s.slot_name, l.now - '0/0', pg_wal_lsn_diff(l.now, r.replay_lsn) \
          FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid, \
          (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS now) l ORDER BY 6 DESC NULLS LAST",
    labels: FOLLOWER,
    metrics: &[
        &Metric::gauge("pg_stat_replication_pg_current_wal_lsn_bytes", "The server's position in the WAL, in bytes")
            .labelled(FOLLOWER),
        &Metric::gauge("pg_stat_replication_pg_wal_lsn_diff", "Bytes of WAL that the replica has not replayed yet")
            .labelled(FOLLOWER),
    ],
    rows: limits::PG_REPLICAS,
};

const RECEIVER: &[&str] = &["upstream_host", "slot_name", "status"];

const fn receiver(name: &'static str, help: &'static str) -> Metric {
    Metric::gauge(name, help).labelled(RECEIVER)
}

/// Positions are cut to 52 bits, as the exporter does, so that they are exact.
pub(super) static RECEIVERS: Family = Family {
    name: "wal_receiver",
    since: 11,
    on: On::Replica,
    sql: "SELECT sender_host, slot_name, status, (receive_start_lsn - '0/0') % (2^52)::bigint, \
          ({13:flushed_lsn|received_lsn} - '0/0') % (2^52)::bigint, receive_start_tli, received_tli, \
          extract(epoch FROM last_msg_send_time), extract(epoch FROM last_msg_receipt_time), (latest_end_lsn - '0/0') % (2^52)::bigint, \
          extract(epoch FROM latest_end_time), substring(slot_name FROM 'repmgr_slot_([0-9]+)') FROM pg_stat_wal_receiver",
    labels: RECEIVER,
    metrics: &[
        &Metric::bare_counter("pg_stat_wal_receiver_receive_start_lsn", "Where in the WAL receiving began, in bytes")
            .labelled(RECEIVER),
        &Metric::bare_counter("pg_stat_wal_receiver_flushed_lsn", "Up to where WAL is received and on disk, in bytes")
            .labelled(RECEIVER),
        &receiver("pg_stat_wal_receiver_receive_start_tli", "The timeline with which receiving began"),
        &receiver("pg_stat_wal_receiver_received_tli", "The timeline of the WAL received last"),
        &Metric::bare_counter(
            "pg_stat_wal_receiver_last_msg_send_time",
            "When the last message was sent, in seconds since 1970",
        )
        .labelled(RECEIVER),
        &Metric::bare_counter(
            "pg_stat_wal_receiver_last_msg_receipt_time",
            "When it was received, in seconds since 1970",
        )
        .labelled(RECEIVER),
        &Metric::bare_counter("pg_stat_wal_receiver_latest_end_lsn", "The position last told to the sender, in bytes")
            .labelled(RECEIVER),
        &Metric::bare_counter("pg_stat_wal_receiver_latest_end_time", "When it was told, in seconds since 1970")
            .labelled(RECEIVER),
        &receiver("pg_stat_wal_receiver_upstream_node", "The node that is followed, from the name of repmgr's slot"),
    ],
    rows: 1,
};
