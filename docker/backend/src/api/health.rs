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
    let answered = tokio::time::timeout(limits::HEALTH_DEADLINE, app.database.ping()).await;
    let healthy = matches!(answered, Ok(Ok(())));
    let microseconds = u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX);
    let (status, word) =
        if healthy { (StatusCode::OK, "healthy") } else { (StatusCode::SERVICE_UNAVAILABLE, "unhealthy") };
    let body = json!({
        "status": word,
        "overall_healthy": healthy,
        "services": { "database": {
            "healthy": healthy,
            "response_time_ms": f64::from(microseconds) / 1_000.0,
            "pool": pool,
        } },
    });
    (status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}
