//! A real Redis with a password, from Debian's package.

use super::start::{Server, folder, free_port, installed, output, unprivileged};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

/// The password of every test server.
pub const PASSWORD: &str = "canary-redis";

/// A Redis at work.
pub struct Redis {
    /// Its port on loopback.
    pub port: u16,
    /// The process and its folder.
    pub server: Server,
}

impl Redis {
    /// Starts one; `settings` are more words of its command line: `--maxclients 20`.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(settings: &[&str]) -> Result<Self, String> {
        Self::start_at(free_port(), settings)
    }

    /// Starts one at a port.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start_at(port: u16, settings: &[&str]) -> Result<Self, String> {
        let program = installed("redis-server")?;
        let folder = folder()?;
        let mut command = unprivileged(&program, folder.path());
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--requirepass", PASSWORD]);
        command.args(["--save", "3600 1", "--dir"]).arg(folder.path()).args(settings);
        let server = Server::start(command, folder)?;
        let server = server.until(|| cli(port, &["PING"]).is_ok_and(|answer| answer == "PONG"))?;
        Ok(Self { port, server })
    }

    /// What `redis-cli` prints for a command.
    ///
    /// # Errors
    /// When it fails.
    pub fn cli(&self, words: &[&str]) -> Result<String, String> {
        cli(self.port, words)
    }

    /// Starts it again at the same port, after a stop.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<(), String> {
        let port = self.port;
        self.server.restart(|| cli(port, &["PING"]).is_ok_and(|answer| answer == "PONG"))
    }
}

/// A real Sentinel without a password, which watches one primary under the name `cache`.
pub struct Sentinel {
    /// Its port on loopback.
    pub port: u16,
    /// The process and its folder.
    pub server: Server,
}

impl Sentinel {
    /// Starts one beside a primary at this port.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(primary: u16) -> Result<Self, String> {
        let (program, folder, port) = (installed("redis-sentinel")?, folder()?, free_port());
        let path = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor cache 127.0.0.1 {primary} 1\n\
             sentinel auth-pass cache {PASSWORD}\n",
            folder.path().display()
        );
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        given(&path, folder.path())?;
        let mut command = unprivileged(&program, folder.path());
        command.arg(&path);
        let server = Server::start(command, folder)?;
        let server = server.until(|| open_cli(port, &["PING"]).is_ok_and(|answer| answer == "PONG"))?;
        Ok(Self { port, server })
    }

    /// What `redis-cli` prints for a command.
    ///
    /// # Errors
    /// When it fails.
    pub fn cli(&self, words: &[&str]) -> Result<String, String> {
        open_cli(self.port, words)
    }
}

/// Gives a file to the owner of its folder; a Sentinel writes into its own configuration.
fn given(path: &Path, folder: &Path) -> Result<(), String> {
    let owner = std::fs::metadata(folder).map_err(|error| error.to_string())?;
    chown(path, Some(owner.uid()), Some(owner.gid())).map_err(|error| error.to_string())
}

fn open_cli(port: u16, words: &[&str]) -> Result<String, String> {
    output(Command::new("redis-cli").args(["-p", &port.to_string()]).args(words))
}

fn cli(port: u16, words: &[&str]) -> Result<String, String> {
    output(Command::new("redis-cli").args(["-p", &port.to_string(), "--no-auth-warning", "-a", PASSWORD]).args(words))
}
