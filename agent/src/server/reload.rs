//! `POST /-/reload`: has the configuration read again, and answers with what changed (200), or with all that is wrong with it (400) or
//! with its disk (500); then the one before stays in force.

use super::reply::{self, Doing, Reply};
use super::routes::Asked;
use super::times;
use crate::reload::{Applied, Attempt, By, Order, Trouble};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

/// The last reading, as this page and `/diagnostics` tell it.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    reloaded: bool,
    at: String,
    by: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    changes: Option<&'a Applied>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<&'a [Trouble]>,
}

impl<'a> Told<'a> {
    /// What came of an order.
    pub(super) fn of(attempt: &'a Attempt) -> Self {
        let (changes, problems) = match &attempt.outcome {
            Ok(changes) => (Some(changes), None),
            Err(refusal) => (None, Some(refusal.troubles.as_slice())),
        };
        let at = times::rfc3339(attempt.at);
        Self { reloaded: changes.is_some(), at, by: attempt.by.as_str(), changes, problems }
    }
}

/// The page.
pub(super) fn page<'a>(asked: &'a Asked<'a>) -> Doing<'a> {
    Box::pin(async move {
        let (answer, answered) = oneshot::channel();
        match asked.app.reloads.try_send(Order { by: By::Page, answer: Some(answer) }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return reply::with(busy(), header::RETRY_AFTER, "10"),
            Err(TrySendError::Closed(_)) => return reply::text(StatusCode::SERVICE_UNAVAILABLE, reply::NO_ORDERS),
        }
        match answered.await {
            Ok(attempt) => reply::json(status(&attempt), &Told::of(&attempt)),
            Err(_ended) => reply::text(StatusCode::SERVICE_UNAVAILABLE, reply::NO_ORDERS),
        }
    })
}

fn busy() -> Reply {
    reply::text(StatusCode::SERVICE_UNAVAILABLE, "other reloads are waiting\n")
}

fn status(attempt: &Attempt) -> StatusCode {
    match &attempt.outcome {
        Ok(_) => StatusCode::OK,
        Err(refusal) if refusal.was_read => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
