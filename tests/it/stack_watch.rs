//! What the stack's own watchers see: the order of the start, every target of Prometheus, backups, every panel; and what watching costs.

use std::time::Duration;
use tests::grafana::ask::complaints;
use tests::http::sample;
use tests::stack::{SERVICES, Stack, docker};
use tests::{tell, wait_for};

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
    let restricted = stack.sidecar("db", "/diagnostics").expect("a page");
    assert_eq!(restricted.status, 403, "nobody but the container itself: {}", restricted.body);
    let down = stack.query("sidecar_check_up == 0").expect("an answer");
    let only_backups = down.iter().all(|one| one["metric"]["check"] == "backup");
    assert!(only_backups, "{down:?}");
}

pub(crate) fn backup(stack: &Stack) {
    backup_of(stack, "postgres");
}

pub(crate) fn backup_of(stack: &Stack, engine: &str) {
    assert_eq!(stack.check("db", "backup").expect("a check"), "down stale");
    for _one in 0..2 {
        let path = stack.compose(&["run", "--rm", "-T", "backup"]).expect("a backup");
        let is = |line: &str| line.starts_with(&format!("/backups/{engine}/app-")) && line.ends_with(".sql.gz");
        assert!(path.lines().any(is), "{path}");
    }
    wait_for("the sidecar to see the backup", Duration::from_secs(90), || {
        (stack.check("db", "backup").ok()? == "up").then_some(())
    });
    let page = stack.sidecar("db", "/metrics").expect("a page").body;
    assert_eq!(sample(&page, "sidecar_backup_valid{check=\"backup\"}"), Some(1.0));
    assert_eq!(sample(&page, "sidecar_backup_count{check=\"backup\"}"), Some(2.0));
}

/// What all sidecars together may take at rest. Their processor time is told and not judged: it is a figure of the machine too.
const MEMORY_BYTES: f64 = 60e6;
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
    tell(&docker(&arguments).expect("the engine's figures"));
    tell(&format!("{} sidecars: {:.1} MB resident, {:.2} % of a core", SERVICES.len(), memory / 1e6, cores * 100.0));
    assert!(memory < MEMORY_BYTES, "{memory} bytes");
}

/// Panels that cannot have data in this stack, with the reason.
const NEVER_HERE: &[(&str, &[u64], &str)] = &[
    ("datastores", &[5, 18, 19, 38, 39, 57, 58], "no replica runs here"),
    ("datastores", &[31, 32, 33, 34, 35, 36, 37, 40], "the database is PostgreSQL"),
    ("loadtest", &[51, 52, 53, 54, 55, 56], "no load tester runs beside this claim"),
    ("service", &[26, 37], "no sidecar shares its peer's PID namespace"),
];

/// Panels that have data on some machines only.
const NOT_EVERYWHERE: &[(&str, &[u64], &str)] = &[("service", &[36], "needs cgroup v2"), ("host", &[15], "needs swap")];

/// What has no series when all is well: the number of checks that are down, and causes.
const ALL_WELL: [&str; 2] = ["fleet panel 10 `Sidecars`, query D: ", "fleet panel 13 `Causes`, query A: "];

/// The dashboard of a service is asked for the API, the database and the edge: each panel is about one of them at least.
const SHOWN: [&str; 3] = ["backend", "db", "nginx"];

/// Queries without data for any of these services.
fn silent(stack: &Stack) -> Vec<String> {
    let ask =
        |service: &str| complaints(&stack.prometheus(), &[("service", service), ("slo", "99.9")], &[], Duration::ZERO);
    let mut found = ask(SHOWN[0]);
    for service in &SHOWN[1..] {
        let others = ask(service);
        found.retain(|one| others.contains(one));
    }
    found
}

pub(crate) fn dashboards(stack: &Stack) {
    let of = |complaint: &str, list: &[(&str, &[u64], &str)]| {
        let is = |name: &str, panel: u64| complaint.starts_with(&format!("{name} panel {panel} "));
        list.iter().any(|(name, panels, _)| panels.iter().any(|panel| is(name, *panel)))
    };
    let began = std::time::Instant::now();
    let mut found = silent(stack);
    let unexpected = |found: &[String]| -> Vec<String> {
        let expected = |one: &str| {
            of(one, NEVER_HERE) || of(one, NOT_EVERYWHERE) || ALL_WELL.iter().any(|quiet| one.starts_with(quiet))
        };
        found.iter().filter(|one| !expected(one)).cloned().collect()
    };
    while !unexpected(&found).is_empty() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_secs(2));
        found = silent(stack);
    }
    let unexpected = unexpected(&found);
    assert!(unexpected.is_empty(), "{} queries without data:\n{}", unexpected.len(), unexpected.join("\n"));
    for (name, panels, why) in NEVER_HERE {
        for panel in *panels {
            let silent = found.iter().any(|one| one.starts_with(&format!("{name} panel {panel} ")));
            assert!(silent, "{name} panel {panel} has data, so it is no exception ({why})");
        }
    }
}
