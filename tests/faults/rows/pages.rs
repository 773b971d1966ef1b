//! What a page says: status, body, limits, a proxy's own words.

use crate::faults::scene::check;
use crate::faults::web::{Manner, Web, fine};
use crate::faults::{Row, Scene};
use crate::servers::free_port;
use crate::servers::nginx::Nginx;
use std::time::Duration;

pub(super) static ROWS: &[Row] = &[
    Row::new("answers 500", &[("unexpected_status", "backend")], answers_500).always(),
    Row::new("answers 404", &[("unexpected_status", "backend")], answers_404),
    Row::new("answers 401", &[("authentication_refused", "backend")], answers_401),
    Row::new("wrong body", &[("unexpected_answer", "backend")], wrong_body).always(),
    Row::new("health page: database unhealthy (503)", &[("half_started", "backend")], half_started).always(),
    Row::new("health page: database unhealthy (200)", &[("half_started", "backend")], half_started_200),
    Row::new("answers 429", &[("rate_limited", "backend")], answers_429).always(),
    // The default page of its limit cannot be told from any other 503.
    Row::new("nginx limits the rate (503)", &[("unexpected_status", "edge")], nginx_limits),
    Row::new("nginx: upstream down (502)", &[("upstream_down", "edge")], upstream_down),
    Row::new("nginx: upstream hangs (504)", &[("upstream_down", "edge")], upstream_hangs),
    Row::new("nginx stopped", &[("not_listening", "edge")], nginx_stopped),
];

fn becomes(manner: Manner, more: &'static str) -> Result<Scene, String> {
    let web = Web::start(fine())?;
    Ok(Scene::of(&[check("backend", &web.url("http"), more)]).then(move || {
        web.becomes(manner);
        Ok(Box::new(web))
    }))
}

fn says(status: u16, body: &str) -> Result<Scene, String> {
    becomes(Manner::Http(status, body.to_owned()), "")
}

fn answers_500() -> Result<Scene, String> {
    says(500, "internal error")
}

fn answers_404() -> Result<Scene, String> {
    says(404, "not found")
}

fn answers_401() -> Result<Scene, String> {
    says(401, "who are you")
}

fn answers_429() -> Result<Scene, String> {
    says(429, "slow down")
}

fn wrong_body() -> Result<Scene, String> {
    becomes(Manner::Http(200, "{\"status\":\"odd\"}".to_owned()), ", json: ['$.status == \"ok\"']")
}

const UNHEALTHY: &str = "{\"status\":\"unhealthy\",\"overall_healthy\":false,\"services\":{\"database\":{\"healthy\":false},\"redis\":{\"healthy\":true}}}";

fn half_started() -> Result<Scene, String> {
    says(503, UNHEALTHY)
}

fn half_started_200() -> Result<Scene, String> {
    says(200, UNHEALTHY)
}

/// An nginx in front of a service, and the service.
fn edge(more: &str) -> Result<(Nginx, Web), String> {
    let web = Web::start(fine())?;
    let site = format!("location / {{ proxy_pass http://{}; proxy_read_timeout 300ms; {more} }}", web.address);
    Ok((Nginx::start(&site)?, web))
}

fn upstream_down() -> Result<Scene, String> {
    let (nginx, web) = edge("")?;
    Ok(Scene::of(&[check("edge", &nginx.url, "")]).keeping(nginx).then(move || {
        drop(web);
        Ok(Box::new(()))
    }))
}

fn upstream_hangs() -> Result<Scene, String> {
    let (nginx, web) = edge("")?;
    Ok(Scene::of(&[check("edge", &nginx.url, "")]).keeping(nginx).then(move || {
        web.becomes(Manner::Slow(Duration::from_secs(2), 200, "late".to_owned()));
        Ok(Box::new(web))
    }))
}

/// One request a minute is allowed, and the limit is used up: the module stands at the level of `http`, around the first server.
fn nginx_limits() -> Result<Scene, String> {
    let port = free_port();
    let site = format!(
        "location / {{ return 200 fine; }} }} limit_req_zone $binary_remote_addr zone=all:1m rate=1r/m; server {{ listen 127.0.0.1:{port}; \
         location / {{ limit_req zone=all; limit_req_status 503; try_files /none @fine; }} location @fine {{ return 200 fine; }}"
    );
    let nginx = Nginx::start(&site)?;
    drop(crate::http::get(&format!("http://127.0.0.1:{port}/")));
    let checks = [check("edge", &format!("http://127.0.0.1:{port}/"), ""), check("twin", &nginx.url, "")];
    Ok(Scene::of(&checks).keeping(nginx))
}

fn nginx_stopped() -> Result<Scene, String> {
    let nginx = Nginx::start("location / { return 200 fine; }")?;
    Ok(Scene::of(&[check("edge", &nginx.url, "")]).then(move || {
        drop(nginx);
        Ok(Box::new(()))
    }))
}
