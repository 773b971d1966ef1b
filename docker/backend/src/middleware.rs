//! Owns what happens around every request, from the outside in: count and log it, bound its time, let the faults strike.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{app::App, clock, error::ApiError, limits, metrics::UNMATCHED};

/// Counts the request under its route template, logs failures of ours, and adds the header that every answer needs.
pub async fn observe(State(app): State<Arc<App>>, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let start = clock::steady();
    let _in_flight = app.metrics.begin_request();
    let method = request.method().clone();
    let mut response = next.run(request).await;
    let route = path.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let (status, elapsed) = (response.status(), start.elapsed());
    app.metrics.observe_request(&method, route, status.as_u16(), elapsed.as_secs_f64());
    let milliseconds = elapsed.as_millis();
    if status.is_server_error() {
        tracing::warn!(%method, route, status = status.as_u16(), milliseconds, "answered with an error of ours");
    } else {
        tracing::debug!(%method, route, status = status.as_u16(), milliseconds, "answered");
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Ends what takes too long, injected latency included, and lets the faults act where they are allowed.
pub async fn guard(State(app): State<Arc<App>>, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let work = async {
        if let Some(faults) = &app.faults
            && let Err(error) = faults.strike(path.as_ref().map_or(UNMATCHED, MatchedPath::as_str)).await
        {
            return error.into_response();
        }
        next.run(request).await
    };
    match tokio::time::timeout(limits::REQUEST_DEADLINE, work).await {
        Ok(response) => response,
        Err(_) => ApiError::Timeout(limits::REQUEST_DEADLINE.as_secs()).into_response(),
    }
}
