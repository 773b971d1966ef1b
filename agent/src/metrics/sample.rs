//! Hand-made snapshots for tests: one of everything, and the corners.

use crate::causes::{Cause, Change, KINDS, What};
use crate::collectors::{Collected, facts as host};
use crate::probes::{Fault, Note, Outcome, Phase, Reason, facts};
use crate::reading::{Metric, Reading, Type};
use crate::reload::Reloads;
use crate::silence::{self, Silence};
use crate::snapshot::{CheckFacts, CheckState, CheckView, Failure, LastRun, Role, Snapshot, SourceView, Stage};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

static HTTP_PHASES: Metric =
    Metric::gauge("probe_http_duration_seconds", "Duration of the phases of the request").labelled(&["phase"]);
static XACT_COMMIT: Metric = Metric::gauge("pg_stat_database_xact_commit", "Transactions committed")
    .of(Type::BareCounter)
    .labelled(&["datname"]);
static LATENCY: Metric = Metric::gauge("redis_commands_latencies_usec_bucket", "Calls by latency")
    .of(Type::Histogram)
    .labelled(&["cmd", "le"]);
static LATENCY_SUM: Metric =
    Metric::gauge("redis_commands_latencies_usec_sum", "Calls by latency").of(Type::Histogram).labelled(&["cmd"]);
static LATENCY_COUNT: Metric =
    Metric::gauge("redis_commands_latencies_usec_count", "Calls by latency").of(Type::Histogram).labelled(&["cmd"]);
static TLS_INFO: Metric =
    Metric::gauge("probe_tls_version_info", "TLS version in use, always 1").of(Type::Info).labelled(&["version"]);
static CPU: Metric = Metric::counter("process_cpu_seconds_total", "CPU time of this process in seconds");
static RESIDENT: Metric = Metric::gauge("process_resident_memory_bytes", "Resident memory of this process in bytes");
static OPEN_FDS: Metric = Metric::gauge("process_open_fds", "Open file descriptors of this process");
static PEER_THREADS: Metric = Metric::gauge("sidecar_peer_process_threads", "Threads of the peer's process");
static PEER_RESIDENT: Metric =
    Metric::gauge("sidecar_peer_process_resident_memory_bytes", "Resident memory of the peer's process in bytes");
static PEER_FDS: Metric = Metric::gauge("sidecar_peer_process_open_fds", "Open file descriptors of the peer's process");

/// 14 November 2023, 22:13:20 UTC, and so many seconds.
pub(crate) fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

/// The facts of a check with the usual times.
pub(crate) fn facts_of(name: &str, kind: &'static str, target: &str, role: Role) -> CheckFacts {
    CheckFacts {
        name: name.to_owned(),
        kind,
        target: target.to_owned(),
        role,
        peer: false,
        sweep: false,
        depends_on: Vec::new(),
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(5),
        fail_after: 3,
        ok_after: 2,
    }
}

/// A check that has not run.
fn fresh(facts: CheckFacts) -> CheckView {
    CheckView::unmeasured(Arc::new(facts))
}

pub(crate) fn ran(facts: CheckFacts, outcome: Outcome) -> CheckView {
    let state = if outcome.ok() { CheckState::Up } else { CheckState::Down };
    let last = Some(Arc::new(LastRun { at: time(595), outcome }));
    CheckView { state, since: Some(time(100)), last, last_ok_at: Some(time(595)), streak: 40, runs: 40, ..fresh(facts) }
}

fn phases(parts: &[(&'static str, u64)]) -> Vec<Phase> {
    parts.iter().map(|&(name, us)| Phase { name, took: Duration::from_micros(us) }).collect()
}

fn backend() -> CheckView {
    let facts = CheckFacts {
        peer: true,
        depends_on: vec!["database".to_owned()],
        ..facts_of("backend", "http", "http://backend.internal:8000/health", Role::Readiness)
    };
    let outcome = Outcome {
        took: Duration::from_micros(12_400),
        phases: phases(&[("resolve", 900), ("connect", 400), ("processing", 10_600), ("transfer", 500)]),
        readings: vec![
            XACT_COMMIT.with(["app"], 123_456.0),
            LATENCY.with(["get", "1"], 3.0),
            LATENCY_SUM.with(["get"], 7.0),
            LATENCY.with(["get", "+Inf"], 5.0),
            LATENCY_COUNT.with(["get"], 5.0),
            HTTP_PHASES.with(["resolve"], 0.0009),
            HTTP_PHASES.with(["processing"], 0.0106),
            facts::PART_HEALTHY.with(["database"], 1.0),
            facts::PART_RESPONSE_TIME.with(["database"], 0.0013),
            facts::POOL_SIZE.with(["database"], 20.0),
            facts::POOL_IN.with(["database"], 17.0),
            facts::POOL_OUT.with(["database"], 3.0),
            facts::PART_HEALTHY.with(["search"], 1.0),
        ],
        notes: vec![Note { name: "server", text: "uvicorn on 10.1.2.3".to_owned() }],
        ..Outcome::default()
    };
    ran(facts, outcome)
}

fn database() -> CheckView {
    let fault = Fault::new(Reason::Refused, "nothing listens on db.internal:5432 (10.1.2.4)")
        .hint("is `db` started, and does it listen on 5432?");
    let outcome = Outcome {
        took: Duration::from_micros(850),
        phases: phases(&[("resolve", 600), ("connect", 250)]),
        readings: vec![facts::CONNECTIONS_USED_RATIO.is(0.25), XACT_COMMIT.with(["of a dependency"], 123_456.0)],
        fault: Some(fault.clone()),
        ..Outcome::default()
    };
    let failed = |at| Arc::new(Failure { at: time(at), took: Duration::from_micros(850), fault: fault.clone() });
    CheckView {
        failures: Arc::new(BTreeMap::from([(Reason::Refused, 7), (Reason::Timeout, 1)])),
        recent_failures: Arc::new(vec![failed(575), failed(585), failed(595)]),
        streak: 3,
        since: Some(time(595)),
        last_ok_at: Some(time(565)),
        ..ran(facts_of("database", "postgres", "postgres://app@db.internal:5432/app", Role::Readiness), outcome)
    }
}

fn certificate() -> CheckView {
    let outcome = Outcome {
        took: Duration::from_millis(31),
        phases: phases(&[("resolve", 8_000), ("connect", 3_000), ("tls", 20_000)]),
        readings: vec![TLS_INFO.with(["TLS 1.3"], 1.0), facts::CERTIFICATE_EXPIRES_IN_SECONDS.is(1_234_567.5)],
        ..Outcome::default()
    };
    ran(facts_of("public-site", "tls", "tls://www.example.org:443", Role::Observe), outcome)
}

fn sources() -> Vec<SourceView> {
    let source = |name, collected| SourceView { name, at: Some(time(598)), collected: Some(Arc::new(collected)) };
    let peer = vec![
        PEER_THREADS.is(17.0),
        PEER_RESIDENT.is(188_743_680.0),
        PEER_FDS.is(42.0),
        host::CPU_USED_RATIO.with(["peer"], 0.62),
        host::MEMORY_USED_RATIO.with(["peer"], 0.91),
        host::FDS_USED_RATIO.with(["peer"], 0.04),
    ];
    let node = vec![
        host::CPU_USED_RATIO.with(["host"], 0.18),
        host::MEMORY_USED_RATIO.with(["host"], 0.44),
        host::DISK_FREE_RATIO.with(["/"], 0.61),
        host::DISK_FREE_RATIO.with(["/var/lib/data"], 0.08),
    ];
    let own = vec![CPU.is(0.31), RESIDENT.is(4_345_856.0), OPEN_FDS.is(19.0)];
    vec![
        source("host", Collected::Readings(node)),
        source(
            "process",
            Collected::Noted(peer, "pid 4242 (`/opt/api`, uid 1000), the oldest of 3 called `api`".to_owned()),
        ),
        source("itself", Collected::Readings(own)),
        source("cgroup", Collected::Absent("no cgroup named `app_backend` below 10.9.8.7".to_owned())),
        source("volumes", Collected::Failed("cannot read `/data`: permission denied".to_owned())),
        SourceView { name: "late", at: None, collected: None },
    ]
}

/// One of everything: up, down, undecided; sources that are read, absent, failed, not yet read.
pub(crate) fn full() -> Snapshot {
    let undecided = fresh(facts_of("cache", "redis", "redis://cache.internal:6379", Role::Observe));
    Snapshot {
        at: time(600),
        started_at: time(0),
        stage: Stage::Running,
        checks: vec![backend(), database(), certificate(), undecided].into(),
        sources: sources(),
        causes: Arc::default(),
        reloads: Reloads::none(time(0)),
        silence: None,
        changes: Arc::default(),
    }
}

/// A dead database, a half-started backend that needs it, and an address that changed.
pub(crate) fn explained() -> Snapshot {
    let cause = |name: &str, subject: &str, second, evidence: &str, caused_by: Option<&str>| Cause {
        kind: KINDS.iter().find(|kind| kind.name == name).expect("a row"),
        subject: subject.to_owned(),
        evidence: evidence.to_owned(),
        fix: "start `db` on db.internal".to_owned(),
        since: time(second),
        caused_by: caused_by.map(str::to_owned),
        recovering: false,
    };
    let causes = vec![
        cause("half_started", "backend", 580, "it calls unhealthy: db.internal", Some("database")),
        cause("not_listening", "database", 575, "nothing listens on db.internal:5432 (10.1.2.4)", None),
    ];
    let (from, to) = ("10.1.2.3".to_owned(), "10.1.2.4".to_owned());
    let change = Change { at: time(580), what: What::Address, subject: "database".to_owned(), from, to };
    Snapshot { causes: Arc::new(causes), changes: Arc::new(vec![change]), ..full() }
}

/// All is well.
pub(crate) fn healthy() -> Snapshot {
    Snapshot { checks: vec![backend(), certificate()].into(), ..full() }
}

/// In a maintenance window of half an hour.
pub(crate) fn silenced() -> Snapshot {
    let reason = Some("deployment <1.2>".to_owned());
    let silence = Silence { since: time(590), until: time(2390), reason, by: silence::By::Page };
    Snapshot { silence: Some(silence), ..healthy() }
}

/// Only something that is observed is down.
pub(crate) fn degraded() -> Snapshot {
    let mut observed = database();
    observed.facts = Arc::new(CheckFacts { role: Role::Observe, ..(*observed.facts).clone() });
    Snapshot { checks: vec![backend(), observed].into(), ..full() }
}

/// Every check is up, and the peer says that a part of it is not well.
pub(crate) fn part_unhealthy() -> Snapshot {
    let mut peer = backend();
    let mut last = (**peer.last.as_ref().expect("it ran")).clone();
    let search = last.outcome.readings.last_mut().expect("it measured");
    search.value = 0.0;
    peer.last = Some(Arc::new(last));
    Snapshot { checks: vec![peer, certificate()].into(), ..full() }
}

/// The peer itself is dead.
pub(crate) fn dead() -> Snapshot {
    let mut peer = database();
    peer.facts = Arc::new(CheckFacts { role: Role::Liveness, ..(*peer.facts).clone() });
    Snapshot { checks: vec![peer].into(), ..full() }
}

/// The first picture.
pub(crate) fn before_the_first_run() -> Snapshot {
    let check = fresh(facts_of("backend", "http", "http://backend.internal:8000/health", Role::Readiness));
    let source = SourceView { name: "host", at: None, collected: None };
    Snapshot { at: time(0), started_at: time(0), checks: vec![check].into(), sources: vec![source], ..full() }
}

/// Whether the peer lives is not decided yet.
pub(crate) fn liveness_undecided() -> Snapshot {
    let check = fresh(facts_of("backend", "http", "http://backend.internal:8000/health", Role::Liveness));
    Snapshot { checks: vec![check].into(), ..before_the_first_run() }
}

/// So many checks, each with two timeouts.
pub(crate) fn many_checks(count: usize) -> Snapshot {
    let check = |n: usize| {
        let facts = facts_of(&format!("check{n}"), "tcp", "tcp://h:1", Role::Observe);
        let view = ran(facts, Outcome::default());
        CheckView { failures: Arc::new(BTreeMap::from([(Reason::Timeout, 2)])), ..view }
    };
    Snapshot { checks: (0..count).map(check).collect(), ..full() }
}

fn with_readings(readings: Vec<Reading>) -> Snapshot {
    let collected = Some(Arc::new(Collected::Readings(readings)));
    let source = SourceView { name: "host", at: Some(time(0)), collected };
    Snapshot { sources: vec![source], ..before_the_first_run() }
}

/// One reading with this label value.
pub(crate) fn with_label(value: &str) -> Snapshot {
    with_readings(vec![host::DISK_FREE_RATIO.with([value], 0.5)])
}

/// One reading with this value.
pub(crate) fn with_value(value: f64) -> Snapshot {
    with_readings(vec![host::DISK_FREE_RATIO.with(["/"], value)])
}

/// The same series twice.
pub(crate) fn with_duplicate() -> Snapshot {
    with_readings(vec![host::DISK_FREE_RATIO.with(["/"], 0.5), host::DISK_FREE_RATIO.with(["/"], 0.6)])
}
