//! Owns `/metrics`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use super::Routes;
use crate::{app::App, error::ApiError, metrics::CONTENT_TYPE};

/// The path.
pub fn routes() -> Routes {
    Routes::new().route("/metrics", get(metrics))
}

async fn metrics(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let page = app.metrics.page(app.database.pool_view()).map_err(|error| ApiError::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response())
}
