//! The metrics that are derived from the snapshot itself. What probes and collectors measure is declared beside them.

use crate::reading::{Metric, Type};

/// The values of the label `result` of [`CHECK_RUNS`] and [`CONFIG_RELOADS`].
pub static RESULTS: [&str; 2] = ["ok", "failed"];

/// Which agent this is.
pub static BUILD_INFO: Metric = Metric::gauge("sidecar_build_info", "Version and commit of this agent, always 1")
    .of(Type::Info)
    .labelled(&["version", "commit"]);
/// What a check is.
pub static CHECK_INFO: Metric =
    Metric::gauge("sidecar_check_info", "What a check is: kind of probe, role, and whether it is the peer, always 1")
        .of(Type::Info)
        .labelled(&["kind", "role", "peer"]);
/// The debounced state.
pub static CHECK_UP: Metric = Metric::gauge(
    "sidecar_check_up",
    "Whether the check is up after debouncing by fail_after and ok_after, 1 or 0, absent while undecided",
);
/// Runs by result; both results are there from the first run on.
pub static CHECK_RUNS: Metric =
    Metric::counter("sidecar_check_runs_total", "Finished runs of the check by result, not debounced")
        .labelled(&["result"]);
/// Failed runs by reason.
pub static CHECK_FAILURES: Metric =
    Metric::counter("sidecar_check_failures_total", "Failed runs of the check by closed reason, not debounced")
        .labelled(&["reason"]);
/// When the state was entered.
pub static CHECK_STATE_SINCE: Metric = Metric::gauge(
    "sidecar_check_state_since_timestamp_seconds",
    "Unix time at which the check became up or down, absent while undecided",
);
/// When the last run ended.
pub static CHECK_LAST_RUN: Metric =
    Metric::gauge("sidecar_check_last_run_timestamp_seconds", "Unix time at which the last run of the check ended");
/// Whether a source could be read.
pub static SOURCE_UP: Metric = Metric::gauge(
    "sidecar_source_up",
    "Whether the source of readings could be read the last time, 1 or 0, absent when it has nothing to report here",
)
.labelled(&["source"]);
/// What `/ready` says.
pub static READY: Metric = Metric::gauge(
    "sidecar_ready",
    "Whether every liveness and readiness check is up and the agent is not draining, 1 or 0, absent while starting",
);
/// What the agent names as the cause of something that is wrong.
pub static CAUSE_ACTIVE: Metric = Metric::gauge(
    "sidecar_cause_active",
    "A named cause of something that is wrong, and what it is about, 1 as long as it stands, absent otherwise",
)
.labelled(&["cause", "subject"]);
/// Connections beyond the cap.
pub static CONNECTIONS_REFUSED: Metric = Metric::counter(
    "sidecar_http_connections_refused_total",
    "Connections to the agent that were closed at once because too many were open",
);
/// The state of the web configuration.
pub static WEB_CONFIG_READ: Metric = Metric::gauge(
    "sidecar_web_config_last_reload_successful",
    "Whether the web configuration file was good when last read, 1 or 0; when 0 the one before stays in force",
);
/// Whether the configuration that was read last is in force; Prometheus has the like of itself.
pub static CONFIG_READ: Metric = Metric::gauge(
    "sidecar_config_last_reload_successful",
    "Whether the configuration was good when last read, 1 or 0; when 0 the one before stays in force",
);
/// When the configuration in force was read.
pub static CONFIG_READ_AT: Metric = Metric::gauge(
    "sidecar_config_last_reload_success_timestamp_seconds",
    "Unix time at which the configuration in force was read",
);
/// Reloads by result; both results are there from the start.
pub static CONFIG_RELOADS: Metric = Metric::counter(
    "sidecar_config_reloads_total",
    "Times that the configuration was read again by result; failed: it was refused, and the one before stays in force",
)
.labelled(&["result"]);
/// Whether a maintenance window lasts.
pub static SILENCED: Metric = Metric::gauge(
    "sidecar_silenced",
    "Whether a maintenance window was declared, 1 or 0; checks go on, and alerts are to be kept quiet",
);
/// Its end.
pub static SILENCE_ENDS: Metric = Metric::gauge(
    "sidecar_silence_ends_timestamp_seconds",
    "Unix time at which the maintenance window ends, absent while there is none",
);
/// blackbox_exporter's verdict on the last run.
pub static PROBE_SUCCESS: Metric =
    Metric::gauge("probe_success", "Whether the last run of the check succeeded, 1 or 0, not debounced");
/// blackbox_exporter's duration of the last run.
pub static PROBE_DURATION: Metric =
    Metric::gauge("probe_duration_seconds", "How long the last run of the check took, failed or not");
/// blackbox_exporter's deadline.
pub static PROBE_TIMEOUT: Metric = Metric::gauge("probe_timeout_seconds", "Deadline of a run of the check");

/// All of them.
pub static ALL: &[&Metric] = &[
    &BUILD_INFO,
    &CHECK_INFO,
    &CHECK_UP,
    &CHECK_RUNS,
    &CHECK_FAILURES,
    &CHECK_STATE_SINCE,
    &CHECK_LAST_RUN,
    &SOURCE_UP,
    &READY,
    &CAUSE_ACTIVE,
    &CONNECTIONS_REFUSED,
    &WEB_CONFIG_READ,
    &CONFIG_READ,
    &CONFIG_READ_AT,
    &CONFIG_RELOADS,
    &SILENCED,
    &SILENCE_ENDS,
    &PROBE_SUCCESS,
    &PROBE_DURATION,
    &PROBE_TIMEOUT,
];
