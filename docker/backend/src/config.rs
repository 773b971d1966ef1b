//! Owns the configuration: the environment becomes one checked `Config`, or every problem at once. Nothing after this module
//! reads a variable, and nothing in `Config` is optional that need not be.

mod reader;
mod server_url;
mod storage;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, time::Duration};

use tracing::level_filters::LevelFilter;

pub use reader::{Problem, Problems};
use reader::{Reader, SecretName};
pub use server_url::ServerUrl;
pub use storage::Storage;

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

const JWT_SECRET: SecretName = SecretName { plain: "JWT_SECRET", file: "JWT_SECRET_FILE" };
const ADMIN_PASSWORD: SecretName = SecretName { plain: "ADMIN_PASSWORD", file: "ADMIN_PASSWORD_FILE" };
const SEED_PASSWORD: SecretName = SecretName { plain: "SEED_PASSWORD", file: "SEED_PASSWORD_FILE" };

/// Everything the service was told, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `LISTEN`: address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `DATABASE_URL`.
    pub storage: Storage,
    /// `DATABASE_WAIT_SECONDS`: how long a database server may let the start wait.
    pub database_wait: Duration,
    /// `REDIS_URL`: the cache, if there is one.
    pub redis: Option<ServerUrl>,
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
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads the environment of the process.
    pub fn from_env() -> Result<Self, Problems> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables through `lookup`; all problems are reported together.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut reader = Reader::new(&lookup);
        let config = Self {
            listen: listen(&mut reader),
            storage: storage::storage(&mut reader),
            database_wait: database_wait(&mut reader),
            redis: storage::redis(&mut reader),
            pool_size: number(&mut reader, "POOL_SIZE", 8, (2, limits::MAX_POOL_SIZE)),
            jwt_secret: jwt_secret(&mut reader),
            admin_password: admin_password(&mut reader),
            seed_users: number(&mut reader, "SEED_USERS", 200, (0, limits::MAX_SEED_USERS)),
            seed_password: reader
                .secret(SEED_PASSWORD, limits::MIN_PASSWORD_CHARS)
                .unwrap_or_else(|| Secret::new(DEMO_USER_PASSWORD)),
            cookie_secure: reader.switch("COOKIE_SECURE"),
            drain: drain(&mut reader),
            faults: faults(&mut reader),
            log: LogSettings { format: log_format(&mut reader), level: log_level(&mut reader) },
            warnings: Vec::new(),
        };
        Ok(Self { warnings: reader.finish()?, ..config })
    }
}

fn listen(reader: &mut Reader<'_>) -> SocketAddr {
    let default = SocketAddr::from(([0, 0, 0, 0], 8000));
    reader.parsed("LISTEN", "an address and a port, such as `0.0.0.0:8000` or `127.0.0.1:0`").unwrap_or(default)
}

fn number(reader: &mut Reader<'_>, name: &'static str, default: u32, range: (u64, u64)) -> u32 {
    reader.number(name, range).and_then(|value| u32::try_from(value).ok()).unwrap_or(default)
}

fn database_wait(reader: &mut Reader<'_>) -> Duration {
    reader.number("DATABASE_WAIT_SECONDS", (0, 600)).map_or(limits::DEFAULT_DATABASE_WAIT, Duration::from_secs)
}

fn drain(reader: &mut Reader<'_>) -> Duration {
    reader.number("DRAIN_SECONDS", (1, 300)).map_or(limits::DEFAULT_DRAIN, Duration::from_secs)
}

fn jwt_secret(reader: &mut Reader<'_>) -> Secret {
    if !reader.is_given(JWT_SECRET) {
        reader.warn("`JWT_SECRET` is not set: a random one is used, so sessions end when the process does");
    }
    reader.secret(JWT_SECRET, limits::MIN_SECRET_CHARS).unwrap_or_else(crate::auth::random_secret)
}

fn admin_password(reader: &mut Reader<'_>) -> Secret {
    if !reader.is_given(ADMIN_PASSWORD) {
        reader.warn("`ADMIN_PASSWORD` is not set: the public demo password is in force, for demos only");
    }
    reader.secret(ADMIN_PASSWORD, limits::MIN_PASSWORD_CHARS).unwrap_or_else(|| Secret::new(DEMO_ADMIN_PASSWORD))
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
