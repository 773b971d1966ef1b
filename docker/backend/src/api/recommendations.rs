//! Owns `POST /api/v1/recommendations`: the business job, run while the client waits.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use super::Routes;
use crate::{
    app::App,
    auth::Session,
    body::JsonBody,
    error::{ApiError, FieldProblem},
    jobs::JobError,
    limits,
};

const DEFAULT_LIMIT: i64 = 5;

/// The path.
pub fn routes() -> Routes {
    Routes::new().route("/api/v1/recommendations", post(recommend))
}

async fn recommend(State(app): State<Arc<App>>, _session: Session, body: JsonBody) -> Result<Response, ApiError> {
    let limit = limit(&body.value)?;
    let recommendations = app.jobs.generate(limit, &app.metrics).await?;
    Ok(Json(json!({ "recommendations": recommendations })).into_response())
}

fn limit(body: &Value) -> Result<i64, ApiError> {
    let Some(given) = body.get("limit") else { return Ok(DEFAULT_LIMIT) };
    let most = limits::MAX_RECOMMENDATIONS;
    let problem = || FieldProblem::new("limit", format!("must be a whole number from 1 to {most}"));
    given.as_i64().filter(|limit| (1..=most).contains(limit)).ok_or_else(|| ApiError::Invalid(vec![problem()]))
}

impl From<JobError> for ApiError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Full => Self::Unavailable {
                code: "queue_full",
                message: "too many recommendation jobs wait; try again shortly",
            },
            JobError::Late => Self::Timeout(limits::JOB_DEADLINE.as_secs()),
            JobError::Database(error) => error.into(),
        }
    }
}
