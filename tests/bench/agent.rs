//! The agent beside the public exporters, one run, same peers: size, first answer, CPU, memory, scrape latency (here); memory after many
//! probes of every kind (`kinds`); probes per second of processor, scrapes of a long page and many checks (`rates`).
//! Run by hand through `tests/bench/agent [SECONDS [beside|rates|kinds]]`; it prints figures and ratios and asserts nothing. `BENCH_AGENT` is another
//! agent's path, `BENCH_PROBES` another number of probes of each kind.

mod kinds;
mod measured;
mod peers;
mod rates;

use measured::{Measured, median, request, scrapes};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tests::repo::root;
use tests::servers::free_port;
use tests::servers::nginx::Nginx;

const CHECKS: usize = 10;
const PROBE_EVERY: Duration = Duration::from_secs(5);
const SCRAPE_EVERY: Duration = Duration::from_secs(15);

/// Milliseconds from the start of a process to its first page, median of some starts.
fn first_answer(start: impl Fn() -> Result<Measured, String>) -> Result<f64, String> {
    let mut times = Vec::new();
    for _ in 0..15 {
        let began = Instant::now();
        let program = start()?;
        while request(program.port, "/metrics").is_none() {
            if began.elapsed() > Duration::from_secs(5) {
                return Err(format!("{} does not answer", program.name));
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&mut times, 0.5))
}

/// Milliseconds of `agent health` from start to end: least, median, p99 of 200 runs.
fn health(binary: &Path, port: u16) -> Result<[f64; 3], String> {
    let url = format!("http://127.0.0.1:{port}/live");
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        let status = Command::new(binary).args(["health", &url]).status().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("agent health ended with {status}"));
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok([0.0, 0.5, 0.99].map(|share| median(&mut times, share)))
}

/// Does for `seconds` what Prometheus does: scrapes everyone, and has blackbox probe the page (the agent probes by itself).
fn work(seconds: u64, agent: &Measured, blackbox: &Measured, node: &Measured, page: &str) {
    let (began, mut probed, mut scraped) = (Instant::now(), Duration::ZERO, Duration::ZERO);
    while began.elapsed() < Duration::from_secs(seconds) {
        if began.elapsed() >= probed {
            probed += PROBE_EVERY;
            for _ in 0..CHECKS {
                request(blackbox.port, &format!("/probe?target={page}&module=http_2xx"));
            }
        }
        if began.elapsed() >= scraped {
            scraped += SCRAPE_EVERY;
            [agent, blackbox, node].iter().for_each(|program| {
                request(program.port, "/metrics");
            });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn config(folder: &Path, page: &str) -> Result<PathBuf, String> {
    let checks: String = (0..CHECKS)
        .map(|number| format!("  - {{name: page-{number}, url: \"{page}/\", interval: 5s, timeout: 2s}}\n"))
        .collect();
    let path = folder.join("agent.yml");
    std::fs::write(&path, format!("checks:\n{checks}")).map_err(|error| error.to_string())?;
    Ok(path)
}

fn line(name: &str, [binary, resident, peak, cpu]: [f64; 4]) -> String {
    format!("  {name:<30} {binary:>9.2} {resident:>9.2} {peak:>9.2} {cpu:>9.3}")
}

/// What the agent takes of what the two exporters take together, column by column.
fn shares(own: &[f64; 4], blackbox: &[f64; 4], node: &[f64; 4]) -> [f64; 4] {
    let mut shares = *own;
    for ((share, blackbox), node) in shares.iter_mut().zip(blackbox).zip(node) {
        *share /= blackbox + node;
    }
    shares
}

fn main() -> Result<(), String> {
    let seconds: u64 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(120);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let nginx = Nginx::start("location / { return 200 fine; }")?;
    let config = config(folder.path(), &nginx.url)?;
    let built = root().join("target/x86_64-unknown-linux-gnu/agent/agent");
    let own = std::env::var_os("BENCH_AGENT").map_or(built, PathBuf::from);
    let agent = || {
        let port = free_port();
        let arguments =
            ["--config", &config.to_string_lossy(), "--listen", &format!("127.0.0.1:{port}")].map(str::to_owned);
        Measured::start("agent", &own, port, &arguments)
    };
    let modules = ["--config.file=/etc/prometheus/blackbox.yml".to_owned()];
    let blackbox = || Measured::exporter("prometheus-blackbox-exporter", &modules);
    let node = || Measured::exporter("prometheus-node-exporter", &[]);
    let only = std::env::args().nth(2);
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    if wanted("rates") {
        rates::all(&own, folder.path())?;
    }
    if wanted("kinds") {
        kinds::all(&own, folder.path())?;
    }
    if !wanted("beside") {
        return Ok(());
    }
    println!("first answer on /metrics, ms, median of 15 starts");
    println!(
        "  agent {:.1}   blackbox {:.1}   node {:.1}",
        first_answer(agent)?,
        first_answer(blackbox)?,
        first_answer(node)?
    );

    beside(seconds, &own, [&agent()?, &blackbox()?, &node()?], &nginx.url)
}

/// The three at the same work for so long, and what that took.
fn beside(seconds: u64, own: &Path, [agent, blackbox, node]: [&Measured; 3], page: &str) -> Result<(), String> {
    std::thread::sleep(Duration::from_secs(3));
    let before = [agent.cpu(), blackbox.cpu(), node.cpu()];
    println!("\n{CHECKS} http checks every 5 s and a scrape every 15 s for {seconds} s");
    work(seconds, agent, blackbox, node, page);
    println!("  {:<30} {:>9} {:>9} {:>9} {:>9}", "", "binary MB", "RSS MB", "peak MB", "CPU %");
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let percent = |program: &Measured, before: f64| (program.cpu() - before) / seconds as f64 * 100.0;
    let mut rows = Vec::new();
    for (program, before) in [agent, blackbox, node].into_iter().zip(before) {
        let row =
            [program.megabytes(), program.resident(), program.status_kb("VmHWM") / 1024.0, percent(program, before)];
        println!("{}", line(program.name, row));
        rows.push(row);
    }
    if let [own, blackbox, node] = rows.as_slice() {
        println!("{}", line("agent / (blackbox + node)", shares(own, blackbox, node)));
    }
    let [least, middle, most] = health(own, agent.port)?;
    println!("\nagent health, ms of 200 runs: min {least:.2}   p50 {middle:.2}   p99 {most:.2}");
    for (kept, how) in [(false, "each on a new connection"), (true, "all on one connection")] {
        println!("\nscrape at 20 a second, {how}, ms");
        for program in [agent, blackbox, node] {
            let (p50, p99, bytes) = scrapes(program.port, kept);
            println!("  {:<30} p50 {p50:.2}   p99 {p99:.2}   {bytes} bytes", program.name);
        }
    }
    Ok(())
}
