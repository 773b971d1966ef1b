//! The database is stopped: its sidecar and that of the API name it, Prometheus fires, Alertmanager pages and mails the right people,
//! keeps quiet what says no more, and tells when it is over.

use crate::stack::Sinks;
use std::time::Duration;
use tests::stack::{Stack, docker};
use tests::wait_for;

/// `for: 1m`, the debouncing before it, a scrape, an evaluation and a group; twice over.
const ALARM: Duration = Duration::from_secs(240);

/// Three failures ten seconds apart, each with up to five seconds of waiting.
const DEBOUNCED: Duration = Duration::from_secs(60);

pub(crate) fn database(stack: &Stack, sinks: &Sinks) {
    let [db, backend, frontend] =
        ["db", "backend", "frontend"].map(|service| stack.container(service).expect("a container"));
    // Warnings about two services of one team: grouped now, one of them silenced later.
    docker(&["restart", &backend, &frontend]).expect("restarted");
    let both =
        ["RCPT TO:<api@example.org>", "warning: PeerRestarted", "backend was restarted", "frontend was restarted"];
    let _mail = wait_for("one mail about both services of the API's team", ALARM, || sinks.smtp.with(&both));
    state_is(stack, "PeerRestarted", "active");
    docker(&["stop", &db]).expect("stopped");
    named(stack);
    told(stack, sinks);
    docker(&["start", &db]).expect("started");
    resolved(stack, sinks);
}

/// What Alertmanager makes of an alert about the API.
fn state_is(stack: &Stack, alert: &str, expected: &str) {
    wait_for(&format!("{alert} of the API to be {expected}"), ALARM, || {
        stack.alert_state(alert, "backend").filter(|state| state == expected)
    });
}

fn named(stack: &Stack) {
    let says = |service: &'static str, check: &'static str| {
        wait_for(&format!("{service}-sidecar to say that {check} is down"), DEBOUNCED, || {
            stack.check(service, check).ok().filter(|said| said.starts_with("down"))
        })
    };
    let (own, seen) = (says("db", "db"), says("backend", "db"));
    for said in [&own, &seen] {
        assert!(["down dns", "down refused", "down unreachable", "down timeout"].contains(&said.as_str()), "{said}");
    }
    let _peer = says("backend", "backend");
    assert_eq!(stack.sidecar("backend", "/ready").expect("a page").status, 503);
    assert_eq!(stack.sidecar("redis", "/ready").expect("a page").status, 200, "nobody else is dragged along");
    assert_eq!(stack.check("backend", "redis").expect("a check"), "up");
}

fn told(stack: &Stack, sinks: &Sinks) {
    wait_for("DatabaseDown to fire", ALARM, || stack.fires("DatabaseDown", "db").then_some(()));
    let page = ["POST /pager", "\"event_action\":\"trigger\"", "DatabaseDown"];
    let page = wait_for("a page", ALARM, || sinks.http.with(&page));
    for part in ["key-of-the-test", "\"severity\":\"critical\"", "\"group\":\"database\"", "\"component\":\"db\""] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let mail = ["RCPT TO:<database@example.org>", "critical: DatabaseDown (db)"];
    let mail = wait_for("a mail to the database's team", ALARM, || sinks.smtp.with(&mail));
    assert!(mail.replace("=\n", "").contains("user/DatabaseDown.md"), "{mail}");
    let _api = wait_for("a page to the API's team", ALARM, || {
        sinks.http.with(&["POST /pager", "\"event_action\":\"trigger\"", "APIDown", "\"group\":\"api\""])
    });
    // That it was restarted is no news beside it.
    state_is(stack, "APIDown", "active");
    state_is(stack, "PeerRestarted", "suppressed");
    assert_eq!(stack.alert_state("DatabaseDown", "db").as_deref(), Some("active"));
    assert_eq!(sinks.http.with(&["PeerRestarted"]), None, "a warning pages nobody");
    let pages = sinks.http.arrived();
    let triggers = pages.iter().filter(|page| page.contains("DatabaseDown") && page.contains("trigger"));
    assert_eq!(triggers.count(), 1, "paged once: {pages:?}");
}

fn resolved(stack: &Stack, sinks: &Sinks) {
    wait_for("the sidecars to see it again", DEBOUNCED, || {
        let up = |service, check| stack.check(service, check).is_ok_and(|said| said == "up");
        (up("db", "db") && up("backend", "db") && up("backend", "backend")).then_some(())
    });
    let _page = wait_for("the page to be closed", ALARM, || {
        sinks.http.with(&["POST /pager", "\"event_action\":\"resolve\"", "DatabaseDown"])
    });
    let _mail = wait_for("a mail that it is over", ALARM, || sinks.smtp.with(&["[RESOLVED]", "DatabaseDown (db)"]));
    assert!(!stack.fires("DatabaseDown", "db"));
}
