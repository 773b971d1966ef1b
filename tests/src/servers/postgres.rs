//! A real PostgreSQL, from Debian's package, with a superuser `postgres` and a password.

use super::start::{Server, folder, free_port, output, unprivileged};
use rustix::process::Signal;
use std::path::PathBuf;
use std::process::Command;

/// The password of the superuser.
pub const PASSWORD: &str = "canary-postgres";

/// A PostgreSQL at work.
pub struct Postgres {
    /// Its port on loopback.
    pub port: u16,
    /// The process and its folder; the unix socket lies in it.
    pub server: Server,
}

impl Postgres {
    /// Starts one; `settings` are parameters: `max_connections=20`.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(settings: &[&str]) -> Result<Self, String> {
        let (programs, folder, port) = (programs()?, folder()?, free_port());
        let (home, data) = (folder.path(), folder.path().join("data"));
        let secret = home.join("password");
        std::fs::write(&secret, PASSWORD).map_err(|error| error.to_string())?;
        let mut init = unprivileged(&programs.join("initdb"), home);
        init.arg("-D").arg(&data).arg("--pwfile").arg(&secret);
        output(init.args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]))?;
        serve(folder, port, settings)
    }

    /// Starts a replica of this one, fed by the replication slot of this name, which is made for it.
    ///
    /// # Errors
    /// When it cannot be copied, or does not start.
    pub fn replica(&self, slot: &str) -> Result<Self, String> {
        let (programs, folder, port) = (programs()?, folder()?, free_port());
        let from = format!("postgresql://postgres:{PASSWORD}@127.0.0.1:{}/postgres?application_name={slot}", self.port);
        let mut copy = unprivileged(&programs.join("pg_basebackup"), folder.path());
        copy.args(["-R", "-C", "-S", slot, "-X", "stream", "-c", "fast", "--no-sync", "-d", &from, "-D"]);
        output(copy.arg(folder.path().join("data")))?;
        serve(folder, port, &[])
    }

    /// What `psql` prints for a query in the database `postgres`, without decoration.
    ///
    /// # Errors
    /// When it fails.
    pub fn psql(&self, sql: &str) -> Result<String, String> {
        psql(self.port, "postgres", sql)
    }

    /// What `psql` prints for a query in another database.
    ///
    /// # Errors
    /// When it fails.
    pub fn psql_in(&self, database: &str, sql: &str) -> Result<String, String> {
        psql(self.port, database, sql)
    }

    /// Starts it again at the same port with the same data, after a stop.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<(), String> {
        let port = self.port;
        self.server.restart(|| psql(port, "postgres", "SELECT 1").is_ok())
    }
}

impl Drop for Postgres {
    /// By its signal for an immediate end, so that it gives its shared memory back.
    fn drop(&mut self) {
        self.server.end(Signal::QUIT);
    }
}

/// Starts a server on the data in a folder.
fn serve(folder: tempfile::TempDir, port: u16, settings: &[&str]) -> Result<Postgres, String> {
    let mut command = unprivileged(&programs()?.join("postgres"), folder.path());
    command.arg("-D").arg(folder.path().join("data")).arg("-k").arg(folder.path()).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB"].iter().chain(settings) {
        command.args(["-c", setting]);
    }
    let server = Server::start(command, folder)?;
    let server = server.until(|| psql(port, "postgres", "SELECT 1").is_ok())?;
    Ok(Postgres { port, server })
}

fn psql(port: u16, database: &str, sql: &str) -> Result<String, String> {
    let mut command = Command::new("psql");
    command.env("PGPASSWORD", PASSWORD).args([
        "-h",
        "127.0.0.1",
        "-p",
        &port.to_string(),
        "-U",
        "postgres",
        "-d",
        database,
    ]);
    output(command.args(["-X", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql]))
}

/// Debian keeps the server's programs out of `PATH`, in a folder for each version.
pub(crate) fn programs() -> Result<PathBuf, String> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").map_err(|_| "postgresql is not installed".to_owned())?;
    let found = versions
        .filter_map(Result::ok)
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists());
    found.max().ok_or_else(|| "postgresql is not installed".to_owned())
}
