//! A real Alertmanager with the shipped configuration, made by the shipped `start`.

use super::free_port;
use crate::http::get;
use crate::program::{Finished, Running, finish_command};
use crate::repo::{read, root};
use crate::wait_for;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// `docker/alertmanager/start` over a folder that stands for the container's file system.
pub struct Start {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Start {
    /// With this environment and these secrets (name and content).
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(environment: &[(&str, &str)], secrets: &[(&str, &str)]) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("secrets"))?;
        for (name, content) in secrets {
            std::fs::write(folder.path().join("secrets").join(name), content)?;
        }
        let home = root().join("docker/alertmanager");
        // The templates stay where they are in the checkout.
        let shipped =
            read(&home.join("alertmanager.yml")).replace("/etc/alertmanager/", &format!("{}/", home.display()));
        std::fs::write(folder.path().join("alertmanager.yml"), shipped)?;
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Ok(Self { environment: environment.collect(), folder })
    }

    /// Changes the configuration that `start` reads, such as its times.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn edit(&self, from: &str, to: &str) -> std::io::Result<()> {
        let path = self.folder().join("alertmanager.yml");
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(path, text.replace(from, to))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The command, with `sh` as in the image.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new("sh");
        command.arg(root().join("docker/alertmanager/start"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("ALERTMANAGER", "prometheus-alertmanager");
        command.env("ALERTMANAGER_TEMPLATE", self.folder().join("alertmanager.yml"));
        command.env("ALERTMANAGER_CONFIG", self.folder().join("made.yml"));
        command.env("ALERTMANAGER_SECRETS", self.folder().join("secrets"));
        command.envs(self.environment.iter().cloned());
        command
    }

    /// What `start render` prints.
    #[must_use]
    pub fn render(&self) -> Finished {
        finish_command(self.command().arg("render"))
    }
}

/// An Alertmanager at work.
pub struct Alertmanager {
    /// Its base URL.
    pub url: String,
    _running: Running,
    _start: Start,
}

impl Alertmanager {
    /// Starts it.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn start(start: Start) -> Result<Self, String> {
        super::installed("prometheus-alertmanager")?;
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = start.command();
        command.arg(format!("--web.listen-address={address}")).arg("--cluster.listen-address=");
        command.arg(format!("--storage.path={}", start.folder().join("data").display()));
        let running = Running::start(&mut command);
        let url = format!("http://{address}");
        let ready = || get(&format!("{url}/-/ready")).ok().filter(|answer| answer.status == 200);
        let _answer = wait_for("Alertmanager to be ready", Duration::from_secs(60), ready);
        Ok(Self { url, _running: running, _start: start })
    }

    /// Sends alerts as Prometheus does.
    ///
    /// # Errors
    /// When it does not take them.
    pub fn send(&self, alerts: &serde_json::Value) -> Result<(), String> {
        let request = ureq::post(format!("{}/api/v2/alerts", self.url)).header("content-type", "application/json");
        request.send(alerts.to_string()).map(|_| ()).map_err(|error| error.to_string())
    }
}
