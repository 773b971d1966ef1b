//! What follows from what.

use super::*;

fn named(snapshot: &Snapshot) -> Vec<String> {
    let told = |cause: &Cause| match &cause.caused_by {
        Some(by) => format!("{} {} ← {by}", cause.subject, cause.kind.name),
        None => format!("{} {}", cause.subject, cause.kind.name),
    };
    causes_of(snapshot).iter().map(told).collect()
}

fn with(check: CheckView, change: impl FnOnce(&mut CheckFacts)) -> CheckView {
    let mut facts = (*check.facts).clone();
    change(&mut facts);
    CheckView { facts: Arc::new(facts), ..check }
}

fn status(name: &str, depends_on: &[&str]) -> CheckView {
    let check = down(name, &format!("http://{name}:80/"), Reason::Status, Some(Detail::Status(500)));
    with(check, |facts| facts.depends_on = depends_on.iter().map(|name| (*name).to_owned()).collect())
}

fn works(name: &str, depends_on: &[&str]) -> CheckView {
    let facts = facts_of(name, "http", &format!("http://{name}:80/"), Role::Observe);
    with(ran(facts, Outcome::default()), |facts| {
        facts.depends_on = depends_on.iter().map(|name| (*name).to_owned()).collect();
    })
}

#[test]
fn a_broken_database_is_the_one_root_of_a_whole_chain() {
    let checks = vec![status("web", &["api"]), status("api", &["db"]), refused()];
    assert_eq!(
        named(&picture(checks)),
        ["web unexpected_status ← db", "api unexpected_status ← db", "db not_listening"]
    );
}

#[test]
fn a_chain_goes_through_what_works() {
    let checks = vec![status("web", &["api"]), works("api", &["db"]), refused()];
    assert_eq!(named(&picture(checks)), ["web unexpected_status ← db", "db not_listening"]);
}

#[test]
fn the_peer_depends_on_the_other_checks_and_those_of_its_own_host_on_it() {
    let peer = with(status("api", &[]), |facts| facts.peer = true);
    assert_eq!(named(&picture(vec![peer, refused()])), ["api unexpected_status ← db", "db not_listening"]);
    let nobody = |name, target| down(name, target, Reason::Dns, Some(Detail::NameUnknown));
    let peer = with(nobody("api", "http://api:8000/"), |facts| facts.peer = true);
    let metrics = nobody("api-metrics", "http://api:9100/metrics");
    assert_eq!(named(&picture(vec![metrics, peer])), ["api-metrics dns_unknown ← api", "api dns_unknown"]);
}

#[test]
fn on_loopback_a_database_is_not_the_peer_and_the_peers_metrics_are() {
    let at = |name, target| {
        down(name, target, Reason::Refused, Some(Detail::NothingListens("127.0.0.1:1".parse().unwrap())))
    };
    let peer = with(down("api", "http://127.0.0.1:8000/", Reason::Status, Some(Detail::Status(500))), |facts| {
        facts.peer = true
    });
    let db = with(at("db", "postgres://127.0.0.1:5432/"), |facts| facts.kind = "postgres");
    let told = named(&picture(vec![peer, db]));
    assert_eq!(told[0], "api unexpected_status ← db");
    assert!(!told[1].contains('←'), "{told:?}");
    let peer = with(at("api", "http://127.0.0.1:8000/"), |facts| facts.peer = true);
    let metrics = at("metrics", "http://127.0.0.1:9100/");
    assert!(named(&picture(vec![metrics, peer]))[0].ends_with("← api"));
}

#[test]
fn what_a_dependency_cannot_cause_stands_alone() {
    let expired = down("web", "https://web/", Reason::Certificate, Some(Detail::CertificateExpired));
    let web = with(expired, |facts| facts.depends_on = vec!["db".to_owned()]);
    assert_eq!(named(&picture(vec![web, refused()])), ["web certificate_expired", "db not_listening"]);
    let backup = down("db", "postgres://db:5432/", Reason::Stale, Some(Detail::ConfigurationRefused));
    let harmless = picture(vec![status("api", &["db"]), backup]);
    assert_eq!(named(&harmless), ["api unexpected_status", "db config_drift"]);
}

#[test]
fn what_began_long_before_its_dependency_failed_does_not_follow_from_it() {
    let early = CheckView { streak_since: Some(time(10)), ..status("api", &["db"]) };
    assert_eq!(named(&picture(vec![early, refused()])), ["api unexpected_status", "db not_listening"]);
}

#[test]
fn a_part_on_the_services_own_page_points_to_the_check_of_its_name() {
    let mut api = works("api", &[]);
    let readings = vec![facts::PART_HEALTHY.with(["db"], 0.0)];
    let last = crate::snapshot::LastRun { at: time(595), outcome: Outcome { readings, ..Outcome::default() } };
    api.last = Some(Arc::new(last));
    assert_eq!(named(&picture(vec![api, refused()])), ["api half_started ← db", "db not_listening"]);
}

#[test]
fn two_checks_of_one_address_have_one_root() {
    let tcp = with(refused(), |facts| facts.name = "db-port".to_owned());
    assert_eq!(named(&picture(vec![refused(), tcp])), ["db not_listening", "db-port not_listening ← db"]);
}

#[test]
fn a_circle_ends_at_whoever_stands_first() {
    let checks = vec![status("a", &["b"]), status("b", &["c"]), status("c", &["a"])];
    assert_eq!(named(&picture(checks)), ["a unexpected_status", "b unexpected_status ← a", "c unexpected_status ← a"]);
}
