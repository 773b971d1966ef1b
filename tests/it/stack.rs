//! The whole stack end to end, as `docker/up` brings it up with local bases: one stack for all claims, each of which says what a user
//! relies on. The claims are in `stack_*.rs`; here is their order, for some need what an earlier one did.

use crate::{stack_load, stack_outage, stack_restarts, stack_stop, stack_wait, stack_watch};
use std::time::{Duration, Instant};
use tests::program::Finished;
use tests::sinks::Sink;
use tests::stack::claims::Claims;
use tests::stack::{SERVICES, Stack, bridge};
use tests::{skipped, tell};

/// Where the stack's notifications end.
pub(crate) struct Sinks {
    pub(crate) http: Sink,
    pub(crate) smtp: Sink,
}

impl Sinks {
    fn start() -> Result<Self, String> {
        let address = bridge()?;
        let said = |error: std::io::Error| format!("{address} is not an address of this machine: {error}");
        Ok(Self { http: Sink::http_on(address).map_err(said)?, smtp: Sink::smtp_on(address).map_err(said)? })
    }
}

/// The files as they ship, but for the times that a test would spend waiting: Prometheus looks every 5 s, Alertmanager does not wait to
/// group. The rules, with their durations, are untouched.
fn prepared(sinks: &Sinks) -> Result<Stack, String> {
    let pager = format!("http://{}/pager", sinks.http.address);
    let mails = sinks.smtp.address.to_string();
    let settings = [
        ("FAULTS", "1"),
        ("ALERT_SMTP_SMARTHOST", mails.as_str()),
        ("ALERT_SMTP_REQUIRE_TLS", "false"),
        ("ALERT_PAGERDUTY_URL", pager.as_str()),
        ("ALERT_EMAIL_DATABASE", "database@example.org"),
        ("ALERT_EMAIL_API", "api@example.org"),
        ("ALERT_EMAIL_PLATFORM", "platform@example.org"),
    ];
    let stack = Stack::copy("stack", &settings)?;
    stack.secret("pagerduty_routing_key", "key-of-the-test")?;
    let prometheus = "docker/prometheus/prometheus.yml";
    stack.edit(prometheus, "scrape_interval: 15s", "scrape_interval: 5s")?;
    stack.edit(prometheus, "scrape_timeout: 10s", "scrape_timeout: 5s")?;
    stack.edit(prometheus, "evaluation_interval: 15s", "evaluation_interval: 5s")?;
    stack.edit("docker/alertmanager/alertmanager.yml", "group_wait: 30s", "group_wait: 5s")?;
    stack.edit("docker/alertmanager/alertmanager.yml", "group_interval: 5m", "group_interval: 5s")?;
    Ok(stack)
}

#[test]
fn the_whole_stack_keeps_what_it_promises() {
    let test = "the_whole_stack_keeps_what_it_promises";
    if let Some(why) = Stack::impossible() {
        return skipped(test, &why);
    }
    let sinks = match Sinks::start() {
        Ok(sinks) => sinks,
        Err(why) => return skipped(test, &why),
    };
    let mut stack = prepared(&sinks).expect("a copy of the stack");
    let mut claims = Claims::default();
    let up = claims
        .hold("docker/up ends with a table in which every service is healthy and its sidecar ready", || up(&mut stack));
    if up.is_some() {
        hold(&mut claims, &stack, &sinks);
    }
    claims.hold("docker/down --volumes leaves nothing", || stack.down().expect("nothing left"));
    claims.hold("with MySQL in PostgreSQL's place it comes up, is watched and backed up the same way", mysql);
    claims.judge();
}

fn mysql() {
    let mut stack = Stack::copy("mysql", &[]).expect("a copy of the stack");
    let ended = stack.up(&["--mysql"]);
    tell(&ended.stdout);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(stack.check("db", "db").expect("a check"), "up");
    let page = stack.sidecar("db", "/metrics").expect("a page").body;
    assert!(
        page.contains("sidecar_check_info{check=\"db\",kind=\"mysql\",role=\"readiness\",peer=\"true\"} 1"),
        "{page}"
    );
    assert!(page.contains("sidecar_database_connections_max{check=\"db\"} 100"), "{page}");
    let health =
        tests::http::get(&format!("http://{}:8000/health", stack.address("backend", "app").expect("an address")));
    assert_eq!(health.expect("an answer").status, 200);
    stack_watch::backup_of(&stack, "mysql");
}

fn hold(claims: &mut Claims, stack: &Stack, sinks: &Sinks) {
    claims.hold("services start in the order of health, and no sidecar waits", || stack_watch::order(stack));
    claims.hold("Prometheus reaches every sidecar and every service that it scrapes", || stack_watch::targets(stack));
    claims.hold("a backup is written, and the sidecar of the database turns up on it", || stack_watch::backup(stack));
    claims.hold("all sidecars together stay within 60 MB", || stack_watch::cost(stack));
    claims.hold("one address is held to the rate limit", || stack_load::one_address_is_limited(stack));
    claims
        .hold("200 users through the edge get a GO, with the rate limits on", || stack_load::two_hundred_users(stack));
    claims.hold("an outage of the database is named, told to the right people once, and resolved", || {
        stack_outage::database(stack, sinks);
    });
    claims.hold("every panel of the dashboards has data", || stack_watch::dashboards(stack));
    claims.hold("a service out of memory is restarted, counted and alerted", || stack_restarts::out_of_memory(stack));
    claims.hold("a crash loop is counted and alerted", || stack_restarts::crash_loop(stack));
    claims.hold("restart, stop and start, and re-creation leave every sidecar seeing", || {
        stack_restarts::all_ways(stack)
    });
    claims.hold("a service that waits starts when its dependency is there", || stack_wait::starts_when_ready(stack));
    claims.hold("everything stops in order within its budget", || stack_stop::gracefully(stack));
}

/// The longest that a start may take, images built already.
const UP: Duration = Duration::from_secs(240);

fn up(stack: &mut Stack) -> Finished {
    let began = Instant::now();
    let ended = stack.up(&["--monitoring", "--loadtest"]);
    tell(&ended.stdout);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for (service, _) in SERVICES {
        let line = ended.stdout.lines().find(|line| line.starts_with(&format!("{service} ")));
        let line = line.unwrap_or_else(|| panic!("no line of {service}: {}", ended.stdout));
        assert!(line.contains(" healthy ") && !line.contains("restarts"), "{line}");
        // There is no backup yet, and the sidecar says so without holding the service back.
        let expected = if service == "db" { "ready, but: backup is down (stale)" } else { "all well (" };
        assert!(line.contains(expected), "{line}");
    }
    assert!(began.elapsed() < UP, "it took {:?}", began.elapsed());
    ended
}
