//! The rule files: Prometheus' own tools accept them, every rule is tested both ways and at its edge, every alert can be looked up, and
//! no rule waits for a series that nobody exports.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use tests::program::finish_command;
use tests::repo::{files, read, root, shown};
use tests::rules::{Rule, TestGroup, list, metrics, rule_files, rules, test_groups, text};
use tests::servers::installed;
use tests::skipped;

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

fn alerts() -> Vec<(String, Rule)> {
    rules().into_iter().filter_map(|rule| rule.alert.clone().map(|name| (name, rule))).collect()
}

#[test]
fn promtool_accepts_the_rules() {
    if let Err(why) = installed("promtool") {
        return skipped("promtool_accepts_the_rules", &why);
    }
    let ended = finish_command(Command::new("promtool").args(["check", "rules"]).args(rule_files()));
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.matches("SUCCESS").count(), rule_files().len(), "{}", ended.stdout);
}

#[test]
fn the_promtool_tests_pass() {
    if let Err(why) = installed("promtool") {
        return skipped("the_promtool_tests_pass", &why);
    }
    let tests = files("dashboards/rules/tests", ".yml");
    let ended = finish_command(Command::new("promtool").args(["test", "rules"]).args(&tests));
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.matches("SUCCESS").count(), tests.len(), "{}", ended.stdout);
}

/// Expected alerts of a group for one alert name, one entry for each moment.
fn expected<'a>(group: &'a TestGroup, alert: &str) -> Vec<Vec<&'a serde_json::Value>> {
    let about = list(&group.yaml, "/alert_rule_test").filter(|case| text(case, "/alertname") == alert);
    about.map(|case| list(case, "/exp_alerts").collect()).collect()
}

/// What a group of this kind must hold to deserve its name.
fn deserves(kind: &str, group: &TestGroup, alert: &str) -> bool {
    let moments = expected(group, alert);
    let fires = moments.iter().any(|alerts| !alerts.is_empty());
    let quiet = moments.iter().any(Vec::is_empty);
    let values: String = list(&group.yaml, "/input_series").map(|series| text(series, "/values") + "\n").collect();
    match kind {
        "firing" => fires,
        "not firing" => quiet && !fires && !values.is_empty(),
        "edge" => quiet,
        // A lost scrape leaves stale markers, and 0 as the one sample of `up`.
        "lost scrape" if alert == "SidecarDown" => quiet && !fires && values.contains("1x20 0 1x20"),
        "lost scrape" => fires && !quiet && values.contains("stale") || kind_with_pending(group, fires, &values),
        _ => false,
    }
}

/// A scrape lost before the alert fires: it is quiet at first.
fn kind_with_pending(group: &TestGroup, fires: bool, values: &str) -> bool {
    fires && values.contains("stale") && text(&group.yaml, "/name").contains("(while pending)")
}

const KINDS: [&str; 4] = ["firing", "not firing", "edge", "lost scrape"];

#[test]
fn every_alert_is_tested_firing_quiet_at_its_edge_and_with_a_lost_scrape() {
    let groups = test_groups();
    let mut found = Vec::new();
    for name in alerts().into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>() {
        // The Watchdog looks at no series: it cannot be quiet, and no scrape can be lost.
        let kinds = if name == "Watchdog" { &KINDS[..1] } else { &KINDS[..] };
        for kind in kinds {
            let has = |group: &&TestGroup| group.subject == name && group.kind == *kind;
            let mut of_kind = groups.iter().filter(has).peekable();
            if of_kind.peek().is_none() {
                found.push(format!("{name}: no test group `{name}: {kind}`"));
            }
            let lying = of_kind.filter(|group| !deserves(kind, group, &name));
            found.extend(
                lying.map(|group| format!("{}: `{}` does not show it", group.file, text(&group.yaml, "/name"))),
            );
        }
    }
    let rules = rules();
    for group in &groups {
        let known = rules.iter().any(|rule| rule.alert.as_ref() == Some(&group.subject));
        let recorded = group.kind == "recorded" && list(&group.yaml, "/promql_expr_test").next().is_some();
        if !(recorded || known && KINDS.contains(&group.kind.as_str())) {
            found.push(format!(
                "{}: `{}` is about no rule, or of no known kind",
                group.file,
                text(&group.yaml, "/name")
            ));
        }
    }
    none("gaps in the tests of the rules", &found);
}

#[test]
fn two_rules_of_one_name_are_both_seen_firing() {
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    alerts().into_iter().for_each(|(name, _)| *by_name.entry(name).or_default() += 1);
    let groups = test_groups();
    for (name, rules) in by_name {
        let firing = groups.iter().flat_map(|group| expected(group, &name)).flatten();
        let labels: BTreeSet<String> = firing.map(|alert| alert["exp_labels"].to_string()).collect();
        assert!(labels.len() >= rules, "{name}: {rules} rules, but only {labels:?} are seen firing");
    }
}

#[test]
fn every_recorded_series_is_tested() {
    let tested: BTreeSet<String> = test_groups()
        .iter()
        .flat_map(|group| list(&group.yaml, "/promql_expr_test").map(|case| text(case, "/expr")).collect::<Vec<_>>())
        .collect();
    let recorded: BTreeSet<String> = rules().into_iter().filter_map(|rule| rule.record).collect();
    assert_eq!(recorded.difference(&tested).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// The twelve alerts that were asked for: name, severity, duration, what the expression must contain.
const ASKED_FOR: [(&str, &str, &str, &str); 12] = [
    ("HighErrorRate", "critical", "5m", "> 0.05"),
    ("HighResponseTime", "warning", "5m", "> 2"),
    ("APIDown", "critical", "1m", "== 0"),
    ("DatabaseDown", "critical", "1m", "== 0"),
    ("TooManyDatabaseConnections", "warning", "5m", "> 0.8"),
    ("SlowDatabaseQueries", "warning", "10m", "< 0.9"),
    ("HighCPUUsage", "warning", "10m", "> 0.8"),
    ("HighMemoryUsage", "warning", "10m", "> 0.8"),
    ("DiskSpaceLow", "critical", "5m", "< 0.2"),
    ("RecommendationGenerationFailures", "warning", "10m", "> 0.1"),
    ("SlowRecommendationGeneration", "warning", "5m", "> 5"),
    ("NoRecommendationsGenerated", "warning", "30m", "== 0"),
];

#[test]
fn the_twelve_alerts_have_the_limits_and_times_that_were_asked_for() {
    let alerts = alerts();
    for (name, severity, held, limit) in ASKED_FOR {
        let mut of_name = alerts.iter().filter(|(alert, _)| alert == name).peekable();
        assert!(of_name.peek().is_some(), "{name} is missing");
        for (_, rule) in of_name {
            assert_eq!((text(&rule.yaml, "/labels/severity").as_str(), rule.held.as_str()), (severity, held), "{name}");
            let ends = |line: &str| line.trim_end().ends_with(limit);
            assert!(rule.expr.lines().any(ends), "{name}: no `{limit}` ends a line of\n{}", rule.expr);
        }
    }
}

#[test]
fn every_alert_says_what_it_is_where_to_look_and_whom_it_concerns() {
    let mut found = Vec::new();
    for (name, rule) in alerts() {
        let mut wrong = |what: String| found.push(format!("{}: {name}: {what}", rule.file));
        let severity = text(&rule.yaml, "/labels/severity");
        if !["critical", "warning", "info"].contains(&severity.as_str()) {
            wrong(format!("severity `{severity}`"));
        }
        for annotation in ["summary", "description"] {
            if text(&rule.yaml, &format!("/annotations/{annotation}")).len() < 15 {
                wrong(format!("no {annotation}"));
            }
        }
        let runbook = text(&rule.yaml, "/annotations/runbook_url");
        if runbook != format!("{{{{ $externalURL }}}}/user/{name}.md") {
            wrong(format!("runbook_url `{runbook}`"));
        }
        let dashboard = text(&rule.yaml, "/annotations/dashboard");
        if let Err(why) = panel_exists(&dashboard) {
            wrong(format!("dashboard `{dashboard}`: {why}"));
        }
        let compares = ["> ", "< "].iter().any(|sign| rule.expr.contains(sign));
        if compares && !text(&rule.yaml, "/annotations/description").contains("$value") {
            wrong("the description does not tell the value".to_owned());
        }
    }
    none("alerts that leave somebody in the dark", &found);
}

/// Whether a link leads to a panel; without the dashboards in the checkout only its form is looked at.
fn panel_exists(link: &str) -> Result<(), String> {
    let (uid, query) =
        link.strip_prefix("/d/").and_then(|link| link.split_once("?viewPanel=")).ok_or("no panel link")?;
    let panel: u64 = query.split('&').next().unwrap_or_default().parse().map_err(|_| "the panel is no number")?;
    if !["service", "fleet", "host", "datastores", "loadtest"].contains(&uid) {
        return Err(format!("no dashboard `{uid}`"));
    }
    let path = root().join(format!("dashboards/grafana/{uid}.json"));
    let Ok(json) = std::fs::read_to_string(&path) else { return Ok(()) };
    let dashboard: serde_json::Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    let nested = list(&dashboard, "/panels").flat_map(|panel| list(panel, "/panels"));
    let has = list(&dashboard, "/panels").chain(nested).any(|shown| shown["id"].as_u64() == Some(panel));
    has.then_some(()).ok_or_else(|| format!("{} has no panel {panel}", shown(&path)))
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let alerts: BTreeSet<String> = alerts().into_iter().map(|(name, _)| name).collect();
    let pages = files("dashboards/runbooks", ".md");
    let stem = |path: &std::path::PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    assert_eq!(pages.iter().map(stem).collect::<BTreeSet<_>>(), alerts);
    let mut found = Vec::new();
    for page in &pages {
        let said = read(page);
        let title = format!("# {}", stem(page));
        let parts = ["What it means", "How to confirm", "Likely causes, in order", "Way out", "When to silence"];
        let headings = std::iter::once(title).chain(parts.map(|part| format!("## {part}")));
        let missing = headings.filter(|heading| !said.lines().any(|line| line == heading));
        found.extend(missing.map(|heading| format!("{}: no `{heading}`", shown(page))));
        if !said.contains("```sh\n") {
            found.push(format!("{}: no command to confirm it", shown(page)));
        }
    }
    none("runbooks with gaps", &found);
}

/// Series of Prometheus and Alertmanager themselves.
const THEIR_OWN: [&str; 2] = ["alertmanager_notifications_failed_total", "prometheus_rule_evaluation_failures_total"];

/// The series that somebody exports: REFERENCE.md, the backend's table, the recording rules.
fn exported() -> BTreeSet<String> {
    let reference = read(&root().join("REFERENCE.md"));
    let ours = reference.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut known: BTreeSet<String> = ours.map(str::to_owned).collect();
    let backend = read(&root().join("docker/backend/src/metrics.rs"));
    let registered = backend.split(".register(\"").skip(1).filter_map(|rest| rest.split('"').next());
    for name in registered {
        known.extend(["", "_total", "_bucket", "_sum", "_count"].map(|ending| format!("{name}{ending}")));
    }
    known.extend(rules().into_iter().filter_map(|rule| rule.record));
    known.extend(THEIR_OWN.iter().map(|name| (*name).to_owned()));
    known
}

#[test]
fn no_rule_waits_for_a_series_that_nobody_exports() {
    let known = exported();
    let unknown = |rule: &Rule| {
        let names = metrics(&rule.expr).into_iter().filter(|name| !known.contains(name));
        names.map(|name| format!("{}: `{name}`", rule.file)).collect::<Vec<_>>()
    };
    none("unknown series", &rules().iter().flat_map(unknown).collect::<Vec<_>>());
}

#[test]
fn series_are_found_in_an_expression() {
    let expr = r#"max by (rule_group) (last_over_time(sidecar_x{scope="my_peer", a_b="c"}[2m])) > 0.8 and service:up:max{x="}"} == 1"#;
    assert_eq!(metrics(expr), ["sidecar_x", "service:up:max"]);
}
