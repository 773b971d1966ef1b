//! Real Prometheus scrapes the agent; promtool has nothing to say of our names.

use tests::agent::Agent;
use tests::http::get_with;
use tests::servers::nginx::Nginx;
use tests::servers::prometheus::{Prometheus, check_metrics};
use tests::skipped;

fn beside_nginx() -> Result<(Nginx, Agent), String> {
    let nginx = Nginx::start("location / { return 200 fine; }")?;
    let agent = Agent::start(&["--peer", &nginx.url, "--check", "dead=tcp://127.0.0.1:1"]);
    agent.wait_sample("sidecar_check_up{check=\"peer\"}", 1.0);
    agent.wait_sample("sidecar_check_up{check=\"dead\"}", 0.0);
    Ok((nginx, agent))
}

#[test]
fn prometheus_reads_what_the_agent_says() {
    let started = beside_nginx().and_then(|(nginx, agent)| {
        let prometheus = Prometheus::start(agent.url.trim_start_matches("http://"))?;
        Ok((nginx, agent, prometheus))
    });
    let (nginx, agent, prometheus) = match started {
        Ok(started) => started,
        Err(why) => return skipped("prometheus_reads_what_the_agent_says", &why),
    };
    assert!((prometheus.wait("up{job=\"sidecar\"} == 1") - 1.0).abs() < f64::EPSILON);
    assert!((prometheus.wait("sidecar_check_up{check=\"peer\"}") - 1.0).abs() < f64::EPSILON);
    assert!(prometheus.wait("sidecar_check_failures_total{check=\"dead\",reason=\"refused\"}") >= 3.0);
    assert!((prometheus.wait("probe_http_status_code{check=\"peer\"}") - 200.0).abs() < f64::EPSILON);
    let total = prometheus.wait("sidecar_host_memory_total_bytes");
    let meminfo = std::fs::read_to_string("/proc/meminfo").expect("meminfo");
    let kib: f64 = meminfo.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("MemTotal");
    assert!((total - kib * 1024.0).abs() < 1.0, "{total} against {kib} KiB");
    drop(nginx);
    agent.wait_sample("sidecar_check_up{check=\"peer\"}", 0.0);
    assert!(prometheus.wait("sidecar_check_failures_total{check=\"peer\",reason=\"refused\"} >= 3") >= 3.0);
}

#[test]
fn promtool_is_silent_on_our_names() {
    let (_nginx, agent) = match beside_nginx() {
        Ok(started) => started,
        Err(why) => return skipped("promtool_is_silent_on_our_names", &why),
    };
    let page = get_with(&format!("{}/metrics", agent.url), &[("Accept", "text/plain;version=0.0.4")]).expect("a page");
    let said = match check_metrics(&page.body) {
        Ok(said) => said,
        Err(why) => return skipped("promtool_is_silent_on_our_names", &why),
    };
    // On borrowed names promtool says of the incumbents' own pages what it says here.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("sidecar_") || line.starts_with("error")).collect();
    assert!(ours.is_empty(), "{said}");
    assert!(
        check_metrics("sidecar_wrong_total 1\n# TYPE x rubbish\n").is_ok_and(|said| !said.is_empty()),
        "promtool can object"
    );
}
