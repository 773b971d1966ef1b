//! A program under measurement, and how it is asked: one request at a time, timed to the last byte.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tests::http::get;
use tests::servers::free_port;

/// A program under measurement; killed when dropped.
pub(super) struct Measured {
    pub(super) name: &'static str,
    pub(super) child: Child,
    pub(super) port: u16,
    binary: PathBuf,
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Measured {
    pub(super) fn start(name: &'static str, binary: &Path, port: u16, arguments: &[String]) -> Result<Self, String> {
        let mut command = Command::new(binary);
        command.args(arguments);
        Self::start_command(name, command, port)
    }

    fn start_command(name: &'static str, mut command: Command, port: u16) -> Result<Self, String> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let binary = PathBuf::from(command.get_program());
        let child = command.spawn().map_err(|error| format!("{}: {error}", binary.display()))?;
        Ok(Self { name, child, port, binary })
    }

    /// User and system time so far, in seconds.
    pub(super) fn cpu(&self) -> f64 {
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
    pub(super) fn status_kb(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0.0)
    }

    pub(super) fn megabytes(&self) -> f64 {
        let path = std::fs::canonicalize(&self.binary).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a file's size in megabytes")]
        std::fs::metadata(path).map_or(0.0, |file| file.len() as f64 / 1e6)
    }
}

/// One request on a connection of its own; the time to the last byte, and the size of the answer.
pub(super) fn request(port: u16, path: &str) -> Option<(Duration, usize)> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    answer.starts_with(b"HTTP/1.1 200").then(|| (began.elapsed(), answer.len()))
}

/// One request on a connection that is kept, as Prometheus does; the time to the last byte, and the size of the answer.
pub(super) fn request_again(stream: &mut BufReader<TcpStream>, path: &str) -> Option<(Duration, usize)> {
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

pub(super) fn median(values: &mut [f64], share: f64) -> f64 {
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

/// Scrape latency at a pace of 20 a second, in milliseconds: median and p99, on new connections or on one that is kept.
pub(super) fn scrapes(port: u16, kept: bool) -> (f64, f64, usize) {
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

impl Measured {
    /// An agent with this configuration.
    pub(super) fn agent(binary: &Path, folder: &Path, text: &str) -> Result<Self, String> {
        let port = free_port();
        let path = folder.join(format!("{port}.yml"));
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        let listen = format!("127.0.0.1:{port}");
        let arguments = ["--config".to_owned(), path.display().to_string(), "--listen".to_owned(), listen];
        let agent = Self::start("agent", binary, port, &arguments)?;
        let began = Instant::now();
        while request(port, "/live").is_none() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err("the agent does not answer".to_owned());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(agent)
    }

    /// An exporter of Debian's.
    pub(super) fn exporter(name: &'static str, extra: &[String]) -> Result<Self, String> {
        Self::exporter_of(name, extra, "")
    }

    /// An exporter of Debian's that takes the name of its server from the environment.
    pub(super) fn exporter_of(name: &'static str, extra: &[String], server: &str) -> Result<Self, String> {
        let port = free_port();
        let mut command = Command::new(format!("/usr/bin/{name}"));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).args(extra).env("DATA_SOURCE_NAME", server);
        Self::start_command(name, command, port)
    }

    /// Resident memory in MB.
    pub(super) fn resident(&self) -> f64 {
        self.status_kb("VmRSS") / 1024.0
    }

    /// Its page of metrics.
    pub(super) fn page(&self) -> String {
        get(&format!("http://127.0.0.1:{}/metrics", self.port)).map_or(String::new(), |answer| answer.body)
    }

    /// Finished runs so far: good ones and failed ones, over the checks whose name begins so.
    pub(super) fn runs(&self, begin: &str) -> (f64, f64) {
        runs(&self.page(), begin)
    }
}

/// The same on a page that is at hand.
pub(super) fn runs(page: &str, begin: &str) -> (f64, f64) {
    let begin = format!("sidecar_check_runs_total{{check=\"{begin}");
    let sum = |result: &str| {
        let of = |line: &&str| line.starts_with(&begin) && line.contains(result);
        page.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    (sum("\"ok\""), sum("\"failed\""))
}
