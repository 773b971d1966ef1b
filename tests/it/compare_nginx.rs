//! Our page beside Debian's prometheus-nginx-exporter, both on one nginx; and both when it is gone.

use tests::agent::Agent;
use tests::compare::{Gaps, Page, compare};
use tests::servers::exporter::Exporter;
use tests::servers::free_port;
use tests::servers::nginx::Nginx;
use tests::{http, skipped};

/// Of the exporter's page, what is about nginx.
fn families(name: &str) -> bool {
    name.starts_with("nginx")
}

fn started(folder: &std::path::Path) -> Result<(Nginx, Exporter, Agent), String> {
    let nginx = Nginx::start("location = /stub_status { stub_status; } location / { return 200 fine; }")?;
    let port = free_port();
    let uri = format!("-nginx.scrape-uri={}/stub_status", nginx.url);
    let listen = format!("-web.listen-address=127.0.0.1:{port}");
    let exporter = Exporter::start("prometheus-nginx-exporter", port, &[&uri, &listen], &[])?;
    let url = nginx.url.replacen("http://", "nginx://", 1);
    let check = format!("checks:\n  - {{name: proxy, url: \"{url}\", peer: true, interval: 1s}}\n");
    Ok((nginx, exporter, Agent::with_config(folder, &check)))
}

#[test]
fn our_page_replaces_that_of_the_nginx_exporter() {
    let folder = tempfile::tempdir().expect("a folder");
    let (nginx, exporter, agent) = match started(folder.path()) {
        Ok(started) => started,
        Err(why) => return skipped("our_page_replaces_that_of_the_nginx_exporter", &why),
    };
    for _request in 0..50 {
        drop(http::get(&nginx.url));
    }
    let requests = || agent.sample("nginx_http_requests_total{check=\"proxy\"}").filter(|requests| *requests > 50.0);
    tests::wait_for("our look after the fifty requests", std::time::Duration::from_secs(20), requests);
    let theirs = exporter.page().expect("their page").only(families);
    let ours = Page::read(&agent.page("/metrics").body);
    let comparison = compare("nginx", &theirs, &ours, &Gaps::of("nginx").expect("the gaps"));
    tests::tell(&format!("{comparison}"));
    assert_eq!(comparison.unexplained, Vec::<String>::new());

    drop(nginx);
    agent.wait_sample("nginx_up{check=\"proxy\"}", 0.0);
    let theirs = exporter.page().expect("their page").only(families);
    let ours = Page::read(&agent.page("/metrics").body).only(families);
    assert!(theirs.series_of("nginx_up").all(|up| up.value == 0.0));
    assert_eq!(ours.names().into_iter().collect::<Vec<_>>(), ["nginx_up"], "no figure of an nginx that is gone");
}
