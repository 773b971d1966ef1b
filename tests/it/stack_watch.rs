//! What the stack's own watchers see: the order of the start, every target of Prometheus, backups, every panel; and what watching costs.

use std::time::Duration;
use tests::grafana::ask::{Exception, complaints};
use tests::http::sample;
use tests::stack::{SERVICES, Stack, docker};
use tests::wait_for;

/// Who waits for whose health.
const ORDER: [(&str, &[&str]); 4] = [
    ("backend", &["db", "redis"]),
    ("frontend", &["backend"]),
    ("nginx", &["backend", "frontend"]),
    ("grafana", &["prometheus"]),
];

/// From what the engine told while the stack started: lines of time, event and service.
pub(crate) fn order(stack: &Stack) {
    let said = stack.events.as_ref().expect("the engine's events").said();
    let first = |event: &str, service: &str| -> u64 {
        let is = |line: &&str| line.contains(&format!(" {event} ")) && line.ends_with(&format!(" {service}"));
        let line = said.lines().find(is).unwrap_or_else(|| panic!("no `{event}` of {service} in:\n{said}"));
        line.split(' ').next().and_then(|time| time.parse().ok()).expect("a time")
    };
    for (service, awaited) in ORDER {
        for one in awaited {
            assert!(first("health_status: healthy", one) < first("start", service), "{service} did not wait for {one}");
        }
    }
    for (service, _) in SERVICES {
        let healthy = first("health_status: healthy", service);
        assert!(first("start", &format!("{service}-sidecar")) < healthy, "the sidecar of {service} waited for it");
    }
}

pub(crate) fn targets(stack: &Stack) {
    let every = "up{job=\"sidecar\"} == 1 and on (service, team) label_replace(up, \"x\", \"\", \"\", \"\")";
    wait_for("every sidecar in Prometheus", Duration::from_secs(60), || {
        let found = stack.query(every).ok()?;
        let has = |(service, team): &(&str, &str)| {
            found.iter().any(|one| one["metric"]["service"] == *service && one["metric"]["team"] == *team)
        };
        (SERVICES.iter().all(has) && found.len() == SERVICES.len()).then_some(())
    });
    wait_for("every other target", Duration::from_secs(60), || {
        let down = stack.query("up == 0").ok()?;
        let jobs = stack.query("count by (job) (up{job!=\"sidecar\"} == 1)").ok()?;
        (down.is_empty() && jobs.len() == 3).then_some(())
    });
    let down = stack.query("sidecar_check_up == 0").expect("an answer");
    let only_backups = down.iter().all(|one| one["metric"]["check"] == "backup");
    assert!(only_backups, "{down:?}");
}

pub(crate) fn backup(stack: &Stack) {
    assert_eq!(stack.check("db", "backup").expect("a check"), "down stale");
    let path = stack.compose(&["run", "--rm", "-T", "backup"]).expect("a backup");
    assert!(path.lines().any(|line| line.starts_with("/backups/postgres/app-") && line.ends_with(".sql.gz")), "{path}");
    wait_for("the sidecar to see the backup", Duration::from_secs(90), || {
        (stack.check("db", "backup").ok()? == "up").then_some(())
    });
    let page = stack.sidecar("db", "/metrics").expect("a page").body;
    assert_eq!(sample(&page, "sidecar_backup_valid{check=\"backup\"}"), Some(1.0));
    assert_eq!(sample(&page, "sidecar_backup_count{check=\"backup\"}"), Some(1.0));
}

/// What all sidecars together may take at rest.
const MEMORY_BYTES: f64 = 60e6;
const CPU_CORES: f64 = 0.01;
const OVER: Duration = Duration::from_secs(30);

pub(crate) fn cost(stack: &Stack) {
    let sum = |series: &str| -> f64 {
        SERVICES.iter().map(|(service, _)| stack.sample(service, series).expect("a sidecar that tells of itself")).sum()
    };
    let began = std::time::Instant::now();
    let before = sum("process_cpu_seconds_total");
    std::thread::sleep(OVER);
    let cores = (sum("process_cpu_seconds_total") - before) / began.elapsed().as_secs_f64();
    let memory = sum("process_resident_memory_bytes");
    let names: Vec<String> = SERVICES.iter().map(|(service, _)| format!("{service}-sidecar")).collect();
    let containers: Vec<String> = names.iter().map(|name| stack.container(name).expect("a container")).collect();
    let mut arguments = vec!["stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"];
    arguments.extend(containers.iter().map(String::as_str));
    println!("{}", docker(&arguments).expect("the engine's figures"));
    println!("{} sidecars: {:.1} MB resident, {:.2} % of a core", SERVICES.len(), memory / 1e6, cores * 100.0);
    assert!(memory < MEMORY_BYTES, "{memory} bytes");
    assert!(cores < CPU_CORES, "{cores} cores");
}

/// Panels that cannot have data in this stack.
const NEVER_HERE: &[(&str, u64, &str)] = &[
    ("datastores", 18, "needs a replica of PostgreSQL"),
    ("datastores", 19, "needs a replica of PostgreSQL"),
    ("datastores", 38, "needs a replica of MySQL"),
    ("datastores", 39, "needs a replica of MySQL"),
];

pub(crate) fn dashboards(stack: &Stack) {
    let exceptions: Vec<Exception> =
        NEVER_HERE.iter().map(|(dashboard, panel, why)| Exception::panel(dashboard, *panel, why)).collect();
    let chosen = [("service", "backend"), ("slo", "99.9")];
    let found = complaints(&stack.prometheus(), &chosen, &exceptions, Duration::from_secs(45));
    assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n"));
}
