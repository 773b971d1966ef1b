//! Owns what all requests share. Built once by `run`, then only read.

use std::time::Instant;

use tokio::sync::Semaphore;

use crate::{
    auth::{Hasher, Tokens},
    cache::Cache,
    db::Database,
    faults::Faults,
    jobs::Jobs,
    metrics::Metrics,
    stopping::Stopping,
};

/// The parts behind every request.
pub struct App {
    /// All rows.
    pub database: Database,
    /// Copies of some of them.
    pub cache: Cache,
    /// Signs and reads session tokens.
    pub tokens: Tokens,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// What is counted.
    pub metrics: Metrics,
    /// The switches, where they are allowed.
    pub faults: Option<Faults>,
    /// The queue of the recommendation worker.
    pub jobs: Jobs,
    /// One permit a WebSocket.
    pub websockets: Semaphore,
    /// Hears when the service begins to stop.
    pub stopping: Stopping,
    /// Whether the session cookie is for HTTPS only.
    pub cookie_secure: bool,
    /// When the service started.
    pub started: Instant,
}
