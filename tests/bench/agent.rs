//! The agent beside blackbox_exporter and node_exporter, one run, same peer: size, first answer, CPU, memory, scrape latency.
//! Run by hand through `tests/bench/agent [SECONDS]`; it prints figures and ratios and asserts nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tests::repo::root;
use tests::servers::free_port;
use tests::servers::nginx::Nginx;

const CHECKS: usize = 10;
const PROBE_EVERY: Duration = Duration::from_secs(5);
const SCRAPE_EVERY: Duration = Duration::from_secs(15);

/// A program under measurement; killed when dropped.
struct Measured {
    name: &'static str,
    child: Child,
    port: u16,
    binary: PathBuf,
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Measured {
    fn start(name: &'static str, binary: &Path, port: u16, arguments: &[String]) -> Result<Self, String> {
        let mut command = Command::new(binary);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{}: {error}", binary.display()))?;
        Ok(Self { name, child, port, binary: binary.to_path_buf() })
    }

    /// User and system time so far, in seconds.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<f64> = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_whitespace()
            .map(|word| word.parse().unwrap_or(0.0))
            .collect();
        (fields.get(11).unwrap_or(&0.0) + fields.get(12).unwrap_or(&0.0)) / 100.0
    }

    /// A line of `/proc/<pid>/status` in kB.
    fn status_kb(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0.0)
    }

    fn megabytes(&self) -> f64 {
        let path = std::fs::canonicalize(&self.binary).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a file's size in megabytes")]
        std::fs::metadata(path).map_or(0.0, |file| file.len() as f64 / 1e6)
    }
}

/// One request on a connection of its own; the time to the last byte, and the size of the answer.
fn request(port: u16, path: &str) -> Option<(Duration, usize)> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    answer.starts_with(b"HTTP/1.1 200").then(|| (began.elapsed(), answer.len()))
}

/// One request on a connection that is kept, as Prometheus does; the time to the last byte, and the size of the answer.
fn request_again(stream: &mut BufReader<TcpStream>, path: &str) -> Option<(Duration, usize)> {
    let began = Instant::now();
    stream.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).ok()?;
    let (mut size, mut length, mut chunked, mut line) = (0, 0, false, String::new());
    while line != "\r\n" {
        line.clear();
        size += stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let header = line.to_ascii_lowercase();
        length = header.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap_or(length));
        chunked |= header.starts_with("transfer-encoding: chunked");
    }
    let mut body = Vec::new();
    loop {
        if chunked {
            line.clear();
            size += stream.read_line(&mut line).ok()?;
            // The line break after a chunk is read with it.
            length = usize::from_str_radix(line.trim(), 16).ok()? + 2;
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).ok()?;
        size += length;
        if !chunked || length == 2 {
            return Some((began.elapsed(), size));
        }
    }
}

fn median(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = ((values.len() as f64 - 1.0) * share).round() as usize;
    values.get(index).copied().unwrap_or(f64::NAN)
}

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

/// Scrape latency at a pace of 20 a second, in milliseconds: median and p99, on new connections or on one that is kept.
fn scrapes(port: u16, kept: bool) -> (f64, f64, usize) {
    let connect = || TcpStream::connect(("127.0.0.1", port)).map(BufReader::new).ok();
    let mut connection = connect();
    let mut times = Vec::new();
    let mut bytes = 0;
    for _ in 0..400 {
        let answer = match connection.as_mut().filter(|_| kept) {
            Some(stream) => request_again(stream, "/metrics"),
            None => request(port, "/metrics"),
        };
        match answer {
            Some((took, size)) => {
                times.push(took.as_secs_f64() * 1e3);
                bytes = size;
            }
            None => connection = connect(),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    (median(&mut times, 0.5), median(&mut times, 0.99), bytes)
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
    let own = root().join("target/x86_64-unknown-linux-gnu/agent/agent");
    let agent = || {
        let port = free_port();
        let arguments =
            ["--config", &config.to_string_lossy(), "--listen", &format!("127.0.0.1:{port}")].map(str::to_owned);
        Measured::start("agent", &own, port, &arguments)
    };
    let exporter = |name: &'static str, extra: &'static str| {
        let port = free_port();
        let mut arguments = vec![format!("--web.listen-address=127.0.0.1:{port}")];
        arguments.extend((!extra.is_empty()).then(|| extra.to_owned()));
        Measured::start(name, Path::new(&format!("/usr/bin/{name}")), port, &arguments)
    };
    let blackbox = || exporter("prometheus-blackbox-exporter", "--config.file=/etc/prometheus/blackbox.yml");
    let node = || exporter("prometheus-node-exporter", "");
    println!("first answer on /metrics, ms, median of 15 starts");
    println!(
        "  agent {:.1}   blackbox {:.1}   node {:.1}",
        first_answer(agent)?,
        first_answer(blackbox)?,
        first_answer(node)?
    );

    let (agent, blackbox, node) = (agent()?, blackbox()?, node()?);
    std::thread::sleep(Duration::from_secs(3));
    let before = [agent.cpu(), blackbox.cpu(), node.cpu()];
    println!("\n{CHECKS} http checks every 5 s and a scrape every 15 s for {seconds} s");
    work(seconds, &agent, &blackbox, &node, &nginx.url);
    println!("  {:<30} {:>9} {:>9} {:>9} {:>9}", "", "binary MB", "RSS MB", "peak MB", "CPU %");
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let percent = |program: &Measured, before: f64| (program.cpu() - before) / seconds as f64 * 100.0;
    let mut rows = Vec::new();
    for (program, before) in [&agent, &blackbox, &node].into_iter().zip(before) {
        let row = [
            program.megabytes(),
            program.status_kb("VmRSS") / 1024.0,
            program.status_kb("VmHWM") / 1024.0,
            percent(program, before),
        ];
        println!("{}", line(program.name, row));
        rows.push(row);
    }
    if let [own, blackbox, node] = rows.as_slice() {
        println!("{}", line("agent / (blackbox + node)", shares(own, blackbox, node)));
    }
    let [least, middle, most] = health(&own, agent.port)?;
    println!("\nagent health, ms of 200 runs: min {least:.2}   p50 {middle:.2}   p99 {most:.2}");
    for (kept, how) in [(false, "each on a new connection"), (true, "all on one connection")] {
        println!("\nscrape at 20 a second, {how}, ms");
        for program in [&agent, &blackbox, &node] {
            let (p50, p99, bytes) = scrapes(program.port, kept);
            println!("  {:<30} p50 {p50:.2}   p99 {p99:.2}   {bytes} bytes", program.name);
        }
    }
    Ok(())
}
