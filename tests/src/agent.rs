//! An agent under test: started on a free port, asked over HTTP.

use crate::http::{Answer, get};
use crate::program::{Running, clean};
use crate::wait_for;
use std::process::Command;
use std::time::Duration;

/// An agent at work.
pub struct Agent {
    /// The program.
    pub running: Running,
    /// Its base URL.
    pub url: String,
}

impl Agent {
    /// Starts `agent run` with these arguments on a free loopback port and waits until it says that it is up.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_command(clean("agent").args(["--listen", "127.0.0.1:0"]).args(arguments))
    }

    /// Starts an agent from a config file with this text.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[must_use]
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub fn with_config(folder: &std::path::Path, text: &str) -> Self {
        let path = folder.join("agent.yml");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::start(&["--config", &path.to_string_lossy()])
    }

    /// Starts a prepared command and waits until it says that it is up.
    ///
    /// # Panics
    /// When its line about being up has no address.
    #[must_use]
    pub fn start_command(command: &mut Command) -> Self {
        Self::start_at("http://127.0.0.1", command)
    }

    /// Starts a prepared command that is to be asked at this scheme and host, and waits until it says that it is up.
    ///
    /// # Panics
    /// When its line about being up has no port.
    #[must_use]
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub fn start_at(base: &str, command: &mut Command) -> Self {
        let running = Running::start(command);
        let line = running.line("agent is up");
        let port = line.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {line}"));
        Self { running, url: format!("{base}:{port}") }
    }

    /// A page of it.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub fn page(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.url)).unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.running.said()))
    }

    /// The value of a series of `/metrics`, when it is there.
    #[must_use]
    pub fn sample(&self, series: &str) -> Option<f64> {
        crate::http::sample(&self.page("/metrics").body, series)
    }

    /// Waits until a series has a value.
    pub fn wait_sample(&self, series: &str, value: f64) {
        let had = || self.sample(series).filter(|found| (found - value).abs() < 1e-9).map(|_| ());
        let awaited = format!("{series} = {value}");
        let seen =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_for(&awaited, Duration::from_secs(30), had)));
        if let Err(panic) = seen {
            eprintln!("{}\n{}", self.page("/diagnostics").body, self.running.said());
            std::panic::resume_unwind(panic);
        }
    }
}
