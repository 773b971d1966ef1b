//! A real Prometheus that scrapes one target, from Debian's package.

use super::free_port;
use crate::http::get;
use crate::program::Running;
use crate::wait_for;
use std::process::Command;
use std::time::Duration;

/// A Prometheus at work.
pub struct Prometheus {
    /// Its base URL.
    pub url: String,
    _running: Running,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts one that scrapes `target` (`host:port`) every second.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn start(target: &str) -> Result<Self, String> {
        Self::start_with(
            &format!(
                "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n  - job_name: sidecar\n    static_configs: [{{targets: ['{target}']}}]\n"
            ),
            &[],
        )
    }

    /// Starts one with a whole configuration; `files` (name and text) lie beside it. `PROMETHEUS` in the text is its own address.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn start_with(text: &str, files: &[(&str, &str)]) -> Result<Self, String> {
        super::installed("prometheus")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let config = folder.path().join("prometheus.yml");
        let address = format!("127.0.0.1:{}", free_port());
        let text = text.replace("PROMETHEUS", &address);
        for (name, text) in files.iter().copied().chain([("prometheus.yml", text.as_str())]) {
            std::fs::write(folder.path().join(name), text).map_err(|error| error.to_string())?;
        }
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display())).arg(format!("--web.listen-address={address}"));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        let running = Running::start(&mut command);
        let url = format!("http://{address}");
        let ready = || get(&format!("{url}/-/ready")).ok().filter(|answer| answer.status == 200);
        let _answer = wait_for("Prometheus to be ready", Duration::from_secs(60), ready);
        Ok(Self { url, _running: running, _folder: folder })
    }

    /// The value of an instant query that gives one number, when it gives any.
    #[must_use]
    pub fn query(&self, expression: &str) -> Option<f64> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = get(&format!("{}/api/v1/query?query={encoded}", self.url)).ok()?.json();
        answer.pointer("/data/result/0/value/1")?.as_str()?.parse().ok()
    }

    /// Waits until a query gives a value.
    pub fn wait(&self, expression: &str) -> f64 {
        wait_for(expression, Duration::from_secs(60), || self.query(expression))
    }
}

/// What `promtool check metrics` says of a page; empty when it is content.
///
/// # Errors
/// When promtool is not installed or cannot be run.
pub fn check_metrics(page: &str) -> Result<String, String> {
    use std::io::Write as _;
    use std::process::Stdio;
    super::installed("promtool")?;
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let sent = child.stdin.take().map(|mut stdin| stdin.write_all(page.as_bytes()));
    sent.transpose().map_err(|error| error.to_string())?;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}
