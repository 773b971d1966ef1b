//! Owns `/faults`: seeing, setting and lifting the faults. Routed only where `FAULTS=1`; needs no login, for who may start
//! the service with that variable may also break it.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::Routes;
use crate::{
    app::App,
    body::JsonBody,
    error::{ApiError, FieldProblem},
    faults::{FaultSettings, Faults},
};

/// The path.
pub fn routes() -> Routes {
    Routes::new().route("/faults", get(show).put(set).delete(lift))
}

async fn show(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    Ok(state(faults(&app)?).await)
}

async fn set(State(app): State<Arc<App>>, body: JsonBody) -> Result<Response, ApiError> {
    // serde names the key in its message; there is one message, as it stops at the first.
    let settings: FaultSettings = serde_json::from_value(body.value)
        .map_err(|error| ApiError::Invalid(vec![FieldProblem::new("", error.to_string())]))?;
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(ApiError::Invalid(problems));
    }
    apply(&app, settings).await
}

async fn lift(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    apply(&app, FaultSettings::default()).await
}

async fn apply(app: &App, settings: FaultSettings) -> Result<Response, ApiError> {
    let faults = faults(app)?;
    faults.apply(settings, &app.database).await;
    Ok(state(faults).await)
}

async fn state(faults: &Faults) -> Response {
    Json(json!({ "settings": faults.settings(), "taken": faults.taken().await })).into_response()
}

fn faults(app: &App) -> Result<&Faults, ApiError> {
    app.faults.as_ref().ok_or(ApiError::NotFound("path"))
}
