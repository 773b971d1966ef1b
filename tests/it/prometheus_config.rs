//! The shipped prometheus.yml: promtool accepts it, it scrapes what the stack has, and a real Prometheus gives every series the `job`,
//! `instance` and `service` that public dashboards and our rules look for.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use tests::program::finish_command;
use tests::repo::{read, root};
use tests::rules::{list, text, yaml};
use tests::servers::installed;
use tests::servers::prometheus::Prometheus;
use tests::skipped;

fn shipped() -> String {
    read(&root().join("docker/prometheus/prometheus.yml"))
}

#[test]
fn promtool_accepts_the_configuration() {
    if let Err(why) = installed("promtool") {
        return skipped("promtool_accepts_the_configuration", &why);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("prometheus.yml");
    let rules = root().join("dashboards/rules").display().to_string();
    std::fs::write(&path, shipped().replace("/etc/prometheus/rules", &rules)).expect("written");
    let ended = finish_command(Command::new("promtool").args(["check", "config"]).arg(&path));
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let files = tests::rules::rule_files().len();
    assert!(ended.stdout.contains(&format!("{files} rule files found")), "all of them, and no test: {}", ended.stdout);
}

#[test]
fn it_scrapes_every_sidecar_and_knows_whose_it_is() {
    let config = yaml(&shipped());
    assert_eq!(config["global"]["scrape_interval"], "15s");
    let jobs: Vec<_> = list(&config, "/scrape_configs").collect();
    let names: Vec<_> = jobs.iter().map(|job| text(job, "/job_name")).collect();
    assert_eq!(names, ["sidecar", "backend", "prometheus", "alertmanager"]);
    let targets: Vec<_> = list(jobs[0], "/static_configs")
        .map(|target| (text(target, "/labels/service"), text(target, "/labels/team"), text(target, "/targets/0")))
        .collect();
    let expected = [
        ("db", "database"),
        ("redis", "database"),
        ("backend", "api"),
        ("frontend", "api"),
        ("nginx", "platform"),
        ("prometheus", "platform"),
        ("alertmanager", "platform"),
        ("grafana", "platform"),
    ];
    let expected = expected.map(|(service, team)| (service.into(), team.into(), format!("{service}-sidecar:9797")));
    assert_eq!(targets, expected);
}

/// A page with a series of every family, on a port of its own.
fn page() -> std::io::Result<SocketAddr> {
    const PAGE: &str = "probe_success{check=\"cache\"} 1\nprobe_duration_seconds{check=\"https\"} 1\ncontainer_threads{container=\"db\"} 1\n\
        machine_cpu_cores 1\nnode_load1 1\nnamedprocess_namegroup_num_procs 1\nredis_up 1\npg_up 1\nmysql_up 1\nnginx_up 1\nsidecar_check_up{check=\"cache\"} 1\n\
        sidecar_pool_size{check=\"db\",service=\"database\"} 1\nprocess_threads 1\n";
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _request = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\n";
            let _gone = write!(stream, "{head}content-length: {}\r\n\r\n{PAGE}", PAGE.len());
        }
    });
    Ok(address)
}

/// The shipped file with one change to names: the sidecar of the database is the fake page, and it is scraped each second. Its target has
/// the label that an operator's discovery of pods gives it.
fn beside(address: SocketAddr) -> String {
    let text = shipped().replace("15s", "1s").replace("scrape_timeout: 10s", "scrape_timeout: 1s");
    let text = text.replace("db-sidecar:9797", &address.to_string()).replace("/etc/prometheus/rules", "/nowhere");
    text.replace("service: db, team", "container: sidecar, service: db, team")
}

/// Selectors that must find exactly one series each on the fake page.
const FOUND: [&str; 13] = [
    "probe_success{job=\"blackbox\",instance=\"cache\",check=\"cache\",service=\"db\",team=\"database\"}",
    "probe_duration_seconds{job=\"blackbox\",instance=\"https\",service=\"db\"}",
    "container_threads{job=\"cadvisor\",instance=\"PAGE\",service=\"db\",container=\"db\"}",
    "machine_cpu_cores{job=\"cadvisor\",instance=\"PAGE\",service=\"db\"}",
    "node_load1{job=\"node\",instance=\"PAGE\",service=\"db\"}",
    "namedprocess_namegroup_num_procs{job=\"process-exporter\",instance=\"PAGE\",service=\"db\"}",
    "redis_up{job=\"redis\",instance=\"PAGE\",service=\"db\"}",
    "pg_up{job=\"postgres\",instance=\"PAGE\",service=\"db\"}",
    "mysql_up{job=\"mysql\",instance=\"PAGE\",service=\"db\"}",
    "nginx_up{job=\"nginx\",instance=\"PAGE\",service=\"db\"}",
    "sidecar_check_up{job=\"sidecar\",instance=\"PAGE\",check=\"cache\",service=\"db\"}",
    "sidecar_pool_size{job=\"sidecar\",service=\"db\",exported_service=\"database\"}",
    "process_threads{job=\"sidecar\",instance=\"PAGE\",service=\"db\"}",
];

#[test]
fn a_real_prometheus_gives_each_family_the_job_of_its_exporter_and_keeps_the_service() {
    let started = page().map_err(|error| error.to_string());
    let started =
        started.and_then(|page| Prometheus::start_with(&beside(page), &[]).map(|prometheus| (page, prometheus)));
    let (page, prometheus) = match started {
        Ok(started) => started,
        Err(why) => {
            let test = "a_real_prometheus_gives_each_family_the_job_of_its_exporter_and_keeps_the_service";
            return skipped(test, &why);
        }
    };
    prometheus.wait("up{job=\"sidecar\",service=\"db\"} == 1");
    prometheus.wait("process_threads{job=\"sidecar\"}");
    for selector in FOUND {
        let selector = selector.replace("PAGE", &page.to_string());
        let found = prometheus.query(&format!("count({selector})"));
        assert_eq!(found, Some(1.0), "{selector}");
    }
    assert_eq!(
        prometheus.query("count(up{service=\"nginx\",team=\"platform\"} == 0)"),
        Some(1.0),
        "the others are down here"
    );
}
