//! A real Redis with a password, from Debian's package.

use super::start::{Server, folder, free_port, installed, output, unprivileged};
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

fn cli(port: u16, words: &[&str]) -> Result<String, String> {
    output(Command::new("redis-cli").args(["-p", &port.to_string(), "--no-auth-warning", "-a", PASSWORD]).args(words))
}
