//! Owns what is kept in Redis: copies of what the database says, for a while. Knows no entity. Must stay true: the database alone is
//! the truth. Whatever Redis forgets, refuses or lacks costs a query and never an answer.
//!
//! A copy must not outlive a change. So whoever is about to change something first marks its copies as outdated: the mark stands
//! where the copy stood, and a copy is stored only where nothing stands. Thus a reader who read before the change and is slow to
//! store what it read finds the mark and leaves it, and a client who goes away in mid-change takes nothing along that was still to
//! be done. Until the mark expires, readers ask the database.
//!
//! When the mark cannot be set, because Redis is away, the change goes on, and this instance does not believe any copy until those
//! there may be have expired (`limits::CACHE_LIFE`). Another instance that does reach Redis may serve the old copy for that long.

mod state;

use redis::{
    AsyncCommands, Client, ErrorKind, ExistenceCheck, Pipeline, RedisError, SetExpiry, SetOptions,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{clock, config::ServerUrl, limits, metrics::CacheMetrics};
use state::State;

/// Stands where a copy stood; no copy is empty.
const OUTDATED: &str = "";

/// What a copy is of, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An entity.
    Records,
    /// Whether a session goes on, and in which role.
    Sessions,
}

/// Redis, or nothing where none is configured.
pub struct Cache(Option<Redis>);

struct Redis {
    connection: ConnectionManager,
    place: String,
    state: State,
    metrics: CacheMetrics,
}

/// How Redis is, for `/health`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheHealth {
    /// Whether it answered.
    pub healthy: bool,
    /// After which time it did or was given up.
    pub response_time_ms: f64,
}

impl Cache {
    /// Prepares the connection; it is made with the first command, and again whenever it breaks.
    pub fn new(url: Option<&ServerUrl>) -> Result<Self, RedisError> {
        let Some(url) = url else { return Ok(Self(None)) };
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(limits::REDIS_CONNECT_DEADLINE))
            .set_response_timeout(Some(limits::REDIS_DEADLINE));
        let connection = ConnectionManager::new_lazy_with_config(Client::open(url.reveal().as_str())?, config)?;
        let metrics = CacheMetrics::default();
        Ok(Self(Some(Redis { connection, place: url.place().to_owned(), state: State::default(), metrics })))
    }

    /// What is counted, where there is something to count.
    pub fn metrics(&self) -> Option<&CacheMetrics> {
        self.0.as_ref().map(|redis| &redis.metrics)
    }

    /// The copies under these keys, when all are there and may be believed.
    pub async fn get(&self, purpose: Purpose, keys: &[String]) -> Option<Vec<String>> {
        let redis = self.0.as_ref().filter(|redis| redis.state.is_trusted(clock::steady()))?;
        let copies: Vec<Option<String>> = redis.run(purpose, redis.connection.clone().mget(keys)).await?;
        let found = copies.into_iter().map(|copy| copy.filter(|copy| copy != OUTDATED)).collect::<Option<Vec<_>>>();
        redis.metrics.looked_up(purpose, found.is_some());
        found
    }

    /// Stores copies of what was just read from the database, where neither a copy nor a mark stands.
    pub async fn fill(&self, purpose: Purpose, copies: &[(String, String)]) {
        let Some(redis) = self.0.as_ref().filter(|redis| redis.state.is_trusted(clock::steady())) else { return };
        let life = SetExpiry::EX(limits::CACHE_LIFE.as_secs());
        let options = SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(life);
        let pipeline = copies.iter().fold(Pipeline::new(), |mut pipeline, (key, copy)| {
            pipeline.set_options(key, copy, options.clone()).ignore();
            pipeline
        });
        _ = redis.run(purpose, pipeline.query_async::<()>(&mut redis.connection.clone())).await;
    }

    /// Marks what stands under these keys as outdated. Called before the change, or the change could be seen too late.
    pub async fn outdate(&self, purpose: Purpose, keys: &[String]) {
        let Some(redis) = self.0.as_ref().filter(|_| !keys.is_empty()) else { return };
        let pipeline = keys.iter().fold(Pipeline::new(), |mut pipeline, key| {
            pipeline.set_ex(key, OUTDATED, limits::CACHE_MARK_LIFE.as_secs()).ignore();
            pipeline
        });
        let done = redis.run(purpose, pipeline.query_async::<()>(&mut redis.connection.clone())).await;
        if done.is_none() {
            redis.state.distrust(clock::steady() + limits::CACHE_LIFE);
        }
    }

    /// Asks Redis how it is; `None` where none is configured.
    pub async fn health(&self) -> Option<CacheHealth> {
        let redis = self.0.as_ref()?;
        let start = clock::steady();
        let pong: Option<String> = redis.run(Purpose::Records, redis.connection.clone().ping()).await;
        let microseconds = u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX);
        Some(CacheHealth { healthy: pong.is_some(), response_time_ms: f64::from(microseconds) / 1_000.0 })
    }
}

impl Redis {
    /// Runs a command to its end or its deadline; tells the log when Redis goes or comes back.
    async fn run<T>(&self, purpose: Purpose, command: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        let answer = tokio::time::timeout(limits::REDIS_CONNECT_DEADLINE, command).await;
        let (answer, cause) = match answer {
            Ok(Ok(answer)) => (Some(answer), String::new()),
            Ok(Err(error)) => (None, reason(&error)),
            Err(_) => (None, "no answer in time".to_owned()),
        };
        let is_up = answer.is_some();
        if !is_up {
            self.metrics.failed(purpose);
        }
        self.metrics.set_up(is_up);
        match (self.state.turned(is_up, clock::steady()), is_up) {
            (true, true) => tracing::info!(place = self.place, "redis answers: reads come from the cache"),
            (true, false) => {
                tracing::warn!(place = self.place, cause, "redis does not answer: reads go to the database")
            }
            (false, _) => {}
        }
        answer
    }
}

/// Redis' own words for a refusal hold no password; those of the client for the rest are its kinds.
fn reason(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::AuthenticationFailed => "the password is wrong".to_owned(),
        _ => error.to_string(),
    }
}
