//! What the agent's own loop costs: http and https probes per second of processor, beside blackbox_exporter on the same nginx; scrapes of
//! a page of a thousand series; 500 checks at their usual interval. Processor time is the process's own (`/proc/<pid>/stat`), so that
//! neither a busy machine nor the shortest interval of a check, which bounds the rate at 5 000 a second, spoils the figure.

use super::measured::{Measured, request, scrapes};
use super::peers::SERVICES;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::http::get;
use tests::servers::free_port;
use tests::servers::nginx::Nginx;

/// How long each rate is measured, after a first moment in which memory and caches fill.
const MEASURED: Duration = Duration::from_secs(15);
const WARM_UP: Duration = Duration::from_secs(3);

/// An nginx with a page in the clear and over TLS, and on it a page of metrics.
pub(super) struct Pages {
    nginx: Nginx,
    pub(super) tls: u16,
}

impl Pages {
    pub(super) fn start(folder: &Path) -> Result<Self, String> {
        let (tls, home) = (free_port(), folder.display());
        let mut openssl = Command::new("openssl");
        openssl.args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout".split(' '),
        );
        let made = openssl.arg(folder.join("key")).arg("-out").arg(folder.join("cert")).output();
        made.map_err(|error| format!("openssl: {error}"))?;
        let series: String =
            (0..900).map(|at| format!("bench_requests_total{{path=\"/some/{at}\",code=\"200\"}} {at}\n")).collect();
        std::fs::write(folder.join("metrics"), series).map_err(|error| error.to_string())?;
        let nginx = Nginx::start(&format!(
            "listen 127.0.0.1:{tls} ssl; ssl_certificate {home}/cert; ssl_certificate_key {home}/key; \
             location = /stub_status {{ stub_status; }} {SERVICES} location = /metrics {{ alias {home}/metrics; }} location / {{ return 200 fine; }}"
        ))?;
        Ok(Self { nginx, tls })
    }

    pub(super) fn plain(&self) -> &str {
        &self.nginx.url
    }

    /// Both pages, with the keys of a check that wants them.
    fn both(&self) -> [(String, &'static str); 2] {
        [
            (self.plain().to_owned(), ""),
            (format!("https://127.0.0.1:{}", self.tls), ", tls_config: {insecure_skip_verify: true}"),
        ]
    }
}

fn checks(count: usize, url: &str, interval: &str, more: &str) -> String {
    let one = |at: usize| format!("  - {{name: page-{at}, url: \"{url}\", interval: {interval}{more}}}\n");
    format!("checks:\n{}", (0..count).map(one).collect::<String>())
}

pub(super) fn all(own: &Path, folder: &Path) -> Result<(), String> {
    let pages = Pages::start(folder)?;
    println!("\nprobes per second of the process's own CPU, each over {} s", MEASURED.as_secs());
    for (url, more) in pages.both() {
        let scheme = url.split(':').next().unwrap_or_default().to_owned();
        let (own, wall) = agent_rate(own, folder, &url, more)?;
        let blackbox = blackbox_rate(folder, &url)?;
        println!("  {scheme:<6} agent {own:.0} (ran {wall:.0} a second)   blackbox {blackbox:.0}");
    }
    thousand_series(own, folder, &pages)?;
    many_checks(own, folder, &pages)
}

/// Probes per second of processor, and per second of the clock, of 500 checks at the shortest interval.
fn agent_rate(own: &Path, folder: &Path, url: &str, more: &str) -> Result<(f64, f64), String> {
    let agent = Measured::agent(own, folder, &checks(500, url, "100ms", more))?;
    std::thread::sleep(WARM_UP);
    let (before, cpu, began) = (agent.runs("page-"), agent.cpu(), Instant::now());
    std::thread::sleep(MEASURED);
    let (spent, took, after) = (agent.cpu() - cpu, began.elapsed(), agent.runs("page-"));
    if after.1 > before.1 {
        println!("  {} probes failed, and are not counted in the next line", after.1 - before.1);
    }
    let runs = after.0 - before.0;
    Ok((runs / spent, runs / took.as_secs_f64()))
}

/// Probes of blackbox per second of its processor, asked one after the other: each question is a request to it, as it works.
fn blackbox_rate(folder: &Path, url: &str) -> Result<f64, String> {
    let path = folder.join("blackbox.yml");
    let module = "modules: {page: {prober: http, http: {preferred_ip_protocol: ip4, tls_config: {insecure_skip_verify: true}}}}\n";
    std::fs::write(&path, module).map_err(|error| error.to_string())?;
    let blackbox = Measured::exporter("prometheus-blackbox-exporter", &[format!("--config.file={}", path.display())])?;
    let ask = || request(blackbox.port, &format!("/probe?target={url}&module=page"));
    let warm = Instant::now();
    while warm.elapsed() < WARM_UP {
        ask();
    }
    let (cpu, began, mut runs) = (blackbox.cpu(), Instant::now(), 0.0);
    while began.elapsed() < MEASURED {
        runs += f64::from(u8::from(ask().is_some()));
    }
    Ok(runs / (blackbox.cpu() - cpu))
}

/// A page of a thousand series, most of them a service's own, rendered anew every second.
fn thousand_series(own: &Path, folder: &Path, pages: &Pages) -> Result<(), String> {
    let url = pages.plain().replacen("http://", "metrics://", 1);
    let text = format!("checks:\n  - {{name: own, url: \"{url}\", interval: 1s, reexport: 'bench_*'}}\n");
    let agent = Measured::agent(own, folder, &text)?;
    std::thread::sleep(WARM_UP);
    let page = get(&format!("http://127.0.0.1:{}/metrics", agent.port))?.body;
    let series = page.lines().filter(|line| !line.starts_with('#')).count();
    println!("\nscrape of {series} series at 20 a second on one connection, ms");
    let node = Measured::exporter("prometheus-node-exporter", &[])?;
    std::thread::sleep(WARM_UP);
    for program in [&agent, &node] {
        let (p50, p99, bytes) = scrapes(program.port, true);
        println!("  {:<30} p50 {p50:.2}   p99 {p99:.2}   {bytes} bytes", program.name);
    }
    Ok(())
}

/// The most checks that an agent takes, every ten seconds.
fn many_checks(own: &Path, folder: &Path, pages: &Pages) -> Result<(), String> {
    let agent = Measured::agent(own, folder, &checks(500, pages.plain(), "10s", ""))?;
    std::thread::sleep(Duration::from_secs(12));
    let (before, cpu, began) = (agent.runs("page-"), agent.cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(40));
    let (spent, took, after) = (agent.cpu() - cpu, began.elapsed().as_secs_f64(), agent.runs("page-"));
    println!(
        "\n500 http checks at 10 s: {:.2} % of a core, {:.0} runs in {took:.0} s, {:.2} MB resident",
        spent / took * 100.0,
        after.0 - before.0,
        agent.resident()
    );
    Ok(())
}
