//! Owns the fault switches: what may be set, and what each of them does to a request. They exist only where `FAULTS=1` says
//! so. Must stay true: `/faults` and `/metrics` are never struck, or nobody could see or end a fault.

use std::{
    hint::black_box,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::{
    clock,
    db::{Database, Lease},
    error::{ApiError, FieldProblem},
    limits,
};

/// What is switched on; the default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultSettings {
    /// Milliseconds that every request waits before it is worked on.
    pub latency_ms: u64,
    /// Only requests of this route template wait, such as `/api/v1/assets/{id}`; all, when absent.
    pub latency_route: Option<String>,
    /// Share of requests, 0 to 1, answered 500.
    pub error_rate: f64,
    /// Milliseconds of one core that every request burns.
    pub cpu_burn_ms: u64,
    /// Bytes that every request leaves allocated, up to 512 MiB in all.
    pub leak_bytes_per_request: u64,
    /// Database connections taken out of the pools.
    pub hold_connections: u32,
    /// Whether the recommendation worker stops taking jobs.
    pub stuck_worker: bool,
}

impl FaultSettings {
    /// Everything that is out of range.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let out_of_range = [
            ("latency_ms", self.latency_ms > limits::MAX_FAULT_MS),
            ("error_rate", !(0.0..=1.0).contains(&self.error_rate)),
            ("cpu_burn_ms", self.cpu_burn_ms > limits::MAX_FAULT_MS),
            ("leak_bytes_per_request", self.leak_bytes_per_request > limits::MAX_LEAK_PER_REQUEST),
            ("hold_connections", u64::from(self.hold_connections) > limits::MAX_POOL_SIZE),
        ];
        let problem = |(field, _): (&str, bool)| FieldProblem::new(field, "is out of range");
        out_of_range.into_iter().filter(|(_, is_out)| *is_out).map(problem).collect()
    }

    fn delays(&self, route: &str) -> bool {
        self.latency_ms > 0 && self.latency_route.as_deref().is_none_or(|only| only == route)
    }
}

/// What the faults have taken so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Bytes leaked and not yet given back.
    pub leaked_bytes: usize,
    /// Database connections held.
    pub held_connections: usize,
}

#[derive(Default)]
struct Leak {
    blocks: Vec<Vec<u8>>,
    bytes: usize,
}

/// The switches and what they hold.
pub struct Faults {
    settings: watch::Sender<FaultSettings>,
    leak: Mutex<Leak>,
    held: AsyncMutex<Vec<Lease>>,
}

impl Default for Faults {
    /// Switches in their first position; `apply` takes what that position asks for.
    fn default() -> Self {
        let settings = watch::Sender::new(FaultSettings::default());
        Self { settings, leak: Mutex::default(), held: AsyncMutex::default() }
    }
}

impl Faults {
    /// The switches as they are, and every later change.
    pub fn watch(&self) -> watch::Receiver<FaultSettings> {
        self.settings.subscribe()
    }

    /// The switches as they are.
    pub fn settings(&self) -> FaultSettings {
        self.settings.borrow().clone()
    }

    /// What the faults hold now.
    pub async fn taken(&self) -> Taken {
        let held_connections = self.held.lock().await.len();
        Taken { leaked_bytes: self.leaked().bytes, held_connections }
    }

    /// Sets all switches. Connections beyond the new number go back; leaked memory does when the leak is switched off.
    pub async fn apply(&self, settings: FaultSettings, database: &Database) {
        tracing::warn!(?settings, "fault switches were set");
        if settings.leak_bytes_per_request == 0 {
            *self.leaked() = Leak::default();
        }
        let count = usize::try_from(settings.hold_connections).unwrap_or(usize::MAX);
        self.settings.send_replace(settings);
        let mut held = self.held.lock().await;
        held.clear();
        *held = database.hold(count).await;
    }

    /// Lets every fault that is on act upon one request of this route.
    pub async fn strike(&self, route: &str) -> Result<(), ApiError> {
        if ["/faults", "/metrics"].contains(&route) {
            return Ok(());
        }
        let settings = self.settings();
        if settings.delays(route) {
            tokio::time::sleep(Duration::from_millis(settings.latency_ms)).await;
        }
        if settings.cpu_burn_ms > 0 {
            let burn = Duration::from_millis(settings.cpu_burn_ms);
            tokio::task::spawn_blocking(move || burn_cpu(burn)).await.map_err(|error| ApiError::internal(&error))?;
        }
        self.leak(settings.leak_bytes_per_request);
        if settings.error_rate > 0.0 && fastrand::f64() < settings.error_rate {
            return Err(ApiError::Injected);
        }
        Ok(())
    }

    fn leak(&self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes == 0 {
            return;
        }
        let mut leaked = self.leaked();
        let total = leaked.bytes.saturating_add(bytes);
        if total <= limits::MAX_LEAKED_BYTES {
            // Not zeroes: the kernel would hand those out without backing them by memory.
            leaked.blocks.push(vec![1; bytes]);
            leaked.bytes = total;
        }
    }

    fn leaked(&self) -> MutexGuard<'_, Leak> {
        self.leak.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn burn_cpu(burn: Duration) {
    let start = clock::steady();
    let mut spins = 0_u64;
    while start.elapsed() < burn {
        spins = black_box(spins.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_out_of_range_is_listed() {
        let settings = FaultSettings {
            latency_ms: 60_001,
            error_rate: f64::NAN,
            leak_bytes_per_request: u64::MAX,
            ..FaultSettings::default()
        };
        let fields: Vec<_> = settings.problems().into_iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["latency_ms", "error_rate", "leak_bytes_per_request"]);
    }

    #[tokio::test]
    async fn a_leak_stops_at_its_cap() {
        let faults = Faults::default();
        let before = faults.taken().await.leaked_bytes;
        faults.leak(u64::try_from(limits::MAX_LEAKED_BYTES).expect("fits") + 1);
        assert_eq!(faults.taken().await.leaked_bytes, before);
        faults.leak(4096);
        assert_eq!(faults.taken().await.leaked_bytes, 4096);
    }

    #[test]
    fn burning_takes_the_time_that_it_was_told_to() {
        let start = clock::steady();
        burn_cpu(Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
    }
}
