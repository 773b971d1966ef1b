//! Every row of the table in a picture in which it, and only it, is named; and pictures of health in which none is. A new row wants a case:
//! in [`cases`], or in a list of its own file that [`cases`] takes in.

use super::{Cause, KINDS, Watch};
use crate::metrics::sample::{self, facts_of, ran, time};
use crate::probes::net::classify;
use crate::probes::{Detail, Elsewhere, Fault, Open, Outcome, Reason, facts};
use crate::snapshot::{CheckFacts, CheckState, CheckView, Role, Snapshot};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

mod follow;
mod over_time;
pub(super) mod scene;

/// A picture, and the one cause that is named in it.
pub(super) type Case = (&'static str, Snapshot);

/// The causes of a picture whose checks have all run twice with their last result.
pub(super) fn causes_of(snapshot: &Snapshot) -> Vec<Cause> {
    let mut watch = Watch::default();
    for _ in 0..2 {
        for (index, check) in snapshot.checks.iter().enumerate().filter(|(_, check)| check.last.is_some()) {
            watch.ran(index, check, snapshot.at);
        }
    }
    watch.all(snapshot).to_vec()
}

/// A check that is down with this fault, having worked before.
fn down(name: &str, target: &str, reason: Reason, detail: Option<Detail>) -> CheckView {
    let fault = Fault { detail, ..Fault::new(reason, format!("what was seen at {target}")) };
    let outcome = Outcome { fault: Some(fault), address: Some(IpAddr::from([10, 0, 0, 7])), ..Outcome::default() };
    let usual_address = Some(IpAddr::from([10, 0, 0, 7]));
    let facts = facts_of(name, "http", target, Role::Observe);
    CheckView {
        usual_address,
        streak: 3,
        streak_since: Some(time(570)),
        last_ok_at: Some(time(500)),
        ..ran(facts, outcome)
    }
}

fn picture(checks: Vec<CheckView>) -> Snapshot {
    Snapshot { checks: checks.into(), sources: Vec::new(), ..sample::healthy() }
}

fn exactly(reason: Reason, detail: Detail) -> Snapshot {
    picture(vec![down("db", "postgres://db:5432/app", reason, Some(detail))])
}

fn address() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 7], 5432))
}

fn refused() -> CheckView {
    down("db", "postgres://db:5432/app", Reason::Refused, Some(Detail::NothingListens(address())))
}

fn elsewhere(loopback_only: bool, open: Vec<Open>) -> Snapshot {
    let found = Elsewhere { expected: address(), loopback_only, open };
    picture(vec![CheckView { elsewhere: Some(Arc::new(found)), ..refused() }])
}

fn moved() -> Snapshot {
    let check = down("db", "postgres://db:5432/app", Reason::Unreachable, Some(Detail::NoRoute));
    picture(vec![CheckView { usual_address: Some(IpAddr::from([10, 0, 0, 9])), ..check }])
}

fn certificate_with(seconds: f64) -> Snapshot {
    let outcome = Outcome { readings: vec![facts::CERTIFICATE_EXPIRES_IN_SECONDS.is(seconds)], ..Outcome::default() };
    picture(vec![ran(facts_of("site", "tls", "tls://example.org", Role::Observe), outcome)])
}

fn never_up() -> Snapshot {
    picture(vec![CheckView { last_ok_at: None, usual_address: None, ..refused() }])
}

/// The cases of what checks tell of their connections.
fn connections() -> Vec<Case> {
    use Reason as R;
    let mysql = classify(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0").expect("a greeting");
    vec![
        ("wrong_port", elsewhere(false, vec![Open { port: 5433, spoken: None }])),
        ("wrong_protocol", exactly(R::ProtocolMismatch, Detail::Speaks(mysql))),
        ("loopback_only", elsewhere(true, Vec::new())),
        ("not_listening", picture(vec![refused()])),
        ("host_unreachable", exactly(R::Unreachable, Detail::NoRoute)),
        ("connect_timeout", exactly(R::Timeout, Detail::ConnectTimeout)),
        ("no_answer", exactly(R::Timeout, Detail::NoAnswer)),
        ("slow_answer", exactly(R::Timeout, Detail::TooSlow)),
        ("dns_unknown", exactly(R::Dns, Detail::NameUnknown)),
        ("dns_dead_address", moved()),
        ("tls_handshake", picture(vec![down("site", "https://site/", R::Tls, None)])),
        ("tls_missing", exactly(R::Tls, Detail::TlsMissing)),
        ("tls_unexpected", exactly(R::ProtocolMismatch, Detail::TlsUnexpected)),
        ("certificate_expired", exactly(R::Certificate, Detail::CertificateExpired)),
        ("certificate_not_yet_valid", exactly(R::Certificate, Detail::CertificateNotYetValid)),
        ("certificate_wrong_host", exactly(R::Certificate, Detail::CertificateWrongHost)),
        ("certificate_unknown_issuer", exactly(R::Certificate, Detail::CertificateUnknownIssuer)),
        ("certificate_near_expiry", certificate_with(13.0 * 86_400.0)),
        ("authentication_refused", exactly(R::Auth, Detail::LoginRefused)),
        ("permission_missing", exactly(R::Auth, Detail::PermissionMissing)),
        ("database_missing", exactly(R::Schema, Detail::DatabaseMissing)),
        ("schema_missing", exactly(R::Schema, Detail::TableMissing)),
        ("migration_behind", exactly(R::Schema, Detail::MigrationBehind)),
        ("dependency_not_ready", never_up()),
        ("half_started", sample::part_unhealthy()),
        ("unexpected_status", exactly(R::Status, Detail::Status(500))),
        ("unexpected_answer", picture(vec![down("api", "http://api/", R::Body, None)])),
        ("upstream_down", exactly(R::Status, Detail::UpstreamDown)),
        ("rate_limited", exactly(R::Saturated, Detail::RateLimited)),
        ("config_drift", exactly(R::Stale, Detail::ConfigurationRefused)),
        ("check_misconfigured", picture(vec![down("api", "http://api/", R::Config, None)])),
    ]
}

/// All cases.
fn cases() -> Vec<Case> {
    connections()
}

#[test]
fn every_row_has_a_picture_in_which_it_and_only_it_is_named() {
    let mut shown = BTreeSet::new();
    for (name, snapshot) in cases() {
        let named = causes_of(&snapshot);
        let names: Vec<&str> = named.iter().map(|cause| cause.kind.name).collect();
        assert_eq!(names, [name], "{named:?}");
        assert!(named.iter().all(|cause| !cause.evidence.is_empty() && !cause.fix.is_empty()), "{named:?}");
        shown.insert(name);
    }
    for (name, mut scene) in super::scene_each::each() {
        let named = scene.causes();
        assert_eq!(named.iter().map(|cause| cause.kind.name).collect::<Vec<_>>(), [name], "{named:?}");
        shown.insert(name);
    }
    let all: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(all.len(), KINDS.len(), "two rows have one name");
    assert_eq!(all.difference(&shown).collect::<Vec<_>>(), [&""; 0], "rows without a picture");
}

#[test]
fn nothing_is_named_where_all_is_well_or_nothing_is_known_yet() {
    for snapshot in [
        sample::healthy(),
        sample::before_the_first_run(),
        sample::liveness_undecided(),
        sample::many_checks(3),
        certificate_with(15.0 * 86_400.0),
    ] {
        let named = causes_of(&Snapshot { sources: Vec::new(), ..snapshot });
        assert!(named.is_empty(), "{named:?}");
    }
}

#[test]
fn a_row_is_a_closed_word_and_says_what_it_means_and_what_to_do() {
    for kind in KINDS {
        assert!(kind.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", kind.name);
        assert!(kind.summary.len() > 20 && kind.fix.len() > 10, "{}", kind.name);
    }
    let known: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let planned = ["crash_loop", "pool_starved", "connections_near_limit", "memory_near_limit"];
    for name in super::attribution::lists().filter(|name| !planned.contains(name)) {
        assert!(
            known.contains(name) || name.starts_with("backup_") || name.ends_with("_limit") || name == "clock_off",
            "{name}"
        );
    }
}

/// All that a cause says, whichever page shows it.
fn said(cause: &Cause) -> String {
    // A new field is looked at too, or this does not compile.
    let Cause { kind, subject, evidence, fix, since: _, caused_by, recovering: _ } = cause;
    let super::Kind { name, summary, fix: advice, find: _ } = kind;
    format!("{name} {summary} {advice} {subject} {evidence} {fix} {caused_by:?}")
}

#[test]
fn no_secret_of_a_target_gets_into_any_field_of_a_cause() {
    const CANARY: &str = "c4n4ry-s3cret";
    let secret = |scheme: &str| {
        let url = format!("{scheme}://app:{CANARY}@db:5432/app?password={CANARY}");
        crate::probes::Target::parse(&url).expect("a URL").to_string()
    };
    let mut named = BTreeSet::new();
    for (_, snapshot) in cases() {
        for scheme in ["postgres", "http", "redis"] {
            for never_up in [false, true] {
                let planted = |check: &CheckView| CheckView {
                    facts: Arc::new(CheckFacts { target: secret(scheme), ..(*check.facts).clone() }),
                    last_ok_at: check.last_ok_at.filter(|_| !never_up),
                    ..check.clone()
                };
                let snapshot = Snapshot { checks: snapshot.checks.iter().map(planted).collect(), ..snapshot.clone() };
                for cause in causes_of(&snapshot) {
                    assert!(!said(&cause).contains(CANARY), "{}", said(&cause));
                    named.insert(cause.kind.name);
                }
            }
        }
    }
    assert!(named.len() > 20, "{named:?}");
}
