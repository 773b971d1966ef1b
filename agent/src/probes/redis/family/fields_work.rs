//! The table of `INFO`, one row a field: What the server has done: its counters, replication, processor time; and a Sentinel's own state.
//! A field that a server does not have costs nothing but its figure.

use super::fields::{Field, counter, gauge, microseconds};

/// The rows.
pub(super) static FIELDS: [Field; 77] = [
    // stats
    counter("total_connections_received", "redis_connections_received_total", "Connections accepted"),
    counter("total_commands_processed", "redis_commands_processed_total", "Commands processed"),
    counter("rejected_connections", "redis_rejected_connections_total", "Connections refused because of maxclients"),
    counter("total_net_input_bytes", "redis_net_input_bytes_total", "Bytes read from the network"),
    counter("total_net_output_bytes", "redis_net_output_bytes_total", "Bytes written to the network"),
    counter("total_net_repl_input_bytes", "redis_net_repl_input_bytes_total", "Bytes read for replication"),
    counter("total_net_repl_output_bytes", "redis_net_repl_output_bytes_total", "Bytes written for replication"),
    counter("expired_subkeys", "redis_expired_subkeys_total", "Fields of hashes that expired"),
    counter("expired_keys", "redis_expired_keys_total", "Keys that expired"),
    counter(
        "expired_time_cap_reached_count",
        "redis_expired_time_cap_reached_total",
        "Times that the search for expired keys ran out of time",
    ),
    counter(
        "expire_cycle_cpu_milliseconds",
        "redis_expire_cycle_cpu_time_ms_total",
        "Milliseconds of processor time spent on expiry",
    ),
    counter("evicted_keys", "redis_evicted_keys_total", "Keys removed because memory was full"),
    counter(
        "evicted_clients",
        "redis_evicted_clients_total",
        "Clients closed because their buffers took too much memory",
    ),
    counter("evicted_scripts", "redis_evicted_scripts_total", "Scripts removed from the cache"),
    counter(
        "total_eviction_exceeded_time",
        "redis_eviction_exceeded_time_ms_total",
        "Milliseconds spent above maxmemory",
    ),
    counter("keyspace_hits", "redis_keyspace_hits_total", "Look-ups that found their key"),
    counter("keyspace_misses", "redis_keyspace_misses_total", "Look-ups that found no key"),
    counter("eventloop_cycles", "redis_eventloop_cycles_total", "Turns of the event loop"),
    counter(
        "eventloop_duration_sum",
        "redis_eventloop_duration_sum_usec_total",
        "Microseconds spent in the event loop",
    ),
    counter(
        "eventloop_duration_cmd_sum",
        "redis_eventloop_duration_cmd_sum_usec_total",
        "Microseconds spent on commands",
    ),
    counter(
        "unexpected_error_replies",
        "redis_unexpected_error_replies",
        "Error replies of a kind that replication should not meet",
    ),
    counter("total_error_replies", "redis_total_error_replies", "Error replies sent"),
    counter("dump_payload_sanitizations", "redis_dump_payload_sanitizations", "Deep checks of dump payloads"),
    counter("total_reads_processed", "redis_total_reads_processed", "Reads from sockets"),
    counter("total_writes_processed", "redis_total_writes_processed", "Writes to sockets"),
    counter(
        "io_threaded_reads_processed",
        "redis_io_threaded_reads_processed",
        "Reads from sockets by threads beside the main one",
    ),
    counter(
        "io_threaded_writes_processed",
        "redis_io_threaded_writes_processed",
        "Writes to sockets by threads beside the main one",
    ),
    counter(
        "client_query_buffer_limit_disconnections",
        "redis_client_query_buffer_limit_disconnections_total",
        "Clients closed because of their input buffer",
    ),
    counter(
        "client_output_buffer_limit_disconnections",
        "redis_client_output_buffer_limit_disconnections_total",
        "Clients closed because of their output buffer",
    ),
    counter("reply_buffer_shrinks", "redis_reply_buffer_shrinks_total", "Times that a reply buffer was made smaller"),
    counter("reply_buffer_expands", "redis_reply_buffer_expands_total", "Times that a reply buffer was made larger"),
    counter("acl_access_denied_auth", "redis_acl_access_denied_auth_total", "Logins refused"),
    counter("acl_access_denied_cmd", "redis_acl_access_denied_cmd_total", "Commands refused for want of a right"),
    counter("acl_access_denied_key", "redis_acl_access_denied_key_total", "Commands refused because of their keys"),
    counter(
        "acl_access_denied_channel",
        "redis_acl_access_denied_channel_total",
        "Commands refused because of their channels",
    ),
    counter("cached_keys", "redis_cached_keys_total", "Keys in the cache of KeyDB"),
    counter(
        "storage_provider_read_hits",
        "redis_storage_provider_read_hits",
        "Reads of KeyDB's storage that found their key",
    ),
    counter(
        "storage_provider_read_misses",
        "redis_storage_provider_read_misses",
        "Reads of KeyDB's storage that found no key",
    ),
    gauge(
        "expired_stale_perc",
        "redis_expired_stale_percentage",
        "Keys in percent that have probably expired and are still there",
    ),
    gauge(
        "current_eviction_exceeded_time",
        "redis_current_eviction_exceeded_time_ms",
        "Milliseconds that memory has been above maxmemory without a break",
    ),
    gauge("pubsub_channels", "redis_pubsub_channels", "Channels with subscribers"),
    gauge("pubsub_patterns", "redis_pubsub_patterns", "Patterns with subscribers"),
    gauge("pubsubshard_channels", "redis_pubsubshard_channels", "Shard channels with subscribers"),
    microseconds("latest_fork_usec", "redis_latest_fork_seconds", "Seconds that the last fork took"),
    gauge("tracking_total_keys", "redis_tracking_total_keys", "Keys tracked for client-side caching"),
    gauge(
        "tracking_total_items",
        "redis_tracking_total_items",
        "Pairs of clients and keys tracked for client-side caching",
    ),
    gauge("tracking_total_prefixes", "redis_tracking_total_prefixes", "Prefixes tracked for client-side caching"),
    gauge(
        "instantaneous_eventloop_cycles_per_sec",
        "redis_instantaneous_eventloop_cycles_per_sec",
        "Turns of the event loop a second, lately",
    ),
    gauge(
        "instantaneous_eventloop_duration_usec",
        "redis_instantaneous_eventloop_duration_usec",
        "Microseconds of a turn of the event loop, lately",
    ),
    gauge("migrate_cached_sockets", "redis_migrate_cached_sockets_total", "Connections kept open for MIGRATE"),
    gauge("server_threads", "redis_server_threads_total", "Threads of KeyDB"),
    gauge("long_lock_waits", "redis_long_lock_waits_total", "Long waits for a lock in KeyDB"),
    gauge("current_client_thread", "redis_current_client_thread", "Thread of KeyDB that answered"),
    // replication
    gauge("connected_slaves", "redis_connected_slaves", "Replicas connected now"),
    gauge("repl_backlog_size", "redis_replication_backlog_bytes", "Size of the replication backlog in bytes"),
    gauge("repl_backlog_active", "redis_repl_backlog_is_active", "1 while there is a replication backlog"),
    gauge(
        "repl_backlog_first_byte_offset",
        "redis_repl_backlog_first_byte_offset",
        "Replication offset of the backlog's first byte",
    ),
    gauge("repl_backlog_histlen", "redis_repl_backlog_history_bytes", "Bytes in the replication backlog"),
    gauge("master_repl_offset", "redis_master_repl_offset", "Replication offset of the server"),
    gauge(
        "second_repl_offset",
        "redis_second_repl_offset",
        "Offset up to which the primary's former id is accepted, -1 without one",
    ),
    gauge(
        "slave_expires_tracked_keys",
        "redis_slave_expires_tracked_keys",
        "Keys whose expiry a writable replica tracks",
    ),
    gauge("slave_priority", "redis_slave_priority", "Priority of the replica in a failover"),
    gauge("sync_full", "redis_replica_resyncs_full", "Full copies sent to replicas"),
    gauge("sync_partial_ok", "redis_replica_partial_resync_accepted", "Partial copies that replicas asked for and got"),
    gauge("sync_partial_err", "redis_replica_partial_resync_denied", "Partial copies that replicas asked for in vain"),
    // cpu
    counter("used_cpu_sys", "redis_cpu_sys_seconds_total", "Seconds of system time of the server"),
    counter("used_cpu_user", "redis_cpu_user_seconds_total", "Seconds of user time of the server"),
    counter(
        "used_cpu_sys_children",
        "redis_cpu_sys_children_seconds_total",
        "Seconds of system time of its background processes",
    ),
    counter(
        "used_cpu_user_children",
        "redis_cpu_user_children_seconds_total",
        "Seconds of user time of its background processes",
    ),
    counter(
        "used_cpu_sys_main_thread",
        "redis_cpu_sys_main_thread_seconds_total",
        "Seconds of system time of its main thread",
    ),
    counter(
        "used_cpu_user_main_thread",
        "redis_cpu_user_main_thread_seconds_total",
        "Seconds of user time of its main thread",
    ),
    counter(
        "used_active_time_main_thread",
        "redis_active_time_main_thread_seconds_total",
        "Seconds that its main thread was busy",
    ),
    // sentinel
    gauge("sentinel_masters", "redis_sentinel_masters", "Primaries that this Sentinel watches"),
    gauge("sentinel_tilt", "redis_sentinel_tilt", "1 while the Sentinel distrusts its clock and only watches"),
    gauge("sentinel_running_scripts", "redis_sentinel_running_scripts", "Scripts of the Sentinel that run now"),
    gauge("sentinel_scripts_queue_length", "redis_sentinel_scripts_queue_length", "Scripts of the Sentinel that wait"),
    gauge(
        "sentinel_simulate_failure_flags",
        "redis_sentinel_simulate_failure_flags",
        "Failures that the Sentinel is told to simulate, as flags",
    ),
];
