//! What the benches do to the services of a stack: commands inside, statements, limits, the demo API's own faults.

use super::{Stack, docker};
use crate::wait_for;
use std::time::Duration;

/// As long as a container may take until it is healthy again.
const HEALTHY: Duration = Duration::from_secs(90);

/// A compose file by which the database has a disk of 320 MB.
pub const SMALL_DISK: (&str, &str) = (
    "disk.yaml",
    "volumes:\n  db-data:\n    driver_opts: {type: tmpfs, device: tmpfs, o: \"size=320m,uid=999,gid=999,mode=0700\"}\n",
);
/// What fills it.
const FILLER: &str = "/var/lib/postgresql/data/filler";

impl Stack {
    /// `docker/up` with these arguments.
    ///
    /// # Errors
    /// With its words when it fails.
    pub fn start(&mut self, arguments: &[&str]) -> Result<(), String> {
        let ended = self.up(arguments);
        if ended.code == 0 { Ok(()) } else { Err(format!("docker/up: {}{}", ended.stdout, ended.stderr)) }
    }

    /// Fills the database's disk: it ends when there is no room left, which is what is wanted.
    ///
    /// # Errors
    /// With the engine's words.
    pub fn fill_disk(&self) -> Result<(), String> {
        self.inside("db", &format!("cat /dev/zero >{FILLER} 2>/dev/null || true")).map(drop)
    }

    /// Makes room on it again.
    ///
    /// # Errors
    /// With the engine's words.
    pub fn empty_disk(&self) -> Result<(), String> {
        self.inside("db", &format!("rm -f {FILLER}")).map(drop)
    }

    /// The password of the stack's database.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn db_password(&self) -> Result<String, String> {
        let text = std::fs::read_to_string(self.path("docker/secrets/db_password"));
        text.map(|text| text.trim().to_owned()).map_err(|error| error.to_string())
    }

    /// One command of the engine about a service's container: `pause`, `stop`.
    ///
    /// # Errors
    /// With the engine's words.
    pub fn engine(&self, command: &str, service: &str) -> Result<(), String> {
        docker(&[command, &self.container(service)?]).map(drop)
    }

    /// A line of shell inside a service, and what it printed.
    ///
    /// # Errors
    /// With its words when it fails.
    pub fn inside(&self, service: &str, line: &str) -> Result<String, String> {
        docker(&["exec", &self.container(service)?, "sh", "-c", line])
    }

    /// A command inside a service that nobody waits for.
    ///
    /// # Errors
    /// With the engine's words.
    pub fn beside(&self, service: &str, words: &[&str]) -> Result<(), String> {
        docker(&[&["exec", "-d", &self.container(service)?][..], words].concat()).map(drop)
    }

    /// A statement, as the superuser of the stack's PostgreSQL.
    ///
    /// # Errors
    /// With its words when it fails.
    pub fn sql(&self, text: &str) -> Result<String, String> {
        let psql = ["psql", "-h", "/var/run/postgresql", "-U", "postgres", "-d", "app", "-v", "ON_ERROR_STOP=1", "-qc"];
        docker(&[&["exec", &self.container("db")?][..], &psql, &[text]].concat())
    }

    /// A service's limit of processor time, in hundredths of a core.
    ///
    /// # Errors
    /// With the engine's words.
    pub fn cpus(&self, service: &str, hundredths: u64) -> Result<(), String> {
        let cores = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        docker(&["update", "--cpus", &cores, &self.container(service)?]).map(drop)
    }

    /// Sets the demo API's fault switches; `{}` takes all back.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn faults(&self, settings: &str) -> Result<(), String> {
        let url = format!("http://{}:8000/faults", self.address("backend", "app")?);
        let put = ureq::put(&url).header("content-type", "application/json").send(settings.to_owned());
        put.map(drop).map_err(|error| format!("{url}: {error}"))
    }

    /// Restarts a service and waits until it is healthy.
    ///
    /// # Errors
    /// With the engine's words.
    pub fn restart(&self, service: &str) -> Result<(), String> {
        self.engine("restart", service)?;
        self.healthy(service)
    }

    /// Waits until a service is healthy.
    ///
    /// # Errors
    /// None; one that does not become healthy in time is a panic, which ends a bench's row.
    pub fn healthy(&self, service: &str) -> Result<(), String> {
        let is = || (self.inspect(service).ok()?.pointer("/State/Health/Status")? == "healthy").then_some(());
        wait_for(&format!("{service} to be healthy"), HEALTHY, is);
        Ok(())
    }
}
