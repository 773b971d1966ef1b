//! Owns `/api/v1/admin/*`: figures of the service, and who is an administrator.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use serde_json::json;

use super::Routes;
use crate::{
    app::App,
    auth::Admin,
    body::JsonBody,
    clock,
    entities::ROLES,
    error::{ApiError, FieldProblem},
    reads,
};

/// The paths.
pub fn routes() -> Routes {
    Routes::new().route("/api/v1/admin/stats", get(stats)).route("/api/v1/admin/users/{id}/role", put(set_role))
}

async fn stats(State(app): State<Arc<App>>, _admin: Admin) -> Result<Response, ApiError> {
    let body = json!({
        "rows": app.database.row_counts().await?,
        "revoked_tokens": app.database.revoked_tokens().await?,
        "uptime_seconds": app.started.elapsed().as_secs(),
        "database_pool": app.database.pool_view(),
    });
    Ok(Json(body).into_response())
}

async fn set_role(
    State(app): State<Arc<App>>,
    Admin(session): Admin,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<StatusCode, ApiError> {
    let [role] = body.texts(["role"])?;
    if !ROLES.contains(&role) {
        let message = format!("must be one of: {}", ROLES.join(", "));
        return Err(ApiError::Invalid(vec![FieldProblem::new("role", message)]));
    }
    if session.claims.sub == id {
        let message = "another administrator must change your role".to_owned();
        return Err(ApiError::Conflict { code: "own_account", message });
    }
    reads::before_role(&app, &id).await;
    let is_found = app.database.set_role(&id, role, &clock::stamp(clock::now())).await?;
    if is_found { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound("user")) }
}
