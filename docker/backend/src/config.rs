//! Owns the configuration: the environment becomes one checked `Config`, or every problem at once. Nothing after this module
//! reads a variable, and nothing in `Config` is optional that need not be.

mod reader;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tracing::level_filters::LevelFilter;

use reader::Reader;
pub use reader::{Problem, Problems};

use crate::{
    faults::FaultSettings,
    limits,
    logging::{Format, LogSettings},
    secret::Secret,
};

/// E-mail address of the account that is seeded as administrator.
pub const ADMIN_EMAIL: &str = "admin@example.org";
/// Password of the administrator when `ADMIN_PASSWORD` is not set: public, for demos, and warned about.
pub const DEMO_ADMIN_PASSWORD: &str = "demo-admin-password";
/// Password of all seeded users when `SEED_PASSWORD` is not set: public, for demos.
pub const DEMO_USER_PASSWORD: &str = "demo-user-password";

/// Where the rows live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A file of our own in the temporary directory, removed at the end: the default, as a demo should leave nothing behind.
    Temporary,
    /// `sqlite::memory:`. One connection only, since each connection would see a database of its own.
    Memory,
    /// `sqlite://path`, created when missing.
    File(PathBuf),
}

/// Everything the service was told, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `LISTEN`: address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `DATABASE_URL`.
    pub storage: Storage,
    /// `POOL_SIZE`: database connections, the writer's included.
    pub pool_size: u32,
    /// `JWT_SECRET`, or a random one.
    pub jwt_secret: Secret,
    /// `ADMIN_PASSWORD`, or the demo's.
    pub admin_password: Secret,
    /// `SEED_USERS`: how many of `user1@example.org`… exist after the start.
    pub seed_users: u32,
    /// `SEED_PASSWORD`, or the demo's.
    pub seed_password: Secret,
    /// `COOKIE_SECURE`: whether the session cookie is for HTTPS only.
    pub cookie_secure: bool,
    /// `DRAIN_SECONDS`: how long requests in flight may go on after the first signal.
    pub drain: Duration,
    /// `FAULTS=1` and the `FAULT_*` variables; `None` when faults are not allowed.
    pub faults: Option<FaultSettings>,
    /// `LOG_FORMAT` and `LOG_LEVEL`.
    pub log: LogSettings,
    /// What the operator should hear about once the log is up.
    pub warnings: Vec<&'static str>,
}

impl Config {
    /// Reads the environment of the process.
    pub fn from_env() -> Result<Self, Problems> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables through `lookup`; all problems are reported together.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut reader = Reader::new(&lookup);
        let mut warnings = Vec::new();
        let config = Self {
            listen: listen(&mut reader),
            storage: storage(&mut reader),
            pool_size: number(&mut reader, "POOL_SIZE", 8, (2, limits::MAX_POOL_SIZE)),
            jwt_secret: jwt_secret(&mut reader, &mut warnings),
            admin_password: admin_password(&mut reader, &mut warnings),
            seed_users: number(&mut reader, "SEED_USERS", 200, (0, limits::MAX_SEED_USERS)),
            seed_password: reader
                .secret("SEED_PASSWORD", limits::MIN_PASSWORD_CHARS)
                .unwrap_or_else(|| Secret::new(DEMO_USER_PASSWORD)),
            cookie_secure: reader.switch("COOKIE_SECURE"),
            drain: drain(&mut reader),
            faults: faults(&mut reader),
            log: LogSettings { format: log_format(&mut reader), level: log_level(&mut reader) },
            warnings: Vec::new(),
        };
        reader.finish()?;
        Ok(Self { warnings, ..config })
    }
}

fn listen(reader: &mut Reader<'_>) -> SocketAddr {
    let default = SocketAddr::from(([0, 0, 0, 0], 8000));
    reader.parsed("LISTEN", "an address and a port, such as `0.0.0.0:8000` or `127.0.0.1:0`").unwrap_or(default)
}

fn number(reader: &mut Reader<'_>, name: &'static str, default: u32, range: (u64, u64)) -> u32 {
    reader.number(name, range).and_then(|value| u32::try_from(value).ok()).unwrap_or(default)
}

fn drain(reader: &mut Reader<'_>) -> Duration {
    reader.number("DRAIN_SECONDS", (1, 300)).map_or(limits::DEFAULT_DRAIN, Duration::from_secs)
}

fn storage(reader: &mut Reader<'_>) -> Storage {
    let Some(url) = reader.text("DATABASE_URL") else { return Storage::Temporary };
    let Some((scheme, rest)) = url.split_once(':') else {
        reader.problem("DATABASE_URL", "is not a URL", "`sqlite://path/to/file.db` or `sqlite::memory:`");
        return Storage::Temporary;
    };
    if scheme != "sqlite" {
        // Only the scheme is repeated: what follows may hold a password.
        let message = format!("names a database that this build has no driver for: `{}`", printable(scheme));
        reader.problem(
            "DATABASE_URL",
            &message,
            "only SQLite is built in: `sqlite://path/to/file.db`, or leave it unset",
        );
        return Storage::Temporary;
    }
    match rest.strip_prefix("//").unwrap_or(rest) {
        ":memory:" => Storage::Memory,
        "" => {
            reader.problem("DATABASE_URL", "names no file", "`sqlite://path/to/file.db` or `sqlite::memory:`");
            Storage::Temporary
        }
        path => Storage::File(PathBuf::from(path.split_once('?').map_or(path, |(file, _)| file))),
    }
}

/// A scheme has few possible characters; anything else may be the beginning of a secret.
fn printable(scheme: &str) -> &str {
    let is_scheme = scheme.len() <= 24 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if is_scheme { scheme } else { "…" }
}

fn jwt_secret(reader: &mut Reader<'_>, warnings: &mut Vec<&'static str>) -> Secret {
    if !reader.is_set("JWT_SECRET") {
        warnings.push("`JWT_SECRET` is not set: a random one is used, so sessions end when the process does");
    }
    reader.secret("JWT_SECRET", limits::MIN_SECRET_CHARS).unwrap_or_else(crate::auth::random_secret)
}

fn admin_password(reader: &mut Reader<'_>, warnings: &mut Vec<&'static str>) -> Secret {
    if !reader.is_set("ADMIN_PASSWORD") {
        warnings.push("`ADMIN_PASSWORD` is not set: the public demo password is in force, for demos only");
    }
    reader.secret("ADMIN_PASSWORD", limits::MIN_PASSWORD_CHARS).unwrap_or_else(|| Secret::new(DEMO_ADMIN_PASSWORD))
}

fn faults(reader: &mut Reader<'_>) -> Option<FaultSettings> {
    let allowed = reader.switch("FAULTS");
    let settings = FaultSettings {
        latency_ms: reader.number("FAULT_LATENCY_MS", (0, limits::MAX_FAULT_MS)).unwrap_or(0),
        latency_route: reader.text("FAULT_LATENCY_ROUTE"),
        error_rate: reader.ratio("FAULT_ERROR_RATE").unwrap_or(0.0),
        cpu_burn_ms: reader.number("FAULT_CPU_BURN_MS", (0, limits::MAX_FAULT_MS)).unwrap_or(0),
        leak_bytes_per_request: reader
            .number("FAULT_LEAK_BYTES_PER_REQUEST", (0, limits::MAX_LEAK_PER_REQUEST))
            .unwrap_or(0),
        hold_connections: number(reader, "FAULT_HOLD_CONNECTIONS", 0, (0, limits::MAX_POOL_SIZE)),
        stuck_worker: reader.switch("FAULT_STUCK_WORKER"),
    };
    if !allowed && settings != FaultSettings::default() {
        reader.problem("FAULTS", "is not `1`, yet a `FAULT_*` variable is set", "set `FAULTS=1`, or unset `FAULT_*`");
    }
    allowed.then_some(settings)
}

fn log_format(reader: &mut Reader<'_>) -> Format {
    match reader.text("LOG_FORMAT").as_deref() {
        None | Some("text") => Format::Text,
        Some("json") => Format::Json,
        Some(_) => {
            reader.problem("LOG_FORMAT", "is neither of its two values", "`text` or `json`");
            Format::Text
        }
    }
}

fn log_level(reader: &mut Reader<'_>) -> LevelFilter {
    reader.parsed("LOG_LEVEL", "one of `error`, `warn`, `info`, `debug`, `trace`, `off`").unwrap_or(LevelFilter::INFO)
}
