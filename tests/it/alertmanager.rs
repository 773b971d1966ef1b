//! Alertmanager's configuration: amtool accepts it in every form that `start` makes of it, every severity and team ends where it should,
//! and a real Alertmanager tells a pager, a mailbox and a dead man's switch, and keeps quiet what a louder alert says.

use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use tests::program::finish_command;
use tests::repo::root;
use tests::servers::alertmanager::{Alertmanager, Start};
use tests::servers::installed;
use tests::sinks::Sink;
use tests::{skipped, wait_for};

const SECRETS: [&str; 3] = ["pagerduty_routing_key", "slack_webhook_url", "smtp_password"];

fn accepted(path: &std::path::Path) {
    let ended = finish_command(Command::new("amtool").arg("check-config").arg(path));
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn amtool_accepts_the_file_as_it_stands_and_whatever_is_made_of_it() {
    if let Err(why) = installed("amtool") {
        return skipped("amtool_accepts_the_file_as_it_stands_and_whatever_is_made_of_it", &why);
    }
    accepted(&root().join("docker/alertmanager/alertmanager.yml"));
    for chosen in 0..1_u8 << SECRETS.len() {
        let given = SECRETS.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0);
        let given: Vec<_> = given.map(|(_, name)| (*name, "https://example.org/x\n")).collect();
        let start = Start::new(&[("ALERT_DEADMAN_URL", "http://switch/a?b=1&c=2")], &given).expect("a folder");
        let made = start.render();
        assert_eq!((made.code, made.stderr.as_str()), (0, ""));
        assert!(made.stdout.contains("url: 'http://switch/a?b=1&c=2'\n"), "{}", made.stdout);
        for name in SECRETS {
            let named = made.stdout.contains(&format!("/secrets/{name}\n"));
            assert_eq!(named, given.iter().any(|(given, _)| *given == name), "{name} with {given:?}");
        }
        let path = start.folder().join("made.yml");
        std::fs::write(&path, made.stdout).expect("written");
        accepted(&path);
    }
}

#[test]
fn variables_replace_values_and_nothing_else() {
    let plain = Start::new(&[], &[]).expect("a folder").render().stdout;
    assert!(
        plain.contains("smtp_require_tls: true\n") && plain.contains("smtp_smarthost: 'localhost:25'\n"),
        "{plain}"
    );
    let marked = plain.lines().find(|line| !line.trim_start().starts_with('#') && line.contains(" # "));
    assert_eq!((plain.contains("webhook_configs"), marked), (false, None), "{plain}");
    let environment = [
        ("ALERT_SMTP_SMARTHOST", "mail.example.org:587"),
        ("ALERT_SMTP_REQUIRE_TLS", "false"),
        ("ALERT_EMAIL_API", "o'brien&co@example.org"),
    ];
    let set = Start::new(&environment, &[("pagerduty_routing_key", " \n")]).expect("a folder").render().stdout;
    let changed: Vec<_> =
        plain.lines().zip(set.lines()).filter(|(old, new)| old != new).map(|(_, new)| new.trim()).collect();
    let expected =
        ["smtp_smarthost: 'mail.example.org:587'", "smtp_require_tls: false", "- to: 'o''brien&co@example.org'"];
    assert_eq!(changed, expected, "a blank secret is none");
    assert_eq!(plain.lines().count(), set.lines().count());
}

#[test]
fn a_missing_template_is_told_with_its_place() {
    let start = Start::new(&[], &[]).expect("a folder");
    std::fs::remove_file(start.folder().join("alertmanager.yml")).expect("removed");
    let ended = start.render();
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.starts_with("error: the template of the configuration cannot be read\n  at "),
        "{}",
        ended.stderr
    );
}

/// Labels and the receiver that they lead to.
const ROUTES: [(&[&str], &str); 13] = [
    (&["severity=critical", "team=database"], "database-critical"),
    (&["severity=critical", "team=api"], "api-critical"),
    (&["severity=critical", "team=platform"], "platform-critical"),
    (&["severity=critical"], "platform-critical"),
    (&["severity=warning", "team=database"], "database-email"),
    (&["severity=warning", "team=api"], "api-email"),
    (&["severity=warning", "team=platform"], "platform-email"),
    (&["severity=warning"], "platform-email"),
    (&["team=database"], "database-email"),
    (&["severity=info", "team=database"], "nobody"),
    (&["severity=info", "team=api"], "nobody"),
    (&["severity=info", "team=platform"], "nobody"),
    (&["alertname=Watchdog", "severity=info", "team=platform"], "deadman"),
];

#[test]
fn every_severity_and_team_is_told_to_the_right_people() {
    if let Err(why) = installed("amtool") {
        return skipped("every_severity_and_team_is_told_to_the_right_people", &why);
    }
    let config = root().join("docker/alertmanager/alertmanager.yml");
    for (labels, receiver) in ROUTES {
        let mut command = Command::new("amtool");
        command.args(["config", "routes", "test", "--config.file"]).arg(&config);
        let ended = finish_command(command.arg(format!("--verify.receivers={receiver}")).args(labels));
        assert_eq!(ended.code, 0, "{labels:?} should lead to {receiver}: {}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.stdout.trim(), receiver, "{labels:?}");
    }
}

#[test]
fn groups_wait_half_a_minute_and_alerts_are_repeated_every_three_hours() {
    let config = tests::rules::yaml(&tests::repo::read(&root().join("docker/alertmanager/alertmanager.yml")));
    let route = &config["route"];
    assert_eq!((route["group_wait"].as_str(), route["repeat_interval"].as_str()), (Some("30s"), Some("3h")));
    for receiver in tests::rules::list(&config, "/receivers") {
        let name = receiver["name"].as_str().unwrap_or_default();
        let told = |kind: &str| receiver[kind].as_array().is_some_and(|ways| !ways.is_empty());
        let pages = told("pagerduty_configs");
        assert_eq!(pages, name.ends_with("-critical"), "{name}");
        assert_eq!(told("email_configs"), pages || name.ends_with("-email"), "{name}");
    }
}

/// An alert as Prometheus sends it.
fn alert(name: &str, severity: &str, team: &str, service: &str) -> Value {
    let annotations = json!({
        "summary": format!("{name} of {service}"), "description": "In words.",
        "runbook_url": format!("http://localhost:9090/user/{name}.md"), "dashboard": "/d/service?viewPanel=5",
    });
    let labels =
        json!({"alertname": name, "severity": severity, "team": team, "service": service, "dependency": service});
    json!({"labels": labels, "annotations": annotations})
}

struct Sinks {
    http: Sink,
    smtp: Sink,
    alertmanager: Alertmanager,
}

/// Alertmanager with short times, both sinks beside it.
fn with_sinks() -> Result<Sinks, String> {
    installed("prometheus-alertmanager")?;
    let http = Sink::http().map_err(|error| error.to_string())?;
    let smtp = Sink::smtp().map_err(|error| error.to_string())?;
    let environment = [
        ("ALERT_SMTP_SMARTHOST", smtp.address.to_string()),
        ("ALERT_SMTP_REQUIRE_TLS", "false".to_owned()),
        ("ALERT_PAGERDUTY_URL", format!("http://{}/pager", http.address)),
        ("ALERT_DEADMAN_URL", format!("http://{}/switch", http.address)),
        ("ALERT_EMAIL_DATABASE", "database@example.org".to_owned()),
        ("ALERT_EMAIL_API", "api@example.org".to_owned()),
    ];
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let start =
        Start::new(&environment, &[("pagerduty_routing_key", "key-of-the-test")]).map_err(|error| error.to_string())?;
    for (from, to) in [("group_wait: 30s", "group_wait: 2s"), ("group_interval: 5m", "group_interval: 1s")] {
        start.edit(from, to).map_err(|error| error.to_string())?;
    }
    Ok(Sinks { http, smtp, alertmanager: Alertmanager::start(start)? })
}

#[test]
fn a_real_alertmanager_pages_mails_groups_inhibits_resolves_and_feeds_the_switch() {
    let sinks = match with_sinks() {
        Ok(sinks) => sinks,
        Err(why) => {
            return skipped("a_real_alertmanager_pages_mails_groups_inhibits_resolves_and_feeds_the_switch", &why);
        }
    };
    let (http, smtp) = (&sinks.http, &sinks.smtp);
    let mut down = alert("DatabaseDown", "critical", "database", "db");
    sinks
        .alertmanager
        .send(&json!([
            down,
            alert("Watchdog", "info", "platform", "prometheus"),
            alert("SidecarDown", "warning", "database", "db"),
            alert("DependencyDown", "warning", "api", "db"),
            alert("CertificateExpiresSoon", "warning", "database", "db"),
            alert("PeerRestarted", "warning", "api", "backend"),
            alert("PeerRestarted", "warning", "api", "frontend"),
            alert("SidecarSilenced", "info", "platform", "grafana"),
            alert("ServiceDown", "critical", "platform", "grafana"),
            alert("SidecarDown", "warning", "api", "grafana"),
        ]))
        .expect("taken");
    let patience = Duration::from_secs(30);
    let page = wait_for("a page", patience, || http.with(&["POST /pager", "DatabaseDown"]));
    for part in ["key-of-the-test", "\"severity\":\"critical\"", "\"group\":\"database\"", "\"component\":\"db\""] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let mail =
        wait_for("a mail", patience, || smtp.with(&["RCPT TO:<database@example.org>", "critical: DatabaseDown (db)"]));
    for part in ["DatabaseDown of db", "user/DatabaseDown.md", "localhost:3001/d/service?viewPanel"] {
        assert!(mail.replace("=\n", "").replace("=3D", "=").contains(part), "{part} in {mail}");
    }
    let _switch = wait_for("the switch", patience, || http.with(&["POST /switch", "Watchdog"]));
    let both = ["RCPT TO:<api@example.org>", "PeerRestarted of backend", "PeerRestarted of frontend"];
    let _grouped = wait_for("one mail about both services", patience, || smtp.with(&both));
    let _morning =
        wait_for("what may wait is not inhibited", patience, || smtp.with(&["CertificateExpiresSoon of db"]));
    for quiet in ["SidecarDown of db", "DependencyDown of db"] {
        assert_eq!(smtp.with(&[quiet]), None, "it is inhibited by DatabaseDown");
    }
    assert_eq!(http.with(&["PeerRestarted"]), None, "a warning pages nobody");
    let _blind = wait_for("whose sidecar is gone is told", patience, || smtp.with(&["SidecarDown of grafana"]));
    assert_eq!(http.with(&["POST /pager", "ServiceDown"]), None, "its service is silenced");
    down["endsAt"] = json!("2020-01-01T00:00:00Z");
    down["startsAt"] = json!("2019-12-31T00:00:00Z");
    sinks.alertmanager.send(&json!([down])).expect("taken");
    let _resolved = wait_for("it is over", patience, || smtp.with(&["RESOLVED", "DatabaseDown of db"]));
    let _closed =
        wait_for("the page is closed", patience, || http.with(&["POST /pager", "\"event_action\":\"resolve\""]));
    let _loud = wait_for("what was inhibited is told now", patience, || smtp.with(&["SidecarDown of db"]));
}
