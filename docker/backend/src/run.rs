//! Owns the life of the process, top to bottom, each step logged with its time.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

use crate::{
    app::App,
    auth::{Hasher, PasswordError, Tokens},
    cache::Cache,
    clock,
    config::Config,
    db::{Database, DbError, seed::SeedHashes},
    exit,
    faults::{FaultSettings, Faults},
    jobs::Jobs,
    limits,
    metrics::Metrics,
    routes,
    server::{self, Connections},
    signals::Signals,
    stopping::{self, Stop},
};

/// Why the service did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {cause}\nhint: is another process using the port? `LISTEN` sets another")]
    Listen {
        /// The address from the configuration.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The Redis client cannot be made.
    #[error("cannot use `REDIS_URL`: {0}\nhint: such as `redis://host:6379/0`")]
    Redis(#[from] redis::RedisError),
    /// The seeded passwords cannot be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// Runs from start to the end of the drain. `false` when requests had to be cut off.
pub async fn until_stopped(config: Config, mut signals: Signals) -> Result<bool, StartError> {
    let drain = config.drain;
    let service = tokio::select! {
        service = Service::start(config) => service?,
        signal = signals.next() => exit::abort(signal),
    };
    println!("listening on http://{}", service.address());
    let signal = signals.next().await;
    tracing::info!(signal, "stopping: a second signal ends the process at once");
    tokio::select! {
        drained = service.stop(drain) => Ok(drained),
        signal = signals.next() => exit::abort(signal),
    }
}

/// A service that accepts requests.
pub struct Service {
    address: SocketAddr,
    app: Arc<App>,
    stop: Stop,
    accepting: JoinHandle<Connections>,
    sweeping: JoinHandle<()>,
}

impl Service {
    /// Starts everything, in order: the port, the database with its migrations, the accounts, the routes.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let started = clock::steady();
        config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let (listener, address) = listen(config.listen).await?;
        let database = Database::open(&config.storage, config.pool_size, config.database_wait).await?;
        tracing::info!(milliseconds = started.elapsed().as_millis(), "database open and migrated");
        let hasher = Hasher::new()?;
        seed(&config, &database, &hasher).await?;
        tracing::info!(milliseconds = started.elapsed().as_millis(), users = config.seed_users, "accounts seeded");
        let cache = Cache::new(config.redis.as_ref())?;
        // Asked once, so that the log and the metrics tell from the beginning how it is. Without it the service works, too.
        _ = cache.health().await;
        let mut metrics = Metrics::new(clock::now());
        cache.metrics().into_iter().for_each(|cache| metrics.register_cache(cache));
        let faults = faults(config.faults, &database).await;
        let (stop, stopping) = stopping::channel();
        let app = Arc::new(App {
            tokens: Tokens::new(&config.jwt_secret),
            hasher,
            metrics,
            cache,
            jobs: Jobs::start(database.clone(), faults.as_ref().map(Faults::watch)),
            faults,
            websockets: Semaphore::new(limits::MAX_WEBSOCKETS),
            stopping: stopping.clone(),
            cookie_secure: config.cookie_secure,
            started,
            database: database.clone(),
        });
        let accepting = tokio::spawn(server::accept_until_stopping(listener, routes::router(app.clone()), stopping));
        let sweeping = tokio::spawn(sweep(database));
        tracing::info!(%address, milliseconds = started.elapsed().as_millis(), "accepting requests");
        Ok(Self { address, app, stop, accepting, sweeping })
    }

    /// The address that the service really listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, drains within the budget, closes the database. `false` when requests had to be cut off.
    pub async fn stop(self, budget: Duration) -> bool {
        let began = clock::steady();
        self.stop.begin();
        let drained = match self.accepting.await {
            Ok(connections) => {
                tracing::info!(budget_seconds = budget.as_secs(), "no longer accepting; draining requests in flight");
                let is_drained = connections.drained(budget).await;
                is_drained && websockets_closed(&self.app, budget.saturating_sub(began.elapsed())).await
            }
            Err(error) => {
                tracing::error!(%error, "the accept loop had ended before");
                false
            }
        };
        let milliseconds = began.elapsed().as_millis();
        match drained {
            true => tracing::info!(milliseconds, "drained"),
            false => tracing::warn!(milliseconds, "the budget is over; requests in flight are cut off"),
        }
        self.sweeping.abort();
        if let Some(faults) = &self.app.faults {
            faults.apply(FaultSettings::default(), &self.app.database).await;
        }
        self.app.database.close().await;
        tracing::info!(milliseconds = began.elapsed().as_millis(), "database closed; stopped");
        drained
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |cause| StartError::Listen { address, cause };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn seed(config: &Config, database: &Database, hasher: &Hasher) -> Result<(), StartError> {
    let admin = hasher.hash(config.admin_password.clone()).await?;
    let users = hasher.hash(config.seed_password.clone()).await?;
    let now = clock::stamp(clock::now());
    Ok(database.seed(config.seed_users, &SeedHashes { admin, users }, &now).await?)
}

async fn faults(settings: Option<FaultSettings>, database: &Database) -> Option<Faults> {
    let settings = settings?;
    tracing::warn!("`FAULTS=1`: anybody who reaches this port can make the service fail");
    let faults = Faults::default();
    if settings != FaultSettings::default() {
        faults.apply(settings, database).await;
    }
    Some(faults)
}

/// Each socket says goodbye by itself once the service stops; all permits are back when the last has.
async fn websockets_closed(app: &App, budget: Duration) -> bool {
    let all = u32::try_from(limits::MAX_WEBSOCKETS).unwrap_or(u32::MAX);
    tokio::time::timeout(budget, app.websockets.acquire_many(all)).await.is_ok()
}

async fn sweep(database: Database) {
    loop {
        tokio::time::sleep(limits::SWEEP_INTERVAL).await;
        match database.sweep(clock::now().timestamp()).await {
            Ok(rows) => tracing::debug!(rows, "expired tokens and keys deleted"),
            Err(error) => tracing::warn!(%error, "expired tokens and keys could not be deleted"),
        }
    }
}
