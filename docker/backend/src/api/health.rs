//! Owns `/health` and its alias `/api/v1/health/readiness`: whether this instance can work, in the shape that the agent reads.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::Routes;
use crate::{app::App, clock, limits};

/// The paths.
pub fn routes() -> Routes {
    Routes::new().route("/health", get(health)).route("/api/v1/health/readiness", get(health))
}

async fn health(State(app): State<Arc<App>>) -> Response {
    // Before the ping, which would count itself.
    let pool = app.database.pool_view();
    let start = clock::steady();
    let database = async {
        let answered = tokio::time::timeout(limits::HEALTH_DEADLINE, app.database.ping()).await;
        (matches!(answered, Ok(Ok(()))), u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX))
    };
    let ((healthy, microseconds), redis) = tokio::join!(database, app.cache.health());
    // Without Redis every answer is still right, only dearer: whoever asks whether to send requests here is told yes.
    let is_degraded = redis.is_some_and(|redis| !redis.healthy);
    let (status, word) = match (healthy, is_degraded) {
        (true, false) => (StatusCode::OK, "healthy"),
        (true, true) => (StatusCode::OK, "degraded"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
    };
    let mut services = json!({ "database": {
        "healthy": healthy,
        "response_time_ms": f64::from(microseconds) / 1_000.0,
        "pool": pool,
    } });
    if let (Some(redis), Some(services)) = (redis, services.as_object_mut()) {
        let redis = json!({ "healthy": redis.healthy, "response_time_ms": redis.response_time_ms });
        services.insert("redis".to_owned(), redis);
    }
    let body = json!({ "status": word, "overall_healthy": healthy && !is_degraded, "services": services });
    (status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}
