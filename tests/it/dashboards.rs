//! The Grafana dashboards as files: what Grafana's JSON model wants, what a reader needs, and no metric, variable, panel or runbook
//! that does not exist. Grafana itself does not run here; `dashboards_live` asks a real Prometheus for every query.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::grafana::ask::chosen_in;
use tests::grafana::{Dashboard, Query, dashboards, list, promql, text};
use tests::repo::{files, read, root, shown};
use tests::servers::prometheus::check_rules;
use tests::skipped;

/// The classic model as all of Grafana 12 knows it. Newer ones migrate it to 42, its last; an older one refuses what is newer than it.
const SCHEMA_VERSION: u64 = 41;
/// Panels that every Grafana has.
const CORE: [&str; 7] = ["stat", "timeseries", "gauge", "table", "state-timeline", "bargauge", "heatmap"];
/// What Prometheus makes by itself, and the pages of Prometheus and Alertmanager.
const PROMETHEUS: [&str; 5] = [
    "up",
    "ALERTS",
    "scrape_duration_seconds",
    "prometheus_rule_evaluation_failures_total",
    "alertmanager_notifications_failed_total",
];

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// Every query of every dashboard: of panels, variables and annotations.
fn every_query(dashboard: &Dashboard) -> Vec<Query> {
    [dashboard.queries(), dashboard.variables(), dashboard.annotations()].concat()
}

fn each_panel(mut complain: impl FnMut(&Value) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for dashboard in dashboards() {
        for panel in dashboard.panels() {
            found.extend(complain(panel).map(|why| format!("{} panel {}: {why}", dashboard.uid(), panel["id"])));
        }
    }
    found
}

#[test]
fn every_dashboard_has_what_its_readers_rely_on() {
    let found = dashboards();
    let names: Vec<&str> = found.iter().map(Dashboard::uid).collect();
    assert_eq!(names, ["datastores", "fleet", "host", "loadtest", "service"]);
    for dashboard in &found {
        let (file, json) = (&dashboard.file, &dashboard.json);
        assert_eq!(*file, format!("dashboards/grafana/{}.json", dashboard.uid()));
        assert!(!text(json, "/title").is_empty() && text(json, "/description").ends_with('.'), "{file}");
        assert_eq!(json["schemaVersion"], SCHEMA_VERSION, "{file}");
        assert!(json["id"].is_null(), "{file}: the number of one installation");
        let times = [text(json, "/refresh"), text(json, "/time/from"), text(json, "/time/to")];
        assert_eq!(times, ["10s", "now-1h", "now"], "{file}");
        assert!(list(json, "/tags").contains(&json!("sidecar")), "{file}: the links between dashboards go by this tag");
        let links = list(json, "/links");
        assert!(links.iter().any(|link| link["type"] == "dashboards" && link["tags"] == json!(["sidecar"])), "{file}");
        assert!(links.iter().any(|link| link["url"] == "${runbooks}/"), "{file}: no link to the runbooks");
        let alerts = dashboard.annotations();
        assert!(alerts.iter().any(|query| query.expr.starts_with("ALERTS{alertstate=\"firing\"")), "{file}");
        // Older Grafanas read the annotation itself, newer ones its target.
        let same = |one: &Value| one.get("expr") == one.pointer("/target/expr");
        assert!(list(json, "/annotations/list").iter().all(same), "{file}: an annotation asks two questions");
        let variables: Vec<&str> = list(json, "/templating/list").iter().map(|one| text(one, "/name")).collect();
        for wanted in ["datasource", "service", "instance", "runbooks"] {
            assert!(variables.contains(&wanted), "{file} lacks the variable `{wanted}`: {variables:?}");
        }
    }
}

#[test]
fn every_panel_is_a_core_panel_with_title_description_unit_and_queries_of_the_chosen_data_source() {
    let chosen = json!({"type": "prometheus", "uid": "${datasource}"});
    let found = each_panel(|panel| {
        let described = text(panel, "/description");
        let targets = list(panel, "/targets");
        let letters: BTreeSet<&str> = targets.iter().map(|target| text(target, "/refId")).collect();
        let wrong = [
            (text(panel, "/title").is_empty(), "no title"),
            (described.len() < 30 || !described.ends_with('.'), "no description in a sentence"),
            (text(panel, "/fieldConfig/defaults/unit").is_empty(), "no unit"),
            (!CORE.contains(&text(panel, "/type")), "not a core panel"),
            (targets.is_empty(), "no query"),
            (letters.len() != targets.len() || letters.contains(""), "queries without a letter of their own"),
            (panel["datasource"] != chosen, "another data source"),
            (targets.iter().any(|target| target["datasource"] != chosen), "a query of another data source"),
            (text(panel, "/fieldConfig/defaults/noValue").is_empty() && may_be_empty(panel), "no word for no data"),
        ];
        wrong.iter().find(|(is_wrong, _)| *is_wrong).map(|(_, why)| (*why).to_owned())
    });
    none("panels that lack something", &found);
}

/// A panel whose queries all have a value whenever Prometheus answers needs no word for its absence.
fn may_be_empty(panel: &Value) -> bool {
    let always =
        |target: &Value| text(target, "/expr").ends_with("or vector(0)") || text(target, "/expr").contains("up{");
    text(panel, "/type") != "state-timeline" && !list(panel, "/targets").iter().all(always)
}

#[test]
fn a_threshold_means_what_the_description_says() {
    let found = each_panel(|panel| {
        let steps = list(panel, "/fieldConfig/defaults/thresholds/steps");
        let values: Vec<Option<f64>> = steps.iter().map(|step| step["value"].as_f64()).collect();
        let base_first = values.first() == Some(&None) && values.iter().skip(1).all(Option::is_some);
        if !base_first || !values.is_sorted_by(|one, next| one.is_none() || one < next) {
            return Some(format!("the steps do not rise from a base: {values:?}"));
        }
        let described = text(panel, "/description").to_lowercase();
        let unnamed =
            steps.iter().skip(usize::from(steps.len() < 2)).filter(|step| steps.len() > 1 && step["color"] == "red");
        let unnamed = unnamed.filter(|_| !described.contains("red")).count();
        (unnamed > 0).then(|| "red, and the description does not say when".to_owned())
    });
    none("thresholds", &found);
}

#[test]
fn panels_have_an_id_of_their_own_and_do_not_overlap() {
    for dashboard in dashboards() {
        let everything = dashboard.everything();
        let ids: BTreeSet<u64> = everything.iter().filter_map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), everything.len(), "{}: ids {ids:?}", dashboard.file);
        let mut taken = BTreeMap::new();
        for panel in everything {
            let side =
                |name: &str| panel["gridPos"][name].as_u64().unwrap_or_else(|| panic!("{}: {panel}", dashboard.file));
            let (x, y, width, height) = (side("x"), side("y"), side("w"), side("h"));
            assert!(width > 0 && height > 0 && x + width <= 24, "{} panel {}", dashboard.file, panel["id"]);
            for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
                let other = taken.insert(cell, &panel["id"]);
                assert!(other.is_none(), "{}: panels {} and {:?} overlap", dashboard.file, panel["id"], other);
            }
        }
    }
}

/// The names of REFERENCE.md's table of the agent's metrics.
fn measured_by_the_agent() -> BTreeSet<String> {
    let reference = read(&root().join("REFERENCE.md"));
    let table =
        reference.split("\n## Metrics\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the table");
    table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The names that the demo API's own test of its page expects, as Prometheus stores them.
fn measured_by_the_backend() -> BTreeSet<String> {
    let source = read(&root().join("docker/backend/src/metrics.rs"));
    let mut names = BTreeSet::new();
    for family in source.split('"') {
        match family.split_once(' ') {
            Some((name, "counter")) => _ = names.insert(format!("{name}_total")),
            Some((name, "gauge")) => _ = names.insert(name.to_owned()),
            Some((name, "histogram")) => names.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}"))),
            _ => {}
        }
    }
    names
}

/// The names of REFERENCE.md's table of a run's metrics, as Prometheus stores them.
fn measured_by_the_load_tester() -> BTreeSet<String> {
    let reference = read(&root().join("REFERENCE.md"));
    let table = reference.split("\n## Metrics of a run").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = table.expect("the table").lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.flat_map(|(name, rest)| match rest.starts_with("histogram ") {
        true => ["bucket", "sum", "count"].map(|part| format!("{name}_{part}")).to_vec(),
        false => vec![name.to_owned()],
    })
    .collect()
}

#[test]
fn every_metric_of_a_query_exists() {
    let sources = [measured_by_the_agent(), measured_by_the_backend(), measured_by_the_load_tester()];
    let counts = sources.each_ref().map(BTreeSet::len);
    assert!(counts.iter().zip([80, 10, 10]).all(|(count, least)| *count > least), "{counts:?}");
    let known = |name: &String| sources.iter().any(|names| names.contains(name)) || PROMETHEUS.contains(&name.as_str());
    let mut found = Vec::new();
    for dashboard in dashboards() {
        for query in every_query(&dashboard) {
            let named = promql::metrics(&query.expr);
            assert!(!named.is_empty(), "{}: {}", query.shown(), query.expr);
            found.extend(
                named.into_iter().filter(|name| !known(name)).map(|name| format!("{}: `{name}`", query.shown())),
            );
        }
    }
    none("metrics that nobody exports", &found);
}

#[test]
fn every_expression_parses_in_prometheus() {
    let mut rules = Vec::new();
    for dashboard in dashboards() {
        for query in every_query(&dashboard) {
            let expr = chosen_in(&dashboard, &query, &[("service", "backend"), ("slo", "99.9")]);
            let expr = expr.unwrap_or_else(|why| panic!("{}: {why}", query.shown()));
            rules.push(json!({"record": format!("a:{}:{}", dashboard.uid(), rules.len()), "expr": expr}));
        }
    }
    assert!(rules.len() > 150, "{}", rules.len());
    let good = json!({"groups": [{"name": "dashboards", "rules": rules}]}).to_string();
    match check_rules(&good) {
        Err(why) if why.ends_with("is not installed") => return skipped("every_expression_parses_in_prometheus", &why),
        said => assert_eq!(said, Ok(())),
    }
    let bad = good.replacen("\"expr\":\"", "\"expr\":\"((", 1);
    assert!(check_rules(&bad).is_err(), "promtool can object");
}

/// `uid` and id of every panel.
fn panels() -> BTreeSet<(String, u64)> {
    let of = |dashboard: Dashboard| {
        let ids: Vec<u64> = dashboard.panels().iter().filter_map(|panel| panel["id"].as_u64()).collect();
        ids.into_iter().map(move |id| (dashboard.uid().to_owned(), id)).collect::<Vec<_>>()
    };
    dashboards().into_iter().flat_map(of).collect()
}

/// The panel that a link of an alert names: `/d/<uid>?viewPanel=<id>&…`, after whatever address.
fn linked(link: &str) -> Option<(String, u64)> {
    let (uid, rest) = link.split_once("/d/")?.1.split_once("?viewPanel=")?;
    let id = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((uid.to_owned(), id.parse().ok()?))
}

#[test]
fn every_alert_links_to_a_panel_that_exists() {
    assert_eq!(linked("/d/service?viewPanel=3&var-service={{ $labels.service }}"), Some(("service".to_owned(), 3)));
    let panels = panels();
    let mut found = Vec::new();
    for path in files("dashboards/rules", ".yml").iter().filter(|path| !path.to_string_lossy().contains("/tests/")) {
        let text = read(path);
        let links: Vec<&str> =
            text.lines().filter_map(|line| line.trim().strip_prefix("dashboard:")).map(str::trim).collect();
        let alerts = text.lines().filter(|line| line.trim().trim_start_matches("- ").starts_with("alert:")).count();
        if links.len() != alerts {
            found.push(format!("{}: {alerts} alerts, {} links to a panel", shown(path), links.len()));
        }
        let missing = |link: &&&str| linked(link).is_none_or(|panel| !panels.contains(&panel));
        found.extend(links.iter().filter(missing).map(|link| format!("{}: `{link}`", shown(path))));
    }
    none("links to panels that are not there", &found);
}

#[test]
fn every_runbook_that_a_panel_links_to_exists() {
    let mut linked = BTreeSet::new();
    for dashboard in dashboards() {
        for link in dashboard.panels().iter().flat_map(|panel| list(panel, "/links")) {
            let url = text(link, "/url");
            let page = url.strip_prefix("${runbooks}/").unwrap_or_else(|| panic!("{}: {url}", dashboard.file));
            linked.insert(page.to_owned());
        }
    }
    assert!(linked.contains("HighErrorRate.md") && linked.len() > 30, "{linked:?}");
    let written: BTreeSet<String> = files("dashboards/runbooks", ".md")
        .iter()
        .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
        .collect();
    // Without a single page there is nothing to hold the links to yet.
    let missing: Vec<String> =
        linked.iter().filter(|page| !written.is_empty() && !written.contains(*page)).cloned().collect();
    none("runbooks that panels link to and nobody wrote", &missing);
}

#[test]
fn grafana_is_provisioned_read_only() {
    let source = read(&root().join("docker/grafana/provisioning/datasources/prometheus.yml"));
    let provider = read(&root().join("docker/grafana/provisioning/dashboards/stack.yml"));
    let says = |text: &str, line: &str| text.lines().any(|found| found.trim() == line);
    for line in
        ["apiVersion: 1", "type: prometheus", "url: http://prometheus:9090", "editable: false", "timeInterval: 15s"]
    {
        assert!(says(&source, line), "{line}");
    }
    for line in ["apiVersion: 1", "type: file", "allowUiUpdates: false", "disableDeletion: true", "folder: Stack"] {
        assert!(says(&provider, line), "{line}");
    }
}
