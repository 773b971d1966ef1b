//! The check of kind `nginx` on a real nginx: its figures are nginx's own, they come from the sidecar beside it alone, and what nginx
//! refuses is told apart from an nginx that is not there.

use tests::agent::Agent;
use tests::program::finish;
use tests::servers::nginx::Nginx;
use tests::{http, skipped};

const LOCATIONS: &str = "location = /stub_status { stub_status; } location = /denied { stub_status; deny all; } \
    location = /page { default_type text/html; return 200 '<html>hello</html>'; }";

#[test]
fn figures_of_a_real_nginx_come_from_the_sidecar_beside_it_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let nginx = match Nginx::start(LOCATIONS) {
        Ok(nginx) => nginx,
        Err(why) => return skipped("figures_of_a_real_nginx_come_from_the_sidecar_beside_it_alone", &why),
    };
    let url = nginx.url.replacen("http://", "nginx://", 1);
    let agent = Agent::with_config(
        folder.path(),
        &format!(
            "checks:\n  - {{name: own, url: \"{url}\", peer: true, interval: 1s}}\n  - {{name: other, url: \"{url}\", interval: 1s}}\n"
        ),
    );
    for check in ["own", "other"] {
        agent.wait_sample(&format!("sidecar_check_up{{check=\"{check}\"}}"), 1.0);
    }
    agent.wait_sample("nginx_up{check=\"own\"}", 1.0);
    let requests = "nginx_http_requests_total{check=\"own\"}";
    let before = agent.sample(requests).expect("requests");
    for _request in 0..20 {
        drop(http::get(&format!("{}/page", nginx.url)));
    }
    let after = || agent.sample(requests).filter(|after| *after >= before + 20.0);
    tests::wait_for("twenty requests more", std::time::Duration::from_secs(20), after);
    let page = agent.page("/metrics").body;
    for (name, kind) in [
        ("nginx_up", "gauge"),
        ("nginx_connections_accepted", "counter"),
        ("nginx_connections_active", "gauge"),
        ("nginx_connections_handled", "counter"),
        ("nginx_connections_reading", "gauge"),
        ("nginx_connections_waiting", "gauge"),
        ("nginx_connections_writing", "gauge"),
        ("nginx_http_requests_total", "counter"),
    ] {
        assert!(page.contains(&format!("# TYPE {name} {kind}\n")), "{name} in {page}");
        assert!(!page.contains(&format!("{name}{{check=\"other\"")), "{name} is counted twice");
    }
}

#[test]
fn what_nginx_refuses_is_told_apart_from_an_nginx_that_is_not_there() {
    let nginx = match Nginx::start(LOCATIONS) {
        Ok(nginx) => nginx,
        Err(why) => return skipped("what_nginx_refuses_is_told_apart_from_an_nginx_that_is_not_there", &why),
    };
    let url = nginx.url.replacen("http://", "nginx://", 1);
    let port = tests::servers::free_port();
    for (url, reason, words) in [
        (format!("{url}/denied"), "status", "allow <network of this sidecar>;"),
        (format!("{url}/nowhere"), "status", "location = /stub_status { stub_status;"),
        (format!("{url}/page"), "body", "a page of HTML, which is not stub_status"),
        (format!("nginx://127.0.0.1:{port}"), "refused", ""),
    ] {
        let finished = finish("agent", &["probe", &url, "--debug"]);
        let said = finished.stdout;
        assert!(finished.code == 1 && said.contains(&format!(": {reason}\n")) && said.contains(words), "{url}: {said}");
        assert_eq!(said.contains("\nnginx_up 0\n"), reason == "refused", "{url}: {said}");
    }
}
